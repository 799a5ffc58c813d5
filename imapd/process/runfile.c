/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include <sys/random.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/enc.h"
#include "base/fdio.h"
#include "imapd/process/runfile.h"

#define FORGET_SECONDS	600	/* failures older than this count for nothing */
#define FAILURE_SIZE	12u
#define KEY_DIGITS	16
#define TICKET_FILE_MAX	4096

/* Open dir/name; -1 if that is not possible. */
static int
open_in(const char *dir, const char *name, int flags)
{
	int dfd, fd;

	/* Made by the first process that has the right to. */
	if (mkdir(dir, 0755) == -1 && errno != EEXIST)
		return -1;
	dfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dfd == -1)
		return -1;
	fd = openat(dfd, name, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
	fdio_close(&dfd);
	return fd;
}

static uint64_t
hash(struct span s)
{
	uint64_t h = 0xcbf29ce484222325u;	/* FNV-1a */

	for (size_t i = 0; i < s.n; i++)
		h = (h ^ s.p[i]) * 0x100000001b3u;
	return h;
}

static uint64_t
now(void)
{
	return (uint64_t)time(NULL);
}

/* ---- ticket-keys ------------------------------------------------------- */

struct stored_key {
	uint64_t born;
	struct ticket_key key;
};

static void
put_key(struct buf *b, const struct stored_key *k)
{
	enc_u64(b, k->born);
	buf_put(b, &k->key, sizeof(k->key));
}

static unsigned
read_keys(const char *dir, struct stored_key keys[TICKET_KEYS])
{
	uint8_t text[TICKET_KEYS * (8 + sizeof(struct ticket_key))];
	struct stat st;
	struct dec d;
	unsigned n = 0;
	size_t got = 0;
	int fd = open_in(dir, "ticket-keys", O_RDONLY);

	if (fd == -1)
		return 0;
	/* Keys that another may know are no keys. */
	if (fstat(fd, &st) == -1 || st.st_uid != geteuid() ||
	    (st.st_mode & 077) != 0 ||
	    fdio_pread(fd, text, sizeof(text), 0, &got) != 0)
		got = 0;
	fdio_close(&fd);
	d = dec_init(span_of(text, got));
	while (n < TICKET_KEYS && d.rest.n >= 8 + sizeof(struct ticket_key)) {
		keys[n].born = dec_u64(&d);
		memcpy(&keys[n].key, d.rest.p, sizeof(struct ticket_key));
		d.rest = span_skip(d.rest, sizeof(struct ticket_key));
		n++;
	}
	explicit_bzero(text, sizeof(text));
	return n;
}

/* Write new, rename: a reader sees the old keys or the new ones.  Lost in a
 * power cut they are made anew, so there is no fsync. */
static void
write_keys(const char *dir, const struct stored_key *keys, unsigned n)
{
	char name[64], from[TICKET_FILE_MAX], to[TICKET_FILE_MAX];
	struct buf b;
	int fd;

	(void)snprintf(name, sizeof(name), "ticket-keys.%ld", (long)getpid());
	fd = open_in(dir, name, O_WRONLY | O_CREAT | O_TRUNC);
	if (fd == -1)
		return;
	buf_init(&b, TICKET_FILE_MAX);
	(void)buf_room(&b, TICKET_FILE_MAX);	/* no copies left behind */
	for (unsigned i = 0; i < n; i++)
		put_key(&b, &keys[i]);
	if (snprintf(from, sizeof(from), "%s/%s", dir, name) <
	    (int)sizeof(from) && snprintf(to, sizeof(to), "%s/ticket-keys",
	    dir) < (int)sizeof(to)) {
		if (fdio_write_file(fd, buf_span(&b)) != 0 ||
		    rename(from, to) == -1)
			(void)unlink(from);	/* nothing more to be done */
	}
	buf_wipe_done(&b);
	fdio_close(&fd);
}

void
runfile_tickets(const char *dir, uint64_t lifetime_ms,
    struct settings_tls *tls)
{
	struct stored_key keys[TICKET_KEYS];
	unsigned n;

