/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include <arpa/inet.h>

#include "base/ipnet.h"
#include "base/num.h"

#define IPV4_BITS_BEFORE	96	/* ::ffff:0:0/96 */

static const uint8_t v4_prefix[12] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff
};

static bool
is_v4(const struct ipaddr *a)
{
	return memcmp(a->b, v4_prefix, sizeof(v4_prefix)) == 0;
}

int
ipaddr_parse(struct span s, struct ipaddr *ret)
{
	char text[IPNET_TEXT_MAX];
	struct ipaddr a;

	if (s.n == 0 || s.n >= sizeof(text) || has_byte(s, '\0'))
		return ERR_SYNTAX;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	if (has_byte(s, ':')) {
		if (inet_pton(AF_INET6, text, a.b) != 1)
			return ERR_SYNTAX;
	} else {
		memcpy(a.b, v4_prefix, sizeof(v4_prefix));
		if (inet_pton(AF_INET, text, a.b + sizeof(v4_prefix)) != 1)
			return ERR_SYNTAX;
	}
	*ret = a;
	return 0;
}

/* Whether bit i, counted from the first, is set. */
static bool
has_bit(const struct ipaddr *a, unsigned i)
{
	return (a->b[i / 8] >> (7 - i % 8) & 1) != 0;
}

int
ipnet_parse(struct span s, struct ipnet *ret)
{
	struct span addr = span_split(&s, '/');
	struct ipnet net;
	uint32_t bits = 128, before;
	int err;

	if ((err = ipaddr_parse(addr, &net.addr)) != 0)
		return err;
	before = has_byte(addr, ':') ? 0 : IPV4_BITS_BEFORE;
	if (s.p != NULL) {
		if (num_u32(s, 0, 128 - before, &bits) != 0)
			return ERR_SYNTAX;
		bits += before;
	}
	for (unsigned i = bits; i < 128; i++)
		if (has_bit(&net.addr, i))
			return ERR_SYNTAX;
	net.bits = (uint8_t)bits;
	*ret = net;
	return 0;
}

bool
is_ipnet_member(const struct ipnet *net, const struct ipaddr *addr)
{
	for (unsigned i = 0; i < net->bits; i++)
		if (has_bit(&net->addr, i) != has_bit(addr, i))
			return false;
	return true;
}

bool
is_ipaddr_loopback(const struct ipaddr *addr)
{
	static const struct ipaddr one = { .b = { [15] = 1 } };

	if (is_v4(addr))
		return addr->b[12] == 127;
	return memcmp(addr->b, one.b, sizeof(one.b)) == 0;
}

void
ipaddr_print(const struct ipaddr *addr, char out[IPNET_TEXT_MAX])
{
	const char *text;

	if (is_v4(addr))
		text = inet_ntop(AF_INET, addr->b + 12, out, IPNET_TEXT_MAX);
	else
		text = inet_ntop(AF_INET6, addr->b, out, IPNET_TEXT_MAX);
	if (text == NULL)
		out[0] = '\0';	/* cannot be: the room is enough */
}
