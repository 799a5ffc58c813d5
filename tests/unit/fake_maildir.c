/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * fake_maildir.c: see fake_maildir.h.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "maildir/maildir.h"
#include "tests/unit/fake_maildir.h"

struct maildir {
	int unused;
};

struct maildir_file {
	struct fake_msg *m;
};

struct fake fake;
static struct maildir the_maildir;

struct fake_msg *
fake_add(struct fake *f, uint32_t uid, uint32_t sys, struct span text)
{
	struct fake_msg *m;

	if (f->v == NULL)
		f->v = mem_zalloc(FAKE_MAX * sizeof(*f->v));
	m = &f->v[f->n++];
	memset(m, 0, sizeof(*m));
	m->msg = (struct maildir_msg){ .uid = uid, .modseq = 1,
	    .flags = { .sys = sys } };
	m->text = text;
	m->cut_at = UINT64_MAX;
	return m;
}

void
fake_clear(struct fake *f)
{
	free(f->v);
	memset(f, 0, sizeof(*f));
}

static struct fake_msg *
find(uint32_t uid)
{
	size_t i = maildir_find(&the_maildir, uid);

	return i < fake.n && fake.v[i].msg.uid == uid ? &fake.v[i] : NULL;
}

int
maildir_open(struct maildir_store *store, const struct maildir_path *path,
    bool is_readonly, struct maildir **ret)
{
	(void)store;
	(void)path;
	(void)is_readonly;
	*ret = &the_maildir;
	return 0;
}

void
maildir_on_progress(struct maildir_store *store, maildir_tick *tick,
    void *cookie)
{
	(void)store;
	(void)tick;
	(void)cookie;
}

void
maildir_close(struct maildir *md)
{
	(void)md;
}

bool
is_maildir_readonly(const struct maildir *md)
{
	(void)md;
	return fake.is_readonly;
}

bool
is_maildir_inbox(const struct maildir_path *path)
{
	(void)path;
	return true;
}

uint32_t
maildir_uidvalidity(const struct maildir *md)
{
	(void)md;
	return 1;
}

uint32_t
maildir_uidnext(const struct maildir *md)
{
	(void)md;
	return fake.n == 0 ? 1 : fake.v[fake.n - 1].msg.uid + 1;
}

uint64_t
maildir_highestmodseq(const struct maildir *md)
{
	(void)md;
	return 1;
}

size_t
maildir_count(const struct maildir *md)
{
	(void)md;
	return fake.n;
}

void
maildir_get(const struct maildir *md, size_t i, struct maildir_msg *ret)
{
	(void)md;
	*ret = fake.v[i].msg;
}

size_t
maildir_next_flagged(const struct maildir *md, size_t i, unsigned mask,
    unsigned sys)
{
	struct maildir_msg m;

	for (; i < maildir_count(md); i++) {
		maildir_get(md, i, &m);
		if ((m.flags.sys & mask) == sys)
			break;
	}
	return i;
}

void
maildir_uids(const struct maildir *md, size_t i, size_t n, uint32_t *ret)
{
	(void)md;
	for (size_t k = 0; k < n; k++)
		ret[k] = fake.v[i + k].msg.uid;
}

void
maildir_tally(const struct maildir *md, size_t from, struct maildir_tally *ret)
{
	struct maildir_tally t = { .first_recent = fake.n,
	    .first_unseen = fake.n };

	(void)md;
	for (size_t i = fake.n; i > from; i--) {
		const struct maildir_msg *m = &fake.v[i - 1].msg;

		t.deleted += (m->flags.sys & MAILDIR_DELETED) != 0;
		if (m->is_recent) {
			t.recent++;
			t.first_recent = i - 1;
		}
		if (!(m->flags.sys & MAILDIR_SEEN)) {
			t.unseen++;
			t.first_unseen = i - 1;
		}
	}
	*ret = t;
}

