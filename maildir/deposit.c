/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include "maildir/deposit.h"
#include "maildir/md.h"
#include "maildir/replace.h"
#include "maildir/step.h"

int
deposit_open(struct deposit *d, struct maildir_store *store,
    const struct maildir_path *path)
{
	int r;

	*d = (struct deposit){ .store = store, .lock = LOCK_NONE };
	d->box.dir = d->box.control = d->box.cur = d->box.new = d->box.tmp = -1;
	uidlist_init(&d->ul);
	keywords_init(&d->kw);
	buf_init(&d->lines, UIDLIST_MAX);
	r = box_open(store, path, &d->box);
	if (r != 0)
		deposit_close(d);
	return r;
}

void
deposit_close(struct deposit *d)
{
	lock_drop(&d->lock);
	VEC_DONE(&d->words);
	buf_done(&d->lines);
	keywords_done(&d->kw);
	uidlist_done(&d->ul);
	box_close(&d->box);
}

static int
read_list(struct deposit *d, bool want_records)
{
	const struct uidlist_at at = { d->box.control, d->box.dir, true };

	return want_records ? uidlist_read(&d->ul, &at) :
	    uidlist_read_ends(&d->ul, &at);
}

int
deposit_lock(struct deposit *d, const struct maildir_path *path,
    bool want_records)
{
	struct maildir *md;
	int r;

	for (int i = 0; i < 3; i++) {
		r = box_lock(&d->box, d->store, &d->lock);
		if (r == 0)
			r = read_list(d, want_records);
		if (r != 0 || !d->ul.must_rewrite)
			return r;
		/* No list yet, or a damaged one: opening the mailbox makes it
		 * what it should be. */
		lock_drop(&d->lock);
		r = maildir_open(d->store, path, true, &md);
		if (r != 0)
			return r;
		maildir_close(md);
	}
	return ERR_CORRUPT;
}

/* That it could not be recorded does not matter: no letter is left, or no file
 * could hold the name. */
static bool
is_wordless(const struct deposit *d, int r)
{
	return r == ERR_NAME ||
	    (r == ERR_LIMIT && !has_keywords_letter(&d->kw));
}

int
deposit_keywords(struct deposit *d, const struct span *names, size_t n)
{
	bool changed;
	int r, sync = d->store->conf.fsync;

	if (n == 0)
		return 0;
	r = keywords_load(&d->kw, d->box.control, &changed);
	if (r != 0)
		return r;
	r = keywords_add(&d->kw, d->box.control, d->box.file_mode, names, n,
	    sync);
	if (r != ERR_LIMIT && r != ERR_NAME)
		return r;
	/* As many as there is room for: the message matters more. */
	for (size_t i = 0; i < n; i++) {
		r = keywords_add(&d->kw, d->box.control, d->box.file_mode,
		    &names[i], 1, sync);
		if (r != 0 && !is_wordless(d, r))
			return r;
	}
	return 0;
}

void
deposit_word(struct deposit *d, uint32_t uid, struct span name)
{
	struct deposit_word w = { uid, name };

	VEC_PUSH(&d->words, w);
}

void
deposit_words(struct deposit *d, const struct maildir_path *path)
{
	struct maildir *md;
	size_t i = 0, number, n;

	if (d->words.n == 0)
		return;
	lock_drop(&d->lock);
	if (maildir_open(d->store, path, true, &md) != 0)
		return;
	/* Read-only, so as not to take \Recent from anybody; and yet. */
	md->is_readonly = md->is_memory_only;
	while (i < d->words.n) {
		struct maildir_flags f = { 0, 0 };
		uint32_t uid = d->words.v[i].uid;

		for (; i < d->words.n && d->words.v[i].uid == uid; i++)
			if (maildir_keyword(md, d->words.v[i].name, true,
			    &number) == 0)
				f.kw |= UINT64_C(1) << number;
		if (f.kw != 0 && maildir_store_flags(md, &uid, 1,
		    MAILDIR_ADD, &f, &n) != 0)
			break;
	}
	maildir_close(md);
}

int
deposit_record(struct deposit *d, struct span fields, struct span base,
    uint32_t *ret_uid)
{
	if (d->ul.next > UIDLIST_UID_MAX)
		return ERR_LIMIT;
	*ret_uid = d->ul.next++;
	uidlist_put(&d->lines, *ret_uid, fields, base);
	return buf_err(&d->lines);
}

int
deposit_write(struct deposit *d)
{
	int r = lock_check(&d->lock);

	if (r != 0)
		return r;
	return uidlist_append(&d->ul, buf_span(&d->lines));
}

int
deposit_sync(struct deposit *d)
{
	bool sync = d->store->conf.fsync;
	int r = 0;

	/* The list first: on a journalling file system that makes the renames
	 * before it durable too, and the directories cost nothing more. */
	if (sync)
		r = uidlist_sync(&d->ul);
	step("deposit-list-synced");
	if (r == 0 && d->has_new)
		r = sync_dir(d->box.new, sync);
	if (r == 0 && d->has_cur)
		r = sync_dir(d->box.cur, sync);
	return r;
}

int
deposit_place(struct deposit *d, const struct name *n, struct buf *name,
    int *ret_dir)
{
	bool is_new = n->upper == 0 && n->lower == 0 && n->rest.n == 0;

	buf_clear(name);
	if (is_new)
		buf_put_span(name, n->stem);
	else
		name_put(name, n);
	if (buf_cstr(name) == NULL || name->n > NAME_FILE_MAX)
		return ERR_NAME;
	if (is_new)
		d->has_new = true;
	else
		d->has_cur = true;
	*ret_dir = is_new ? d->box.new : d->box.cur;
	return 0;
}
