/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * verify_file.c: users from the users file.
 *
 * The first line of a user without a label is his main line.  Lines with a
 * label are app passwords: each with its own password, networks, services and
 * expiry; what else they do not say, the main line says.  nologin on the main
 * line closes the account, whatever password is used.
 */
#include <time.h>

#include "auth/scheme.h"
#include "auth/userdb.h"
#include "auth/verify.h"

#define SERVICE		SPAN("imap")

/* Used when the users file has no line to imitate; nobody's password. */
#define DUMMY	SPAN("{CRYPT}$6$ZBzpDPNwGT3FWE6T$")

/* What an error of usersfile_find() means.  Who is here, but malformed, is not
 * looked for elsewhere: what the line wanted to say is not known. */
static enum auth_reason
find_reason(int err)
{
	switch (err) {
	case ERR_NOENT:
		return AUTH_UNKNOWN_USER;
	case ERR_SYNTAX:
		return AUTH_BAD_ENTRY;
	default:
		return AUTH_UNAVAILABLE;
	}
}

static enum auth_reason
open_file(struct verify *v, struct usersfile **ret)
{
	const struct auth_conf *conf = v->auth->conf;

	if (conf->users_file == NULL ||
	    usersfile_open(conf->users_file, &v->auth->note, ret) != 0)
		return AUTH_UNAVAILABLE;
	return AUTH_OK;
}

/* His main line, or the first there is. */
static const struct usersline *
main_line(const struct usersfile_lines *lines)
{
	for (size_t i = 0; i < lines->n; i++)
		if (lines->v[i].label.n == 0)
			return &lines->v[i];
	return &lines->v[0];
}

/* May the owner of this password in, now, from there, to us? */
static enum auth_reason
check_line(const struct verify *v, const struct usersfile_lines *lines,
    size_t i)
{
	const struct usersline *line = &lines->v[i];
	int64_t now = (int64_t)time(NULL);

	if (v->is_lookup)
		return AUTH_OK;
	if (line->is_nologin || main_line(lines)->is_nologin)
		return AUTH_NOLOGIN;
	if (line->expires != 0 && now >= line->expires)
		return AUTH_EXPIRED;
	if (!is_usersline_service(line, SERVICE) || now < line->not_before)
		return AUTH_NOLOGIN;
	if (!is_usersline_net(line, v->peer.address))
		return AUTH_BAD_NETWORK;
	return AUTH_OK;
}

static struct span
either(struct span a, struct span b)
{
	return a.n > 0 ? a : b;
}

static enum auth_reason
make_user(struct verify *v, struct usersfile *file,
    const struct usersfile_lines *lines, size_t i, struct span name,
    struct auth_user **ret)
{
	const struct usersline *line = &lines->v[i], *base = main_line(lines);
	struct userdb_facts facts = {
		.backend = "users",
		.name = name,
		.label = line->label,
		.uid = either(line->uid, base->uid),
		.gid = either(line->gid, base->gid),
		.home = either(line->home, base->home),
		.mail = either(line->mail, base->mail),
		.quota = either(line->quota, base->quota),
		.quota_size = either(line->quota_size, base->quota_size),
		.quota_count = either(line->quota_count, base->quota_count),
		.capability = either(line->capability, base->capability),
	};
	const char *why;

	if (userdb_make(v->auth->conf, &facts, ret, &why) == 0)
		return AUTH_OK;
	usersfile_note(file, lines->offset[i], why);
	return AUTH_BAD_ENTRY;
}

/* user=OTHER: everything but the password is OTHER's. */
static enum auth_reason
make_alias(struct verify *v, struct usersfile *file,
    const struct usersfile_lines *lines, size_t i, struct auth_user **ret)
{
	struct usersfile_lines other;
	struct span name;
	const char *why = "user= names nobody";

	if (auth_canonical(v->auth, lines->v[i].alias, v->arena, &name) == 0 &&
	    usersfile_find(file, name, v->arena, &other) == 0) {
		if (v->is_lookup || !main_line(&other)->is_nologin)
			return make_user(v, file, &other, 0, name, ret);
		why = "user= names an account with nologin";
	}
	usersfile_note(file, lines->offset[i], why);
	return AUTH_BAD_ENTRY;
}

static enum auth_reason
finish(struct verify *v, struct usersfile *file,
    const struct usersfile_lines *lines, size_t i, struct auth_user **ret)
{
	enum auth_reason reason = check_line(v, lines, i);

	if (reason != AUTH_OK)
		return reason;
	if (lines->v[i].alias.n > 0)
		return make_alias(v, file, lines, i, ret);
	return make_user(v, file, lines, i, v->user, ret);
}

