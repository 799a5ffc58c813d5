/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * fuzz_dir.h: a directory of its own for a harness whose reader wants files.
 */
#ifndef TESTS_FUZZ_FUZZ_DIR_H
#define TESTS_FUZZ_FUZZ_DIR_H

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

/* The path; made once for a process, in memory where there is such a place, and
 * left behind: each input overwrites the files of the one before. */
static inline const char *
fuzz_dir(void)
{
	static char memory[] = "/dev/shm/imapd_fuzz.XXXXXX";
	static char disk[] = "/tmp/imapd_fuzz.XXXXXX";
	static const char *made;

	if (made == NULL)
		made = mkdtemp(memory);
	if (made == NULL)
		made = mkdtemp(disk);
	if (made == NULL)
		abort();
	return made;
}

static inline int
fuzz_dir_fd(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = open(fuzz_dir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		abort();
	return fd;
}

static inline void
fuzz_dir_put(const char *name, const uint8_t *data, size_t size)
{
	int fd = openat(fuzz_dir_fd(), name, O_WRONLY | O_CREAT | O_TRUNC |
	    O_CLOEXEC, 0600);

	if (fd < 0 || (size > 0 && write(fd, data, size) != (ssize_t)size))
		abort();
	close(fd);
}

#endif
