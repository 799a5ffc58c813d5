/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * Compressed messages: whole, cut and damaged at every byte, read in any order.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zlib.h>
#ifdef HAVE_ZSTD
#include <zstd.h>
#endif

#include "maildir/unpack.h"

#define TEXT_SIZE	3000u
#define LARGE_SIZE	(40u * 1024 * 1024)

/* Lines that repeat enough to be compressed, and differ enough to be told
 * apart. */
static void
make_text(uint8_t *p, size_t n)
{
	uint32_t v = 1;

	for (size_t i = 0; i < n; i++) {
		v = v * 1664525u + 1013904223u;
		p[i] = i % 64 == 63 ? '\n' : (uint8_t)('a' + (v >> 28));
	}
}

static size_t
gzip(const uint8_t *p, size_t n, uint8_t *out, size_t max)
{
	z_stream z = { 0 };
	size_t got;

	assert_int_equal(deflateInit2(&z, 1, Z_DEFLATED, 15 + 16, 8,
	    Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = (Bytef *)(uintptr_t)p;
	z.avail_in = (uInt)n;
	z.next_out = out;
	z.avail_out = (uInt)max;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	got = max - z.avail_out;
	assert_int_equal(deflateEnd(&z), Z_OK);
	return got;
}

#ifdef HAVE_ZSTD
static size_t
zst(const uint8_t *p, size_t n, uint8_t *out, size_t max)
{
	size_t got = ZSTD_compress(out, max, p, n, 1);

	assert_false(ZSTD_isError(got));
	return got;
}
#endif

typedef size_t compress_fn(const uint8_t *p, size_t n, uint8_t *out,
    size_t max);

static compress_fn *const kinds[] = {
	gzip,
#ifdef HAVE_ZSTD
	zst,
#endif
};
#define KINDS	(sizeof(kinds) / sizeof(kinds[0]))

static FILE *
file_of(const uint8_t *p, size_t n)
{
	FILE *f = tmpfile();

	assert_non_null(f);
	assert_int_equal(fwrite(p, 1, n, f), n);
	assert_int_equal(fflush(f), 0);
	return f;
}

/* The file has size bytes of text: read in steps, and all of them. */
static void
check_text(struct unpack *u, const uint8_t *text, uint64_t size, size_t step)
{
	uint8_t buf[TEXT_SIZE + 1];
	uint64_t off = 0;
	size_t n;

	do {
		assert_int_equal(unpack_read(u, off, buf, step, &n), 0);
		assert_memory_equal(buf, text + off, n);
		off += n;
	} while (n > 0);
	assert_int_equal(off, size);
}

/* Whatever the file is: an announced size that is kept. */
static void
check_file(const uint8_t *packed, size_t n, const uint8_t *text)
{
	FILE *f = file_of(packed, n);
	struct unpack *u;
	uint64_t size;
	int r = unpack_new(fileno(f), &u, &size);

	if (r == 0) {
		assert_true(size <= TEXT_SIZE);
		check_text(u, text, size, 7);
		check_text(u, text, size, TEXT_SIZE + 1);
		unpack_free(u);
	} else {
		assert_int_equal(r, ERR_UNSUPPORTED);
	}
	assert_int_equal(fclose(f), 0);
}

static void
test_cut(void **state)
{
	uint8_t text[TEXT_SIZE], packed[2 * TEXT_SIZE];

	(void)state;
	make_text(text, sizeof(text));
	for (size_t k = 0; k < KINDS; k++) {
		size_t n = kinds[k](text, sizeof(text), packed,
		    sizeof(packed));

		for (size_t i = 0; i <= n; i++)
			check_file(packed, i, text);
	}
}

/* What comes out may be other text: but as much as was said, every time. */
static void
test_damaged(void **state)
{
	uint8_t text[TEXT_SIZE], packed[2 * TEXT_SIZE];
	static uint8_t a[1 << 20], b[1 << 20];

	(void)state;
	make_text(text, sizeof(text));
	for (size_t k = 0; k < KINDS; k++) {
		size_t n = kinds[k](text, sizeof(text), packed,
		    sizeof(packed));

		for (size_t i = 0; i < n; i++) {
			struct unpack *u;
			uint64_t size;
			size_t na, nb, got;
			FILE *f;

			packed[i] ^= 0x55;
			f = file_of(packed, n);
			packed[i] ^= 0x55;
			if (unpack_new(fileno(f), &u, &size) == 0) {
				assert_true(size <= sizeof(a));
				assert_int_equal(unpack_read(u, 0, a,
				    sizeof(a), &na), 0);
				for (nb = 0;; nb += got) {
					assert_int_equal(unpack_read(u, nb,
					    b + nb, 13, &got), 0);
					if (got == 0)
						break;
				}
				assert_int_equal(na, size);
				assert_int_equal(nb, size);
				assert_memory_equal(a, b, na);
				unpack_free(u);
			}
			assert_int_equal(fclose(f), 0);
		}
	}
}

/* Two members are one message; what is behind them is not. */
static void
test_members(void **state)
{
	uint8_t text[TEXT_SIZE], packed[4 * TEXT_SIZE];

	(void)state;
	make_text(text, sizeof(text));
	for (size_t k = 0; k < KINDS; k++) {
		struct unpack *u;
		uint64_t size;
		size_t n;
		FILE *f;

		n = kinds[k](text, 1000, packed, sizeof(packed));
		n += kinds[k](text + 1000, sizeof(text) - 1000, packed + n,
		    sizeof(packed) - n);
		memset(packed + n, 0, 100);
		for (size_t behind = 0; behind < 100; behind += 3) {
			f = file_of(packed, n + behind);
			assert_int_equal(unpack_new(fileno(f), &u, &size), 0);
			check_text(u, text, sizeof(text), 100);
			unpack_free(u);
			assert_int_equal(fclose(f), 0);
		}
	}
}

/* Slices from the end to the start: not one pass for each. */
static void
test_backwards(void **state)
{
	uint8_t *text = malloc(LARGE_SIZE), *packed = malloc(LARGE_SIZE);
	uint8_t buf[4096];
	uint64_t size;
	size_t n;

	(void)state;
	assert_true(text != NULL && packed != NULL);
	make_text(text, LARGE_SIZE);
	for (size_t k = 0; k < KINDS; k++) {
		struct unpack *u;
		FILE *f = file_of(packed, kinds[k](text, LARGE_SIZE, packed,
		    LARGE_SIZE));

		assert_int_equal(unpack_new(fileno(f), &u, &size), 0);
		assert_int_equal(size, LARGE_SIZE);
		for (size_t off = LARGE_SIZE; off >= LARGE_SIZE / 20;
		    off -= LARGE_SIZE / 20) {
			size_t at = off - sizeof(buf);

			assert_int_equal(unpack_read(u, at, buf, sizeof(buf),
			    &n), 0);
			assert_int_equal(n, sizeof(buf));
			assert_memory_equal(buf, text + at, n);
		}
		unpack_free(u);
		assert_int_equal(fclose(f), 0);
	}
	free(text);
	free(packed);
}

/* More than UNPACKED_MAX of nothing: as it lies there. */
static void
test_bomb(void **state)
{
	static uint8_t zeros[1 << 20], packed[1 << 16];
	size_t n = gzip(zeros, sizeof(zeros), packed, sizeof(packed));
	struct unpack *u;
	uint64_t size;
	FILE *f = tmpfile();

	(void)state;
	assert_non_null(f);
	for (int i = 0; i < 1025; i++)
		assert_int_equal(fwrite(packed, 1, n, f), n);
	assert_int_equal(fflush(f), 0);
	assert_int_equal(unpack_new(fileno(f), &u, &size), ERR_UNSUPPORTED);
	assert_int_equal(fclose(f), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_backwards),
		cmocka_unit_test(test_bomb),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
