/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * monitor_msg.h: what the login process may ask of the monitor, and the answers.
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
	/* monitor -> login, first of all: the settings (settings.h) and the
	 * descriptors: the socket; for imapd-tls also its end of the relay */
	MSG_SETTINGS = 1,

	/* PROXY protocol header, once, only if the settings asked for it:
	 * bytes(64) address, u16 port, bytes(64) local address, u16 local port,
	 * u8 is_tls */
	MSG_PROXY = 10, MSG_PROXY_ANSWER,

	/* imapd-tls: the certificates for a name: bytes(255) server name, empty
	 * for the default.  Answer: u8 found, then per key kind (RSA, ECDSA):
	 * bytes chain PEM, bytes key PEM, bytes OCSP response DER */
	MSG_CERT = 20, MSG_CERT_ANSWER,

	/* imapd-tls: the handshake is done, once: bytes version, bytes cipher,
	 * bytes server name, u8 resumed, bytes(64K) client certificate DER or
	 * empty.  Answer: u8 go on */
	MSG_TLS_DONE = 30, MSG_TLS_DONE_ANSWER,

	/* imapd-login: the client sent STARTTLS; imapd-login ends after it has
	 * sent the OK.  No answer. */
	MSG_STARTTLS = 40,

	/* authentication; see struct sasl_request.  Answer to all of them:
	 * u8 enum auth_step, bytes data, u8 tries left */
	MSG_AUTH_PASSWORD = 50, MSG_AUTH_PASSWORD_ANSWER,
	MSG_AUTH_EXTERNAL = 52, MSG_AUTH_EXTERNAL_ANSWER,
	MSG_AUTH_ANONYMOUS = 54, MSG_AUTH_ANONYMOUS_ANSWER,
	MSG_AUTH_DIALOG = 56, MSG_AUTH_DIALOG_ANSWER,
	MSG_AUTH_DIALOG_NEXT = 58, MSG_AUTH_DIALOG_NEXT_ANSWER,

	/* once, after AUTH_DONE: bytes(1K) tag, bytes(64K) unread bytes, bytes
	 * client id, bytes method.  No answer: the monitor becomes the session
	 * and answers the tag itself. */
	MSG_HANDOFF = 70,

	/* for the log: u8 what, bytes text; bounded in number.  No answer. */
	MSG_EVENT = 80
};

#endif
