/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * replay.c: run a fuzz harness on files: those named on the command line, or
 * (make check) all in tests/fuzz/seeds/NAME below $srcdir, for a program called
 * fuzz_NAME.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tests/fuzz/fuzz.h"

#define INPUT_MAX	(16 * 1024 * 1024)

static void
run_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *p = mem_alloc(INPUT_MAX), *exact;
	size_t n;

	if (f == NULL) {
		perror(path);
		exit(1);
	}
	n = fread(p, 1, INPUT_MAX, f);
	fclose(f);
	/* In memory of just its size: a sanitizer sees what goes over. */
	exact = mem_dup(p, n);
	exact = mem_resize(exact, n == 0 ? 1 : n, 1);
	LLVMFuzzerTestOneInput(exact, n);
	free(exact);
	free(p);
}

static size_t
run_seeds(const char *program)
{
	const char *srcdir = getenv("srcdir"), *name = strstr(program, "fuzz_");
	char dir[4096], path[8192];
	const struct dirent *e;
	size_t n = 0;
	DIR *d;

	snprintf(dir, sizeof(dir), "%s/tests/fuzz/seeds/%s",
	    srcdir == NULL ? "." : srcdir,
	    name == NULL ? program : name + strlen("fuzz_"));
	d = opendir(dir);
	if (d == NULL) {
		perror(dir);
		exit(1);
	}
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		run_file(path);
		n++;
	}
	closedir(d);
	return n;
}

int
main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');

	if (argc == 1) {
		printf("%zu seeds\n",
		    run_seeds(slash == NULL ? argv[0] : slash + 1));
		return 0;
	}
	for (int i = 1; i < argc; i++)
		run_file(argv[i]);
	return 0;
}
