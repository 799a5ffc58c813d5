/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "auth/quotarule.h"
#include "base/fdio.h"
#include "base/mem.h"
#include "base/num.h"
#include "imapd/process/config.h"

enum key_type {
	TYPE_FLAG, TYPE_NUMBER, TYPE_TIME, TYPE_SIZE, TYPE_CHOICE, TYPE_STRING,
	TYPE_PATH, TYPE_NETS, TYPE_LINES
};

struct key {
	const char *name;
	enum key_type type;
	size_t offset;		/* of the member of struct config */
	const char *text;	/* the default */
	uint64_t min, max;	/* NUMBER, SIZE; TIME in seconds */
	const char *choices;
};

static const struct key keys[] = {
#define CONFIG_KEY(type_, name_, text_, min_, max_, choices_) {		\
	#name_, TYPE_##type_, offsetof(struct config, name_), text_,	\
	min_, max_, choices_ },
#include "imapd/process/config_keys.h"
#undef CONFIG_KEY
};

#define NKEYS	(sizeof(keys) / sizeof(keys[0]))

/* The file being read: for complaints, and for names relative to it. */
struct source {
	const char *path;	/* NULL: the command line */
	uint64_t line;
	unsigned depth;
};

/* ---- complaints -------------------------------------------------------- */

/* "FILE:LINE: what "about"".  Always ERR_CONFIG. */
static int
complain(struct buf *err, const struct source *src, const char *what,
    struct span about)
{
	buf_clear(err);
	if (src->path == NULL) {
		buf_puts(err, "-o: ");
	} else {
		buf_puts(err, src->path);
		buf_putc(err, ':');
		buf_put_u64(err, src->line);
		buf_puts(err, ": ");
	}
	buf_puts(err, what);
	if (about.p != NULL) {
		buf_puts(err, " \"");
		buf_put_span(err, span_take(about, CONFIG_ERROR_MAX / 4));
		buf_putc(err, '"');
	}
	return ERR_CONFIG;
}

/* ---- values ------------------------------------------------------------ */

struct span
config_word(struct span *rest)
{
	struct span s = *rest, word;
	size_t n = 0;

	while (s.n > 0 && (is_wsp(s.p[0]) || s.p[0] == ','))
		s = span_skip(s, 1);
	while (n < s.n && !is_wsp(s.p[n]) && s.p[n] != ',')
		n++;
	word = span_take(s, n);
	*rest = span_skip(s, n);
	return word;
}

/* One of the units behind a number: its factor, or 0. */
static uint64_t
unit_factor(enum key_type type, struct span unit)
{
	uint8_t c;

	if (unit.n == 0)
		return 1;
	if (unit.n > 1)
		return 0;
	c = to_lower(unit.p[0]);
	if (type == TYPE_TIME)
		return c == 's' ? 1 : c == 'm' ? 60 : c == 'h' ? 3600 :
		    c == 'd' ? 86400 : 0;
	if (type == TYPE_SIZE)
		return c == 'k' ? 1 << 10 : c == 'm' ? 1 << 20 :
		    c == 'g' ? 1 << 30 : 0;
	return 0;
}

static const char *
read_number(const struct key *key, struct span text, uint64_t *ret)
{
	size_t digits;
	uint64_t v = num_prefix(text, &digits), factor;

	factor = unit_factor(key->type, span_trim(span_skip(text, digits)));
	if (digits == 0 || factor == 0)
		return "not a number:";
	if (num_mul(v, factor, &v) != 0 || v < key->min || v > key->max)
		return "out of range:";
	*ret = key->type == TYPE_TIME ? v * 1000 : v;
	return NULL;
}

static const char *
read_choice(const struct key *key, struct span text, int *ret)
{
	struct span rest = span_str(key->choices), word;

	for (int i = 0; (word = config_word(&rest)).n > 0; i++) {
		if (is_span_eq(word, text)) {
			*ret = i;
			return NULL;
		}
	}
	return "not one of the choices:";
}

static const char *
read_flag(struct span text, bool *ret)
{
	if (!is_span_eq(text, SPAN("yes")) && !is_span_eq(text, SPAN("no")))
		return "neither yes nor no:";
	*ret = text.p[0] == 'y';
	return NULL;
}

