/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include <sys/random.h>

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "maildir/unique.h"

#define USEC	1000000u

static uint64_t
now_usec(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);	/* cannot fail */
	return (uint64_t)ts.tv_sec * USEC + (uint64_t)ts.tv_nsec / 1000;
}

void
unique_init(struct unique *u)
{
	memset(u, 0, sizeof(*u));
	u->pid = (uint32_t)getpid();
	if (gethostname(u->host, sizeof(u->host) - 1) != 0 ||
	    u->host[0] == '\0')
		memcpy(u->host, "localhost", sizeof("localhost"));
	/* Where the kernel has no random bytes yet, time does. */
	if (getrandom(&u->random, sizeof(u->random), GRND_NONBLOCK) < 0)
		u->random = now_usec();
}

uint64_t
unique_bits(struct unique *u)
{
	/* splitmix64 */
	uint64_t z = u->random += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static void
put_digits(struct buf *b, uint64_t v, unsigned base, unsigned digits)
{
	uint8_t text[16];

	for (unsigned i = digits; i > 0; i--, v /= base)
		text[i - 1] = (uint8_t)"0123456789abcdef"[v % base];
	buf_put(b, text, digits);
}

/* Bytes that a file name or its syntax cannot hold are written \ooo. */
static void
put_host(struct buf *b, const char *host)
{
	for (; *host != '\0'; host++) {
		uint8_t c = (uint8_t)*host;

		if (c > ' ' && c != '/' && c != ':' && c != ',' && c < 0x7f) {
			buf_putc(b, c);
			continue;
		}
		buf_putc(b, '\\');
		put_digits(b, c, 8, 3);
	}
}

void
unique_put(struct unique *u, struct buf *b)
{
	uint64_t now = now_usec();

	u->last = now > u->last ? now : u->last + 1;
	buf_put_u64(b, u->last / USEC);
	buf_puts(b, ".M");
	put_digits(b, u->last % USEC, 10, 6);
	buf_putc(b, 'P');
	buf_put_u64(b, u->pid);
	buf_putc(b, 'R');
	put_digits(b, unique_bits(u) & 0xffffffff, 16, 8);
	buf_putc(b, '.');
	put_host(b, u->host);
}
