/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * picture.h: what one handle knows of its mailbox: messages in order of UID,
 * with the names of their files.
 *
 * 12 bytes a message, and beside them, only where they are needed, columns of
 * mod-sequences, keywords and save dates of 8 each.  No message has memory of
 * its own.  A picture that came from imapd.index leaves there what nobody has
 * asked for: columns are read at the first question, single names are read one
 * by one, and all of them only when many are wanted.  What lies in the file is
 * never changed; names that are new since lie in a pool, at offsets behind it.
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
#include "maildir/indexfile.h"
#include "maildir/name.h"

/* State of a message: the flags of maildir.h, MAILDIR_SEEN and so on, and */
enum {
	MSG_FLAGS = 0x1f,	/* the bits of those */
	MSG_NEW = 0x20,		/* the file is in new/, else in cur/ */
	MSG_PASSED = 0x40,	/* P in its name */
	MSG_FIELDS = 0x80,	/* its record has fields: see fields */
	MSG_KEPT = 0xff,	/* all above: what imapd.index holds */
	MSG_RECENT = 0x100,
	MSG_GONE = 0x200,	/* to be dropped by picture_sweep() */
	MSG_SUSPECT = 0x400,	/* its name vanished; not yet looked for */
	MSG_DELETED_EVENT = 0x800,	/* ... because it was unlinked */
	MSG_TOUCHED = 0x1000,	/* by an event of the drain under way */
	MSG_UNRECORDED = 0x2000,	/* the journal does not know it so */
	MSG_MISSED = 0x4000,	/* the last complete look did not find it */
	MSG_MISSED_TWICE = 0x8000
};

struct msg {
	uint32_t uid;
	uint32_t name;		/* offset among the names */
	uint8_t base_len;
	uint8_t name_len;
	uint16_t state;
};

static inline void
msg_set(struct msg *m, unsigned bits)
{
	m->state = (uint16_t)(m->state | bits);
}

static inline void
msg_clear(struct msg *m, unsigned bits)
{
	m->state = (uint16_t)(m->state & ~bits);
}

static inline uint32_t
msg_flags(const struct msg *m)
{
	return m->state & MSG_FLAGS;
}

/* Fields of a message's uidlist record: few messages have any. */
struct msg_fields {
	uint32_t uid;
	uint32_t off;		/* among the names */
	uint32_t len;
};

#define NAME_CHECK	4u	/* bytes behind a name of the file */

struct picture_slot {
	uint32_t hash;
	uint32_t uid;		/* 0: empty */
};

/* A number for each message, or none for any. */
struct column {
	uint64_t *base;		/* of the first file_n messages, or NULL */
	VEC(uint64_t) late;	/* of the others; may be shorter than they */
	bool is_in_file;	/* base has not been read yet */
	bool is_changed;	/* base is no longer what the file says */
};

enum picture_column {
	PICTURE_MODSEQ,		/* a message without has picture.common */
	PICTURE_KW,		/* bits; a message without has 0 */
	PICTURE_SAVED,		/* seconds since 1970; 0: unknown */
	PICTURE_COLUMNS
};

struct picture {
	VEC(struct msg) msgs;
	size_t file_n;		/* how many of the first are those of file */
	struct column column[PICTURE_COLUMNS];
	uint64_t common;
	uint16_t states;	/* any state that a message of the file had */
	VEC(struct msg_fields) fields;	/* in order of UID */
	struct buf pool;	/* names behind those of the file */
	size_t waste;		/* bytes of the pool no longer used */

	struct indexfile file;	/* fd -1: none */
	uint32_t names_n;	/* bytes of names in it */
	uint8_t *names;		/* NULL: not read */
	uint32_t file_last;	/* the highest UID it can find by base */
	bool is_damaged;	/* something in the file did not check out */
	unsigned asked;		/* single names read, */
	unsigned looked;	/* and bases looked for */

