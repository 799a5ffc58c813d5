/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * tls.c: OpenSSL 3.
 *
 * Sessions are resumed from tickets alone, whose keys come from the monitor
 * (runfile.h): nothing is remembered in this process, which serves one
 * connection.  TLS 1.2 and later; for TLS 1.2 the ciphers of Mozilla's
 * "intermediate" list, so that Outlook and older Macs still connect.
 *
 * A little past 600 lines, because no other file may know the library.
 */
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/fdio.h"
#include "base/mem.h"
#include "imapd/process/image.h"
#include "imapd/process/tls.h"

#define CIPHERS \
	"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:" \
	"ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:" \
	"ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:" \
	"DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:" \
	"DHE-RSA-CHACHA20-POLY1305"
#define CIPHERS_LEGACY	"DEFAULT:@SECLEVEL=0"
#define SESSION_CONTEXT	"imapd"
#define TICKETS		1	/* per full handshake with TLS 1.3 */
#define NAME_LEN_MAX	255	/* server name, identity */
#define BINDING_MAX	64
#define EXPORTER_SIZE	32	/* RFC 9266 section 2 */

struct tls_ctx {
	SSL_CTX *ssl;
	struct {
		X509 *cert;
		uint8_t *ocsp;
		size_t nocsp;
	} pair[CERT_PAIRS];
	unsigned n;
};

struct tls {
	SSL *ssl;
	struct tls_fds fds;
	const struct settings_tls *set;
	struct tls_ctx *ctx;		/* in use: the default or a name's */
	struct tls_ctx *(*find)(void *cookie, struct span name);
	void *cookie;
	char identity[NAME_LEN_MAX + 1];
	uint8_t exporter[EXPORTER_SIZE];
	uint8_t end_point[BINDING_MAX];
};

const char *
tls_error(void)
{
	const char *text = ERR_reason_error_string(ERR_peek_last_error());

	return text != NULL ? text : "connection lost";
}

/* ---- certificates ------------------------------------------------------ */

static BIO *
bio_of(struct span s)
{
	return BIO_new_mem_buf(s.p, s.n > INT_MAX ? 0 : (int)s.n);
}

/* All certificates of a PEM text; NULL if there is none. */
static struct stack_st_X509 *
read_chain(struct span pem)
{
	STACK_OF(X509) *chain = sk_X509_new_null();
	BIO *bio = bio_of(pem);
	X509 *cert;

	while (chain != NULL && bio != NULL &&
	    (cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL)
		if (sk_X509_push(chain, cert) == 0)
			X509_free(cert);
	BIO_free(bio);
	if (chain != NULL && sk_X509_num(chain) > 0) {
		ERR_clear_error();	/* "no start line", at the end */
		return chain;
	}
	sk_X509_free(chain);
	return NULL;
}

static EVP_PKEY *
read_key(struct span pem)
{
	BIO *bio = bio_of(pem);
	EVP_PKEY *key = bio == NULL ? NULL :
	    PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);

	BIO_free(bio);
	return key;
}

static int ERR_CHECK
add_pair(struct tls_ctx *ctx, const struct cert_pair *pair)
{
	STACK_OF(X509) *chain = read_chain(pair->chain);
	EVP_PKEY *key = read_key(pair->key);
	X509 *cert = chain == NULL ? NULL : sk_X509_shift(chain);
	int err = ERR_CORRUPT;

	/* Fails if the key is not that of the certificate. */
	if (cert != NULL && key != NULL &&
	    SSL_CTX_use_cert_and_key(ctx->ssl, cert, key, chain, 1) == 1) {
		ctx->pair[ctx->n].cert = cert;
		ctx->pair[ctx->n].ocsp = pair->ocsp.n == 0 ? NULL :
		    mem_dup(pair->ocsp.p, pair->ocsp.n);
		ctx->pair[ctx->n].nocsp = pair->ocsp.n;
		ctx->n++;
		cert = NULL;
		err = 0;
	}
	X509_free(cert);
	EVP_PKEY_free(key);
	sk_X509_pop_free(chain, X509_free);
	return err;
}

int
tls_ctx_days(const struct tls_ctx *ctx)
{
	int least = INT_MAX, days, seconds;

	for (unsigned i = 0; i < ctx->n; i++)
		if (ASN1_TIME_diff(&days, &seconds, NULL,
		    X509_get0_notAfter(ctx->pair[i].cert)) == 1)
			least = days < least ? days : least;
	return least;
}

