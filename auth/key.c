/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include <sys/random.h>

#include <fcntl.h>
#include <unistd.h>

#include "base/fdio.h"

#include "auth/key.h"

#define MACHINE_ID	"/etc/machine-id"
#define SECRET_BYTES	32

/* A file's first bytes; ERR_CORRUPT if it is shorter than min. */
static int
read_key(const char *path, size_t min, struct buf *key)
{
	size_t n;
	int fd, err;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return ERR_NOENT;
	err = fdio_pread(fd, buf_room(key, KEY_MAX), KEY_MAX, 0,
	    &n);
	fdio_close(&fd);
	if (err == 0 && n < min)
		err = ERR_CORRUPT;
	if (err == 0)
		key->n = n;
	return err;
}

/* Make the secret file.  Two at once: the second finds it there. */
static int
make_key(const char *path)
{
	uint8_t secret[SECRET_BYTES];
	int fd, err;

	if (getrandom(secret, sizeof(secret), 0) != sizeof(secret))
		return ERR_IO;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
	    0600);
	if (fd < 0)
		return ERR_ACCESS;
	err = fdio_write_file(fd, span_of(secret, sizeof(secret)));
	fdio_close(&fd);
	explicit_bzero(secret, sizeof(secret));
	return err;
}

void
key_find(const char *path, struct buf *key)
{
	buf_init(key, KEY_MAX);
	if (path != NULL && (read_key(path, SECRET_BYTES, key) == 0 ||
	    (make_key(path) == 0 && read_key(path, SECRET_BYTES, key) == 0)))
		return;
	(void)!read_key(MACHINE_ID, 1, key);	/* empty at worst */
}
