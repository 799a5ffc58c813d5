/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include "base/civil.h"
#include "base/num.h"
#include "imapd/wire/imapdate.h"

#define DAY_SECONDS	86400
#define ZONE_MAX	(24 * 60)	/* minutes: less than a day */

static const char month_name[12][4] = {
	"Jan", "Feb", "Mar", "Apr", "May", "Jun",
	"Jul", "Aug", "Sep", "Oct", "Nov", "Dec"
};

/* A number of just n digits at the start of *s, which goes on behind it. */
static int ERR_CHECK
take_digits(struct span *s, size_t n, int *ret)
{
	uint32_t v;
	int err;

	if (s->n < n)
		return ERR_SYNTAX;
	err = num_u32(span_take(*s, n), 0, 9999, &v);
	if (err != 0)
		return ERR_SYNTAX;
	*s = span_skip(*s, n);
	*ret = (int)v;
	return 0;
}

static int ERR_CHECK
take_byte(struct span *s, uint8_t c)
{
	if (s->n == 0 || s->p[0] != c)
		return ERR_SYNTAX;
	*s = span_skip(*s, 1);
	return 0;
}

static int ERR_CHECK
take_month(struct span *s, int *ret)
{
	for (int i = 0; i < 12; i++) {
		if (has_iprefix(*s, span_str(month_name[i]))) {
			*s = span_skip(*s, 3);
			*ret = i + 1;
			return 0;
		}
	}
	return ERR_SYNTAX;
}

/*
 * date-text  = date-day "-" date-month "-" date-year
 * date-day   = 1*2DIGIT
 * date-year  = 4DIGIT
 */
static int ERR_CHECK
take_date(struct span *s, int64_t *ret_day)
{
	size_t ndigits = s->n > 1 && is_digit(s->p[1]) ? 2 : 1;
	struct civil c;
	int err;

	if ((err = take_digits(s, ndigits, &c.mday)) != 0 ||
	    (err = take_byte(s, '-')) != 0 ||
	    (err = take_month(s, &c.month)) != 0 ||
	    (err = take_byte(s, '-')) != 0 ||
	    (err = take_digits(s, 4, &c.year)) != 0)
		return err;
	if (!is_civil(c))
		return ERR_SYNTAX;
	*ret_day = civil_days(c);
	return 0;
}

int
imapdate_day(struct span s, int64_t *ret_day)
{
	int64_t day;
	int err = take_date(&s, &day);

	if (err != 0)
		return err;
	if (s.n > 0)
		return ERR_SYNTAX;
	*ret_day = day;
	return 0;
}

/* time = 2DIGIT ":" 2DIGIT ":" 2DIGIT; a leap second is let pass. */
static int ERR_CHECK
take_time(struct span *s, int *ret)
{
	int hour, min, sec, err;

	if ((err = take_digits(s, 2, &hour)) != 0 ||
	    (err = take_byte(s, ':')) != 0 ||
	    (err = take_digits(s, 2, &min)) != 0 ||
	    (err = take_byte(s, ':')) != 0 ||
	    (err = take_digits(s, 2, &sec)) != 0)
		return err;
	if (hour > 23 || min > 59 || sec > 60)
		return ERR_SYNTAX;
	*ret = (hour * 60 + min) * 60 + sec;
	return 0;
}

/* zone = ("+" / "-") 4DIGIT */
static int ERR_CHECK
take_zone(struct span *s, int *ret)
{
	bool is_west = s->n > 0 && s->p[0] == '-';
	int hour, min, err;

	if (!is_west && (err = take_byte(s, '+')) != 0)
		return err;
	if (is_west)
		*s = span_skip(*s, 1);
	if ((err = take_digits(s, 2, &hour)) != 0 ||
	    (err = take_digits(s, 2, &min)) != 0)
		return err;
	if (hour > 23 || min > 59)
		return ERR_SYNTAX;
	*ret = (hour * 60 + min) * (is_west ? -1 : 1);
	return 0;
}

/*
 * date-time      = DQUOTE date-day-fixed "-" date-month "-" date-year
 *                  SP time SP zone DQUOTE
 * date-day-fixed = (SP DIGIT) / 2DIGIT
 *
 * One digit without the blank is let pass: clients forget it.
 */
int
imapdate_time(struct span s, int64_t *ret_time, int *ret_zone)
{
	int64_t day;
	int sec, zone, err;

	if (s.n > 0 && s.p[0] == ' ')
		s = span_skip(s, 1);
	if ((err = take_date(&s, &day)) != 0 ||
	    (err = take_byte(&s, ' ')) != 0 ||
	    (err = take_time(&s, &sec)) != 0 ||
	    (err = take_byte(&s, ' ')) != 0 ||
	    (err = take_zone(&s, &zone)) != 0)
		return err;
	if (s.n > 0)
		return ERR_SYNTAX;
	*ret_time = day * DAY_SECONDS + sec - zone * 60;
	*ret_zone = zone;
	return 0;
}

/* v, not negative, in at least width digits. */
static void
put_padded(struct buf *b, int v, size_t width)
{
	uint8_t digits[NUM_U64_DIGITS];
	size_t n = num_print((uint64_t)v, digits);

	for (size_t i = n; i < width; i++)
		buf_putc(b, '0');
	buf_put(b, digits, n);
}

void
imapdate_put(struct buf *b, int64_t t, int zone)
{
	const int64_t first =
	    civil_days((struct civil){ 0, 1, 1 }) * DAY_SECONDS;
	const int64_t last =
	    civil_days((struct civil){ 10000, 1, 1 }) * DAY_SECONDS - 1;
	int64_t day;
	struct civil c;
	int sec;

	if (zone <= -ZONE_MAX || zone >= ZONE_MAX)
		zone = 0;
	if (t < first - zone * 60)
		t = first - zone * 60;
	if (t > last - zone * 60)
		t = last - zone * 60;
	t += zone * 60;
	day = t / DAY_SECONDS - (t % DAY_SECONDS < 0 ? 1 : 0);
	sec = (int)(t - day * DAY_SECONDS);
	c = civil_from_days(day);
	put_padded(b, c.mday, 2);
	buf_putc(b, '-');
	buf_puts(b, month_name[c.month - 1]);
	buf_putc(b, '-');
	put_padded(b, c.year, 4);
	buf_putc(b, ' ');
	put_padded(b, sec / 3600, 2);
	buf_putc(b, ':');
	put_padded(b, sec / 60 % 60, 2);
	buf_putc(b, ':');
	put_padded(b, sec % 60, 2);
	buf_puts(b, zone < 0 ? " -" : " +");
	put_padded(b, (zone < 0 ? -zone : zone) / 60, 2);
	put_padded(b, (zone < 0 ? -zone : zone) % 60, 2);
}
