/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * sasl_local.h: what sasl.c and the sasl_MECHANISM.c files share.
 */
#ifndef AUTH_SASL_LOCAL_H
#define AUTH_SASL_LOCAL_H

#include "auth/sasl.h"

struct sasl_row {
	const char *name;
	bool is_plaintext;
	bool is_plus;
	/* NULL: an empty challenge */
	enum sasl_outcome (*start)(struct sasl *sasl, struct buf *out);
	enum sasl_outcome (*step)(struct sasl *sasl, struct span in,
	    struct buf *out, struct sasl_request *ret);
	/* What AUTH_CONTINUE means here; NULL: the monitor broke the rules. */
	enum sasl_outcome (*more)(struct sasl *sasl, struct span data,
	    struct buf *out);
};

struct sasl {
	const struct sasl_row *row;
	unsigned state;		/* 0 at first; the rest is the mechanism's */
	bool is_asked;		/* a request is open: only an answer may come */
	bool is_final_sent;	/* the server's last message went out */
	bool is_plus_offered;
	struct buf user;
	struct buf authzid;
	struct buf password;
	struct buf data;
	struct buf exporter;
	struct buf end_point;
};

/*
 * sasl_take(b, s): b becomes a copy of s.  ERR_LIMIT if s is longer than b may
 * be.
 */
int sasl_take(struct buf *b, struct span s) ERR_CHECK;

enum sasl_outcome sasl_plain_step(struct sasl *sasl, struct span in,
    struct buf *out, struct sasl_request *ret);
enum sasl_outcome sasl_login_start(struct sasl *sasl, struct buf *out);
enum sasl_outcome sasl_login_step(struct sasl *sasl, struct span in,
    struct buf *out, struct sasl_request *ret);
enum sasl_outcome sasl_scram_step(struct sasl *sasl, struct span in,
    struct buf *out, struct sasl_request *ret);
enum sasl_outcome sasl_scram_more(struct sasl *sasl, struct span data,
    struct buf *out);
enum sasl_outcome sasl_external_step(struct sasl *sasl, struct span in,
    struct buf *out, struct sasl_request *ret);
enum sasl_outcome sasl_cram_start(struct sasl *sasl, struct buf *out);
enum sasl_outcome sasl_cram_step(struct sasl *sasl, struct span in,
    struct buf *out, struct sasl_request *ret);
enum sasl_outcome sasl_anonymous_step(struct sasl *sasl, struct span in,
    struct buf *out, struct sasl_request *ret);

#endif
