/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * fuzz_foldername.c: any bytes as the name of a directory, and as the name of a
 * message's file.  The first byte chooses layout and encoding.  Every
 * directory has a name, and the name leads back to it.
 */
#include <stdbool.h>
#include <stdlib.h>

#include "maildir/foldername.h"
#include "maildir/name.h"
#include "tests/fuzz/fuzz.h"

static void
check(bool ok)
{
	if (!ok)
		abort();
}

static void
check_folder(const struct maildir_conf *conf, struct span s)
{
	struct arena *arena = arena_new(4096);
	struct maildir_path path;
	struct buf b;
	struct span back;

	buf_init(&b, 65536);
	if (foldername_get(conf, s, arena, &path) == 0) {
		for (size_t i = 0; i < path.n; i++)
			check(path.level[i].n > 0);
		if (foldername_put(conf, &path, &b) == 0) {
			back = buf_span(&b);
			if (conf->layout == MAILDIR_PLUSPLUS)
				back = span_skip(back, 1);
			check(is_span_eq(back, s));
		} else {
			/* only what is too long, has a NUL or slash, or is no
			 * directory of ours: "." and ".." */
			check(s.n > MAILDIR_NAME_MAX / 2 || has_byte(s, 0) ||
			    has_byte(s, '/') || is_span_eq(s, SPAN(".")) ||
			    is_span_eq(s, SPAN("..")));
		}
	}
	buf_done(&b);
	arena_free(arena);
}

static void
check_file(struct span s)
{
	struct name n, again;
	struct name_key key;
	struct buf b;

	if (!is_name_usable(s))
		return;
	name_key(s, &key);
	check(name_key_cmp(&key, &key) == 0);
	name_parse(s, &n);
	buf_init(&b, 1024);
	name_put(&b, &n);
	check(is_span_eq(name_base(s), name_base(buf_span(&b))));
	name_parse(buf_span(&b), &again);
	check(again.upper == n.upper && again.lower == n.lower &&
	    is_span_eq(again.stem, n.stem) && is_span_eq(again.rest, n.rest));
	buf_done(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct maildir_conf conf = { .root = "/" };
	struct span s = span_of(data, size);

	if (size < 2 || size > 1024)
		return 0;
	conf.layout = s.p[0] & 1 ? MAILDIR_FS : MAILDIR_PLUSPLUS;
	conf.utf8_names = s.p[0] & 2;
	s = span_skip(s, 1);
	check_folder(&conf, s);
	check_file(s);
	return 0;
}
