/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include <sys/inotify.h>
#include <sys/stat.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz_dir.h"
#include "tests/fuzz/fuzz_mailbox.h"

#define MESSAGES	5u
#define NEXT		12u
#define LETTERS		((UINT64_C(1) << 26) - 1)

static const struct {
	uint32_t uid;
	uint32_t sys;
	uint64_t kw;
	const char *name;
} messages[MESSAGES] = {
	{ 1, MAILDIR_SEEN, 0, "1.M1P1.h:2,S" },
	{ 2, MAILDIR_FLAGGED | MAILDIR_SEEN, 1, "2.M1P1.h:2,FSa" },
	{ 3, 0, 0, "3.M1P1.h:2," },
	{ 5, MAILDIR_ANSWERED | MAILDIR_DELETED, 2, "4.M1P1.h,S=2:2,RTb" },
	{ 9, MAILDIR_DRAFT, 3, "5.M1P1.h,S=2,W=3:2,Dab" },
};

static const char list[] =
    "3 V1700000000 N12 G888d381620b5006b6152000083ecc375\n"
    "1 :1.M1P1.h\n"
    "2 :2.M1P1.h\n"
    "3 Gguid P O7 :3.M1P1.h\n"
    "5 :4.M1P1.h,S=2\n"
    "9 W3 :5.M1P1.h,S=2,W=3\n";
static const char keywords[] = "0 Junk\n1 Work\n";

static const struct span level = SPAN("INBOX");
static const struct maildir_path inbox = { &level, 1 };

/* There is none to be had: closing one takes the kernel 10 ms. */
int
inotify_init1(int flags)
{
	(void)flags;
	errno = EMFILE;
	return -1;
}

void
fuzz_check(bool ok)
{
	if (!ok)
		abort();
}

uint64_t
fuzz_get(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v = v << 8 | p[i];
	return v;
}

void
fuzz_set(uint8_t *p, size_t n, uint64_t v)
{
	for (size_t i = n; i > 0; v >>= 8)
		p[--i] = (uint8_t)v;
}

void
fuzz_times(uint8_t *p, const struct index_times *t)
{
	const uint64_t v[] = {
		t->cur, t->new, t->dev, t->ino, t->size, t->ctime
	};

	for (size_t i = 0; i < sizeof(v) / sizeof(*v); i++)
		fuzz_set(p + 8 * i, 8, v[i]);
	fuzz_set(p + sizeof(v), 4, t->uidnext);
}

static void
put_mail(void)
{
	int cur;

	fuzz_check(mkdirat(fuzz_dir_fd(), "cur", 0700) == 0 &&
	    mkdirat(fuzz_dir_fd(), "new", 0700) == 0 &&
	    mkdirat(fuzz_dir_fd(), "tmp", 0700) == 0);
	cur = openat(fuzz_dir_fd(), "cur", O_RDONLY | O_DIRECTORY);
	fuzz_check(cur >= 0);
	for (size_t i = 0; i < MESSAGES; i++) {
		int fd = openat(cur, messages[i].name, O_WRONLY | O_CREAT,
		    0600);

		fuzz_check(fd >= 0 && write(fd, "x\n", 2) == 2);
		close(fd);
	}
	close(cur);
	fuzz_dir_put("dovecot-keywords", (const uint8_t *)keywords,
	    strlen(keywords));
	/* Older than any clock's tick. */
	usleep(50000);
}

static bool
is_list_ours(void)
{
	char s[sizeof(list)];
	int fd = openat(fuzz_dir_fd(), "dovecot-uidlist", O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, s, sizeof(s));

	if (fd >= 0)
		close(fd);
	return n == (ssize_t)strlen(list) && memcmp(s, list, strlen(list)) == 0;
}

void
fuzz_mailbox(void)
{
	static bool has_mail;

	if (!has_mail)
		put_mail();
	has_mail = true;
	if (!is_list_ours())
		fuzz_dir_put("dovecot-uidlist", (const uint8_t *)list,
		    strlen(list));
	(void)unlinkat(fuzz_dir_fd(), "imapd.index", 0);
	(void)unlinkat(fuzz_dir_fd(), "imapd.journal", 0);
}

void
fuzz_mailbox_put(const char *name, const uint8_t *p, size_t n)
{
	fuzz_dir_put(name, p, n);
}

const char *
fuzz_mailbox_dir(void)
{
	return fuzz_dir();
}

