/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * imapdate.h: IMAP's date and date-time (RFC 3501 section 9), read and written.
 */
#ifndef IMAPD_WIRE_IMAPDATE_H
#define IMAPD_WIRE_IMAPDATE_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

/* imapdate_day(s, ret_day): date-text, "1-Feb-1994", all of s; days since
 * 1970-01-01.  ERR_SYNTAX for any other form and a day that there is not. */
int imapdate_day(struct span s, int64_t *ret_day) ERR_CHECK;

/*
 * imapdate_time(s, ret_time, ret_zone): the inside of date-time, "17-Jul-1996
 * 02:44:25 -0700", all of s; seconds since 1970 and minutes east.  A one-digit
 * day is taken with or without the space in front of it.  ERR_SYNTAX.
 */
int imapdate_time(struct span s, int64_t *ret_time, int *ret_zone) ERR_CHECK;

/* imapdate_put(b, t, zone): the same form, without quotes; years from 0 to
 * 9999, times beyond are taken as the first or last of them. */
void imapdate_put(struct buf *b, int64_t t, int zone);

#endif
