/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include "base/ipnet.h"
#include "base/num.h"

#include "auth/usersline.h"

#define C_DEL		0x7f
#define DAY_SECONDS	86400

/* Days from 1970-01-01 to the given day of the Gregorian calendar. */
static int64_t
days_from_date(int64_t y, int64_t m, int64_t d)
{
	int64_t era, year, day;

	y -= m <= 2;
	era = y / 400;
	year = y - era * 400;
	day = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * 146097 + year * 365 + year / 4 - year / 100 + day -
	    719468;
}

/* n digits at offset at of s, within lo..hi. */
static int
digits_at(struct span s, size_t at, size_t n, uint32_t lo, uint32_t hi,
    int64_t *ret)
{
	uint32_t v;

	if (at + n > s.n ||
	    num_u32(span_take(span_skip(s, at), n), lo, hi, &v) != 0)
		return ERR_SYNTAX;
	*ret = v;
	return 0;
}

/*
 *	time = 1*DIGIT				; seconds since 1970
 *	     / date ["T" hh ":" mm [":" ss] ["Z"]]	; UTC
 *	date = yyyy "-" mm "-" dd
 */
static int
parse_time(struct span s, int64_t *ret)
{
	static const char form[] = "dddd-dd-ddTdd:dd:dd";
	int64_t y, mo, d, h = 0, mi = 0, sec = 0;
	uint64_t seconds;

	if (num_u64(s, 1, INT64_MAX, &seconds) == 0) {
		*ret = (int64_t)seconds;
		return 0;
	}
	if (s.n > 0 && s.p[s.n - 1] == 'Z')
		s.n--;
	if (s.n != 10 && s.n != 16 && s.n != 19)
		return ERR_SYNTAX;
	for (size_t i = 0; i < s.n; i++)
		if (form[i] != 'd' && s.p[i] != (uint8_t)form[i])
			return ERR_SYNTAX;
	if (digits_at(s, 0, 4, 1970, 9999, &y) != 0 ||
	    digits_at(s, 5, 2, 1, 12, &mo) != 0 ||
	    digits_at(s, 8, 2, 1, 31, &d) != 0)
		return ERR_SYNTAX;
	if (s.n > 10 && (digits_at(s, 11, 2, 0, 23, &h) != 0 ||
	    digits_at(s, 14, 2, 0, 59, &mi) != 0))
		return ERR_SYNTAX;
	if (s.n > 16 && digits_at(s, 17, 2, 0, 60, &sec) != 0)
		return ERR_SYNTAX;
	*ret = days_from_date(y, mo, d) * DAY_SECONDS + h * 3600 + mi * 60 +
	    sec;
	return 0;
}

/* The next element of a list separated by commas; false at its end. */
static bool
has_next(struct span *list, struct span *ret)
{
	while (list->p != NULL) {
		*ret = span_split(list, ',');
		if (ret->n > 0)
			return true;
	}
	return false;
}

static int
check_nets(struct span list)
{
	struct span element;
	struct ipnet net;

	while (has_next(&list, &element))
		if (!is_span_eq(element, SPAN("local")) &&
		    ipnet_parse(element, &net) != 0)
			return ERR_SYNTAX;
	return 0;
}

bool
is_usersline_net(const struct usersline *line, struct span address)
{
	struct span list = line->nets, element;
	struct ipaddr addr;
	struct ipnet net;
	bool has_addr = ipaddr_parse(address, &addr) == 0;

	if (!line->has_nets)
		return true;
	while (has_next(&list, &element)) {
		if (is_span_eq(element, SPAN("local"))) {
			if (address.n == 0)
				return true;
		} else if (has_addr && ipnet_parse(element, &net) == 0 &&
		    is_ipnet_member(&net, &addr)) {
			return true;
		}
	}
	return false;
}

bool
is_usersline_service(const struct usersline *line, struct span name)
{
	struct span list = line->services, element;

	if (!line->has_services)
		return true;
	while (has_next(&list, &element))
		if (is_span_ieq(element, name))
			return true;
	return false;
}

