/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * certfile.h: certificates and keys as files; read by the monitor, which has
 * the right to, and never understood by it.
 *
 * Read anew for each connection (or by the listener when a file has changed),
 * so that a renewed certificate is used without anybody doing anything.
 */
#ifndef IMAPD_PROCESS_CERTFILE_H
#define IMAPD_PROCESS_CERTFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/enc.h"
#include "base/err.h"
#include "base/span.h"
#include "imapd/process/config.h"

#define CERT_PAIRS	2		/* RSA and ECDSA */
#define CERT_FILE_MAX	(24 * 1024)	/* bytes of one file: two pairs and
					 * their responses fit a message */

/* One pair: chain PEM, key PEM, OCSP response DER or empty. */
struct cert_pair {
	struct span chain, key, ocsp;
};

struct cert_files {
	struct cert_pair pair[CERT_PAIRS];
	unsigned n;		/* 0: nothing for this name */
};

/*
 * certfile_put(conf, arena, name, b, ret_path): append the encoded struct
 * cert_files for a server name, or the default for an empty one.  For a name
 * that is not there n is 0.  ERR_SYNTAX for a name that is none; ERR_NOENT and
 * others: a configured file cannot be read, its path is in *ret_path (in the
 * arena).
 */
int certfile_put(const struct config *conf, struct arena *arena,
    struct span name, struct buf *b, const char **ret_path) ERR_CHECK;

/* certfile_get(d, ret): the opposite; spans point into d's input. */
void certfile_get(struct dec *d, struct cert_files *ret);

/* certfile_read(path, b): append the file.  ERR_LIMIT over CERT_FILE_MAX. */
int certfile_read(const char *path, struct buf *b) ERR_CHECK;

/* has_certificates(conf): TLS is configured at all. */
bool has_certificates(const struct config *conf);

/* certfile_stamp(conf): a number that changes when a file of the default
 * certificates, their keys or their OCSP responses, or tls_client_ca, was
 * changed. */
uint64_t certfile_stamp(const struct config *conf);

#endif