	tls->nticket = 0;
	if (lifetime_ms == 0)
		return;
	n = read_keys(dir, keys);
	if (n == 0 || keys[0].born > now() + 1 ||
	    keys[0].born + lifetime_ms / 1000 <= now()) {
		for (unsigned i = TICKET_KEYS - 1; i > 0; i--)
			keys[i] = keys[i - 1];
		if (getrandom(&keys[0].key, sizeof(keys[0].key), 0) !=
		    (ssize_t)sizeof(keys[0].key))
			return;
		keys[0].born = now();
		n = n < TICKET_KEYS ? n + 1 : TICKET_KEYS;
		write_keys(dir, keys, n);
	}
	for (unsigned i = 0; i < n; i++)
		tls->ticket[i] = keys[i].key;
	tls->nticket = n;
	/* As long as its key can open one, if all connections were even. */
	tls->ticket_seconds = (uint32_t)(lifetime_ms / 1000) * TICKET_KEYS;
	explicit_bzero(keys, sizeof(keys));
}

/* ---- failures ---------------------------------------------------------- */

struct failure {
	uint32_t key, when, count;
};

static off_t
failure_place(uint32_t key)
{
	return (off_t)(key % RUNFILE_FAILURES * FAILURE_SIZE);
}

static struct failure
read_failure(int fd, uint32_t key)
{
	uint8_t text[FAILURE_SIZE];
	struct failure f;
	struct dec d;
	size_t n;

	if (fdio_pread(fd, text, sizeof(text), (uint64_t)failure_place(key),
	    &n) != 0)
		n = 0;
	d = dec_init(span_of(text, n));
	f.key = dec_u32(&d);
	f.when = dec_u32(&d);
	f.count = dec_u32(&d);
	if (dec_end(&d) != 0 || f.key != key || f.when > now() + 1 ||
	    f.when + FORGET_SECONDS < now())
		return (struct failure){ .key = key };
	return f;
}

unsigned
runfile_failures(const char *dir, struct span who)
{
	int fd = open_in(dir, "failures", O_RDONLY);
	struct failure f;

	if (fd == -1)
		return 0;
	f = read_failure(fd, (uint32_t)hash(who));
	fdio_close(&fd);
	return f.count;
}

/* Two processes at once may lose one count: good enough for a delay. */
void
runfile_failed(const char *dir, struct span who)
{
	int fd = open_in(dir, "failures", O_RDWR | O_CREAT);
	struct failure f;
	struct buf b;

	if (fd == -1)
		return;
	f = read_failure(fd, (uint32_t)hash(who));
	buf_init(&b, FAILURE_SIZE);
	enc_u32(&b, f.key);
	enc_u32(&b, (uint32_t)now());
	enc_u32(&b, f.count + 1 == 0 ? f.count : f.count + 1);
	/* Not counted, then: a disk that is full must not stop logins. */
	(void)!pwrite(fd, b.p, b.n, failure_place(f.key));
	buf_done(&b);
	fdio_close(&fd);
}

/* ---- slots ------------------------------------------------------------- */

static bool
lock_byte(int fd, uint64_t i)
{
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET,
	    .l_start = (off_t)i, .l_len = 1 };

	return fcntl(fd, F_OFD_SETLK, &fl) == 0;
}

int
runfile_slot(const char *dir, struct span user, uint64_t max, int *ret_fd)
{
	char slots[TICKET_FILE_MAX], name[KEY_DIGITS + 1];
	int fd;

	*ret_fd = -1;
	if (snprintf(slots, sizeof(slots), "%s/slots", dir) >=
	    (int)sizeof(slots))
		return 0;
	(void)snprintf(name, sizeof(name), "%016llx",
	    (unsigned long long)hash(user));
	fd = open_in(slots, name, O_RDWR | O_CREAT);
	if (fd == -1 && (mkdir(dir, 0755) == 0 || errno == EEXIST))
		fd = open_in(slots, name, O_RDWR | O_CREAT);
	if (fd == -1)
		return 0;
	for (uint64_t i = 0; i < max; i++) {
		if (lock_byte(fd, i)) {
			*ret_fd = fd;
			return 0;
		}
		if (errno != EAGAIN && errno != EACCES)
			break;
	}
	if (errno == EAGAIN || errno == EACCES) {
		fdio_close(&fd);
		return ERR_BUSY;
	}
	fdio_close(&fd);	/* no such locks on this file system */
	return 0;
}