/* ---- callbacks of the library ------------------------------------------ */

/* RFC 8314 has no word on ALPN, the IANA registry has "imap".  Who asks for
 * another protocol is in the wrong place (ALPACA). */
static int
on_alpn(SSL *ssl, const unsigned char **ret, unsigned char *ret_n,
    const unsigned char *offered, unsigned n, void *cookie)
{
	static const unsigned char imap[] = { 4, 'i', 'm', 'a', 'p' };
	unsigned char *chosen;

	(void)ssl;
	(void)cookie;
	if (SSL_select_next_proto(&chosen, ret_n, imap, sizeof(imap), offered,
	    n) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*ret = chosen;
	return SSL_TLSEXT_ERR_OK;
}

static int
on_server_name(SSL *ssl, int *alert, void *cookie)
{
	struct tls *tls = SSL_get_app_data(ssl);
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	struct tls_ctx *ctx;

	(void)alert;
	(void)cookie;
	if (name == NULL || tls == NULL || tls->find == NULL)
		return SSL_TLSEXT_ERR_NOACK;
	ctx = tls->find(tls->cookie, span_str(name));
	if (ctx != NULL && SSL_set_SSL_CTX(ssl, ctx->ssl) != NULL)
		tls->ctx = ctx;
	return SSL_TLSEXT_ERR_OK;
}

/* OCSP stapling: the response that belongs to the certificate in use. */
static int
on_status(SSL *ssl, void *cookie)
{
	const struct tls *tls = SSL_get_app_data(ssl);
	X509 *cert = SSL_get_certificate(ssl);
	uint8_t *copy;

	(void)cookie;
	for (unsigned i = 0; tls != NULL && i < tls->ctx->n; i++) {
		if (tls->ctx->pair[i].cert != cert ||
		    tls->ctx->pair[i].nocsp == 0)
			continue;
		copy = OPENSSL_memdup(tls->ctx->pair[i].ocsp,
		    tls->ctx->pair[i].nocsp);
		if (copy == NULL || SSL_set_tlsext_status_ocsp_resp(ssl, copy,
		    (long)tls->ctx->pair[i].nocsp) != 1)
			return SSL_TLSEXT_ERR_NOACK;
		return SSL_TLSEXT_ERR_OK;
	}
	return SSL_TLSEXT_ERR_NOACK;
}

static int
set_ticket_key(const struct ticket_key *key, const unsigned char *iv,
    EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int enc)
{
	char digest[] = "SHA256";
	uint8_t hmac[TICKET_HMAC];
	OSSL_PARAM params[3];

	memcpy(hmac, key->hmac, sizeof(hmac));
	params[0] = OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY,
	    hmac, sizeof(hmac));
	params[1] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
	    digest, 0);
	params[2] = OSSL_PARAM_construct_end();
	return EVP_CipherInit_ex2(cipher, EVP_aes_256_cbc(), key->aes, iv, enc,
	    NULL) == 1 && EVP_MAC_CTX_set_params(mac, params) == 1;
}

/* 1: this key; 2: this key, but renew the ticket; 0: unknown key; -1: error. */
static int
on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv,
    EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int enc)
{
	const struct tls *tls = SSL_get_app_data(ssl);
	const struct settings_tls *set = tls == NULL ? NULL : tls->set;

	if (set == NULL || set->nticket == 0)
		return enc ? -1 : 0;
	if (enc) {
		memcpy(name, set->ticket[0].name, TICKET_NAME);
		if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(
		    EVP_aes_256_cbc())) != 1)
			return -1;
		return set_ticket_key(&set->ticket[0], iv, cipher, mac, 1) ?
		    1 : -1;
	}
	for (unsigned i = 0; i < set->nticket; i++)
		if (memcmp(name, set->ticket[i].name, TICKET_NAME) == 0)
			return !set_ticket_key(&set->ticket[i], iv, cipher,
			    mac, 0) ? -1 : i == 0 ? 1 : 2;
	return 0;
}

/*
 * A ticket holds the client's certificate and that it was good, and each
 * resumption gives a new one: a certificate that has expired since, or whose
 * authority is trusted no more, would be good for ever.  So whoever has one
 * makes a full handshake each time.
 */
