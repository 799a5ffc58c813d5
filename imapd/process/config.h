/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * config.h: imapd.conf as a struct.
 *
 * Made by config_keys.h; the keys are explained in imapd.conf(5).  Strings and
 * lists belong to the struct.
 */
#ifndef IMAPD_PROCESS_CONFIG_H
#define IMAPD_PROCESS_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/ipnet.h"
#include "base/span.h"

/* Named limits. */
#define CONFIG_FILE_MAX		(1024 * 1024)	/* bytes of one file */
#define CONFIG_DEPTH_MAX	8		/* files that include files */
#define CONFIG_ERROR_MAX	512		/* bytes of a complaint */
#define CONFIG_MASK_BYTES	4096		/* of capability and of what
						 * capability_networks adds */

/* The choices, in the order of the table. */
enum config_sandbox { SANDBOX_NO, SANDBOX_YES, SANDBOX_REQUIRE };
enum config_scram { SCRAM_NO, SCRAM_YES, SCRAM_AUTO };
enum config_separator { SEPARATOR_SLASH, SEPARATOR_DOT };
enum config_log { CONFIG_LOG_AUTO, CONFIG_LOG_SYSLOG, CONFIG_LOG_STDERR,
	CONFIG_LOG_NONE };

struct config_nets {
	struct ipnet *v;
	size_t n;
};

struct config_lines {
	const char **v;
	size_t n;
};

#define CONFIG_TYPE_FLAG	bool
#define CONFIG_TYPE_NUMBER	uint64_t
#define CONFIG_TYPE_TIME	uint64_t
#define CONFIG_TYPE_SIZE	uint64_t
#define CONFIG_TYPE_CHOICE	int
#define CONFIG_TYPE_STRING	const char *
#define CONFIG_TYPE_PATH	const char *
#define CONFIG_TYPE_NETS	struct config_nets
#define CONFIG_TYPE_LINES	struct config_lines

struct config {
#define CONFIG_KEY(type, name, text, min, max, choices) CONFIG_TYPE_##type name;
#include "imapd/process/config_keys.h"
#undef CONFIG_KEY
	struct arena *arena;		/* owns all of the above */
	struct config_lines files;	/* the files that were read */
};

/* config_new(): every key at its default. */
struct config *config_new(void);
void config_free(struct config *conf);

/*
 * config_read(conf, path, err): the file and what it includes.  ERR_NOENT if
 * path itself is not there (nothing has changed), ERR_CONFIG with one line for
 * the administrator in err ("/etc/imapd.conf:12: unknown key \"colour\"").
 */
int config_read(struct config *conf, const char *path, struct buf *err)
    ERR_CHECK;

/* config_set(conf, line, err): one "key = value" from the command line. */
int config_set(struct config *conf, struct span line, struct buf *err)
    ERR_CHECK;

/* config_check(conf, err): what only the whole can tell: a certificate without
 * its key and the like.  ERR_CONFIG and err. */
int config_check(const struct config *conf, struct buf *err) ERR_CHECK;

/* config_print(conf, out): the effective value of every key, as a file that
 * config_read() would read to the same end. */
void config_print(const struct config *conf, struct buf *out);

/* is_config_net(nets, addr): whether any of the networks has it. */
bool is_config_net(const struct config_nets *nets, const struct ipaddr *addr);

/*
 * config_capability_put(conf, addr, mask): append the words of the capability
 * key, and of each capability_networks line whose network has addr (NULL: no
 * address), separated by blanks.
 */
void config_capability_put(const struct config *conf,
    const struct ipaddr *addr, struct buf *mask);

/* config_word(rest): the next word of a list separated by blanks or commas;
 * empty at the end. */
struct span config_word(struct span *rest);

#endif
