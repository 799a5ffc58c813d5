/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * proxy.h: the PROXY protocol, versions 1 and 2 (HAProxy's
 * doc/proxy-protocol.txt): who the client behind a proxy is.
 *
 * A pure function of the bytes so far; read by imapd-login or imapd-tls, and
 * only from peers in proxy_networks.
 */
#ifndef IMAPD_PROCESS_PROXY_H
#define IMAPD_PROCESS_PROXY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ipnet.h"
#include "base/span.h"

#define PROXY_V1_MAX	107	/* bytes of a version 1 line with its CRLF */
#define PROXY_MAX	(16 + 4096)	/* our limit for version 2 */

struct proxy_header {
	bool has_addresses;	/* no: UNKNOWN, LOCAL, AF_UNIX: the connection
				 * is the proxy's own */
	struct ipaddr remote, local;
	uint16_t remote_port, local_port;
	bool is_tls;		/* the client spoke TLS with the proxy */
};

enum proxy_outcome { PROXY_DONE, PROXY_MORE, PROXY_BAD };

/*
 * proxy_parse(s, ret, ret_n): PROXY_DONE: *ret, and *ret_n is the length of the
 * header.  PROXY_MORE: *ret_n more bytes at least are needed, and reading so
 * many cannot take what follows the header.
 */
enum proxy_outcome proxy_parse(struct span s, struct proxy_header *ret,
    size_t *ret_n);

#endif
