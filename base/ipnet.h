/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * ipnet.h: IP addresses and networks as text.
 *
 * An IPv4 address is kept as IPv6 maps it (::ffff:a.b.c.d), so that a client
 * that reached a dual-stack socket over IPv4 is the same client, and
 * "192.0.2.0/24" matches it.  In base/ because the users file (allow_nets) and
 * the configuration (proxy_networks and others) both need it.
 */
#ifndef BASE_IPNET_H
#define BASE_IPNET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

#define IPNET_TEXT_MAX	46	/* INET6_ADDRSTRLEN: with the NUL */

struct ipaddr {
	uint8_t b[16];
};

struct ipnet {
	struct ipaddr addr;
	uint8_t bits;		/* leading bits that count, of 128 */
};

/* ipaddr_parse(s, ret): an IPv4 or IPv6 address, without brackets, scope or
 * port.  ERR_SYNTAX otherwise. */
int ipaddr_parse(struct span s, struct ipaddr *ret) ERR_CHECK;

/* ipnet_parse(s, ret): an address, or ADDRESS/BITS.  ERR_SYNTAX otherwise, and
 * for a network with bits set behind its prefix (almost always a typing
 * mistake). */
int ipnet_parse(struct span s, struct ipnet *ret) ERR_CHECK;

bool is_ipnet_member(const struct ipnet *net, const struct ipaddr *addr);

/* 127.0.0.0/8 and ::1 */
bool is_ipaddr_loopback(const struct ipaddr *addr);

/* ipaddr_print(addr, out): in the usual notation, IPv4 where it is one. */
void ipaddr_print(const struct ipaddr *addr, char out[IPNET_TEXT_MAX]);

#endif
