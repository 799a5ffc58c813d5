/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * roles.c: the mailboxes that clients want to find.
 */
#include "imapd/command/roles.h"

#include "base/log.h"

/* In the configuration names are UTF-8 with "/" between levels, whatever the
 * clients get to see. */
static const struct mailname_rules conf_rules = { '/', false, true };

struct span
roles_names(const struct config *conf, enum special_role role)
{
	const char *const key[SPECIAL_COUNT] = {
		[SPECIAL_DRAFTS] = conf->special_drafts,
		[SPECIAL_SENT] = conf->special_sent,
		[SPECIAL_JUNK] = conf->special_junk,
		[SPECIAL_TRASH] = conf->special_trash,
		[SPECIAL_ARCHIVE] = conf->special_archive,
	};

	return key[role] == NULL ? SPAN_NONE : span_str(key[role]);
}

static int
exists(struct session *s, struct span name, struct maildir_path *ret_path)
{
	int err = mailname_to_path(&conf_rules, name, s->arena, ret_path);

	return err != 0 ? err : maildir_exists(s->store, ret_path);
}

/* Another mailbox does what this one would be made for. */
static bool
is_role_taken(struct session *s, struct span name)
{
	for (unsigned role = 0; role < SPECIAL_COUNT; role++) {
		struct span names = roles_names(s->conf, role);

		if (names.n == 0 || special_rank(names, name) == SPECIAL_NONE)
			continue;
		while (names.p != NULL) {
			struct span other = span_trim(span_split(&names, '|'));
			struct maildir_path path;

			if (exists(s, other, &path) == 0)
				return true;
		}
	}
	return false;
}

void
roles_create(struct session *s)
{
	const char *key = s->conf->autocreate;
	struct span names = key == NULL ? SPAN_NONE : span_str(key);

	while (names.p != NULL) {
		struct span name = span_trim(span_split(&names, '|'));
		struct maildir_path path;
		int err = exists(s, name, &path);

		if (err == 0 || (err == ERR_NOENT && is_role_taken(s, name)))
			continue;
		if (err == ERR_NOENT)
			err = maildir_create(s->store, &path);
		if (err == 0)
			err = maildir_subscribe(s->store, &path, true);
		if (err == 0)
			continue;
		log_begin(LOG_ERR, "autocreate-failed");
		log_str("user", s->start->user);
		log_span("mailbox", name);
		log_err(err);
		log_end();
	}
}
