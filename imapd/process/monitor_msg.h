/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * monitor_msg.h: what the login process may ask of the monitor, and its
 * answers.
 *
 * Carried by base/msgpipe.h.  Requests are even, answers are the request plus
 * one.  Encodings as in base/enc.h; "bytes(n)" is a counted string of at most n
 * bytes.  The permit table is in monitor.c: which request may come now, and how
 * often.  monitor_client.h has one function per request.
 *
 * The images: imapd-login speaks IMAP before login on a plain connection and
 * never maps the TLS library.  imapd-tls makes the handshake, has the same
 * dialogue inside TLS, and stays as the relay.  STARTTLS ends imapd-login; the
 * monitor starts imapd-tls on the same socket, so that nothing that was
 * pipelined behind STARTTLS can survive.
 */
#ifndef IMAPD_PROCESS_MONITOR_MSG_H
#define IMAPD_PROCESS_MONITOR_MSG_H

#include "auth/auth.h"
#include "base/msgpipe.h"

enum monitor_msg {
	/* monitor -> login, first of all: struct settings, and descriptors:
	 * client in, client out; for imapd-tls also its end of the relay */
	MON_SETTINGS = 1,

	/* monitor -> a forker (spawn.h): one connection; the descriptor is
	 * the new process's end of a message pipe */
	MON_FORK = 3,
	/* listener -> the forker of imapd-tls, first of all: struct
	 * settings_rights, struct settings_tls, and as MON_CERT_ANSWER */
	MON_FORKER = 5,

	/* PROXY protocol header, once, only if the settings asked for it:
	 * u8 has addresses, bytes(16) remote, u16 port, bytes(16) local, u16
	 * port, u8 is_tls.  Answer: struct settings_peer */
	MON_PROXY = 10, MON_PROXY_ANSWER,

	/* imapd-tls: the certificates for a name: bytes(255) server name, empty
	 * for the default.  Answer: struct cert_files (certfile.h) */
	MON_CERT = 20, MON_CERT_ANSWER,

	/* imapd-tls: the handshake is done, once: bytes(16) version, bytes(64)
	 * cipher, bytes(255) server name, u8 resumed, bytes(255) identity in
	 * the verified client certificate.  Answer: struct settings_peer */
	MON_TLS_DONE = 30, MON_TLS_DONE_ANSWER,

	/* imapd-login: the client sent STARTTLS; imapd-login ends after it has
	 * sent the OK.  No answer. */
	MON_STARTTLS = 40,

	/* authentication; see struct sasl_request.  Answer to all of them:
	 * u8 enum auth_step, u8 enum monitor_why, u8 tries left, bytes data */
	MON_AUTH_PASSWORD = 50, MON_AUTH_ANSWER,
	MON_AUTH_EXTERNAL = 52,
	MON_AUTH_ANONYMOUS = 54,
	MON_AUTH_DIALOG = 56,
	MON_AUTH_DIALOG_NEXT = 58,

	/* once, after AUTH_DONE: bytes(1K) tag, bytes(64K) unread bytes,
	 * bytes(1K) client id.  No answer: the monitor becomes the session and
	 * answers the tag itself. */
	MON_HANDOFF = 70
};

/* What the client may be told of a failed login. */
enum monitor_why {
	WHY_NONE,
	WHY_FAILED,		/* AUTHENTICATIONFAILED: unknown user, wrong
				 * password, and everything else */
	WHY_EXPIRED,		/* EXPIRED: the password was right */
	WHY_AUTHZ,		/* AUTHORIZATIONFAILED */
	WHY_LIMIT,		/* LIMIT: too many connections of this user */
	WHY_UNAVAILABLE,	/* UNAVAILABLE: try again later */
	WHY_PRIVACY		/* PRIVACYREQUIRED: not without TLS */
};

#define MONITOR_TAG_MAX		1024
#define MONITOR_UNREAD_MAX	(64 * 1024)
#define MONITOR_ID_MAX		1024

#endif
