/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>

#include "base/fdio.h"
#include "imapd/process/certfile.h"

#define PATH_TEXT_MAX	4096
#define NAME_MAX_LEN	255

/* In tls_directory/NAME/: the names that certbot gives, and a second pair. */
static const struct {
	const char *chain, *key;
} names[CERT_PAIRS] = {
	{ "fullchain.pem", "privkey.pem" },
	{ "fullchain-ecdsa.pem", "privkey-ecdsa.pem" },
};

int
certfile_read(const char *path, struct buf *b)
{
	uint8_t *p;
	size_t n = 0;
	int fd, err;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)) == -1)
		return err_from_errno(errno);
	p = buf_room(b, CERT_FILE_MAX + 1);
	err = p == NULL ? ERR_LIMIT :
	    fdio_pread(fd, p, CERT_FILE_MAX + 1, 0, &n);
	fdio_close(&fd);
	if (err == 0 && n > CERT_FILE_MAX)
		err = ERR_LIMIT;
	if (err == 0)
		b->n += n;
	return err;
}

/* Append one file as a counted string. */
static int ERR_CHECK
put_file(const char *path, struct buf *b)
{
	struct buf text;
	int err;

	buf_init(&text, CERT_FILE_MAX + 1);
	err = certfile_read(path, &text);
	if (err == 0)
		enc_bytes(b, buf_span(&text));
	buf_wipe_done(&text);
	return err;
}

/* Chain, key, and the OCSP response beside the chain if there is one. */
static int ERR_CHECK
put_pair(const char *chain, const char *key, struct buf *b,
    const char **ret_path)
{
	struct buf path;
	const char *ocsp;
	int err;

	*ret_path = chain;
	if ((err = put_file(chain, b)) != 0)
		return err;
	*ret_path = key;
	if ((err = put_file(key, b)) != 0)
		return err;
	buf_init(&path, PATH_TEXT_MAX);
	buf_puts(&path, chain);
	buf_puts(&path, ".ocsp");
	ocsp = buf_cstr(&path);
	if (ocsp == NULL || put_file(ocsp, b) != 0)
		enc_bytes(b, SPAN_NONE);	/* stapling is optional */
	buf_done(&path);
	return 0;
}

/* tls_cert and tls_key: as many words in each (config_check()). */
static int ERR_CHECK
put_configured(const struct config *conf, struct arena *arena, struct buf *b,
    const char **ret_path)
{
	struct span certs = span_str(conf->tls_cert);
	struct span keys = span_str(conf->tls_key), cert, key;
	size_t at = b->n;
	int err = 0;

	enc_u8(b, 0);
	while (err == 0 && (cert = config_word(&certs)).n > 0) {
		key = config_word(&keys);
		err = put_pair(arena_cstr(arena, cert),
		    arena_cstr(arena, key), b, ret_path);
		if (err == 0)
			b->p[at]++;
	}
	return err;
}

/* A host name: letters, digits, hyphens, single dots between. */
static bool
is_host_name(struct span s)
{
	if (s.n == 0 || s.n > NAME_MAX_LEN)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (is_alpha(s.p[i]) || is_digit(s.p[i]))
			continue;
		if (s.p[i] == '-' && i > 0)
			continue;
		if (s.p[i] != '.' || i == 0 || i + 1 == s.n ||
		    s.p[i - 1] == '.')
			return false;
	}
	return true;
}

/* DIR/PREFIXNAME/FILE, lower case. */
static const char *
make_path(const struct config *conf, struct arena *arena, const char *prefix,
    struct span name, const char *file)
{
	struct buf path;
	const char *s;

	buf_init(&path, PATH_TEXT_MAX);
	buf_puts(&path, conf->tls_directory);
	buf_putc(&path, '/');
	buf_puts(&path, prefix);
	for (size_t i = 0; i < name.n; i++)
		buf_putc(&path, to_lower(name.p[i]));
	buf_putc(&path, '/');
	buf_puts(&path, file);
	s = arena_cstr(arena, buf_span(&path));
	buf_done(&path);
	return s;
}

/* The pairs of one name in the directory. */
static int ERR_CHECK
put_named(const struct config *conf, struct arena *arena, const char *prefix,
    struct span name, struct buf *b, const char **ret_path)
{
	size_t at = b->n, before;
	int err = 0;

