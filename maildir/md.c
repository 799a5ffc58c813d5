/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <time.h>

#include "maildir/md.h"

void
md_init(struct maildir *md, struct maildir_store *store)
{
	*md = (struct maildir){ .store = store, .watch = WATCH_NONE,
	    .rest.file = INDEXFILE_NONE };
	md->box.dir = md->box.control = md->box.cur = md->box.new =
	    md->box.tmp = -1;
	uidlist_init(&md->ul);
	keywords_init(&md->kw);
	picture_init(&md->pic);
	history_init(&md->history);
	cache_init(&md->cache);
}

void
md_done(struct maildir *md)
{
	indexfile_close(&md->rest.file);
	VEC_DONE(&md->rest.uids);
	VEC_DONE(&md->rest.recent);
	watch_stop(&md->watch, &md->store->watch_spare);
	VEC_DONE(&md->news);
	VEC_DONE(&md->told);
	cache_done(&md->cache);
	history_done(&md->history);
	picture_done(&md->pic);
	keywords_done(&md->kw);
	uidlist_done(&md->ul);
	box_close(&md->box);
}

void
md_read_flags(struct maildir *md, const struct picture *cp, struct msg *m)
{
	/* m is a message of it. */
	struct picture *p = (struct picture *)(uintptr_t)cp;
	struct namebuf nb;
	struct name n;
	uint64_t kw, was = picture_kw(p, m);

	name_parse(picture_name(p, m, &nb), &n);
	msg_clear(m, MSG_FLAGS | MSG_PASSED);
	msg_set(m, name_sys(n.upper));
	kw = keywords_bits(&md->kw, &n);
	if (n.upper & NAME_PASSED) {
		msg_set(m, MSG_PASSED);
		md->has_passed = true;
	}
	/* Keywords without letters are not in the name. */
	kw |= was & KEYWORDS_WORDS;
	if (kw != was)
		picture_put(p, PICTURE_KW, m, kw);
}

void
md_news(struct maildir *md, uint32_t uid, enum maildir_what what)
{
	struct maildir_change c = { uid, what };

	VEC_PUSH(&md->news, c);
}

void
md_flags_changed(struct maildir *md, struct msg *m, uint32_t flags,
    uint64_t kw)
{
	if (msg_flags(m) == flags && picture_kw(&md->pic, m) == kw)
		return;
	history_changed(md, m);
	md_news(md, m->uid, MAILDIR_CHANGED);
}

int
md_note_saved(struct picture *p, struct msg *m, int dir, const char *name)
{
	uint32_t saved = md_seconds();
	struct stat st;

	if (picture_get(p, PICTURE_SAVED, m) != 0)
		return 0;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno;
	if (st.st_ctim.tv_sec > 0 && st.st_ctim.tv_sec < saved)
		saved = (uint32_t)st.st_ctim.tv_sec;
	picture_put(p, PICTURE_SAVED, m, saved);
	return 0;
}

void
md_arrived(struct maildir *md, struct picture *p, struct msg *m)
{
	struct namebuf nb;

	if (md_note_saved(p, m, m->state & MSG_NEW ? md->box.new : md->box.cur,
	    picture_cname(p, m, &nb)) != 0)
		picture_put(p, PICTURE_SAVED, m, md_seconds());
	history_changed(md, m);
	md_news(md, m->uid, MAILDIR_ADDED);
}

void
md_departed(struct maildir *md, struct msg *m)
{
	history_left(md, m->uid);
	md_news(md, m->uid, MAILDIR_EXPUNGED);
	msg_set(m, MSG_GONE);
}

uint32_t
md_seconds(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);	/* cannot fail */
	return (uint32_t)ts.tv_sec;
}

void
md_reread_passed(struct maildir *md, unsigned before)
{
	if (before == md->kw.passed)
		return;
	for (size_t i = 0; i < md->pic.msgs.n; i++)
		if (md->pic.msgs.v[i].state & MSG_PASSED)
			md_read_flags(md, &md->pic, &md->pic.msgs.v[i]);
}

int
md_keywords(struct maildir *md)
{
	unsigned passed = md->kw.passed;
	bool changed;
	int r;

	r = keywords_load(&md->kw, md->box.control, &changed);
	md_reread_passed(md, passed);
	return r;
}

void
md_note(const struct maildir *md, const char *file, const char *text)
{
	const struct maildir_conf *conf = &md->store->conf;

	if (conf->note != NULL)
		conf->note(conf->note_arg, md->box.path, file, text);
}

void
md_watch(struct maildir *md)
{
	if (md->was_watched)
		return;
	watch_start(&md->watch, &md->box, &md->store->watch_spare);
	/* A new watch knows nothing of what happened before it. */
	md->was_watched = md->watch.fd >= 0 &&
	    is_dirtime_same(md->box.new, &md->new_time) &&
	    is_dirtime_same(md->box.cur, &md->cur_time);
}
