/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include "maildir/md.h"

const char *
md_cname(const struct picture *p, const struct msg *m,
    char out[NAME_FILE_MAX + 1])
{
	memcpy(out, picture_pool(p)->p + m->name, m->name_len);
	out[m->name_len] = '\0';
	return out;
}

void
md_read_flags(struct maildir *md, const struct picture *p, struct msg *m)
{
	struct name n;

	name_parse(picture_name(p, m), &n);
	m->sys = (uint8_t)name_sys(n.upper);
	m->kw = keywords_bits(&md->kw, &n);
	m->state &= (uint16_t)~MSG_PASSED;
	if (n.upper & NAME_PASSED) {
		m->state |= MSG_PASSED;
		md->has_passed = true;
	}
}

void
md_news(struct maildir *md, uint32_t uid, enum maildir_what what)
{
	struct maildir_change c = { uid, what };

	VEC_PUSH(&md->news, c);
}

void
md_flags_changed(struct maildir *md, struct msg *m, uint32_t sys, uint64_t kw)
{
	if (m->sys == sys && m->kw == kw)
		return;
	m->modseq = history_change(&md->history, m->uid);
	md_news(md, m->uid, MAILDIR_CHANGED);
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
