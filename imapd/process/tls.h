/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * tls.h: the server's side of TLS.  tls.c is the only user of the TLS library,
 * and is linked into imapd-tls alone.
 */
#ifndef IMAPD_PROCESS_TLS_H
#define IMAPD_PROCESS_TLS_H

#include <stddef.h>
#include <stdint.h>

#include "auth/sasl.h"
#include "base/deadline.h"
#include "base/err.h"
#include "base/span.h"
#include "imapd/process/certfile.h"
#include "imapd/process/monitor_client.h"
#include "imapd/process/settings.h"

/* ---- certificates and policy ------------------------------------------- */

struct tls_ctx;

/*
 * tls_ctx_new(set, files, ret): ERR_CORRUPT: a certificate cannot be read or a
 * key does not match its chain (logged by the caller with tls_error()).
 * ERR_NOENT: there is no certificate.
 */
int tls_ctx_new(const struct settings_tls *set, const struct cert_files *files,
    struct tls_ctx **ret) ERR_CHECK;
void tls_ctx_free(struct tls_ctx *ctx);

/* Days until the first of the certificates expires; negative: has expired. */
int tls_ctx_days(const struct tls_ctx *ctx);

/* The library's reason for the last failure, for the log; never NULL. */
const char *tls_error(void);

/* ---- one connection ---------------------------------------------------- */

struct tls;

struct tls_fds {
	int in, out, pipe;
};

/*
 * tls_accept(ctx, set, fds, until, find, cookie, ret): the handshake.  The
 * descriptors do not block; fds->pipe is the monitor's: see image_wait().
 * ctx and set must outlive it.  find, if not NULL, is asked for the context of
 * the server name that the client wants; NULL from it: the default.
 * ERR_SYNTAX: tls_error() says why; or as fdio_read().
 */
int tls_accept(struct tls_ctx *ctx, const struct settings_tls *set,
    const struct tls_fds *fds, struct deadline until,
    struct tls_ctx *(*find)(void *cookie, struct span name), void *cookie,
    struct tls **ret) ERR_CHECK;
void tls_free(struct tls *tls);

/* For the monitor; the spans belong to tls. */
void tls_facts(struct tls *tls, struct tls_facts *ret);

/* Channel binding data; the spans belong to tls. */
void tls_binding(struct tls *tls, struct sasl_binding *ret);

/* Blocking, with a deadline: as fdio_read() and fdio_write_some(), in the shape
 * that wire_in and wire_out want; cookie is the struct tls. */
int tls_read(void *cookie, void *p, size_t n, struct deadline d,
    size_t *ret_n);
int tls_write(void *cookie, struct span s, struct deadline d, size_t *ret_n);

/*
 * Not blocking, for the relay.  TLS_WANT_READ, TLS_WANT_WRITE: call again with
 * the same arguments when the socket is ready for that.  TLS_CLOSED: the client
 * has closed its side (close_notify).  TLS_FAILED: tls_error().
 */
enum tls_outcome { TLS_OK, TLS_WANT_READ, TLS_WANT_WRITE, TLS_CLOSED,
	TLS_FAILED };

enum tls_outcome tls_try_read(struct tls *tls, void *p, size_t n,
    size_t *ret_n);
enum tls_outcome tls_try_write(struct tls *tls, struct span s, size_t *ret_n);

/* tls_try_close(tls): send close_notify. */
enum tls_outcome tls_try_close(struct tls *tls);

#endif
