/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include "message/date.h"

#include <stdbool.h>

#include "base/civil.h"
#include "base/num.h"
#include "message/rfc5322.h"

/*
 * The field is read word by word, and each word is recognised by its shape
 * rather than by its place: that takes RFC 5322, its obsolete forms, asctime()
 * and ISO 8601 alike.  What is not recognised is passed over.
 */
struct date {
	bool has_day, has_month, has_year, has_time;
	int day, month, year;
	int hour, min, sec;
	int zone;		/* minutes east */
};

/* month-name, in full or its first three letters or more; 0: it is none. */
static int
month_of(struct span word)
{
	static const struct span names[] = { SPAN("january"), SPAN("february"),
	    SPAN("march"), SPAN("april"), SPAN("may"), SPAN("june"),
	    SPAN("july"), SPAN("august"), SPAN("september"), SPAN("october"),
	    SPAN("november"), SPAN("december") };

	for (int i = 0; i < 12; i++)
		if (word.n >= 3 && word.n <= names[i].n &&
		    is_span_ieq(word, span_take(names[i], word.n)))
			return i + 1;
	return 0;
}

/*
 * obs-zone (RFC 5322 4.3).  Military letters were defined the wrong way round
 * in RFC 822, and other names mean nothing certain: they are zone 0.
 */
static int
zone_of(struct span word)
{
	static const struct {
		struct span name;
		int hours;
	} zones[] = {
		{ SPAN("EST"), -5 }, { SPAN("EDT"), -4 }, { SPAN("CST"), -6 },
		{ SPAN("CDT"), -5 }, { SPAN("MST"), -7 }, { SPAN("MDT"), -6 },
		{ SPAN("PST"), -8 }, { SPAN("PDT"), -7 }
	};

	for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++)
		if (is_span_ieq(word, zones[i].name))
			return zones[i].hours * 60;
	return 0;
}

/* The number at the start of *s, taken off; -1 if there is none or it is too
 * large to be part of a date. */
static int
take_number(struct span *s)
{
	size_t len;
	uint64_t v = num_prefix(*s, &len);

	*s = span_skip(*s, len);
	return len == 0 || v > 99999 ? -1 : (int)v;
}

/* zone = ("+" / "-") 4DIGIT ; also +hh:mm and +hh */
static void
read_zone(struct date *d, struct span s)
{
	bool is_west = s.p[0] == '-';
	size_t digits;
	int v;

	s = span_skip(s, 1);
	(void)num_prefix(s, &digits);
	v = take_number(&s);
	if (digits <= 2)
		v *= 100;
	if (s.n > 1 && s.p[0] == ':') {
		s = span_skip(s, 1);
		v += take_number(&s);
	}
	/* A zone that makes no sense is none: the time still says much. */
	if (v < 0 || v > 9959 || v % 100 > 59)
		return;
	v = v / 100 * 60 + v % 100;
	d->zone = is_west ? -v : v;
}

/*
 * time-of-day = hour ":" minute [ ":" second ] ; a fraction and a zone that is
 * glued to it may follow
 *
 * "If the time is also invalid, the time SHOULD be treated as 00:00:00" (RFC
 * 5256 2.2): the day still says much.
 */
static void
read_time(struct date *d, struct span s)
{
	d->hour = take_number(&s);
	s = span_skip(s, 1);
	d->min = take_number(&s);
	d->sec = 0;
	if (s.n > 0 && (s.p[0] == ':' || s.p[0] == '.')) {
		s = span_skip(s, 1);
		d->sec = take_number(&s);
	}
	if (s.n > 0 && (s.p[0] == '.' || s.p[0] == ',')) {
		s = span_skip(s, 1);
		(void)take_number(&s);	/* parts of a second */
	}
	if (d->hour < 0 || d->hour > 23 || d->min < 0 || d->min > 59 ||
	    d->sec < 0 || d->sec > 60)
		d->hour = d->min = d->sec = 0;
	d->has_time = true;
	if (s.n > 1 && (s.p[0] == '+' || s.p[0] == '-'))
		read_zone(d, s);
}

/*
 * year = 4*DIGIT / 2DIGIT / 3DIGIT (RFC 5322 4.3)
 *
 * A year is 1900 or later (3.3); 0102 is the 102 of old mailers, in four
 * digits.
 */
