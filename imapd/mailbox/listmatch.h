/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * listmatch.h: the patterns of LIST and LSUB (RFC 3501 6.3.8).
 */
#ifndef IMAPD_MAILBOX_LISTMATCH_H
#define IMAPD_MAILBOX_LISTMATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

#define LISTMATCH_MAX	4096	/* bytes of a pattern; longer matches nothing */

/*
 * is_list_match(pattern, name, delimiter): "*" stands for any bytes, "%" for
 * any but the delimiter.  A first level of INBOX matches in any case.  Time
 * grows with the product of the two lengths at worst, whatever the pattern.
 */
bool is_list_match(struct span pattern, struct span name, uint8_t delimiter);

#endif
