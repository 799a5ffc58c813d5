/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * mem.h: memory that is there or ends the process.
 *
 * All heap memory comes from here.  When the system has none left the process
 * ends in one place, with one log line and exit code 71: with one process per
 * connection and a store that survives being stopped anywhere, that costs one
 * reconnect.  Sizes chosen by a peer are checked against a named limit before
 * they come here.  Memory is released with free().
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

#define MEM_EXIT	71	/* EX_OSERR */

/* mem_alloc(n): n bytes, not cleared; n of 0 gives a valid pointer. */
void *mem_alloc(size_t n) __attribute__((malloc, returns_nonnull));

/* mem_zalloc(n): n zero bytes. */
void *mem_zalloc(size_t n) __attribute__((malloc, returns_nonnull));

/*
 * mem_resize(p, count, size): p (or NULL) grown or shrunk to count * size
 * bytes, checked for overflow; the old pointer is no longer valid.
 */
void *mem_resize(void *p, size_t count, size_t size)
    __attribute__((returns_nonnull));

/* mem_dup(p, n): a copy of n bytes with a NUL behind them. */
void *mem_dup(const void *p, size_t n) __attribute__((malloc, returns_nonnull));

/* mem_strdup(s): a copy of the C string s. */
char *mem_strdup(const char *s) __attribute__((malloc, returns_nonnull));

/*
 * mem_wipe_free(p, n): overwrite n bytes so that the compiler cannot leave it
 * out, then free; for passwords and keys.  p may be NULL.
 */
void mem_wipe_free(void *p, size_t n);

/*
 * mem_on_exhausted(fn): called once before the process ends for lack of
 * memory, to write the log line; it must not allocate.
 */
void mem_on_exhausted(void (*fn)(void));

#endif