static const char *
read_nets(struct arena *arena, struct span text, struct config_nets *ret)
{
	struct span rest = text, word;
	struct config_nets nets = { NULL, 0 };

	while (config_word(&rest).n > 0)
		nets.n++;
	nets.v = arena_array(arena, nets.n, sizeof(*nets.v));
	rest = text;
	for (size_t i = 0; (word = config_word(&rest)).n > 0; i++)
		if (ipnet_parse(word, &nets.v[i]) != 0)
			return "not a list of networks:";
	*ret = nets;
	return NULL;
}

static void
lines_add(struct arena *arena, struct config_lines *lines, struct span text)
{
	const char **v = arena_array(arena, lines->n + 1, sizeof(*v));

	for (size_t i = 0; i < lines->n; i++)
		v[i] = lines->v[i];
	v[lines->n] = arena_cstr(arena, text);
	lines->v = v;
	lines->n++;
}

/* Give key the value text.  NULL, or what is wrong with it. */
static const char *
key_read(struct config *conf, const struct key *key, struct span text)
{
	void *to = (uint8_t *)conf + key->offset;

	switch (key->type) {
	case TYPE_FLAG:
		return read_flag(text, to);
	case TYPE_NUMBER:
	case TYPE_TIME:
	case TYPE_SIZE:
		return read_number(key, text, to);
	case TYPE_CHOICE:
		return read_choice(key, text, to);
	case TYPE_NETS:
		return read_nets(conf->arena, text, to);
	case TYPE_PATH:
		if (text.n > 0 && text.p[0] != '/')
			return "not an absolute path:";
		/* FALLTHROUGH */
	case TYPE_STRING:
		*(const char **)to = text.n == 0 ? NULL :
		    arena_cstr(conf->arena, text);
		return NULL;
	case TYPE_LINES:
		if (text.n > 0)
			lines_add(conf->arena, to, text);
		return NULL;
	}
	return "of a type that is not known:";
}

static const struct key *
key_find(struct span name)
{
	for (size_t i = 0; i < NKEYS; i++)
		if (is_span_eq(name, span_str(keys[i].name)))
			return &keys[i];
	return NULL;
}

/* ---- files ------------------------------------------------------------- */

static int file_read(struct config *conf, const char *path, unsigned depth,
    struct buf *err) ERR_CHECK;

/* "include = FILE", relative to the file that says so. */
static int ERR_CHECK
include(struct config *conf, const struct source *src, struct span name,
    struct buf *err)
{
	struct buf path;
	struct span dir;
	const char *file;
	int ret;

	if (src->path == NULL || src->depth == CONFIG_DEPTH_MAX)
		return complain(err, src, "include is not possible here",
		    SPAN_NONE);
	buf_init(&path, CONFIG_FILE_MAX);
	dir = span_str(src->path);
	if (name.n > 0 && name.p[0] != '/')
		buf_put_span(&path, span_take(dir, span_rfind(dir, '/') + 1));
	buf_put_span(&path, name);
	file = arena_cstr(conf->arena, buf_span(&path));
	buf_done(&path);
	ret = file_read(conf, file, src->depth + 1, err);
	if (ret == ERR_NOENT)
		ret = complain(err, src, "no such file", name);
	return ret;
}

static int ERR_CHECK
read_line(struct config *conf, const struct source *src, struct span line,
    struct buf *err)
{
	struct span name, value;
	const struct key *key;
	const char *wrong;

	value = line;
	name = span_trim(span_split(&value, '='));
	if (value.p == NULL)
		return complain(err, src, "not \"key = value\":", line);
	value = span_trim(value);
	if (has_byte(value, '\0'))
		return complain(err, src, "a NUL byte in the value of", name);
	if (is_span_eq(name, SPAN("include")))
		return include(conf, src, value, err);
	if ((key = key_find(name)) == NULL)
		return complain(err, src, "unknown key", name);
	if ((wrong = key_read(conf, key, value)) == NULL)
		return 0;
	complain(err, src, key->name, SPAN_NONE);
	buf_puts(err, " is ");
	buf_puts(err, wrong);
	buf_puts(err, " \"");
	buf_put_span(err, span_take(value, CONFIG_ERROR_MAX / 4));
	buf_putc(err, '"');
	return ERR_CONFIG;
}

