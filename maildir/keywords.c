/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * FORMAT of dovecot-keywords
 *	file = *( number SP name LF )	number 0-25; gaps are allowed
 * Lines that do not parse, numbers above 25 and names seen before (without
 * regard to case) are skipped.  A number is never given to another name.
 *
 * Written under the uidlist lock, as a new file named dovecot-keywords.lock
 * that is renamed into place, and before any file name uses a new letter.  Its
 * mtime grows by at least one second with each change: that is all Dovecot
 * compares.
 *
 * CRASH STATES
 *	dovecot-keywords.lock left over	removed by the next writer, who holds
 *					the uidlist lock
 *	a name that no file uses	stays
 *	a letter without a name		not shown, kept in the file names
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/num.h"
#include "maildir/keywords.h"
#include "maildir/maildir.h"
#include "maildir/replace.h"
#include "maildir/store.h"

#define FILE_MAX	(64u * 1024)
#define FORWARDED	SPAN("$Forwarded")
#define SECOND		1000000000u

void
keywords_init(struct keywords *kw)
{
	*kw = (struct keywords){ .passed = KEYWORDS_PASSED };
	kw->name[KEYWORDS_PASSED] = mem_strdup("$Forwarded");
}

static void
clear_letters(struct keywords *kw)
{
	for (size_t i = 0; i < KEYWORDS_LETTERS; i++) {
		free(kw->name[i]);
		kw->name[i] = NULL;
	}
	kw->passed = KEYWORDS_PASSED;
}

void
keywords_done(struct keywords *kw)
{
	clear_letters(kw);
	for (size_t i = KEYWORDS_PASSED; i < KEYWORDS_NUMBERS; i++) {
		free(kw->name[i]);
		kw->name[i] = NULL;
	}
}

static int
find_number(const struct keywords *kw, size_t from, size_t to,
    struct span name, size_t *ret)
{
	for (size_t i = from; i < to; i++) {
		if (kw->name[i] != NULL &&
		    is_span_ieq(span_str(kw->name[i]), name)) {
			*ret = i;
			return 0;
		}
	}
	return ERR_NOENT;
}

static int
find_letter(const struct keywords *kw, struct span name, size_t *ret)
{
	return find_number(kw, 0, KEYWORDS_LETTERS, name, ret);
}

int
keywords_find(const struct keywords *kw, struct span name, size_t *ret)
{
	int r = find_letter(kw, name, ret);

	if (r == ERR_NOENT)
		r = find_number(kw, KEYWORDS_PASSED, KEYWORDS_NUMBERS, name,
		    ret);
	return r;
}

/* number SP name; no NUL in a name, which becomes a C string. */
int
keywords_line(struct keywords *kw, struct span name)
{
	struct span number = span_split(&name, ' ');
	size_t known;
	uint32_t i;

	if (name.n == 0 || name.n > MAILDIR_KEYWORD_LEN ||
	    has_byte(name, '\0') ||
	    num_u32(number, 0, KEYWORDS_LETTERS - 1, &i) != 0)
		return ERR_SYNTAX;
	if (kw->name[i] != NULL || find_letter(kw, name, &known) == 0)
		return ERR_EXISTS;
	kw->name[i] = mem_dup(name.p, name.n);
	if (is_span_ieq(name, FORWARDED))
		kw->passed = i;
	return 0;
}

static void
parse(struct keywords *kw, struct span text)
{
	clear_letters(kw);
	while (text.n > 0) {
		struct span line = span_split(&text, '\n');

		if (keywords_line(kw, line) != 0)
			continue;	/* skipped */
	}
}

static uint64_t
mtime_of(const struct stat *st)
{
	return (uint64_t)st->st_mtim.tv_sec * SECOND +
	    (uint64_t)st->st_mtim.tv_nsec;
}

int
keywords_load(struct keywords *kw, int dir, bool *ret_changed)
{
	struct buf b;
	struct stat st;
	int r;

	if (fstatat(dir, KEYWORDS_FILE, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		if (errno != ENOENT)
			return err_from_errno(errno);
		*ret_changed = kw->ino != 0;
		clear_letters(kw);
		kw->ino = 0;
		kw->is_loaded = true;
		return 0;
	}
	*ret_changed = !kw->is_loaded || kw->ino != st.st_ino ||
	    kw->mtime != mtime_of(&st);
	if (!*ret_changed)
		return 0;
	buf_init(&b, FILE_MAX);
	r = replace_read(dir, KEYWORDS_FILE, &b);
	if (r == 0) {
		parse(kw, buf_span(&b));
		kw->ino = st.st_ino;
		kw->mtime = mtime_of(&st);
		kw->is_loaded = true;
	}
	buf_done(&b);
	return r;
}

/* RFC 9051 flag-keyword = atom is the parser's business; ours is the file. */
static bool
can_store(struct span name)
{
	if (name.n == 0 || name.n > MAILDIR_KEYWORD_LEN)
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] <= ' ' || name.p[i] == 0x7f)
			return false;
	return true;
}

