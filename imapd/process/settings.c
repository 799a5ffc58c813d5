/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include "imapd/process/settings.h"

#define TEXT_MAX	4096
#define CA_MAX		(64 * 1024)

void
settings_put_rights(struct buf *b, const struct settings_rights *r)
{
	enc_u8(b, r->is_root);
	enc_u32(b, (uint32_t)r->uid);
	enc_u32(b, (uint32_t)r->gid);
	enc_bytes(b, span_str(r->chroot));
	enc_u8(b, (uint8_t)r->sandbox);
	enc_u8(b, (uint8_t)r->log_to);
	enc_u8(b, (uint8_t)r->log_level);
}

void
settings_get_rights(struct dec *d, struct arena *a, struct settings_rights *ret)
{
	ret->is_root = dec_u8(d) != 0;
	ret->uid = (uid_t)dec_u32(d);
	ret->gid = (gid_t)dec_u32(d);
	ret->chroot = arena_cstr(a, dec_bytes(d, TEXT_MAX));
	ret->sandbox = dec_u8(d);
	ret->log_to = (enum log_to)dec_u8(d);
	ret->log_level = dec_u8(d);
}

void
settings_put_tls(struct buf *b, const struct settings_tls *t)
{
	enc_u8(b, t->is_legacy);
	enc_u8(b, t->ask_client_cert);
	enc_u8(b, t->require_client_cert);
	enc_u8(b, t->has_names);
	enc_bytes(b, span_str(t->ciphers));
	enc_bytes(b, t->client_ca);
	enc_u8(b, (uint8_t)t->nticket);
	enc_u32(b, t->ticket_seconds);
	for (unsigned i = 0; i < t->nticket; i++) {
		buf_put(b, t->ticket[i].name, TICKET_NAME);
		buf_put(b, t->ticket[i].aes, TICKET_AES);
		buf_put(b, t->ticket[i].hmac, TICKET_HMAC);
	}
}

static void
get_fixed(struct dec *d, uint8_t *to, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] = dec_u8(d);
}

void
settings_get_tls(struct dec *d, struct arena *a, struct settings_tls *ret)
{
	ret->is_legacy = dec_u8(d) != 0;
	ret->ask_client_cert = dec_u8(d) != 0;
	ret->require_client_cert = dec_u8(d) != 0;
	ret->has_names = dec_u8(d) != 0;
	ret->ciphers = arena_cstr(a, dec_bytes(d, TEXT_MAX));
	ret->client_ca = arena_dup(a, dec_bytes(d, CA_MAX));
	ret->nticket = dec_u8(d);
	ret->ticket_seconds = dec_u32(d);
	if (ret->nticket > TICKET_KEYS) {
		d->failed = true;
		ret->nticket = 0;
	}
	for (unsigned i = 0; i < ret->nticket; i++) {
		get_fixed(d, ret->ticket[i].name, TICKET_NAME);
		get_fixed(d, ret->ticket[i].aes, TICKET_AES);
		get_fixed(d, ret->ticket[i].hmac, TICKET_HMAC);
	}
}

void
settings_put_peer(struct buf *b, const struct settings_peer *p)
{
	enc_u8(b, p->is_tls);
	enc_u8(b, p->is_tls_now);
	enc_u8(b, p->offer_starttls);
	enc_u8(b, p->allow_plaintext);
	enc_u32(b, p->mechs);
	enc_bytes(b, p->capability_mask);
}

void
settings_get_peer(struct dec *d, struct arena *a, struct settings_peer *ret)
{
	ret->is_tls = dec_u8(d) != 0;
	ret->is_tls_now = dec_u8(d) != 0;
	ret->offer_starttls = dec_u8(d) != 0;
	ret->allow_plaintext = dec_u8(d) != 0;
	ret->mechs = dec_u32(d);
	ret->capability_mask = arena_dup(a, dec_bytes(d, TEXT_MAX));
}

void
settings_put(struct buf *b, const struct settings *s)
{
	settings_put_rights(b, &s->rights);
	settings_put_tls(b, &s->tls);
	settings_put_peer(b, &s->peer);
	enc_u8(b, s->want_proxy);
	enc_u8(b, s->is_starttls);
	enc_u64(b, s->until.ns);
	enc_u64(b, s->stall_ms);
	enc_bytes(b, s->session);
	enc_bytes(b, s->id);
}

void
settings_get(struct dec *d, struct arena *a, struct settings *ret)
{
	settings_get_rights(d, a, &ret->rights);
	settings_get_tls(d, a, &ret->tls);
	settings_get_peer(d, a, &ret->peer);
	ret->want_proxy = dec_u8(d) != 0;
	ret->is_starttls = dec_u8(d) != 0;
	ret->until.ns = dec_u64(d);
	ret->stall_ms = dec_u64(d);
	ret->session = arena_dup(a, dec_bytes(d, TEXT_MAX));
	ret->id = arena_dup(a, dec_bytes(d, TEXT_MAX));
}