/* A line without its comment: # at its start or behind a blank. */
static struct span
without_comment(struct span line)
{
	for (size_t i = 0; i < line.n; i++)
		if (line.p[i] == '#' && (i == 0 || is_wsp(line.p[i - 1])))
			return span_trim(span_take(line, i));
	return span_trim(line);
}

static int ERR_CHECK
text_read(struct config *conf, struct source *src, struct span text,
    struct buf *err)
{
	struct span line;
	int ret;

	while (text.p != NULL) {
		src->line++;
		line = without_comment(span_split(&text, '\n'));
		if (line.n > 0 && (ret = read_line(conf, src, line, err)) != 0)
			return ret;
	}
	return 0;
}

/* All of the file, at most CONFIG_FILE_MAX bytes. */
static int ERR_CHECK
slurp(const char *path, struct buf *text)
{
	uint8_t *p;
	size_t n;
	int fd, ret;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)) < 0)
		return err_from_errno(errno);
	do {
		if ((p = buf_room(text, 4096)) == NULL) {
			ret = ERR_LIMIT;
			break;
		}
		ret = fdio_pread(fd, p, 4096, text->n, &n);
		if (ret == 0)
			text->n += n;
	} while (ret == 0 && n > 0);
	fdio_close(&fd);
	return ret;
}

static int
file_read(struct config *conf, const char *path, unsigned depth,
    struct buf *err)
{
	struct source src = { path, 0, depth };
	struct buf text;
	int ret;

	buf_init(&text, CONFIG_FILE_MAX);
	ret = slurp(path, &text);
	if (ret == 0) {
		lines_add(conf->arena, &conf->files, span_str(path));
		if (text.n > 0)
			ret = text_read(conf, &src, buf_span(&text), err);
	} else if (ret != ERR_NOENT) {
		ret = complain(err, &src, err_text(ret), SPAN_NONE);
	}
	buf_done(&text);
	return ret;
}

int
config_read(struct config *conf, const char *path, struct buf *err)
{
	return file_read(conf, path, 0, err);
}

int
config_set(struct config *conf, struct span line, struct buf *err)
{
	struct source src = { NULL, 0, 0 };

	return read_line(conf, &src, span_trim(line), err);
}

struct config *
config_new(void)
{
	struct config *conf = mem_zalloc(sizeof(*conf));
	const char *wrong;

	conf->arena = arena_new(4096);
	for (size_t i = 0; i < NKEYS; i++) {
		wrong = key_read(conf, &keys[i], span_str(keys[i].text));
		assert(wrong == NULL);
		(void)wrong;	/* without assertions */
	}
	return conf;
}

void
config_free(struct config *conf)
{
	if (conf == NULL)
		return;
	arena_free(conf->arena);
	free(conf);
}

/* ---- the whole --------------------------------------------------------- */

static size_t
count_words(const char *list)
{
	struct span rest = span_str(list == NULL ? "" : list);
	size_t n = 0;

	while (config_word(&rest).n > 0)
		n++;
	return n;
}

/* Each line of capability_networks is "NETWORK -NAME ...". */
static const char *
check_capability_networks(const struct config *conf)
{
	struct span rest;
	struct ipnet net;

	for (size_t i = 0; i < conf->capability_networks.n; i++) {
		rest = span_str(conf->capability_networks.v[i]);
		if (ipnet_parse(config_word(&rest), &net) != 0 ||
		    config_word(&rest).n == 0)
			return "capability_networks: not "
			    "\"NETWORK -CAPABILITY ...\"";
	}
	return NULL;
}