void
fuzz_mailbox_times(struct index_times *ret)
{
	struct stat cur, new, ul;

	fuzz_check(fstatat(fuzz_dir_fd(), "cur", &cur, 0) == 0 &&
	    fstatat(fuzz_dir_fd(), "new", &new, 0) == 0 &&
	    fstatat(fuzz_dir_fd(), "dovecot-uidlist", &ul, 0) == 0);
#define NS(t)	((uint64_t)(t).tv_sec * 1000000000u + (uint64_t)(t).tv_nsec)
	*ret = (struct index_times){ NS(cur.st_ctim), NS(new.st_ctim),
	    (uint64_t)ul.st_dev, (uint64_t)ul.st_ino, (uint64_t)ul.st_size,
	    NS(ul.st_ctim), NEXT };
#undef NS
}

struct maildir *
fuzz_mailbox_open(void)
{
	static struct maildir_store *store;
	struct maildir_conf conf = { .root = fuzz_dir(), .lock_ms = 1000 };
	struct maildir *md;

	if (store == NULL)
		fuzz_check(maildir_store_open(&conf, &store) == 0);
	fuzz_check(maildir_open(store, &inbox, false, &md) == 0);
	return md;
}

static void
check_messages(struct maildir *md, bool is_right)
{
	uint32_t last = 0;

	for (size_t i = 0; i < maildir_count(md); i++) {
		struct maildir_msg m;

		maildir_get(md, i, &m);
		fuzz_check(m.uid > last && m.modseq >= 1 &&
		    m.modseq <= maildir_highestmodseq(md));
		last = m.uid;
		fuzz_check(!is_right || (i < MESSAGES &&
		    m.uid == messages[i].uid &&
		    m.flags.sys == messages[i].sys &&
		    (m.flags.kw & LETTERS) == messages[i].kw));
	}
	/* What is on record as given out is never given again. */
	fuzz_check(!is_right || (maildir_count(md) == MESSAGES &&
	    maildir_uidnext(md) >= NEXT &&
	    maildir_uidvalidity(md) == 1700000000));
}

/* A message that is there has not vanished. */
static void
check_vanished(struct maildir *md, uint64_t since)
{
	struct arena *arena = arena_new(4096);
	uint32_t *uids, last = 0;
	size_t n;
	int r = maildir_vanished(md, since, arena, &uids, &n);

	fuzz_check(r == 0 || r == ERR_GONE);
	for (size_t i = 0; r == 0 && i < n; i++) {
		size_t at = maildir_find(md, uids[i]);
		struct maildir_msg m = { .uid = 0 };

		fuzz_check(uids[i] > last);
		last = uids[i];
		if (at < maildir_count(md))
			maildir_get(md, at, &m);
		fuzz_check(m.uid != uids[i]);
	}
	fuzz_check(r != 0 || n == 0 || since < maildir_highestmodseq(md));
	arena_free(arena);
}

static void
read_files(struct maildir *md, bool is_right)
{
	for (size_t i = 0; i < maildir_count(md) && i < MESSAGES; i++) {
		struct maildir_file *f;
		struct maildir_info info;
		struct maildir_msg m;
		int r;

		maildir_get(md, i, &m);
		r = maildir_info(md, m.uid, &info);
		fuzz_check(r == 0 || !is_right);
		r = maildir_file_open(md, m.uid, &f);
		fuzz_check(r == 0 || !is_right);
		if (r != 0)
			break;	/* md may have another picture now */
		fuzz_check(maildir_file_size(f) == 2);
		maildir_file_close(f);
	}
}

static uint64_t
session(bool is_right, uint64_t least)
{
	const struct maildir_change *c;
	struct maildir *md = fuzz_mailbox_open();
	uint64_t highest = maildir_highestmodseq(md);
	size_t n;
	int r;

	fuzz_check(highest >= 1 && (highest >= least || !is_right));
	check_messages(md, is_right);
	for (size_t i = 0; i < maildir_keyword_count(md); i++)
		(void)maildir_keyword_name(md, i);
	check_vanished(md, 0);
	check_vanished(md, highest - 1);
	check_vanished(md, highest);
	read_files(md, is_right);
	r = maildir_refresh(md, &c, &n);
	fuzz_check(r == 0 || (r == ERR_GONE && !is_right));
	fuzz_check(r != 0 || n == 0 || !is_right);
	check_messages(md, is_right);
	fuzz_check(maildir_highestmodseq(md) >= highest);
	highest = maildir_highestmodseq(md);
	maildir_close(md);
	return highest;
}

/* Whatever lay beside the files, they are as they were. */
static void
check_mail(void)
{
	int cur = openat(fuzz_dir_fd(), "cur", O_RDONLY | O_DIRECTORY);

	fuzz_check(cur >= 0);
	for (size_t i = 0; i < MESSAGES; i++)
		fuzz_check(faccessat(cur, messages[i].name, F_OK, 0) == 0);
	close(cur);
}

void
fuzz_mailbox_sessions(bool is_right)
{
	(void)session(is_right, session(is_right, 0));
	check_mail();
}
