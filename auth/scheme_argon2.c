/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * scheme_argon2.c: Argon2 in the PHC string format:
 *
 *	$argon2id$[v=19$]m=65536,t=3,p=1$salt$hash	; base64 without padding
 *
 * argon2_verify() would start a thread per lane, which the sandbox forbids; so
 * the string is taken apart here and all lanes are computed by the one thread.
 */
#include "auth/scheme_crypto.h"
#include "auth/scheme_local.h"

#ifdef HAVE_ARGON2
#include <argon2.h>

#include "base/base64.h"
#include "base/mem.h"
#include "base/num.h"

#include "auth/auth.h"

#define BYTES_MAX	128	/* of salt and of hash */

static int
put_base64(struct span s, struct buf *b)
{
	struct buf padded;
	int err;

	buf_init(&padded, 2 * BYTES_MAX);
	buf_put_span(&padded, s);
	while (padded.n % 4 != 0)
		buf_putc(&padded, '=');
	err = buf_err(&padded);
	if (err == 0)
		err = base64_get(buf_span(&padded), b);
	buf_done(&padded);
	return err;
}

static int
parameter(struct span *s, struct span key, uint8_t sep, uint32_t *ret)
{
	if (!has_prefix(*s, key))
		return ERR_SYNTAX;
	*s = span_skip(*s, key.n);
	return num_u32(span_split(s, sep), 1, UINT32_MAX, ret);
}

static int
parse_type(struct span name, argon2_type *ret)
{
	if (is_span_eq(name, SPAN("argon2id")))
		*ret = Argon2_id;
	else if (is_span_eq(name, SPAN("argon2i")))
		*ret = Argon2_i;
	else
		return ERR_UNSUPPORTED;
	return 0;
}

static int
parse(struct span data, argon2_context *ctx, argon2_type *ret_type,
    struct buf *salt, struct buf *want)
{
	struct span s = data;
	int err;

	if (span_split(&s, '$').n != 0)
		return ERR_SYNTAX;
	err = parse_type(span_split(&s, '$'), ret_type);
	if (err != 0)
		return err;
	ctx->version = ARGON2_VERSION_10;
	if (has_prefix(s, SPAN("v=")) &&
	    parameter(&s, SPAN("v="), '$', &ctx->version) != 0)
		return ERR_SYNTAX;
	if (parameter(&s, SPAN("m="), ',', &ctx->m_cost) != 0 ||
	    parameter(&s, SPAN("t="), ',', &ctx->t_cost) != 0 ||
	    parameter(&s, SPAN("p="), '$', &ctx->lanes) != 0 ||
	    put_base64(span_split(&s, '$'), salt) != 0 ||
	    put_base64(s, want) != 0 || salt->n == 0 || want->n == 0)
		return ERR_SYNTAX;
	return 0;
}

int
scheme_verify_argon2(struct span data, struct span password)
{
	argon2_context ctx = { .threads = 1 };
	argon2_type type = Argon2_id;
	uint8_t out[BYTES_MAX];
	struct buf salt, want;
	uint8_t *copy;
	int err;

	buf_init(&salt, BYTES_MAX);
	buf_init(&want, BYTES_MAX);
	err = parse(data, &ctx, &type, &salt, &want);
	if (err != 0)
		goto out;
	copy = mem_dup(password.p, password.n);
	ctx.pwd = copy;
	ctx.pwdlen = (uint32_t)password.n;
	ctx.salt = salt.p;
	ctx.saltlen = (uint32_t)salt.n;
	ctx.out = out;
	ctx.outlen = (uint32_t)want.n;
	if (argon2_ctx(&ctx, type) != ARGON2_OK)
		err = ERR_UNSUPPORTED;	/* no memory, or odd parameters */
	else if (!is_secret_eq(buf_span(&want), span_of(out, want.n)))
		err = ERR_DENIED;
	mem_wipe_free(copy, password.n);
	explicit_bzero(out, sizeof(out));
out:
	buf_wipe_done(&salt);
	buf_wipe_done(&want);
	return err;
}
#else
int
scheme_verify_argon2(struct span data, struct span password)
{
	(void)data;
	(void)password;
	return ERR_UNSUPPORTED;
}
#endif
