/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

static void (*on_exhausted)(void);

static _Noreturn void
exhausted(void)
{
	void (*fn)(void) = on_exhausted;

	on_exhausted = NULL;	/* should it fail itself */
	if (fn != NULL)
		fn();
	_exit(MEM_EXIT);
}

void
mem_on_exhausted(void (*fn)(void))
{
	on_exhausted = fn;
}

void *
mem_alloc(size_t n)
{
	void *p = malloc(n == 0 ? 1 : n);

	if (p == NULL)
		exhausted();
	return p;
}

void *
mem_zalloc(size_t n)
{
	void *p = calloc(1, n == 0 ? 1 : n);

	if (p == NULL)
		exhausted();
	return p;
}

void *
mem_resize(void *p, size_t count, size_t size)
{
	size_t n;

	if (__builtin_mul_overflow(count, size, &n))
		exhausted();
	p = realloc(p, n == 0 ? 1 : n);
	if (p == NULL)
		exhausted();
	return p;
}

void *
mem_dup(const void *p, size_t n)
{
	uint8_t *q;

	if (n == SIZE_MAX)
		exhausted();
	q = mem_alloc(n + 1);
	if (n > 0)
		memcpy(q, p, n);
	q[n] = '\0';
	return q;
}

char *
mem_strdup(const char *s)
{
	return mem_dup(s, strlen(s));
}

void
mem_wipe_free(void *p, size_t n)
{
	if (p == NULL)
		return;
	explicit_bzero(p, n);
	free(p);
}