static SSL_TICKET_RETURN
on_ticket_used(SSL *ssl, SSL_SESSION *session, const unsigned char *name,
    size_t n, SSL_TICKET_STATUS status, void *cookie)
{
	(void)ssl;
	(void)name;
	(void)n;
	(void)cookie;
	if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW)
		return SSL_TICKET_RETURN_IGNORE_RENEW;
	if (SSL_SESSION_get0_peer(session) != NULL)
		return SSL_TICKET_RETURN_IGNORE;
	return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE :
	    SSL_TICKET_RETURN_USE_RENEW;
}

/* A certificate that does not verify is as good as none, unless one is
 * required: then the library has the last word. */
static int
on_verify(int ok, X509_STORE_CTX *store)
{
	(void)ok;
	(void)store;
	return 1;
}

/* ---- the context ------------------------------------------------------- */

static int
set_client_ca(SSL_CTX *ssl, const struct settings_tls *set)
{
	STACK_OF(X509) *cas = read_chain(set->client_ca);
	X509_STORE *store = SSL_CTX_get_cert_store(ssl);
	bool is_good = cas != NULL;

	for (int i = 0; is_good && i < sk_X509_num(cas); i++)
		is_good = X509_STORE_add_cert(store, sk_X509_value(cas, i)) ==
		    1 && SSL_CTX_add_client_CA(ssl, sk_X509_value(cas, i)) == 1;
	sk_X509_pop_free(cas, X509_free);
	if (set->require_client_cert)
		SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER |
		    SSL_VERIFY_FAIL_IF_NO_PEER_CERT | SSL_VERIFY_CLIENT_ONCE,
		    NULL);
	else
		SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER |
		    SSL_VERIFY_CLIENT_ONCE, on_verify);
	return is_good;
}

static int
set_policy(SSL_CTX *ssl, const struct settings_tls *set)
{
	const char *ciphers = set->ciphers[0] != '\0' ? set->ciphers :
	    set->is_legacy ? CIPHERS_LEGACY : CIPHERS;

	SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION |
	    SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
	    SSL_OP_PRIORITIZE_CHACHA | SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS |
	    SSL_MODE_ENABLE_PARTIAL_WRITE |
	    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
	/* The library's own is two hours, whatever the keys live. */
	(void)SSL_CTX_set_timeout(ssl, (long)set->ticket_seconds);
	if (set->nticket == 0)
		SSL_CTX_set_options(ssl, SSL_OP_NO_TICKET);
	return SSL_CTX_set_min_proto_version(ssl,
	    set->is_legacy ? TLS1_VERSION : TLS1_2_VERSION) == 1 &&
	    SSL_CTX_set_cipher_list(ssl, ciphers) == 1 &&
	    SSL_CTX_set_dh_auto(ssl, 1) == 1 &&
	    SSL_CTX_set_num_tickets(ssl, set->nticket == 0 ? 0 : TICKETS) ==
	    1 &&
	    SSL_CTX_set_session_id_context(ssl,
	    (const unsigned char *)SESSION_CONTEXT,
	    sizeof(SESSION_CONTEXT) - 1) == 1;
}

static void
set_callbacks(SSL_CTX *ssl)
{
	SSL_CTX_set_alpn_select_cb(ssl, on_alpn, NULL);
	SSL_CTX_set_tlsext_servername_callback(ssl, on_server_name);
	SSL_CTX_set_tlsext_status_cb(ssl, on_status);
	SSL_CTX_set_tlsext_ticket_key_evp_cb(ssl, on_ticket);
	/* Fails never: it stores two pointers. */
	(void)SSL_CTX_set_session_ticket_cb(ssl, NULL, on_ticket_used, NULL);
}

int
tls_ctx_new(const struct settings_tls *set, const struct cert_files *files,
    struct tls_ctx **ret)
{
	struct tls_ctx *ctx;
	int err = 0;

