/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include "base/enc.h"
#include "base/num.h"
#include "imapd/process/proxy.h"

#define V1_MIN		15	/* "PROXY UNKNOWN" CRLF */
#define V2_HEAD		16	/* signature, version, family, length */

static const uint8_t v2_signature[12] = {
	'\r', '\n', '\r', '\n', 0, '\r', '\n', 'Q', 'U', 'I', 'T', '\n'
};

enum {
	V2_LOCAL = 0x20, V2_PROXY = 0x21,	/* version and command */
	V2_TCP4 = 0x11, V2_TCP6 = 0x21,		/* family and transport */
	V2_TLV_SSL = 0x20, V2_CLIENT_SSL = 1
};

/* ---- version 1 --------------------------------------------------------- */

static int ERR_CHECK
parse_port(struct span s, uint16_t *ret)
{
	uint32_t n;

	if (s.n == 0 || s.n > 5 || num_u32(s, 0, UINT16_MAX, &n) != 0)
		return ERR_SYNTAX;
	*ret = (uint16_t)n;
	return 0;
}

/*
 * "PROXY" SP ("TCP4" / "TCP6") SP source SP destination SP port SP port CRLF,
 * or "PROXY UNKNOWN" and anything.  line is without the CRLF.
 */
static enum proxy_outcome
parse_line(struct span line, struct proxy_header *ret)
{
	struct proxy_header h = { .has_addresses = true };
	struct span word = span_split(&line, ' ');
	bool is_v6;

	word = span_split(&line, ' ');
	if (is_span_eq(word, SPAN("UNKNOWN"))) {
		*ret = (struct proxy_header){ .has_addresses = false };
		return PROXY_DONE;
	}
	is_v6 = is_span_eq(word, SPAN("TCP6"));
	if (!is_v6 && !is_span_eq(word, SPAN("TCP4")))
		return PROXY_BAD;
	word = span_split(&line, ' ');
	if (has_byte(word, ':') != is_v6 || ipaddr_parse(word, &h.remote) != 0)
		return PROXY_BAD;
	word = span_split(&line, ' ');
	if (has_byte(word, ':') != is_v6 || ipaddr_parse(word, &h.local) != 0)
		return PROXY_BAD;
	if (parse_port(span_split(&line, ' '), &h.remote_port) != 0 ||
	    parse_port(span_split(&line, ' '), &h.local_port) != 0 ||
	    line.p != NULL)
		return PROXY_BAD;
	*ret = h;
	return PROXY_DONE;
}

static enum proxy_outcome
parse_v1(struct span s, struct proxy_header *ret, size_t *ret_n)
{
	size_t end = span_find(span_take(s, PROXY_V1_MAX), '\n');

	if (end == s.n) {
		if (s.n >= PROXY_V1_MAX)
			return PROXY_BAD;
		/* The CR says that one more byte will do. */
		*ret_n = s.n < V1_MIN ? V1_MIN - s.n : 1;
		return PROXY_MORE;
	}
	if (end >= PROXY_V1_MAX || s.p[end - 1] != '\r')
		return PROXY_BAD;
	*ret_n = end + 1;
	return parse_line(span_take(s, end - 1), ret);
}

/* ---- version 2 --------------------------------------------------------- */

/* The value of a TLV of type SSL: u8 client flags, u32 verify, more TLVs. */
static bool
is_ssl(struct span value)
{
	return value.n >= 5 && (value.p[0] & V2_CLIENT_SSL) != 0;
}

static enum proxy_outcome
parse_tlvs(struct dec *d, struct proxy_header *h)
{
	while (d->rest.n > 0) {
		uint8_t type = dec_u8(d);
		uint16_t n = dec_u16(d);

		if (d->failed || n > d->rest.n)
			return PROXY_BAD;
		if (type == V2_TLV_SSL)
			h->is_tls = is_ssl(span_take(d->rest, n));
		d->rest = span_skip(d->rest, n);
	}
	return PROXY_DONE;
}

static void
get_address(struct dec *d, bool is_v6, struct ipaddr *ret)
{
	*ret = (struct ipaddr){ .b = { [10] = 0xff, [11] = 0xff } };
	for (size_t i = is_v6 ? 0 : 12; i < 16; i++)
		ret->b[i] = dec_u8(d);
}

static enum proxy_outcome
parse_v2(struct span s, struct proxy_header *ret, size_t *ret_n)
{
	struct dec d = dec_init(span_skip(s, sizeof(v2_signature)));
	struct proxy_header h = { .has_addresses = true };
	uint8_t command, family;
	size_t n;

	if (s.n < V2_HEAD) {
		*ret_n = V2_HEAD - s.n;
		return PROXY_MORE;
	}
	command = dec_u8(&d);
	family = dec_u8(&d);
	n = dec_u16(&d);
	if ((command != V2_LOCAL && command != V2_PROXY) ||
	    n > PROXY_MAX - V2_HEAD)
		return PROXY_BAD;
	if (d.rest.n < n) {
		*ret_n = n - d.rest.n;
		return PROXY_MORE;
	}
	d.rest = span_take(d.rest, n);
	*ret_n = V2_HEAD + n;
	if (command == V2_LOCAL || (family != V2_TCP4 && family != V2_TCP6)) {
		*ret = (struct proxy_header){ .has_addresses = false };
		return PROXY_DONE;
	}
	get_address(&d, family == V2_TCP6, &h.remote);
	get_address(&d, family == V2_TCP6, &h.local);
	h.remote_port = dec_u16(&d);
	h.local_port = dec_u16(&d);
	if (d.failed || parse_tlvs(&d, &h) != PROXY_DONE)
		return PROXY_BAD;
	*ret = h;
	return PROXY_DONE;
}

enum proxy_outcome
proxy_parse(struct span s, struct proxy_header *ret, size_t *ret_n)
{
	struct span v1 = SPAN("PROXY ");
	struct span v2 = span_of(v2_signature, sizeof(v2_signature));

	if (s.n >= v1.n && has_prefix(s, v1))
		return parse_v1(s, ret, ret_n);
	if (s.n >= v2.n && has_prefix(s, v2))
		return parse_v2(s, ret, ret_n);
	if (!has_prefix(v1, span_take(s, v1.n)) &&
	    !has_prefix(v2, span_take(s, v2.n)))
		return PROXY_BAD;
	*ret_n = (has_prefix(v1, s) ? V1_MIN : V2_HEAD) - s.n;
	return PROXY_MORE;
}