size_t
maildir_find(const struct maildir *md, uint32_t uid)
{
	size_t lo = 0, hi = fake.n;

	(void)md;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (fake.v[mid].msg.uid < uid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

int
maildir_watch(struct maildir *md)
{
	(void)md;
	return -1;
}

int
maildir_refresh(struct maildir *md, const struct maildir_change **ret,
    size_t *ret_n)
{
	(void)md;
	*ret = NULL;
	*ret_n = 0;
	return 0;
}

size_t
maildir_keyword_count(const struct maildir *md)
{
	size_t n = 0;

	(void)md;
	while (n < 8 && fake.keyword[n] != NULL)
		n++;
	return n;
}

struct span
maildir_keyword_name(const struct maildir *md, size_t i)
{
	(void)md;
	return span_str(fake.keyword[i]);
}

bool
has_maildir_keyword_room(const struct maildir *md)
{
	return maildir_keyword_count(md) < 8;
}

int
maildir_keyword(struct maildir *md, struct span name, bool create,
    size_t *ret_i)
{
	(void)create;
	for (size_t i = 0; i < maildir_keyword_count(md); i++)
		if (is_span_ieq(name, span_str(fake.keyword[i]))) {
			*ret_i = i;
			return 0;
		}
	return ERR_NOENT;
}

/* Nothing is kept. */
int
maildir_kind(struct maildir *md, struct span name, unsigned *ret)
{
	(void)md;
	(void)name;
	*ret = 0;
	return 0;
}

int
maildir_one_of_many_kinds(struct maildir *md, struct span name, unsigned *ret)
{
	return maildir_kind(md, name, ret);
}

bool
has_maildir_value(struct maildir *md, unsigned kind, uint32_t uid,
    struct span *ret)
{
	(void)md;
	(void)kind;
	(void)uid;
	(void)ret;
	return false;
}

void
maildir_keep(struct maildir *md, unsigned kind, uint32_t uid,
    struct span value)
{
	(void)md;
	(void)kind;
	(void)uid;
	(void)value;
}

void
maildir_keep_flush(struct maildir *md)
{
	(void)md;
}

int
maildir_info(struct maildir *md, uint32_t uid, struct maildir_info *ret)
{
	struct fake_msg *m = find(uid);

	(void)md;
	if (m == NULL)
		return ERR_GONE;
	*ret = (struct maildir_info){ .internal_date = m->date,
	    .file_size = m->text.n, .has_size = true, .is_settled = true };
	return 0;
}

int
maildir_save_date(struct maildir *md, uint32_t uid, int64_t *ret)
{
	struct fake_msg *m = find(uid);

	(void)md;
	if (m == NULL)
		return ERR_GONE;
	*ret = m->saved != 0 ? m->saved : m->date;
	return 0;
}

/* Each message its own. */
int
maildir_message_guid(struct maildir *md, uint32_t uid, struct buf *b)
{
	(void)md;
	if (find(uid) == NULL)
		return ERR_GONE;
	buf_puts(b, "guid-");
	buf_put_u64(b, uid);
	return 0;
}

int
maildir_check(const struct maildir *md)
{
	(void)md;
	return 0;
}

int
maildir_file_open(struct maildir *md, uint32_t uid, struct maildir_file **ret)
{
	struct fake_msg *m = find(uid);

	(void)md;
	if (m == NULL)
		return ERR_GONE;
	if (m->open_err != 0)
		return m->open_err;
	fake.opened++;
	*ret = mem_zalloc(sizeof(**ret));
	(*ret)->m = m;
	return 0;
}

void
maildir_file_close(struct maildir_file *f)
{
	free(f);
}

uint64_t
maildir_file_size(const struct maildir_file *f)
{
	return f->m->text.n;
}

int64_t
maildir_file_date(const struct maildir_file *f)
{
	return f->m->date;
}

bool
is_maildir_file_packed(const struct maildir_file *f)
{
	(void)f;
	return false;
}

bool
is_maildir_file_settled(const struct maildir_file *f)
{
	(void)f;
	return true;
}

int
maildir_file_read(struct maildir_file *f, uint64_t off, void *p, size_t n,
    size_t *ret_n)
{
	struct span s = span_skip(span_take(f->m->text,
	    (size_t)f->m->cut_at), (size_t)off);

	s = span_take(s, n);
	if (s.n > 0)
		memcpy(p, s.p, s.n);
	fake.read += s.n;
	*ret_n = s.n;
	return 0;
}

int
maildir_vanished(struct maildir *md, uint64_t since, struct arena *arena,
    uint32_t **ret, size_t *ret_n)
{
	(void)md;
	(void)since;
	(void)arena;
	(void)ret;
	(void)ret_n;
	return ERR_GONE;	/* it remembers nothing */
}

int
maildir_store_unchanged(struct maildir *md, const uint32_t *uids, size_t n,
    enum maildir_store_op op, const struct maildir_flags *flags,
    uint64_t since, bool *ret_failed, size_t *ret_n)
{
	(void)since;
	for (size_t i = 0; i < n; i++)
		ret_failed[i] = false;
	return maildir_store_flags(md, uids, n, op, flags, ret_n);
}

int
maildir_store_flags(struct maildir *md, const uint32_t *uids, size_t n,
    enum maildir_store_op op, const struct maildir_flags *flags, size_t *ret_n)
{
	struct fake_msg *m;

	(void)md;
	*ret_n = 0;
	if (fake.store_err != 0)
		return fake.store_err;
	for (; *ret_n < n; (*ret_n)++)
		if (op == MAILDIR_ADD && (m = find(uids[*ret_n])) != NULL)
			m->msg.flags.sys |= flags->sys;
	return 0;
}