	if (files->n == 0)
		return ERR_NOENT;
	/* openssl.cnf is not ours to read, and costs time. */
	if (OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG |
	    OPENSSL_INIT_NO_ATEXIT, NULL) != 1)
		return ERR_UNSUPPORTED;
	ERR_clear_error();
	ctx = mem_zalloc(sizeof(*ctx));
	ctx->ssl = SSL_CTX_new(TLS_server_method());
	if (ctx->ssl == NULL || !set_policy(ctx->ssl, set) ||
	    (set->ask_client_cert && !set_client_ca(ctx->ssl, set)))
		err = ERR_CONFIG;
	for (unsigned i = 0; i < files->n && err == 0; i++)
		err = add_pair(ctx, &files->pair[i]);
	if (err != 0) {
		tls_ctx_free(ctx);
		return err;
	}
	set_callbacks(ctx->ssl);
	*ret = ctx;
	return 0;
}

void
tls_ctx_free(struct tls_ctx *ctx)
{
	if (ctx == NULL)
		return;
	for (unsigned i = 0; i < ctx->n; i++) {
		X509_free(ctx->pair[i].cert);
		free(ctx->pair[i].ocsp);
	}
	SSL_CTX_free(ctx->ssl);
	free(ctx);
}

/* ---- reading and writing ----------------------------------------------- */

/* What the return value r of an SSL_ function means. */
static enum tls_outcome
outcome_of(struct tls *tls, int r)
{
	switch (SSL_get_error(tls->ssl, r)) {
	case SSL_ERROR_NONE:
		return TLS_OK;
	case SSL_ERROR_WANT_READ:
		return TLS_WANT_READ;
	case SSL_ERROR_WANT_WRITE:
		return TLS_WANT_WRITE;
	case SSL_ERROR_ZERO_RETURN:
		return TLS_CLOSED;
	default:
		return TLS_FAILED;
	}
}

enum tls_outcome
tls_try_read(struct tls *tls, void *p, size_t n, size_t *ret_n)
{
	ERR_clear_error();
	return outcome_of(tls, SSL_read_ex(tls->ssl, p, n, ret_n));
}

enum tls_outcome
tls_try_write(struct tls *tls, struct span s, size_t *ret_n)
{
	ERR_clear_error();
	return outcome_of(tls, SSL_write_ex(tls->ssl, s.p, s.n, ret_n));
}

enum tls_outcome
tls_try_close(struct tls *tls)
{
	int r;

	ERR_clear_error();
	r = SSL_shutdown(tls->ssl);
	return r >= 0 ? TLS_OK : outcome_of(tls, r);
}

/* Wait for what the library wants.  0: try again. */
static int ERR_CHECK
wait_for(struct tls *tls, enum tls_outcome outcome, struct deadline d)
{
	switch (outcome) {
	case TLS_WANT_READ:
		return image_wait(tls->fds.in, tls->fds.pipe, d);
	case TLS_WANT_WRITE:
		return fdio_wait(tls->fds.out, POLLOUT, d);
	case TLS_CLOSED:
		return ERR_EOF;
	case TLS_OK:
	case TLS_FAILED:
		break;
	}
	return ERR_IO;
}

int
tls_read(void *cookie, void *p, size_t n, struct deadline d, size_t *ret_n)
{
	struct tls *tls = cookie;
	enum tls_outcome outcome;
	int err;

	while ((outcome = tls_try_read(tls, p, n, ret_n)) != TLS_OK)
		if ((err = wait_for(tls, outcome, d)) != 0)
			return err;
	return 0;
}

int
tls_write(void *cookie, struct span s, struct deadline d, size_t *ret_n)
{
	struct tls *tls = cookie;
	enum tls_outcome outcome;
	int err;

	while ((outcome = tls_try_write(tls, s, ret_n)) != TLS_OK)
		if ((err = wait_for(tls, outcome, d)) != 0)
			return err;
	return 0;
}

/* ---- the handshake ----------------------------------------------------- */

int
tls_accept(struct tls_ctx *ctx, const struct settings_tls *set,
    const struct tls_fds *fds, struct deadline until,
    struct tls_ctx *(*find)(void *cookie, struct span name), void *cookie,
    struct tls **ret)
{
	struct tls *tls = mem_zalloc(sizeof(*tls));
	enum tls_outcome outcome;
	int r, err;