	enc_u8(b, 0);
	for (size_t i = 0; i < CERT_PAIRS && err == 0; i++) {
		before = b->n;
		err = put_pair(make_path(conf, arena, prefix, name,
		    names[i].chain), make_path(conf, arena, prefix, name,
		    names[i].key), b, ret_path);
		if (err == 0)
			b->p[at]++;
		else
			b->n = before;
	}
	/* No such pair is no error. */
	return err == ERR_NOENT ? 0 : err;
}

static int ERR_CHECK
put_default(const struct config *conf, struct arena *arena, struct buf *b,
    const char **ret_path)
{
	if (conf->tls_cert != NULL)
		return put_configured(conf, arena, b, ret_path);
	if (conf->tls_directory != NULL)
		return put_named(conf, arena, "", SPAN("default"), b,
		    ret_path);
	enc_u8(b, 0);
	return 0;
}

int
certfile_put(const struct config *conf, struct arena *arena, struct span name,
    struct buf *b, const char **ret_path)
{
	struct span parent = name;
	size_t at = b->n;
	int err;

	*ret_path = "";
	if (name.n == 0)
		return put_default(conf, arena, b, ret_path);
	if (!is_host_name(name))
		return ERR_SYNTAX;
	if (conf->tls_directory == NULL) {
		enc_u8(b, 0);
		return 0;
	}
	err = put_named(conf, arena, "", name, b, ret_path);
	if (err != 0 || b->p[at] != 0)
		return err;
	/* A wildcard: the directory *.example.org for mail.example.org. */
	(void)span_split(&parent, '.');
	if (parent.p == NULL)
		return 0;
	b->n = at;
	return put_named(conf, arena, "*.", parent, b, ret_path);
}

void
certfile_get(struct dec *d, struct cert_files *ret)
{
	struct cert_files files = { .n = dec_u8(d) };

	if (files.n > CERT_PAIRS) {
		d->failed = true;
		files.n = 0;
	}
	for (unsigned i = 0; i < files.n; i++) {
		files.pair[i].chain = dec_bytes(d, CERT_FILE_MAX);
		files.pair[i].key = dec_bytes(d, CERT_FILE_MAX);
		files.pair[i].ocsp = dec_bytes(d, CERT_FILE_MAX);
	}
	*ret = files;
}

bool
has_certificates(const struct config *conf)
{
	return conf->tls_cert != NULL || conf->tls_directory != NULL;
}

/* ---- has anything changed? --------------------------------------------- */

static uint64_t
mix(uint64_t h, uint64_t v)
{
	return (h ^ v) * 0x100000001b3u;	/* FNV-1a's prime */
}

static uint64_t
stamp_file(uint64_t h, const char *path)
{
	struct stat st;

	if (stat(path, &st) == -1)
		return mix(h, (uint64_t)errno);
	h = mix(h, (uint64_t)st.st_ino);
	h = mix(h, (uint64_t)st.st_size);
	h = mix(h, (uint64_t)st.st_mtim.tv_sec);
	return mix(h, (uint64_t)st.st_mtim.tv_nsec);
}

/* The files that the words name, each with suffix behind its name. */
static uint64_t
stamp_words(uint64_t h, const char *words, const char *suffix)
{
	struct span rest = span_str(words == NULL ? "" : words), word;
	char path[PATH_TEXT_MAX];
	size_t n = strlen(suffix) + 1;

	while ((word = config_word(&rest)).n > 0) {
		word = span_take(word, sizeof(path) - n);
		memcpy(path, word.p, word.n);
		memcpy(path + word.n, suffix, n);
		h = stamp_file(h, path);
	}
	return h;
}

/* A chain, and the OCSP response beside it, which is replaced more often. */
static uint64_t
stamp_chains(uint64_t h, const char *words)
{
	return stamp_words(stamp_words(h, words, ""), words, ".ocsp");
}

uint64_t
certfile_stamp(const struct config *conf)
{
	struct arena *arena = arena_new(512);
	uint64_t h = 0xcbf29ce484222325u;

	h = stamp_chains(h, conf->tls_cert);
	h = stamp_words(h, conf->tls_key, "");
	h = stamp_words(h, conf->tls_client_ca, "");
	for (size_t i = 0; i < CERT_PAIRS && conf->tls_cert == NULL &&
	    conf->tls_directory != NULL; i++) {
		h = stamp_chains(h, make_path(conf, arena, "",
		    SPAN("default"), names[i].chain));
		h = stamp_file(h, make_path(conf, arena, "",
		    SPAN("default"), names[i].key));
	}
	arena_free(arena);
	return h;
}
