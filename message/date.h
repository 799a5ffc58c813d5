/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * date.h: the Date field (RFC 5322 3.3, with the obsolete forms of 4.3).
 */
#ifndef MESSAGE_DATE_H
#define MESSAGE_DATE_H

#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

/*
 * date_parse(s, ret_time, ret_zone): the body of a Date field (folded or not)
 * as seconds since 1970 and the zone it was written in, minutes east (0 for a
 * zone that is unknown or absent).  Accepts two- and three-digit years, missing
 * seconds, named zones, missing or wrong weekdays, full month names, comments
 * anywhere, and the forms that mailers write by mistake: asctime() and ISO
 * 8601.  ERR_SYNTAX if there is no date in it, or a day that does not exist (30
 * Feb).  A time that does not exist (25:00) is 00:00:00 (RFC 5256 2.2); a
 * second of 60 is one.
 */
int date_parse(struct span s, int64_t *ret_time, int *ret_zone) ERR_CHECK;

#endif
