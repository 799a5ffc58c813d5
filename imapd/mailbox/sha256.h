/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * sha256.h: SHA-256 (FIPS 180-4).
 *
 * For identifiers made of names that others chose (objectid.h), not for
 * secrets.  A session is not linked with the library that has it: see the
 * design of its processes in imapd(8).
 */
#ifndef IMAPD_MAILBOX_SHA256_H
#define IMAPD_MAILBOX_SHA256_H

#include <stdint.h>

#include "base/span.h"

#define SHA256_SIZE	32

/* sha256(s, ret): of all of s. */
void sha256(struct span s, uint8_t ret[SHA256_SIZE]);

#endif
