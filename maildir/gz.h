/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * gz.h: a message that lies compressed (gzip), read as if it were not.
 */
#ifndef MAILDIR_GZ_H
#define MAILDIR_GZ_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct gz;

/*
 * gz_new(fd, ret, ret_size): a reader for the file, whose descriptor stays the
 * caller's, and its size when unpacked.  ERR_UNSUPPORTED: it is not gzip, or
 * not all of it: then it is to be read as it is.
 */
int gz_new(int fd, struct gz **ret, uint64_t *ret_size) ERR_CHECK;
void gz_free(struct gz *gz);

/* gz_read(gz, off, p, n, ret_n): like fdio_pread(); going backwards starts
 * again from the beginning. */
int gz_read(struct gz *gz, uint64_t off, void *p, size_t n, size_t *ret_n)
    ERR_CHECK;

#endif
