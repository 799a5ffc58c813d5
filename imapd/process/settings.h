/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * settings.h: what the monitor tells imapd-login and imapd-tls before they read
 * the first byte: MON_SETTINGS.  They read no configuration and no file.
 */
#ifndef IMAPD_PROCESS_SETTINGS_H
#define IMAPD_PROCESS_SETTINGS_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/deadline.h"
#include "base/enc.h"
#include "base/err.h"
#include "base/log.h"
#include "base/span.h"

/* How to give up rights: the first part of every settings message. */
struct settings_rights {
	bool is_root;		/* there are rights to give up */
	uid_t uid;
	gid_t gid;
	const char *chroot;	/* an empty directory; "": none */
	int sandbox;		/* enum config_sandbox */
	enum log_to log_to;
	int log_level;
};

/* One ticket key of RFC 5077's recommended construction. */
#define TICKET_NAME	16
#define TICKET_AES	32
#define TICKET_HMAC	32
#define TICKET_KEYS	2	/* the current one first, then the one before */

struct ticket_key {
	uint8_t name[TICKET_NAME];
	uint8_t aes[TICKET_AES];
	uint8_t hmac[TICKET_HMAC];
};

/* How TLS is to be spoken; constant for a configuration. */
struct settings_tls {
	bool is_legacy;		/* TLS 1.0 and 1.1 too */
	bool ask_client_cert;
	bool require_client_cert;
	bool has_names;		/* ask the monitor for the name's certificate */
	const char *ciphers;	/* "": the default */
	struct span client_ca;	/* PEM */
	struct ticket_key ticket[TICKET_KEYS];
	unsigned nticket;	/* 0: no tickets */
	uint32_t ticket_seconds; /* how long one is good */
};

/* What depends on who the client is; told again by MON_PROXY_ANSWER. */
struct settings_peer {
	bool is_tls;		/* TLS is there already: done outside */
	bool is_tls_now;	/* the handshake comes first (imaps) */
	bool offer_starttls;
	bool allow_plaintext;	/* passwords in the clear */
	uint32_t mechs;		/* set of 1 << enum sasl_mech; the dialogue
				 * takes away what needs TLS */
	struct span capability_mask;
};

struct settings {
	struct settings_rights rights;
	struct settings_tls tls;
	struct settings_peer peer;
	bool want_proxy;	/* a PROXY header comes first */
	bool is_starttls;	/* the greeting was given before TLS */
	struct deadline until;	/* of the whole login */
	uint64_t stall_ms;
	struct span session;	/* id for the log */
	struct span id;		/* for the ID answer: words name=value */
};

void settings_put_rights(struct buf *b, const struct settings_rights *r);
void settings_put_tls(struct buf *b, const struct settings_tls *t);
void settings_put_peer(struct buf *b, const struct settings_peer *p);
void settings_put(struct buf *b, const struct settings *s);

/* The opposite; strings are copied to the arena.  dec_end() tells whether it
 * all was there. */
void settings_get_rights(struct dec *d, struct arena *a,
    struct settings_rights *ret);
void settings_get_tls(struct dec *d, struct arena *a,
    struct settings_tls *ret);
void settings_get_peer(struct dec *d, struct arena *a,
    struct settings_peer *ret);
void settings_get(struct dec *d, struct arena *a, struct settings *ret);

#endif
