/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * scram.h: the server's side of SCRAM (RFC 5802, RFC 7677) and of CRAM-MD5
 * (RFC 2195), in imapd-auth.
 */
#ifndef AUTH_SCRAM_H
#define AUTH_SCRAM_H

#include "auth/auth.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

#define SCRAM_ITERATIONS	4096	/* for {PLAIN}: RFC 7677 4 */

/* Whose conversation it is. */
struct scram_user {
	struct span mech;	/* "SCRAM-SHA-256-PLUS" */
	struct span name;
	struct span stored;	/* {PLAIN}, {SCRAM-...}; empty: nobody's */
	uint32_t iterations;	/* to claim for nobody; 0: SCRAM_ITERATIONS */
	struct span key;	/* of the salts that are made up */
	struct span nonce;	/* ours; empty: a random one (tests fix it) */
};

struct scram;

/*
 * scram_new(user, ret): ERR_UNSUPPORTED: no such mechanism, or the stored
 * password does not serve it; ERR_SYNTAX: it is damaged.
 */
int scram_new(const struct scram_user *user, struct scram **ret) ERR_CHECK;
void scram_free(struct scram *scram);

/*
 * scram_first(scram, binding, message, out): the client's first message; out
 * gets the server's.  ERR_SYNTAX: the client broke the rules.
 */
int scram_first(struct scram *scram, struct span binding, struct span message,
    struct buf *out) ERR_CHECK;

/* scram_final(scram, message, out): its second.  ERR_DENIED: wrong proof. */
int scram_final(struct scram *scram, struct span message, struct buf *out)
    ERR_CHECK;

/* cram_verify(stored, challenge, response): 0; ERR_DENIED; ERR_SYNTAX,
 * ERR_UNSUPPORTED: of stored, which is {PLAIN} or {CRAM-MD5}, or empty:
 * nobody's. */
int cram_verify(struct span stored, struct span challenge,
    struct span response) ERR_CHECK;

#endif