/* The mtime must have grown by a whole second. */
int
keywords_write(struct keywords *kw, int dir, mode_t mode, bool sync)
{
	struct timespec times[2] = { { 0, UTIME_OMIT }, { 0, 0 } };
	struct timespec now;
	struct buf b;
	struct stat st;
	int r;

	buf_init(&b, FILE_MAX);
	for (size_t i = 0; i < KEYWORDS_LETTERS; i++) {
		if (kw->name[i] == NULL)
			continue;
		buf_put_u64(&b, i);
		buf_putc(&b, ' ');
		buf_puts(&b, kw->name[i]);
		buf_putc(&b, '\n');
	}
	(void)unlinkat(dir, KEYWORDS_LOCK, 0);	/* left over, or not there */
	r = buf_err(&b);
	if (r == 0)
		r = replace_file(dir, KEYWORDS_FILE, KEYWORDS_LOCK, mode,
		    buf_span(&b), sync);
	buf_done(&b);
	if (r != 0)
		return r;
	(void)clock_gettime(CLOCK_REALTIME, &now);	/* cannot fail */
	times[1].tv_sec = now.tv_sec;
	if ((uint64_t)now.tv_sec <= kw->mtime / SECOND) {
		times[1].tv_sec = (time_t)(kw->mtime / SECOND + 1);
		if (utimensat(dir, KEYWORDS_FILE, times,
		    AT_SYMLINK_NOFOLLOW) != 0)
			return err_from_errno(errno);
	}
	if (fstatat(dir, KEYWORDS_FILE, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return err_from_errno(errno);
	kw->ino = st.st_ino;
	kw->mtime = mtime_of(&st);
	return 0;
}

int
keywords_add(struct keywords *kw, int dir, mode_t mode,
    const struct span *names, size_t n, bool sync)
{
	uint32_t added = 0;	/* bit per letter */
	size_t i, known;
	int r = 0;

	for (size_t k = 0; k < n && r == 0; k++) {
		if (find_letter(kw, names[k], &known) == 0)
			continue;
		for (i = 0; i < KEYWORDS_LETTERS && kw->name[i] != NULL; i++)
			;
		if (!can_store(names[k])) {
			r = ERR_NAME;
		} else if (i < KEYWORDS_LETTERS) {
			kw->name[i] = mem_dup(names[k].p, names[k].n);
			added |= 1u << i;
		} else if (!is_span_ieq(names[k], FORWARDED)) {
			r = ERR_LIMIT;
		}
	}
	if (r == 0 && added != 0)
		r = keywords_write(kw, dir, mode, sync);
	if (r != 0) {
		for (i = 0; i < KEYWORDS_LETTERS; i++) {
			if (added & 1u << i) {
				free(kw->name[i]);
				kw->name[i] = NULL;
			}
		}
		return r;
	}
	if (find_letter(kw, FORWARDED, &known) == 0)
		kw->passed = (unsigned)known;
	return 0;
}

int
keywords_add_word(struct keywords *kw, struct span name, size_t *ret)
{
	if (!can_store(name))
		return ERR_NAME;
	for (size_t i = KEYWORDS_PASSED + 1; i < KEYWORDS_NUMBERS; i++) {
		if (kw->name[i] != NULL)
			continue;
		kw->name[i] = mem_dup(name.p, name.n);
		*ret = i;
		return 0;
	}
	return ERR_LIMIT;
}

void
keywords_set_word(struct keywords *kw, size_t number, struct span name)
{
	if (number > KEYWORDS_PASSED && number < KEYWORDS_NUMBERS &&
	    kw->name[number] == NULL && can_store(name))
		kw->name[number] = mem_dup(name.p, name.n);
}

void
keywords_forget_words(struct keywords *kw)
{
	for (size_t i = KEYWORDS_PASSED + 1; i < KEYWORDS_NUMBERS; i++) {
		free(kw->name[i]);
		kw->name[i] = NULL;
	}
}

bool
has_keywords_letter(const struct keywords *kw)
{
	for (size_t i = 0; i < KEYWORDS_LETTERS; i++)
		if (kw->name[i] == NULL)
			return true;
	return false;
}

bool
has_keywords_words(const struct keywords *kw)
{
	for (size_t i = KEYWORDS_PASSED + 1; i < KEYWORDS_NUMBERS; i++)
		if (kw->name[i] != NULL)
			return true;
	return false;
}

uint64_t
keywords_bits(const struct keywords *kw, const struct name *n)
{
	return (uint64_t)n->lower |
	    (n->upper & NAME_PASSED ? UINT64_C(1) << kw->passed : 0);
}

void
keywords_letters(const struct keywords *kw, uint64_t bits, struct name *n)
{
	bool is_forwarded = bits & UINT64_C(1) << kw->passed;

	n->lower = (uint32_t)(bits & ((1u << KEYWORDS_LETTERS) - 1));
	if (!is_forwarded)
		n->upper &= ~NAME_PASSED;
	else if (kw->passed == KEYWORDS_PASSED)
		n->upper |= NAME_PASSED;
}
