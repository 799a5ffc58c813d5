/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * keywords.h: the names behind the letters a-z in file names
 * (dovecot-keywords).
 *
 * Number 0-25 is a letter.  Number 26 is $Forwarded where no letter has that
 * name: then the classic letter P, "passed on", stands for it.  Where a letter
 * has the name, both the letter and P mean the keyword; we set the letter, and
 * take both away.  So Dovecot, which does not know P, sees what we set, and
 * what other mail readers mark with P is shown as $Forwarded by us.
 *
 * Numbers from 27 on are keywords that came when all letters were taken.  They
 * are nowhere but in imapd.index and imapd.journal (history.h), as Dovecot's
 * are in its index.
 */
#ifndef MAILDIR_KEYWORDS_H
#define MAILDIR_KEYWORDS_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "maildir/name.h"

#define KEYWORDS_LETTERS	26u
#define KEYWORDS_PASSED		26u	/* number of P without a letter */
#define KEYWORDS_NUMBERS	64u
/* The bits of numbers 27 to 63, keywords that have no letter. */
#define KEYWORDS_WORDS		(~((UINT64_C(1) << 27) - 1))

struct keywords {
	char *name[KEYWORDS_NUMBERS];	/* NULL: none */
	unsigned passed;		/* the number that P stands for */
	bool is_loaded;
	ino_t ino;			/* 0: there is no file */
	uint64_t mtime;			/* ns */
};

void keywords_init(struct keywords *kw);
void keywords_done(struct keywords *kw);

/* keywords_load(kw, dir, ret_changed): read the file if it is not the one that
 * was read before.  No file is no error. */
int keywords_load(struct keywords *kw, int dir, bool *ret_changed) ERR_CHECK;

/* keywords_line(kw, line): take a line of the file in: ERR_SYNTAX, or
 * ERR_EXISTS for a number or a name seen before; then nothing has changed.
 * keywords_write(): the file anew; the caller holds the uidlist lock. */
int keywords_line(struct keywords *kw, struct span line) ERR_CHECK;
int keywords_write(struct keywords *kw, int dir, mode_t mode, bool sync)
    ERR_CHECK;

/* keywords_find(kw, name, ret): its number; ERR_NOENT. */
int keywords_find(const struct keywords *kw, struct span name, size_t *ret)
    ERR_CHECK;

/*
 * keywords_add(kw, dir, mode, names, n, sync): record the names that are not
 * there yet.  The caller holds the uidlist lock and has called keywords_load()
 * under it.  ERR_LIMIT if the letters do not suffice (nothing is written),
 * ERR_NAME for a name that the file cannot hold.
 */
int keywords_add(struct keywords *kw, int dir, mode_t mode,
    const struct span *names, size_t n, bool sync) ERR_CHECK;

/* keywords_add_word(kw, name, ret): a number without a letter; ERR_LIMIT,
 * ERR_NAME.  keywords_set_word(): the name of one, from the record; ignored if
 * it has one. */
int keywords_add_word(struct keywords *kw, struct span name, size_t *ret)
    ERR_CHECK;
void keywords_set_word(struct keywords *kw, size_t number, struct span name);
void keywords_forget_words(struct keywords *kw);
bool has_keywords_words(const struct keywords *kw);

/* A letter is left. */
bool has_keywords_letter(const struct keywords *kw);

/* The bits of a file's letters, and the letters for bits.  n->upper's P is
 * read and set; other upper-case letters are not touched. */
uint64_t keywords_bits(const struct keywords *kw, const struct name *n);
void keywords_letters(const struct keywords *kw, uint64_t bits,
    struct name *n);

#endif
