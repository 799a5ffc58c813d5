/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <sys/wait.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "tests/unit/maildir_env.h"

#define TEXT_MAX	65536

int
env_setup(void **state)
{
	struct env *e = mem_zalloc(sizeof(*e));

	memcpy(e->root, "/tmp/test_maildir.XXXXXX", 25);
	assert_non_null(mkdtemp(e->root));
	e->conf = (struct maildir_conf){ .root = e->root, .create = true,
	    .lock_ms = 5000 };
	e->arena = arena_new(4096);
	env_reopen(e);
	*state = e;
	return 0;
}

void
remove_tree(const char *path)
{
	pid_t pid = fork();

	if (pid == 0) {
		execlp("rm", "rm", "-rf", path, (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

int
env_teardown(void **state)
{
	struct env *e = *state;

	maildir_store_free(e->store);
	arena_free(e->arena);
	remove_tree(e->root);
	free(e);
	return 0;
}

void
env_reopen(struct env *e)
{
	maildir_store_free(e->store);
	e->store = NULL;
	assert_int_equal(maildir_store_open(&e->conf, &e->store), 0);
}

void
env_layout(struct env *e, enum maildir_layout layout, bool utf8)
{
	e->conf.layout = layout;
	e->conf.utf8_names = utf8;
	env_reopen(e);
}

/* A path below the root. */
struct where {
	char s[512];
};

static struct where
at(const struct env *e, const char *rel)
{
	struct where w;

	assert_true(snprintf(w.s, sizeof(w.s), "%s/%s", e->root, rel) > 0);
	return w;
}

void
write_bytes(const struct env *e, const char *rel, const void *p, size_t n)
{
	int fd = open(at(e, rel).s, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, p, n), n);
	close(fd);
}

void
write_text(const struct env *e, const char *rel, const char *text)
{
	write_bytes(e, rel, text, strlen(text));
}

struct span
read_text(struct env *e, const char *rel)
{
	int fd = open(at(e, rel).s, O_RDONLY);
	uint8_t *p = arena_alloc(e->arena, TEXT_MAX);
	ssize_t n;

	assert_true(fd >= 0);
	n = read(fd, p, TEXT_MAX);
	assert_true(n >= 0);
	close(fd);
	return span_of(p, (size_t)n);
}

bool
is_there(const struct env *e, const char *rel)
{
	struct stat st;

	return lstat(at(e, rel).s, &st) == 0;
}

void
make_dir(const struct env *e, const char *rel)
{
	assert_int_equal(mkdir(at(e, rel).s, 0700), 0);
}

void
move_file(const struct env *e, const char *from, const char *to)
{
	assert_int_equal(rename(at(e, from).s, at(e, to).s), 0);
}

void
remove_file(const struct env *e, const char *rel)
{
	assert_int_equal(unlink(at(e, rel).s), 0);
}

void
find_file(const struct env *e, const char *dir, const char *prefix,
    char out[256])
{
	DIR *dp = opendir(at(e, dir).s);
	struct dirent *d;
	int n = 0;

	assert_non_null(dp);
	while ((d = readdir(dp)) != NULL) {
		if (d->d_name[0] == '.' ||
		    strncmp(d->d_name, prefix, strlen(prefix)) != 0)
			continue;
		snprintf(out, 256, "%s", d->d_name);
		n++;
	}
	closedir(dp);
	assert_int_equal(n, 1);
}

void
change_mode(const struct env *e, const char *rel, unsigned mode)
{
	assert_int_equal(chmod(at(e, rel).s, mode), 0);
}