/* Extra fields that say no more than a text. */
static struct span *
text_field(struct usersline *line, struct span key)
{
	const struct { const char *key; struct span *at; } fields[] = {
		{ "userdb_uid", &line->uid },
		{ "userdb_gid", &line->gid },
		{ "userdb_home", &line->home },
		{ "userdb_mail", &line->mail },
		{ "userdb_mail_location", &line->mail },
		{ "userdb_quota_rule", &line->quota },
		{ "userdb_quota_storage_size", &line->quota_size },
		{ "userdb_quota_message_count", &line->quota_count },
		{ "label", &line->label },
		{ "user", &line->alias },
		{ "capability", &line->capability },
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (is_span_eq(key, span_str(fields[i].key)))
			return fields[i].at;
	return NULL;
}

/*
 *	field = name [":protected"] ["=" value]
 *
 * Unknown ones are other programs' business, as in Dovecot.  What would send
 * the client elsewhere (proxy, host) or refuse him (fail) refuses him here.
 */
static int
parse_field(struct span field, struct usersline *ret, const char **ret_why)
{
	struct span value = field;
	struct span key = span_split(&value, '=');
	struct span *text;

	if (has_suffix(key, SPAN(":remove")))
		return 0;
	if (has_suffix(key, SPAN(":protected")))
		key.n -= sizeof(":protected") - 1;
	text = text_field(ret, key);
	if (text != NULL) {
		if (!has_prefix(key, SPAN("userdb_")) || value.n > 0)
			*text = value;
	} else if (is_span_eq(key, SPAN("nologin")) ||
	    is_span_eq(key, SPAN("fail")) || is_span_eq(key, SPAN("proxy")) ||
	    is_span_eq(key, SPAN("proxy_maybe")) ||
	    is_span_eq(key, SPAN("host"))) {
		ret->is_nologin = true;
	} else if (is_span_eq(key, SPAN("nopassword"))) {
		ret->is_nopassword = true;
	} else if (is_span_eq(key, SPAN("services"))) {
		ret->services = value;
		ret->has_services = true;
	} else if (is_span_eq(key, SPAN("allow_nets"))) {
		*ret_why = "malformed allow_nets";
		ret->nets = value;
		ret->has_nets = true;
		return check_nets(value);
	} else if (is_span_eq(key, SPAN("expires"))) {
		*ret_why = "malformed expires";
		return parse_time(value, &ret->expires);
	} else if (is_span_eq(key, SPAN("delay_until"))) {
		*ret_why = "malformed delay_until";
		return parse_time(span_take(value, span_find(value, '+')),
		    &ret->not_before);
	}
	return 0;
}

/* "maildir:PATH" or a path; not "allow_nets=...", which would be lost. */
static bool
is_location(struct span s)
{
	size_t n = 0;

	if (s.n == 0 || s.p[0] == '/' || s.p[0] == '~' || s.p[0] == '%')
		return true;
	while (n < s.n && (is_alpha(s.p[n]) || is_digit(s.p[n])))
		n++;
	return n > 0 && n < s.n && s.p[n] == ':';
}

/*
 * Everything from the 8th field on, colons included, split at blanks.  If the
 * 8th is empty, what follows it is a mail location (Dovecot before 2.4).
 */
static int
parse_extra(struct span extra, struct usersline *ret, const char **ret_why)
{
	struct span rest = extra, field;
	int err;

	if (extra.n > 0 && extra.p[0] == ':') {
		ret->mail = span_skip(extra, 1);
		*ret_why = "one colon too many before the extra fields";
		return is_location(ret->mail) ? 0 : ERR_SYNTAX;
	}
	while (rest.p != NULL) {
		field = span_split(&rest, ' ');
		for (struct span part = field; part.p != NULL;) {
			field = span_split(&part, '\t');
			err = field.n == 0 ? 0 :
			    parse_field(field, ret, ret_why);
			if (err != 0)
				return err;
		}
	}
	return 0;
}

static bool
is_user_name(struct span user)
{
	for (size_t i = 0; i < user.n; i++)
		if (user.p[i] < ' ' || user.p[i] == C_DEL)
			return false;
	return user.n > 0;
}

/* A number of 0, however written: "0", "00". */
static bool
is_root_id(struct span id)
{
	uint64_t v;

	return num_u64(id, 0, 0, &v) == 0;
}

static int
malformed(const char **ret_why, const char *why)
{
	*ret_why = why;
	return ERR_SYNTAX;
}

int
usersline_parse(struct span line, struct usersline *ret, const char **ret_why)
{
	struct usersline l = { 0 };
	struct span rest = line;
	int err;

	*ret_why = "";
	if (line.n == 0 || line.p[0] == '#' || line.p[0] == ':')
		return ERR_NOENT;
	if (line.n > USERSLINE_MAX)
		return malformed(ret_why, "line too long");
	if (has_byte(line, '\0'))
		return malformed(ret_why, "NUL byte in the line");
	l.user = span_split(&rest, ':');
	if (rest.p == NULL)
		return malformed(ret_why, "no password field");
	if (!is_user_name(l.user))
		return malformed(ret_why, "control byte in the user name");
	l.password = span_split(&rest, ':');
	l.uid = span_split(&rest, ':');
	l.gid = span_split(&rest, ':');
	(void)span_split(&rest, ':');		/* gecos */
	l.home = span_split(&rest, ':');
	(void)span_split(&rest, ':');		/* shell */
	err = parse_extra(rest, &l, ret_why);
	if (err != 0)
		return ERR_SYNTAX;
	if (is_root_id(l.uid) || is_root_id(l.gid))
		return malformed(ret_why, "uid or gid 0");
	if (l.is_nopassword && l.password.n > 0)
		return malformed(ret_why, "nopassword and a password");
	*ret = l;
	return 0;
}
