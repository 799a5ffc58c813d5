/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * uidvec.h: a set of UIDs that is nearly always filled in ascending order.
 *
 * Adding at the end is free; anything out of order is sorted in when the set is
 * next looked at.
 */
#ifndef IMAPD_MAILBOX_UIDVEC_H
#define IMAPD_MAILBOX_UIDVEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct uidvec {
	uint32_t *v;		/* ascending and unique after uidvec_sort() */
	size_t n, cap;
	bool is_unsorted;
};

/* A zeroed struct is an empty set. */
void uidvec_done(struct uidvec *uv);
void uidvec_clear(struct uidvec *uv);	/* empty; a large block is freed */
void uidvec_add(struct uidvec *uv, uint32_t uid);
void uidvec_remove(struct uidvec *uv, uint32_t uid);
void uidvec_sort(struct uidvec *uv);
bool has_uidvec(struct uidvec *uv, uint32_t uid);

#endif