	tls->ssl = SSL_new(ctx->ssl);
	tls->ctx = ctx;
	tls->set = set;
	tls->fds = *fds;
	tls->find = find;
	tls->cookie = cookie;
	if (tls->ssl == NULL || SSL_set_rfd(tls->ssl, fds->in) != 1 ||
	    SSL_set_wfd(tls->ssl, fds->out) != 1 ||
	    SSL_set_app_data(tls->ssl, tls) != 1) {
		tls_free(tls);
		return ERR_UNSUPPORTED;
	}
	for (;;) {
		ERR_clear_error();
		if ((r = SSL_accept(tls->ssl)) == 1)
			break;
		outcome = outcome_of(tls, r);
		err = outcome == TLS_FAILED ? ERR_SYNTAX :
		    wait_for(tls, outcome, until);
		if (err != 0) {
			tls_free(tls);
			return err;
		}
	}
	*ret = tls;
	return 0;
}

void
tls_free(struct tls *tls)
{
	if (tls == NULL)
		return;
	SSL_free(tls->ssl);
	free(tls);
}

/* ---- what is known afterwards ------------------------------------------ */

/* The identity in a certificate: the first rfc822Name of subjectAltName, else
 * the subject's emailAddress, else its commonName. */
static void
find_identity(X509 *cert, char *out, size_t size)
{
	static const int nids[] = { NID_pkcs9_emailAddress, NID_commonName };
	STACK_OF(OPENSSL_STRING) *mails = X509_get1_email(cert);
	const char *mail = sk_OPENSSL_STRING_num(mails) > 0 ?
	    sk_OPENSSL_STRING_value(mails, 0) : NULL;
	int n = 0;

	out[0] = '\0';
	if (mail != NULL && strlen(mail) < size)
		memcpy(out, mail, strlen(mail) + 1);
	X509_email_free(mails);
	for (size_t i = 0; i < 2 && out[0] == '\0'; i++) {
		n = X509_NAME_get_text_by_NID(X509_get_subject_name(cert),
		    nids[i], out, (int)size);
		/* Cut, or with a NUL inside: not to be believed. */
		if (n < 0 || (size_t)n != strlen(out) || (size_t)n + 1 >= size)
			out[0] = '\0';
	}
}

void
tls_facts(struct tls *tls, struct tls_facts *ret)
{
	const char *name = SSL_get_servername(tls->ssl,
	    TLSEXT_NAMETYPE_host_name);
	X509 *peer = SSL_get0_peer_certificate(tls->ssl);

	if (peer != NULL && SSL_get_verify_result(tls->ssl) == X509_V_OK)
		find_identity(peer, tls->identity, sizeof(tls->identity));
	*ret = (struct tls_facts){
		.version = span_str(SSL_get_version(tls->ssl)),
		.cipher = span_str(SSL_get_cipher_name(tls->ssl)),
		.server_name = span_take(span_str(name == NULL ? "" : name),
		    NAME_LEN_MAX),
		.is_resumed = SSL_session_reused(tls->ssl) == 1,
		.identity = span_str(tls->identity),
	};
}

/* RFC 5929 section 4.1: the hash of the certificate, by the hash function of
 * its signature; SHA-256 where that is MD5 or SHA-1. */
static size_t
hash_certificate(X509 *cert, uint8_t out[BINDING_MAX])
{
	const EVP_MD *md;
	unsigned n = 0;
	int nid;

	if (cert == NULL || X509_get_signature_info(cert, &nid, NULL, NULL,
	    NULL) != 1 || nid == NID_undef)
		return 0;
	md = nid == NID_md5 || nid == NID_sha1 ? EVP_sha256() :
	    EVP_get_digestbynid(nid);
	if (md == NULL || EVP_MD_get_size(md) > BINDING_MAX ||
	    X509_digest(cert, md, out, &n) != 1)
		return 0;
	return n;
}

void
tls_binding(struct tls *tls, struct sasl_binding *ret)
{
	static const char label[] = "EXPORTER-Channel-Binding";
	size_t n;

	*ret = (struct sasl_binding){ .exporter = SPAN_NONE };
	/* Before TLS 1.3 only with the extended master secret (RFC 9266 3). */
	if ((SSL_version(tls->ssl) >= TLS1_3_VERSION ||
	    SSL_get_extms_support(tls->ssl) == 1) &&
	    SSL_export_keying_material(tls->ssl, tls->exporter,
	    EXPORTER_SIZE, label, sizeof(label) - 1, NULL, 0, 0) == 1)
		ret->exporter = span_of(tls->exporter, EXPORTER_SIZE);
	n = hash_certificate(SSL_get_certificate(tls->ssl), tls->end_point);
	ret->end_point = span_of(tls->end_point, n);
}
