/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * FORMAT of courierimapkeywords/ (read only)
 *	:list	*( name LF ) LF *( BASE ":" *( number ) LF )
 *		numbers count the names from 0, a blank between them
 *	BASE	*( name LF )	all keywords of one message; beats :list
 *	.N.BASE	the same, older; the highest N counts if there is no BASE
 *
 * CRASH STATES: a takeover that was interrupted leaves the keywords of the
 * remaining messages untaken; names and letters of the others are complete.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>

#include "base/fdio.h"
#include "base/mem.h"
#include "base/num.h"
#include "maildir/courier.h"
#include "maildir/replace.h"
#include "maildir/store.h"

#define DIR_NAME	"courierimapkeywords"
#define LIST_NAME	":list"
#define FILE_MAX	(64u * 1024 * 1024)

struct courier {
	struct maildir *md;
	int dir;
	size_t n;		/* messages */
	struct scan bases;	/* of the picture; uid: its number + 1 */
	uint64_t *kw;		/* bits for each message */
	uint64_t *age;		/* N + 1 of what they came from; UINT64_MAX for
				 * BASE */
};

/* The bit of a name; 0 if the mailbox cannot have it. */
static int
bit_of(struct courier *c, struct span name, uint64_t *ret)
{
	size_t i;
	int r = maildir_keyword(c->md, name, true, &i);

	*ret = 0;
	if (r == ERR_LIMIT || r == ERR_NAME)
		return 0;
	if (r == 0)
		*ret = UINT64_C(1) << i;
	return r;
}

static int
read_list(struct courier *c, struct span text)
{
	uint64_t bit[MAILDIR_KEYWORDS_MAX];
	struct span line;
	size_t n = 0;
	int r = 0;

	while (r == 0 && (line = span_split(&text, '\n')).n > 0)
		if (n < MAILDIR_KEYWORDS_MAX)
			r = bit_of(c, line, &bit[n++]);
	while (r == 0 && text.n > 0) {
		size_t colon;
		struct span numbers;
		struct scan_ent *e;

		line = span_split(&text, '\n');
		colon = span_rfind(line, ':');
		numbers = span_skip(line, colon + 1);
		e = scan_find(&c->bases, span_take(line, colon));
		while (e != NULL && numbers.n > 0) {
			struct span s = span_split(&numbers, ' ');
			uint32_t i;

			if (n > 0 && num_u32(s, 0, (uint32_t)n - 1, &i) == 0)
				c->kw[e->uid - 1] |= bit[i];
		}
	}
	return r;
}

/* BASE or .N.BASE */
static int
read_one(struct courier *c, const char *file)
{
	struct span base = span_str(file), text;
	uint64_t age = UINT64_MAX, bit;
	struct scan_ent *e;
	struct buf b;
	size_t digits;
	int r;

	if (base.p[0] == '.') {
		age = num_prefix(span_skip(base, 1), &digits);
		base = span_skip(base, 1 + digits);
		if (digits == 0 || age >= UINT64_MAX - 1 || base.n == 0 ||
		    base.p[0] != '.')
			return 0;
		age++;
		base = span_skip(base, 1);
	}
	e = scan_find(&c->bases, base);
	if (e == NULL || c->age[e->uid - 1] >= age)
		return 0;
	buf_init(&b, FILE_MAX);
	r = replace_read(c->dir, file, &b);
	if (r == 0) {
		c->kw[e->uid - 1] = 0;
		c->age[e->uid - 1] = age;
	}
	text = buf_span(&b);
	while (r == 0 && text.n > 0) {
		struct span name = span_split(&text, '\n');

		if (name.n == 0)
			continue;
		r = bit_of(c, name, &bit);
		c->kw[e->uid - 1] |= bit;
	}
	buf_done(&b);
	return r == ERR_NOENT ? 0 : r;
}

static int
read_all(struct courier *c)
{
	struct dirent *d;
	struct buf b;
	DIR *dp;
	int r;

	buf_init(&b, FILE_MAX);
	r = replace_read(c->dir, LIST_NAME, &b);
	if (r == 0)
		r = read_list(c, buf_span(&b));
	buf_done(&b);
	if (r != 0 && r != ERR_NOENT)
		return r;
	r = 0;
	if (open_list(c->dir, ".", &dp) != 0)
		return 0;
	while (r == 0 && (d = readdir(dp)) != NULL)
		if (strcmp(d->d_name, LIST_NAME) != 0)
			r = read_one(c, d->d_name);
	(void)closedir(dp);
	return r;
}

static int
set_letters(struct courier *c)
{
	struct maildir *md = c->md;
	int r = 0;

	/* Should a rebuild come in between, letters of the rest are left. */
	for (size_t i = 0; r == 0 && i < c->n && i < md->pic.msgs.n; i++) {
		struct maildir_flags f = { 0, c->kw[i] };
		uint32_t uid = md->pic.msgs.v[i].uid;
		size_t n;

		if (f.kw != 0)
			r = maildir_store_flags(md, &uid, 1, MAILDIR_ADD, &f,
			    &n);
	}
	return r;
}

int
courier_take_keywords(struct maildir *md)
{
	struct courier c = { .md = md, .dir = -1, .n = md->pic.msgs.n };
	bool was_readonly = md->is_readonly;
	size_t twins, n = md->pic.msgs.n;
	struct namebuf nb;
	int r = 0;

	if (md->kw.ino != 0 || md->is_memory_only || n == 0 ||
	    open_dir(md->box.dir, DIR_NAME, &c.dir) != 0)
		return 0;
	/* Also when it is opened to be read only: this is no change that the
	 * user makes, and the next look will not come back to it. */
	md->is_readonly = false;
	scan_init(&c.bases);
	c.kw = mem_zalloc(n * sizeof(*c.kw));
	c.age = mem_zalloc(n * sizeof(*c.age));
	for (size_t i = 0; r == 0 && i < n; i++)
		r = scan_add(&c.bases, picture_base(&md->pic,
		    &md->pic.msgs.v[i], &nb), SCAN_CUR);
	for (size_t i = 0; i < c.bases.ents.n; i++)
		c.bases.ents.v[i].uid = (uint32_t)i + 1;
	scan_index(&c.bases, &twins);
	if (r == 0)
		r = read_all(&c);
	if (r == 0)
		r = set_letters(&c);
	free(c.kw);
	free(c.age);
	scan_done(&c.bases);
	fdio_close(&c.dir);
	md->is_readonly = was_readonly;
	return r;
}