	struct picture_slot *table;	/* of bases; NULL until needed */
	size_t mask;
	size_t used;
	bool is_table_whole;	/* else only of messages above file_last */
};

void picture_init(struct picture *p);
void picture_done(struct picture *p);

/*
 * picture_load(p, f): an empty picture becomes that of an index file, which
 * becomes p's own (also on an error).  ERR_CORRUPT if its messages do not check
 * out.  The columns and the names are left for later.
 */
int picture_load(struct picture *p, struct indexfile *f) ERR_CHECK;

/* picture_adopt(p, f, names): f, which becomes p's own, was written from p, and
 * names[i] is the offset of the name of message i in it. */
void picture_adopt(struct picture *p, struct indexfile *f,
    const uint32_t *names);

/* picture_rest(p): let go of everything that can be had from the file again,
 * and of spare room: a session may now wait for hours. */
void picture_rest(struct picture *p);

/*
 * picture_load_all(p): all names and columns are in memory.  ERR_CORRUPT if
 * one of them does not check out: names of that kind are zeros, which no file
 * has, mod-sequences are those of the header, keywords none.
 */
int picture_load_all(struct picture *p) ERR_CHECK;

/* A name may have to be read into nb, of which the span then is part; it is
 * valid until the next change of p. */
struct namebuf {
	uint8_t s[NAME_FILE_MAX + 1 + NAME_CHECK];
};

struct span picture_name(const struct picture *p, const struct msg *m,
    struct namebuf *nb);
struct span picture_base(const struct picture *p, const struct msg *m,
    struct namebuf *nb);

/* picture_cname(p, m, nb): the same as a C string in nb. */
const char *picture_cname(const struct picture *p, const struct msg *m,
    struct namebuf *nb);

/* picture_get(p, c, m) and picture_put(): a message's number in a column. */
uint64_t picture_get(const struct picture *p, enum picture_column c,
    const struct msg *m);
void picture_put(struct picture *p, enum picture_column c,
    const struct msg *m, uint64_t v);

/* picture_raise(p, modseq): that of all messages. */
void picture_raise(struct picture *p, uint64_t modseq);

/* has_picture_column(p, c): some message may have one. */
bool has_picture_column(const struct picture *p, enum picture_column c);

static inline uint64_t
picture_kw(const struct picture *p, const struct msg *m)
{
	return picture_get(p, PICTURE_KW, m);
}

/* picture_at(p, uid): number of the first message with this UID or a higher
 * one. */
size_t picture_at(const struct picture *p, uint32_t uid);

/* picture_find(p, uid): the message, or NULL. */
struct msg *picture_find(struct picture *p, uint32_t uid);

/*
 * picture_by_base(p, base): the message, or NULL.  A few questions are answered
 * from the file; many make a table.
 */
struct msg *picture_by_base(struct picture *p, struct span base);

/* picture_add(p, uid, file): a message with a UID above all others; flags are
 * not looked at.  ERR_LIMIT when the pool is full. */
int picture_add(struct picture *p, uint32_t uid, struct span file,
    struct msg **ret) ERR_CHECK;

/* picture_push(p, m): the same for one whose name is in the pool already. */
struct msg *picture_push(struct picture *p, const struct msg *m);

/* picture_put_name(p, s, ret): s in the pool: its offset.  ERR_LIMIT. */
int picture_put_name(struct picture *p, struct span s, uint32_t *ret)
    ERR_CHECK;

/* picture_rename(p, m, file): it has this name now. */
int picture_rename(struct picture *p, struct msg *m, struct span file)
    ERR_CHECK;

/* The fields of a message's record, empty if it has none; and setting those
 * of the last message added. */
struct span picture_fields(const struct picture *p, const struct msg *m);
int picture_set_fields(struct picture *p, struct msg *m, struct span fields)
    ERR_CHECK;

/* picture_sweep(p): drop the messages that are MSG_GONE. */
void picture_sweep(struct picture *p);

#endif
