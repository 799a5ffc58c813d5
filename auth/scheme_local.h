/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * scheme_local.h: parts of scheme_crypto.c in files of their own.
 */
#ifndef AUTH_SCHEME_LOCAL_H
#define AUTH_SCHEME_LOCAL_H

#include "base/err.h"
#include "base/span.h"

int scheme_verify_otp(struct span data, struct span password) ERR_CHECK;
int scheme_verify_argon2(struct span data, struct span password) ERR_CHECK;

#endif
