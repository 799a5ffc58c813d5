/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * vec.h: typed growable arrays.
 *
 *	VEC(struct thing) things = VEC_INIT;
 *	VEC_PUSH(&things, t);
 *	for (size_t i = 0; i < things.n; i++) use(&things.v[i]);
 *	VEC_DONE(&things);
 */
#ifndef BASE_VEC_H
#define BASE_VEC_H

#include <stddef.h>
#include <stdlib.h>

#include "base/mem.h"

#define VEC(type)	struct { type *v; size_t n, cap; }
#define VEC_INIT	{ NULL, 0, 0 }

/* Make room for at least one more element. */
#define VEC_GROW(vec) do {						\
	if ((vec)->n == (vec)->cap) {					\
		(vec)->cap = (vec)->cap == 0 ? 8 : (vec)->cap * 2;	\
		(vec)->v = mem_resize((vec)->v, (vec)->cap,		\
		    sizeof(*(vec)->v));					\
	}								\
} while (0)

#define VEC_PUSH(vec, x) do {						\
	VEC_GROW(vec);							\
	(vec)->v[(vec)->n++] = (x);					\
} while (0)

#define VEC_DONE(vec) do {						\
	free((vec)->v);							\
	(vec)->v = NULL;						\
	(vec)->n = (vec)->cap = 0;					\
} while (0)

#endif
