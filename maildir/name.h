/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * name.h: the name of a message's file.
 *
 *	name  = base [ ":" info ]
 *	base  = unique *( "," key "=" digits )	S= bytes, W= bytes with CRLF
 *	info  = "2," flags [ rest ]		rest begins with the first
 *						byte that is no letter
 *
 * The base identifies the message for as long as it lives and ends at the first
 * ":".  The info begins at the last ":".  Letters that we do not know, what
 * follows the flags, and what stands between the two colons are kept.
 */
#ifndef MAILDIR_NAME_H
#define MAILDIR_NAME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"

#define NAME_FILE_MAX	255	/* bytes of a file name, NAME_MAX of Linux */

struct name {
	struct span stem;	/* up to the last ':'; usually the base */
	uint32_t upper;		/* bit 0 = 'A' */
	uint32_t lower;		/* bit 0 = 'a' */
	struct span rest;	/* behind the letters, as it was */
};

/* The bit of an upper-case letter in struct name. */
#define NAME_BIT(c)	(1u << ((c) - 'A'))
#define NAME_PASSED	NAME_BIT('P')	/* forwarded, by the classic rules */

/* The letters of the system flags. */
#define NAME_SYSTEM \
	(NAME_BIT('D') | NAME_BIT('F') | NAME_BIT('R') | NAME_BIT('S') | \
	NAME_BIT('T'))

/* name_base(file): the part of a file name that identifies the message; empty
 * if there is none. */
struct span name_base(struct span file);

/* name_parse(file, ret): spans into file. */
void name_parse(struct span file, struct name *ret);

/* name_put(b, n): append the file name, letters sorted by byte value. */
void name_put(struct buf *b, const struct name *n);

/* The letters of MAILDIR_* flags, and back. */
uint32_t name_letters(uint32_t sys);
uint32_t name_sys(uint32_t upper);

/* is_name_usable(file): a message may have this name: not hidden, a base, no
 * line ends. */
bool is_name_usable(struct span file);

/*
 * name_size(base, key, ret): the number behind ",S=" (key 'S') or ",W=".
 * ERR_NOENT if there is none.  A hint, not the truth.
 */
int name_size(struct span base, uint8_t key, uint64_t *ret) ERR_CHECK;

/*
 * name_key_cmp(a, b): the order in which files that have no UID yet are
 * numbered, the same as Dovecot's so that it does not matter who sees them
 * first: the leading number, then the number behind "M" in the next part, then
 * bytes.
 */
struct name_key {
	uint64_t seconds;
	uint64_t micros;
	bool has_micros;
	struct span rest;	/* behind the leading number */
};

void name_key(struct span file, struct name_key *ret);
int name_key_cmp(const struct name_key *a, const struct name_key *b);

/* name_hash(base): for tables.  Not keyed: the names are those of files in the
 * user's own directory, which nobody else chooses. */
uint32_t name_hash(struct span base);

#endif
