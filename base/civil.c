/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include "base/civil.h"

#define ERA_YEARS	400	/* after which the calendar repeats */
#define ERA_DAYS	146097
#define EPOCH		719468	/* days from 0000-03-01 to 1970-01-01 */

/*
 * Years are counted from March, so that the leap day is the last of its year
 * and the months before a month have (153 * m + 2) / 5 days, m from 0.
 */
int64_t
civil_days(struct civil c)
{
	int64_t year = c.month <= 2 ? (int64_t)c.year - 1 : c.year;
	int64_t era = (year >= 0 ? year : year - (ERA_YEARS - 1)) / ERA_YEARS;
	int64_t yoe = year - era * ERA_YEARS;
	int64_t month = (c.month + 9) % 12;
	int64_t doy = (153 * month + 2) / 5 + c.mday - 1;

	return era * ERA_DAYS + yoe * 365 + yoe / 4 - yoe / 100 + doy - EPOCH;
}

struct civil
civil_from_days(int64_t days)
{
	static const struct civil first = { -9999, 1, 1 };
	static const struct civil last = { 9999, 12, 31 };
	int64_t day, era, doe, yoe, doy, month;
	struct civil c;

	if (days < civil_days(first))
		return first;
	if (days > civil_days(last))
		return last;
	day = days + EPOCH;
	era = (day >= 0 ? day : day - (ERA_DAYS - 1)) / ERA_DAYS;
	doe = day - era * ERA_DAYS;
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	month = (5 * doy + 2) / 153;
	c.mday = (int)(doy - (153 * month + 2) / 5 + 1);
	c.month = (int)(month < 10 ? month + 3 : month - 9);
	c.year = (int)(yoe + era * ERA_YEARS + (c.month <= 2 ? 1 : 0));
	return c;
}

bool
is_civil(struct civil c)
{
	static const int mdays[] = {
		31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
	};
	bool is_leap = c.year % 4 == 0 &&
	    (c.year % 100 != 0 || c.year % 400 == 0);

	if (c.month < 1 || c.month > 12 || c.mday < 1)
		return false;
	return c.mday <= mdays[c.month - 1] + (c.month == 2 && is_leap ? 1 : 0);
}
