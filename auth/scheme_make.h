/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * scheme_make.h: new stored passwords, for imapctl passwd.
 */
#ifndef AUTH_SCHEME_MAKE_H
#define AUTH_SCHEME_MAKE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

/*
 * scheme_make(name, password, b): append "{NAME}hash".  ERR_UNSUPPORTED for a
 * scheme that is only verified: what is weak, and what another is better than.
 */
int scheme_make(struct span name, struct span password, struct buf *b)
    ERR_CHECK;

/* scheme_made(i): the name of the i-th scheme that can be made; NULL. */
const char *scheme_made(size_t i);

#endif
