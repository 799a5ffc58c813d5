/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * sortkept.c: see sortkept.h.
 */
#include "base/buf.h"
#include "imapd/mailbox/msgview.h"
#include "imapd/mailbox/sortkept.h"

static const struct {
	struct span name;	/* with the version of keys and packing; that of
				 * orders (sortrank.c) goes with it */
	unsigned want;
} parts[SORTKEPT_PARTS] = {
	{ SPAN("sort date 1"), SORTKEY_DATE },
	{ SPAN("sort subject 2"), SORTKEY_SUBJECT },
	{ SPAN("sort people 2"), SORTKEY_FROM | SORTKEY_TO | SORTKEY_CC |
	    SORTKEY_DISPLAYFROM | SORTKEY_DISPLAYTO },
	{ SPAN("sort references 1"), SORTKEY_IDS }
};

void
sortkept_init(struct sortkept *sk, struct mailbox *mb)
{
	*sk = (struct sortkept){ mailbox_store(mb), mailbox_view(mb),
	    .nkinds = SORTKEPT_PARTS };
	buf_init(&sk->packed, MAILDIR_VALUE_MAX);
	for (unsigned i = 0; i < SORTKEPT_PARTS; i++)
		if (maildir_kind(sk->md, parts[i].name, &sk->kind[i]) != 0)
			sk->nkinds = 0;
}

void
sortkept_done(struct sortkept *sk)
{
	buf_done(&sk->packed);
}

static bool
has_kept(struct sortkept *sk, uint32_t uid, unsigned want, struct sortkey *ret)
{
	struct sortkey all = { 0 };

	for (unsigned i = 0; i < sk->nkinds; i++) {
		struct span packed;

		if (!(parts[i].want & want))
			continue;
		if (!has_maildir_value(sk->md, sk->kind[i], uid, &packed) ||
		    sortkey_unpack(packed, parts[i].want, &all) != 0)
			return false;
	}
	*ret = all;
	return sk->nkinds > 0;
}

/* All of it: the dear part was to open the message. */
static void
keep(struct sortkept *sk, uint32_t uid, const struct sortkey *all)
{
	for (unsigned i = 0; i < sk->nkinds; i++) {
		buf_clear(&sk->packed);
		sortkey_pack(all, parts[i].want, &sk->packed);
		if (buf_err(&sk->packed) == 0)
			maildir_keep(sk->md, sk->kind[i], uid,
			    buf_span(&sk->packed));
	}
}

int
sortkept_get(struct sortkept *sk, uint32_t uid, unsigned want,
    struct arena *arena, struct sortkey *ret)
{
	int err;

	if (has_kept(sk, uid, want, ret))
		return 0;
	err = sortkey_get(sk->mv, SORTKEY_ALL, arena, ret);
	if (err == 0 && is_msgview_whole(sk->mv))
		keep(sk, uid, ret);
	else
		sk->is_partial = true;
	return err;
}

void
sortkept_use(struct sortkept *sk, unsigned want)
{
	struct span none;

	for (unsigned i = 0; i < sk->nkinds; i++)
		if (parts[i].want & want)
			(void)has_maildir_value(sk->md, sk->kind[i], 0, &none);
}
