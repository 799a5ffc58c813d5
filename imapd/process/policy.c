/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include <sys/stat.h>

#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "auth/sasl.h"
#include "base/fdio.h"
#include "base/mem.h"
#include "imapd/process/certfile.h"
#include "imapd/process/policy.h"
#include "imapd/process/privsep.h"
#include "imapd/process/runfile.h"

#define NOBODY		65534	/* everywhere */
#define HEAD_MAX	(64 * 1024)	/* of the users file */

int
policy_log_level(const struct config *conf)
{
	static const int levels[] = { LOG_ERR, LOG_WARNING, LOG_NOTICE,
	    LOG_INFO, LOG_DEBUG };

	return levels[conf->log_level];
}

/* An empty directory: the one that is configured, or our own. */
static const char *
empty_directory(const struct config *conf, struct arena *arena)
{
	const char *dir = conf->chroot_directory;
	struct buf path;

	if (dir == NULL) {
		buf_init(&path, PATH_MAX);
		buf_puts(&path, conf->run_directory);
		buf_puts(&path, "/empty");
		dir = arena_cstr(arena, buf_span(&path));
		buf_done(&path);
		/* There already, or not to be had: the next line tells. */
		(void)!mkdir(conf->run_directory, 0755);
		(void)!mkdir(dir, 0555);
	}
	return access(dir, X_OK) == 0 ? dir : "";
}

void
policy_rights(const struct config *conf, struct arena *arena,
    enum log_to log_to, struct settings_rights *ret)
{
	*ret = (struct settings_rights){
		.is_root = geteuid() == 0,
		.chroot = "",
		.sandbox = conf->sandbox,
		.log_to = log_to,
		.log_level = policy_log_level(conf),
	};
	if (!ret->is_root)
		return;
	ret->chroot = empty_directory(conf, arena);
	if (privsep_find_user(conf->login_user, &ret->uid, &ret->gid) != 0)
		ret->uid = ret->gid = NOBODY;
}

void
policy_tls(const struct config *conf, struct arena *arena,
    struct settings_tls *ret)
{
	struct buf ca;

	*ret = (struct settings_tls){
		.is_legacy = conf->tls_legacy,
		.ask_client_cert = conf->tls_client_ca != NULL,
		.require_client_cert = conf->tls_client_require,
		.has_names = conf->tls_directory != NULL,
		.ciphers = conf->tls_ciphers == NULL ? "" : conf->tls_ciphers,
	};
	if (conf->tls_client_ca != NULL) {
		buf_init(&ca, 2 * CERT_FILE_MAX);
		/* Unreadable: empty, and the TLS context refuses to be made
		 * from that, which is logged. */
		(void)!certfile_read(conf->tls_client_ca, &ca);
		ret->client_ca = arena_dup(arena, buf_span(&ca));
		buf_done(&ca);
	}
	/* Where everybody must have a certificate nobody resumes: who did so
	 * would not be asked for it. */
	runfile_tickets(conf->run_directory, conf->tls_client_require ? 0 :
	    conf->tls_ticket_lifetime, ret);
}

/* Whether SCRAM can work for somebody: it needs the password itself, or keys
 * made for it.  Looked for in the first part of the users file. */
static bool
has_scram_users(const struct config *conf)
{
	static const char *const marks[] = { "{SCRAM-", "{PLAIN", "{CLEAR" };
	bool is_found = false;
	char *text;
	size_t n = 0;
	int fd;

	if (conf->users == NULL ||
	    (fd = open(conf->users, O_RDONLY | O_CLOEXEC)) == -1)
		return false;
	text = mem_alloc(HEAD_MAX);
	if (fdio_pread(fd, text, HEAD_MAX, 0, &n) == 0)
		for (size_t i = 0; i < 3 && !is_found; i++)
			is_found = memmem(text, n, marks[i],
			    strlen(marks[i])) != NULL;
	mem_wipe_free(text, n);
	fdio_close(&fd);
	return is_found;
}

static uint32_t
wanted_mechs(const struct connection *c)
{
	const struct config *conf = c->conf;
	uint32_t set = 1u << SASL_PLAIN | 1u << SASL_LOGIN;

	if (conf->scram == SCRAM_YES ||
	    (conf->scram == SCRAM_AUTO && has_scram_users(conf)))
		for (int i = SASL_SCRAM_SHA_1; i <= SASL_SCRAM_SHA_512_PLUS;
		    i++)
			set |= 1u << i;
	if (conf->cram_md5)
		set |= 1u << SASL_CRAM_MD5;
	if (conf->anonymous)
		set |= 1u << SASL_ANONYMOUS;
	if (c->identity.n > 0)
		set |= 1u << SASL_EXTERNAL;
	return set;
}

void
policy_peer(const struct connection *c, struct settings_peer *ret)
{
	const struct config *conf = c->conf;
	bool has_address = c->peer.has_address;
	struct buf mask;

	ret->is_tls = c->is_tls || c->is_tls_outside;
	ret->is_tls_now = c->is_tls_now;
	ret->offer_starttls = !ret->is_tls && !ret->is_tls_now &&
	    has_certificates(conf);
	ret->allow_plaintext = conf->plaintext_auth || !has_address ||
	    is_config_net(&conf->plaintext_networks, &c->peer.remote);
	ret->mechs = wanted_mechs(c);
	buf_init(&mask, CONFIG_MASK_BYTES);
	config_capability_put(conf, has_address ? &c->peer.remote : NULL,
	    &mask);
	ret->capability_mask = arena_dup(c->arena, buf_span(&mask));
	buf_done(&mask);
}

static const char *
join_path(struct arena *arena, const char *dir, const char *name)
{
	struct buf path;
	const char *joined;

	buf_init(&path, PATH_MAX);
	buf_puts(&path, dir);
	buf_puts(&path, name);
	joined = arena_cstr(arena, buf_span(&path));
	buf_done(&path);
	return joined;
}

void
policy_auth(const struct config *conf, struct arena *arena,
    struct auth_conf *ret)
{
	*ret = (struct auth_conf){
		.users_file = conf->users,
		.checkpassword = conf->checkpassword,
		.default_scheme = conf->default_scheme,
		.default_uid = conf->mail_uid,
		.default_gid = conf->mail_gid,
		.home = conf->home,
		.mail = conf->mail,
		.fold_case = conf->fold_user_names,
		.allow_weak = conf->allow_weak,
		.allow_anonymous = conf->anonymous,
		.anonymous_user = conf->anonymous_user,
		.argon2_max_kib = (uint32_t)(conf->argon2_max_memory / 1024),
		.crypt_max_ms = (uint32_t)conf->crypt_max_time,
	};
	ret->sources = (conf->users != NULL ? AUTH_USERS_FILE : 0u) |
	    (conf->system_users ? AUTH_SYSTEM : 0u) |
	    (conf->checkpassword != NULL ? AUTH_CHECKPASSWORD : 0u);
	ret->helper = join_path(arena, conf->libexec_directory, "/imapd-auth");
	ret->secret_file = conf->secret_file != NULL ? conf->secret_file :
	    join_path(arena, conf->run_directory, "/secret");
}
