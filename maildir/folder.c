/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>

#include "base/fdio.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "maildir/folder.h"
#include "maildir/foldername.h"

#define PATH_MAX_BYTES	4096u

bool
is_maildir_inbox(const struct maildir_path *path)
{
	return path->n == 1 && is_span_eq(path->level[0], SPAN("INBOX"));
}

/*
 * By their whole names as far as possible: people call folders "dovecot" and
 * "courier" when they read the lists about these.
 */
bool
is_folder_taken(struct span s)
{
	static const struct span words[] = {
		SPAN("cur"), SPAN("new"), SPAN("tmp"),
		SPAN("subscriptions"), SPAN("subscriptions.lock"),
		SPAN("maildirsize"), SPAN("maildirfolder"),
		SPAN("mailboxes.lock"), SPAN("shared-maildirs"),
		SPAN("shared-folders"), SPAN("dovecot-shared"),
		SPAN("dovecot.mailbox.log"), SPAN("dovecot.mailbox.log.2"),
		SPAN("imapd.index"), SPAN("imapd.journal"), SPAN("imapd.cache")
	};
	static const struct span prefixes[] = {
		SPAN("dovecot-uidlist"), SPAN("dovecot-uidvalidity"),
		SPAN("dovecot-keywords"), SPAN("dovecot-acl"),
		SPAN("dovecot.index"), SPAN("dovecot.list.index"),
		SPAN("courierimap"), SPAN("courierpop3"),
		SPAN("imapd.index."), SPAN("imapd.journal."),
		SPAN("imapd.cache."), SPAN("sqwebmail-"), SPAN(".nfs")
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (is_span_eq(s, words[i]))
			return true;
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (has_prefix(s, prefixes[i]))
			return true;
	return false;
}

static int
check_level(const struct maildir_conf *conf, struct span s)
{
	if (s.n == 0 || !is_utf8(s))
		return ERR_NAME;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < ' ' || s.p[i] == 0x7f)
			return ERR_NAME;
	if (is_span_eq(s, SPAN(".")) || is_span_eq(s, SPAN("..")))
		return ERR_NAME;
	/* What begins with ".." is being made or deleted, and hidden. */
	if (conf->layout == MAILDIR_FS && (is_folder_taken(s) ||
	    has_prefix(s, SPAN(".."))))
		return ERR_NAME;
	return 0;
}

int
maildir_path_check(const struct maildir_store *store,
    const struct maildir_path *path)
{
	struct buf b;
	int r = 0;

	if (path->n == 0 || path->n > MAILDIR_LEVELS_MAX)
		return ERR_NAME;
	if (is_maildir_inbox(path))
		return 0;
	for (size_t i = 0; r == 0 && i < path->n; i++)
		r = check_level(&store->conf, path->level[i]);
	if (r != 0)
		return r;
	buf_init(&b, PATH_MAX_BYTES);
	r = foldername_put(&store->conf, path, &b);
	/* Likewise in Maildir++. */
	if (r == 0 && has_prefix(buf_span(&b), SPAN("..")))
		r = ERR_NAME;
	buf_done(&b);
	return r;
}

int
folder_open_dir(struct maildir_store *store, const struct maildir_path *path,
    int *ret_fd, char **ret_path)
{
	const char *root = store->conf.root;
	struct buf b;
	struct stat st;
	int r, fd = -1;

	if ((r = maildir_path_check(store, path)) != 0)
		return r;
	buf_init(&b, 2 * PATH_MAX_BYTES);
	if (is_maildir_inbox(path) && store->conf.inbox != NULL) {
		buf_puts(&b, store->conf.inbox);
		r = open_dir(AT_FDCWD, store->conf.inbox, &fd);
		if (r == ERR_NOENT)
			r = ERR_UNAVAIL;	/* as for the root */
	} else if (is_maildir_inbox(path)) {
		/* Not by its path, where another disk may be by now. */
		buf_puts(&b, root);
		r = store_check(store);
		if (r == 0)
			r = open_dir(store->root, ".", &fd);
	} else {
		size_t skip;

		buf_puts(&b, root);
		buf_putc(&b, '/');
		skip = b.n;
		r = foldername_put(&store->conf, path, &b);
		if (r == 0 && buf_cstr(&b) == NULL)
			r = ERR_NAME;
		if (r == 0)
			r = open_dir(store->root, buf_cstr(&b) + skip, &fd);
		/* In the fs layout a directory without cur/ is a parent. */
		if (r == 0 && store->conf.layout == MAILDIR_FS &&
		    fstatat(fd, "cur", &st, 0) != 0) {
			r = ERR_NOENT;
			fdio_close(&fd);
		}
		r = store_err(store, r);
	}
	if (r == 0) {
		*ret_fd = fd;
		*ret_path = mem_strdup(buf_cstr(&b));
	}
	buf_done(&b);
	return r;
}

int
folder_control_name(const struct maildir_store *store,
    const struct maildir_path *path, struct buf *b)
{
	/* INBOX has a name of its own there. */
	if (!is_maildir_inbox(path))
		return foldername_put(&store->conf, path, b);
	buf_puts(b, store->conf.layout == MAILDIR_FS ? "INBOX" : ".INBOX");
	return buf_err(b);
}

int
folder_open_control(struct maildir_store *store,
    const struct maildir_path *path, mode_t mode, int *ret_fd)
{
	struct buf b;
	int r;

	buf_init(&b, PATH_MAX_BYTES);
	r = folder_control_name(store, path, &b);
	for (size_t i = 0; r == 0 && i <= b.n; i++) {
		uint8_t c;

		if (i < b.n && b.p[i] != '/')
			continue;
		/* "Foo", then "Foo/Bar" */
		c = i < b.n ? b.p[i] : 0;
		if (i < b.n)
			b.p[i] = '\0';
		if (buf_room(&b, 1) == NULL)
			r = ERR_NAME;
		else if (i == b.n)
			b.p[b.n] = '\0';
		if (r == 0 && mkdirat(store->control, (const char *)b.p,
		    mode & 0777) != 0 && errno != EEXIST)
			r = err_from_errno(errno);
		if (i < b.n)
			b.p[i] = c;
	}
	if (r == 0)
		r = open_dir(store->control, (const char *)b.p, ret_fd);
	buf_done(&b);
	return r;
}
