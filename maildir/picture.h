/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * picture.h: what one handle knows of its mailbox: messages in order of UID,
 * with the names of their files.
 *
 * 32 bytes a message, its name once in a pool, and, only once something has to
 * be found by name, 8 to 16 bytes in a table.  No message has memory of its
 * own.
 */
#ifndef MAILDIR_PICTURE_H
#define MAILDIR_PICTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "base/vec.h"

enum {
	MSG_NEW = 1,		/* the file is in new/, else in cur/ */
	MSG_RECENT = 2,
	MSG_GONE = 4,		/* to be dropped by picture_sweep() */
	MSG_SUSPECT = 8,	/* its name vanished; not yet looked for */
	MSG_DELETED_EVENT = 16,	/* ... because it was unlinked */
	MSG_PASSED = 32,	/* P in its name */
	MSG_FIELDS = 64,	/* its record has fields: see fields */
	MSG_TOUCHED = 128	/* by an event of the drain under way */
};

struct msg {
	uint64_t modseq;
	uint64_t kw;
	uint32_t uid;
	uint32_t name;		/* offset in the pool */
	uint8_t base_len;
	uint8_t name_len;
	uint8_t sys;		/* MAILDIR_SEEN and so on */
	uint8_t missed;		/* complete looks in a row without its file */
	uint16_t state;
};

/* Fields of a message's uidlist record: few messages have any. */
struct msg_fields {
	uint32_t uid;
	uint32_t off;		/* in the pool */
	uint32_t len;
};

struct picture_slot {
	uint32_t hash;
	uint32_t uid;		/* 0: empty */
};

struct picture {
	VEC(struct msg) msgs;
	VEC(struct msg_fields) fields;	/* in order of UID */
	struct buf pool;		/* see picture_pool() */
	int names_fd;			/* the pool is still in this file, */
	uint64_t names_off;		/* from here, */
	uint32_t names_len;		/* so long; -1: it is in memory */
	size_t waste;			/* bytes of the pool no longer used */
	struct picture_slot *table;	/* NULL until needed */
	size_t mask;
	size_t used;
};

void picture_init(struct picture *p);
void picture_done(struct picture *p);

/*
 * picture_names_later(p, fd, off, n): the pool of an empty picture is n bytes
 * of a file, to be read when the first name is asked for.  fd becomes p's.
 * Should they not be there, all names are zeros: no file is found under them.
 */
void picture_names_later(struct picture *p, int fd, uint64_t off, uint32_t n);

/* picture_pool(p): the pool, in memory. */
void picture_load_names(struct picture *p);

static inline struct buf *
picture_pool(const struct picture *p)
{
	/* Reading it changes nothing that the caller can see. */
	struct picture *q = (struct picture *)(uintptr_t)p;

	if (q->names_fd >= 0)
		picture_load_names(q);
	return &q->pool;
}

static inline struct span
picture_name(const struct picture *p, const struct msg *m)
{
	return (struct span){ picture_pool(p)->p + m->name,
	    m->name_len };
}

static inline struct span
picture_base(const struct picture *p, const struct msg *m)
{
	return (struct span){ picture_pool(p)->p + m->name,
	    m->base_len };
}

/* picture_at(p, uid): number of the first message with this UID or a higher
 * one. */
size_t picture_at(const struct picture *p, uint32_t uid);

/* picture_find(p, uid): the message, or NULL. */
struct msg *picture_find(struct picture *p, uint32_t uid);

/* picture_by_base(p, base): the message, or NULL.  Makes the table if there is
 * none. */
struct msg *picture_by_base(struct picture *p, struct span base);

/* picture_add(p, uid, file): a message with a UID above all others; flags are
 * not looked at.  ERR_LIMIT when the pool is full. */
int picture_add(struct picture *p, uint32_t uid, struct span file,
    struct msg **ret) ERR_CHECK;

/* picture_push(p, m): the same for one whose name is in the pool already. */
struct msg *picture_push(struct picture *p, const struct msg *m);

/* picture_rename(p, m, file): it has this name now. */
int picture_rename(struct picture *p, struct msg *m, struct span file)
    ERR_CHECK;

/* The fields of a message's record, empty if it has none; and setting those
 * of the last message added. */
struct span picture_fields(const struct picture *p, const struct msg *m);
int picture_set_fields(struct picture *p, struct msg *m, struct span fields)
    ERR_CHECK;

/* picture_settle(p): no spare room, and what was needed to make the picture
 * goes back to the system: a session may now wait for hours. */
void picture_settle(struct picture *p);

/* picture_sweep(p): drop the messages that are MSG_GONE. */
void picture_sweep(struct picture *p);

#endif
