/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * civil.h: days of the Gregorian calendar and their numbers, without a zone.
 */
#ifndef BASE_CIVIL_H
#define BASE_CIVIL_H

#include <stdbool.h>
#include <stdint.h>

struct civil {
	int year;
	int month;		/* 1 to 12 */
	int mday;		/* 1 to 31 */
};

/* civil_days(c): days from 1970-01-01 to c, which is_civil(). */
int64_t civil_days(struct civil c);

/* civil_from_days(days): the inverse, for years -9999 to 9999; days beyond are
 * taken as the first or last of them. */
struct civil civil_from_days(int64_t days);

/* There is such a day: no month 13, no 30 February. */
bool is_civil(struct civil c);

#endif
