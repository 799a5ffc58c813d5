/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * uidvec.c: a set of UIDs that is nearly always filled in ascending order.
 */
#include "imapd/mailbox/uidvec.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define UIDVEC_KEEP	256	/* elements whose memory clear does not free:
				 * an idle session holds nothing it can do
				 * without */

void
uidvec_done(struct uidvec *uv)
{
	free(uv->v);
	memset(uv, 0, sizeof(*uv));
}

void
uidvec_clear(struct uidvec *uv)
{
	if (uv->cap > UIDVEC_KEEP)
		uidvec_done(uv);
	uv->n = 0;
	uv->is_unsorted = false;
}

void
uidvec_add(struct uidvec *uv, uint32_t uid)
{
	if (uv->n > 0 && uv->v[uv->n - 1] == uid)
		return;
	if (uv->n == uv->cap) {
		uv->cap = uv->cap == 0 ? 16 : uv->cap * 2;
		uv->v = mem_resize(uv->v, uv->cap, sizeof(*uv->v));
	}
	if (uv->n > 0 && uv->v[uv->n - 1] > uid)
		uv->is_unsorted = true;
	uv->v[uv->n++] = uid;
}

static int
cmp_uid(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

void
uidvec_sort(struct uidvec *uv)
{
	size_t to = 0;

	if (!uv->is_unsorted)
		return;
	qsort(uv->v, uv->n, sizeof(*uv->v), cmp_uid);
	for (size_t i = 0; i < uv->n; i++)
		if (to == 0 || uv->v[to - 1] != uv->v[i])
			uv->v[to++] = uv->v[i];
	uv->n = to;
	uv->is_unsorted = false;
}

/* Where uid is or would be. */
static size_t
find(struct uidvec *uv, uint32_t uid)
{
	size_t lo = 0, hi;

	uidvec_sort(uv);
	hi = uv->n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (uv->v[mid] < uid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

bool
has_uidvec(struct uidvec *uv, uint32_t uid)
{
	size_t i;

	if (uv->n == 0)
		return false;
	i = find(uv, uid);
	return i < uv->n && uv->v[i] == uid;
}

void
uidvec_remove(struct uidvec *uv, uint32_t uid)
{
	size_t i;

	if (!has_uidvec(uv, uid))
		return;
	i = find(uv, uid);
	memmove(uv->v + i, uv->v + i + 1, (uv->n - i - 1) * sizeof(*uv->v));
	uv->n--;
}