/* Is the password that of this line? */
static enum auth_reason
try_line(struct verify *v, struct usersfile *file,
    const struct usersfile_lines *lines, size_t i)
{
	const struct usersline *line = &lines->v[i];
	int err;

	if (v->is_trusted)
		return AUTH_OK;
	if (line->is_nopassword)
		return AUTH_OK;
	if (line->password.n == 0)
		return AUTH_BAD_PASSWORD;
	err = verify_hash(v, line->password);
	if (err == 0)
		return AUTH_OK;
	if (err == ERR_DENIED)
		return AUTH_BAD_PASSWORD;
	usersfile_note(file, lines->offset[i], verify_hash_text(err));
	return err == ERR_UNAVAIL ? AUTH_UNAVAILABLE : AUTH_BAD_SCHEME;
}

/*
 * All lines in turn.  The first password that is right and may in decides;
 * otherwise the reason that says most: that of a right password that may not
 * in, else that of the main line.
 */
static enum auth_reason
try_lines(struct verify *v, struct usersfile *file,
    const struct usersfile_lines *lines, struct auth_user **ret)
{
	enum auth_reason reason, best = AUTH_BAD_PASSWORD;
	bool is_right = false;

	for (size_t i = 0; i < lines->n; i++) {
		/* A certificate is not an app. */
		if (v->is_trusted && &lines->v[i] != main_line(lines))
			continue;
		reason = try_line(v, file, lines, i);
		if (reason == AUTH_OK) {
			reason = finish(v, file, lines, i, ret);
			if (reason == AUTH_OK)
				return AUTH_OK;
			if (!is_right)
				best = reason;
			is_right = true;
		} else if (!is_right && reason != AUTH_BAD_PASSWORD) {
			best = reason;
		}
	}
	return best;
}

enum auth_reason
verify_file(struct verify *v, struct auth_user **ret)
{
	struct usersfile *file = NULL;
	struct usersfile_lines lines;
	enum auth_reason reason;
	int err;

	reason = open_file(v, &file);
	if (reason != AUTH_OK)
		return reason;
	err = usersfile_find(file, v->user, v->arena, &lines);
	if (err == 0)
		reason = try_lines(v, file, &lines, ret);
	else
		reason = find_reason(err);
	usersfile_close(file);
	return reason;
}

struct span
verify_file_sample(struct verify *v)
{
	struct usersfile *file = NULL;
	struct usersline line = { 0 };

	if (open_file(v, &file) != AUTH_OK)
		return SPAN_NONE;
	if (usersfile_first(file, v->arena, &line) != 0)
		line.password = SPAN_NONE;
	usersfile_close(file);
	return line.password;
}

void
verify_file_waste(struct verify *v)
{
	struct span sample = verify_file_sample(v);
	int err;

	err = sample.n == 0 ? ERR_NOENT : verify_hash(v, sample);
	if (err != 0 && err != ERR_DENIED)
		(void)!verify_hash(v, DUMMY);	/* only its time is wanted */
}

bool
is_verify_dialog(struct span mech, struct span stored,
    const struct auth_conf *conf)
{
	struct scheme_hash hash;

	if (has_suffix(mech, SPAN("-PLUS")))
		mech.n -= sizeof("-PLUS") - 1;
	if (verify_parse(conf, stored, &hash) != 0)
		return false;
	switch (hash.scheme->kind) {
	case SCHEME_PLAIN:
		return true;
	case SCHEME_CRAM_MD5:
		/* Who turns the mechanism on means these too. */
		return is_span_eq(mech, SPAN("CRAM-MD5"));
	case SCHEME_SCRAM:
		return is_span_eq(mech, span_str(hash.scheme->name)) &&
		    verify_admit(conf, &hash) == 0;
	default:
		return false;
	}
}

enum auth_reason
verify_file_dialog(struct verify *v, struct span mech,
    struct verify_entry *ret)
{
	struct usersfile *file = NULL;
	struct usersfile_lines lines;
	enum auth_reason reason;
	int err;

	reason = open_file(v, &file);
	if (reason != AUTH_OK)
		return reason;
	err = usersfile_find(file, v->user, v->arena, &lines);
	usersfile_close(file);
	if (err != 0)
		return find_reason(err);
	for (size_t i = 0; i < lines.n; i++) {
		if (is_verify_dialog(mech, lines.v[i].password,
		    v->auth->conf)) {
			*ret = (struct verify_entry){ lines, i };
			return AUTH_OK;
		}
	}
	return AUTH_BAD_MECHANISM;
}

enum auth_reason
verify_file_finish(struct verify *v, const struct verify_entry *entry,
    struct auth_user **ret)
{
	struct usersfile *file = NULL;
	enum auth_reason reason = open_file(v, &file);

	if (reason != AUTH_OK)
		return reason;
	reason = finish(v, file, &entry->lines, entry->i, ret);
	usersfile_close(file);
	return reason;
}