static void
set_year(struct date *d, int v)
{
	if (v < 50)
		v += 2000;
	else if (v < 1000)
		v += 1900;
	d->year = v;
	d->has_year = true;
}

/* A word of digits: the day, or else the year. */
static int
read_number(struct date *d, struct span s)
{
	size_t digits = s.n;
	int v = take_number(&s);

	if (v < 0)
		return ERR_SYNTAX;
	if (digits <= 2 && !d->has_day) {
		d->day = v;
		d->has_day = true;
	} else if (!d->has_year) {
		set_year(d, v);
	}
	return 0;
}

/* ISO 8601: yyyy-mm-dd, and what follows a "T"; also with slashes. */
static void
read_iso(struct date *d, struct span s)
{
	set_year(d, take_number(&s));
	s = span_skip(s, 1);
	d->month = take_number(&s);
	s = span_skip(s, 1);
	d->day = take_number(&s);
	d->has_day = d->has_month = true;
	if (s.n > 1 && to_lower(s.p[0]) == 't')
		read_time(d, span_skip(s, 1));
}

static bool
is_iso(struct span s)
{
	return s.n >= 10 && is_digit(s.p[0]) && is_digit(s.p[3]) &&
	    (s.p[4] == '-' || s.p[4] == '/') && is_digit(s.p[5]) &&
	    s.p[7] == s.p[4] && is_digit(s.p[8]);
}

/* A word that begins with a letter: month, zone, or a weekday that says nothing
 * new.  An offset may be glued to it (GMT+0200). */
static void
read_name(struct date *d, struct span s)
{
	size_t n = 0;
	int month;

	while (n < s.n && is_alpha(s.p[n]))
		n++;
	month = month_of(span_take(s, n));
	if (month != 0 && !d->has_month) {
		d->month = month;
		d->has_month = true;
	} else if (d->has_time && d->zone == 0) {
		d->zone = zone_of(span_take(s, n));
	}
	s = span_skip(s, n);
	if (s.n > 1 && (s.p[0] == '+' || s.p[0] == '-') && d->has_time)
		read_zone(d, s);
}

static int
read_word(struct date *d, struct span s)
{
	size_t digits;

	(void)num_prefix(s, &digits);
	if (is_iso(s))
		read_iso(d, s);
	else if (digits > 0 && digits < s.n && s.p[digits] == ':' &&
	    !d->has_time)
		read_time(d, s);
	else if (digits > 0)
		return read_number(d, span_take(s, digits));
	else if ((s.p[0] == '+' || s.p[0] == '-') && s.n > 1 && d->has_time)
		read_zone(d, s);
	else if (is_alpha(s.p[0]))
		read_name(d, s);
	return 0;
}

/* Length of the word at the start of s.  "22-Aug-2002" is three of them. */
static size_t
word_len(const struct date *d, struct span s)
{
	size_t n = 0;
	bool is_split = !is_iso(s) && !d->has_time && (!d->has_month ||
	    !d->has_year);

	while (n < s.n && !is_wsp(s.p[n]) && s.p[n] != ',' && s.p[n] != '(' &&
	    s.p[n] != '\r' && s.p[n] != '\n') {
		if (n > 0 && s.p[n] == '-' && is_split)
			break;
		n++;
	}
	return n;
}

int
date_parse(struct span s, int64_t *ret_time, int *ret_zone)
{
	struct rfc5322 c = rfc5322_cursor(s);
	struct date d = { 0 };
	struct civil day;

	for (;;) {
		size_t n;
		struct span rest;
		int err;

		rfc5322_skip(&c);
		if (is_rfc5322_end(&c))
			break;
		rest = span_of(c.p, (size_t)(c.end - c.p));
		n = word_len(&d, rest);
		err = n == 0 ? 0 : read_word(&d, span_take(rest, n));
		if (err != 0)
			return err;
		c.p += n;
		/* One separator, but not the sign of a zone. */
		if (!is_rfc5322_end(&c) && (n == 0 || *c.p == ',' ||
		    *c.p == '-'))
			c.p++;
	}
	day = (struct civil){ d.year, d.month, d.day };
	if (!d.has_day || !d.has_month || !d.has_year || !is_civil(day))
		return ERR_SYNTAX;
	*ret_time = ((civil_days(day) * 24 + d.hour) * 60 + d.min - d.zone) *
	    60 + d.sec;
	*ret_zone = d.zone;
	return 0;
}