int
config_check(const struct config *conf, struct buf *err)
{
	const char *wrong = NULL;
	struct quotarule rule;

#ifndef WITH_TLS
	if (conf->tls_cert != NULL || conf->tls_directory != NULL)
		wrong = "tls_cert or tls_directory: built without TLS";
	else
#endif
	if (count_words(conf->tls_cert) != count_words(conf->tls_key))
		wrong = "tls_cert and tls_key do not name as many files";
	else if (count_words(conf->tls_cert) > 2)
		wrong = "tls_cert: more than two files (RSA and ECDSA)";
	else if (conf->tls_client_require && conf->tls_client_ca == NULL)
		wrong = "tls_client_require without tls_client_ca";
	else if (conf->anonymous && conf->anonymous_user == NULL)
		wrong = "anonymous without anonymous_user";
	else
		wrong = check_capability_networks(conf);
	if (wrong == NULL && conf->quota != NULL &&
	    quotarule_parse(span_str(conf->quota), &rule) != 0)
		wrong = "quota: not \"none\", \"maildirsize\" or a rule such "
		    "as \"*:storage=1G:messages=10000\"";
	if (wrong == NULL)
		return 0;
	buf_clear(err);
	buf_puts(err, wrong);
	return ERR_CONFIG;
}

static void
print_net(struct buf *out, const struct ipnet *net)
{
	char text[IPNET_TEXT_MAX];

	ipaddr_print(&net->addr, text);
	buf_puts(out, text);
	buf_putc(out, '/');
	buf_put_u64(out, has_byte(span_str(text), ':') ? net->bits :
	    net->bits - 96u);
}

static void
print_choice(struct buf *out, const char *choices, int v)
{
	struct span rest = span_str(choices), word = config_word(&rest);

	for (int i = 0; i < v; i++)
		word = config_word(&rest);
	buf_put_span(out, word);
}

static void
print_value(const struct config *conf, const struct key *key, struct buf *out)
{
	const void *from = (const uint8_t *)conf + key->offset;
	const struct config_nets *nets = from;
	const char *text;

	switch (key->type) {
	case TYPE_FLAG:
		buf_puts(out, *(const bool *)from ? "yes" : "no");
		break;
	case TYPE_NUMBER:
	case TYPE_SIZE:
		buf_put_u64(out, *(const uint64_t *)from);
		break;
	case TYPE_TIME:
		buf_put_u64(out, *(const uint64_t *)from / 1000);
		buf_putc(out, 's');
		break;
	case TYPE_CHOICE:
		print_choice(out, key->choices, *(const int *)from);
		break;
	case TYPE_NETS:
		for (size_t i = 0; i < nets->n; i++) {
			buf_puts(out, i == 0 ? "" : " ");
			print_net(out, &nets->v[i]);
		}
		break;
	case TYPE_STRING:
	case TYPE_PATH:
		text = *(const char *const *)from;
		buf_puts(out, text == NULL ? "" : text);
		break;
	case TYPE_LINES:
		break;		/* by config_print(), a line each */
	}
}

void
config_print(const struct config *conf, struct buf *out)
{
	const struct config_lines *lines;

	for (size_t i = 0; i < NKEYS; i++) {
		if (keys[i].type != TYPE_LINES) {
			buf_puts(out, keys[i].name);
			buf_puts(out, " = ");
			print_value(conf, &keys[i], out);
			buf_putc(out, '\n');
			continue;
		}
		lines = (const void *)((const uint8_t *)conf + keys[i].offset);
		if (lines->n == 0) {
			buf_puts(out, keys[i].name);
			buf_puts(out, " =\n");
		}
		for (size_t j = 0; j < lines->n; j++) {
			buf_puts(out, keys[i].name);
			buf_puts(out, " = ");
			buf_puts(out, lines->v[j]);
			buf_putc(out, '\n');
		}
	}
}

bool
is_config_net(const struct config_nets *nets, const struct ipaddr *addr)
{
	for (size_t i = 0; i < nets->n; i++)
		if (is_ipnet_member(&nets->v[i], addr))
			return true;
	return false;
}

void
config_capability_put(const struct config *conf, const struct ipaddr *addr,
    struct buf *mask)
{
	struct span rest;
	struct ipnet net;

	if (conf->capability != NULL)
		buf_puts(mask, conf->capability);
	for (size_t i = 0; addr != NULL &&
	    i < conf->capability_networks.n; i++) {
		rest = span_str(conf->capability_networks.v[i]);
		if (ipnet_parse(config_word(&rest), &net) != 0 ||
		    !is_ipnet_member(&net, addr))
			continue;
		buf_putc(mask, ' ');
		buf_put_span(mask, span_trim(rest));
	}
}
