/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * zone.c: see zone.h.
 */
#include <time.h>

#include "imapd/mailbox/zone.h"

#define DAY	(24 * 60 * 60)

int
zone_at(int64_t t)
{
	time_t when = (time_t)t;
	struct tm tm;

	if (localtime_r(&when, &tm) == NULL)
		return 0;		/* a year that does not fit an int */
	return (int)(tm.tm_gmtoff / 60);
}

int64_t
zone_day(int64_t t)
{
	int64_t local = t + zone_at(t) * 60;

	/* Division rounds towards zero; days before 1970 are rounded down. */
	return local >= 0 ? local / DAY : -((-local + DAY - 1) / DAY);
}
