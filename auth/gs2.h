/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * gs2.h: the client's first message of SCRAM (RFC 5802 7), taken apart.
 *
 * Used on both sides: sasl_scram.c wants the names, scram.c all of it.
 */
#ifndef AUTH_GS2_H
#define AUTH_GS2_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

enum gs2_flag {
	GS2_NONE,		/* "n": the client has no channel binding */
	GS2_NOT_OFFERED,	/* "y": it has, but thinks we have not */
	GS2_REQUIRED		/* "p=NAME" */
};

struct gs2 {
	enum gs2_flag flag;
	struct span binding;	/* NAME of p=NAME */
	struct span header;	/* gs2-header, with its last comma */
	struct span bare;	/* client-first-message-bare */
	struct span authzid;	/* still as a saslname, see gs2_name() */
	struct span user;	/* the same */
	struct span nonce;
};

/*
 * gs2_parse(message, ret): ERR_SYNTAX if it is not a client-first-message;
 * ERR_UNSUPPORTED for a mandatory extension ("m=").  The spans of *ret point
 * into message.
 */
int gs2_parse(struct span message, struct gs2 *ret) ERR_CHECK;

/*
 * gs2_name(s, b): b (cleared first) becomes the name that the saslname s
 * stands for; ERR_SYNTAX for a stray "=", ERR_LIMIT.
 */
int gs2_name(struct span s, struct buf *b) ERR_CHECK;

#endif
