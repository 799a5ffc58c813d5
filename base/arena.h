/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * arena.h: allocate many, free once.
 *
 * One arena per command and one per message parse.  Nothing in an arena is
 * freed by itself; arena_clear() frees all and keeps the first block, so that
 * a loop over many messages allocates once.  Memory comes zeroed.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

struct arena;

/* arena_new(first): an arena whose first block holds first bytes. */
struct arena *arena_new(size_t first);

/* arena_free(a): all of it; a may be NULL. */
void arena_free(struct arena *a);

/* arena_clear(a): forget everything allocated, keep the first block. */
void arena_clear(struct arena *a);

/*
 * arena_wipe(a): as arena_clear(), and every byte that was handed out is
 * overwritten first; for commands that carried a password.
 */
void arena_wipe(struct arena *a);

/* arena_alloc(a, n): n zero bytes, aligned for any type; never NULL. */
void *arena_alloc(struct arena *a, size_t n) __attribute__((returns_nonnull));

/* arena_array(a, count, size): the same for an array, checked for overflow. */
void *arena_array(struct arena *a, size_t count, size_t size)
    __attribute__((returns_nonnull));

#define ARENA_NEW(a, type)	((type *)arena_alloc(a, sizeof(type)))

/* arena_dup(a, s): a copy of the bytes of s (p is not NULL even if empty). */
struct span arena_dup(struct arena *a, struct span s);

/* arena_cstr(a, s): a copy with a NUL behind it. */
char *arena_cstr(struct arena *a, struct span s);

/* arena_used(a): bytes handed out since the last clear. */
size_t arena_used(const struct arena *a);

#endif
