/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * sentday.c: see sentday.h.  Kept are 8 bytes, or none.
 */
#include "base/buf.h"
#include "base/enc.h"
#include "message/date.h"
#include "message/part.h"
#include "maildir/maildir.h"
#include "imapd/mailbox/sentday.h"

#define KIND	SPAN("sent day 1")
#define DAY	(24 * 60 * 60)

void
sentday_init(struct sentday *sd, struct maildir *md, struct msgview *mv)
{
	*sd = (struct sentday){ .md = md, .mv = mv };
	sd->has_kind = maildir_kind(md, KIND, &sd->kind) == 0;
}

static bool
has_kept(struct sentday *sd, uint32_t uid, bool *has, int64_t *ret)
{
	struct span kept;
	struct dec d;

	if (!sd->has_kind ||
	    !has_maildir_value(sd->md, sd->kind, uid, &kept) ||
	    (kept.n != 0 && kept.n != 8))
		return false;
	d = dec_init(kept);
	*has = kept.n > 0;
	*ret = *has ? (int64_t)dec_u64(&d) : 0;
	return true;
}

static void
keep(struct sentday *sd, uint32_t uid, bool has, int64_t day)
{
	struct buf b;

	if (!sd->has_kind || !is_msgview_whole(sd->mv))
		return;
	buf_init(&b, 8);
	if (has)
		enc_u64(&b, (uint64_t)day);
	maildir_keep(sd->md, sd->kind, uid, buf_span(&b));
	buf_done(&b);
}

int
sentday_get(struct sentday *sd, uint32_t uid, bool *has, int64_t *ret)
{
	const struct part *top;
	int64_t date;
	int zone, err;

	if (has_kept(sd, uid, has, ret))
		return 0;
	if ((err = msgview_header(sd->mv, &top)) != 0)
		return err;
	*has = top->envelope != NULL && top->envelope->date.p != NULL &&
	    date_parse(top->envelope->date, &date, &zone) == 0;
	*ret = 0;
	if (*has) {
		date += (int64_t)zone * 60;
		*ret = date / DAY - (date % DAY < 0 ? 1 : 0);
	}
	keep(sd, uid, *has, *ret);
	return 0;
}
