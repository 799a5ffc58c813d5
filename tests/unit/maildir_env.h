/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * maildir_env.h: a Maildir of its own for each test, and what other programs do
 * to it, by plain system calls.
 */
#ifndef TESTS_UNIT_MAILDIR_ENV_H
#define TESTS_UNIT_MAILDIR_ENV_H

#include "base/arena.h"
#include "maildir/maildir.h"

struct env {
	char root[64];
	struct maildir_conf conf;
	struct maildir_store *store;
	struct arena *arena;
};

int env_setup(void **state);
int env_teardown(void **state);

/* Close the store and open it again with e->conf. */
void env_reopen(struct env *e);
void env_layout(struct env *e, enum maildir_layout layout, bool utf8);

/* Files, by their path below the root. */
void write_text(const struct env *e, const char *rel, const char *text);
void write_bytes(const struct env *e, const char *rel, const void *p, size_t n);
struct span read_text(struct env *e, const char *rel);
bool is_there(const struct env *e, const char *rel);
void make_dir(const struct env *e, const char *rel);
void move_file(const struct env *e, const char *from, const char *to);
void remove_file(const struct env *e, const char *rel);
void change_mode(const struct env *e, const char *rel, unsigned mode);
void remove_tree(const char *path);

/* The only file in a directory whose name begins with prefix. */
void find_file(const struct env *e, const char *dir, const char *prefix,
    char out[256]);

#endif
