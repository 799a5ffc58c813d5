/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * The order of one look is the order of authority: the files, then the list,
 * then the record.  Where the lock cannot be had because nothing may be written
 * here, two looks have to agree.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fdio.h"
#include "maildir/check_look.h"
#include "maildir/folder.h"
#include "maildir/foldername.h"
#include "maildir/index.h"
#include "maildir/replace.h"

#define EACH_MAX	20u	/* findings of one kind told one by one */
#define DETAIL_MAX	512u
#define PATH_BYTES	8192u

static const struct {
	const char *word;
	unsigned mend;
} kinds[CHECK_WHATS] = {
	[CHECK_NO_DIRECTORY] = { "no-directory", MEND_OPEN },
	[CHECK_UNREADABLE] = { "unreadable", 0 },
	[CHECK_OWNER] = { "wrong-owner", 0 },
	[CHECK_MODE] = { "wrong-mode", 0 },
	[CHECK_NOT_A_FILE] = { "not-a-file", 0 },
	[CHECK_NO_MESSAGE] = { "not-a-message", 0 },
	[CHECK_TWIN] = { "same-base", 0 },
	[CHECK_SIZE] = { "wrong-size", 0 },
	[CHECK_TOP_MARK] = { "mark-at-top", MEND_MARK },
	[CHECK_LIST_MISSING] = { "uidlist-missing", MEND_LIST },
	[CHECK_LIST_HEADER] = { "uidlist-header", MEND_LIST },
	[CHECK_LIST_GUID] = { "uidlist-guid", MEND_LIST },
	[CHECK_LIST_LINE] = { "uidlist-line", MEND_LIST },
	[CHECK_LIST_ORDER] = { "uidlist-order", MEND_LIST },
	[CHECK_LIST_TWICE] = { "uidlist-twice", MEND_LIST },
	[CHECK_LIST_TORN] = { "uidlist-torn", MEND_LIST },
	[CHECK_LIST_NEXT] = { "uidlist-next", MEND_LIST },
	[CHECK_LIST_LOST] = { "uidlist-lost", MEND_LIST },
	[CHECK_KEYWORDS_LINE] = { "keywords-line", MEND_KEYWORDS },
	[CHECK_KEYWORDS_TWICE] = { "keywords-twice", MEND_KEYWORDS },
	[CHECK_KEYWORDS_LETTER] = { "keywords-letter", 0 },
	[CHECK_SUBS_LINE] = { "subscriptions-line", 0 },
	[CHECK_SUBS_TWICE] = { "subscriptions-twice", 0 },
	[CHECK_INDEX_HEADER] = { "index-header", MEND_RECORD },
	[CHECK_INDEX_SECTION] = { "index-section", MEND_RECORD },
	[CHECK_INDEX_VALIDITY] = { "index-uidvalidity", MEND_RECORD },
	[CHECK_INDEX_RECORD] = { "index-record", MEND_RECORD },
	[CHECK_INDEX_UID] = { "index-uid", MEND_RECORD },
	[CHECK_INDEX_FILES] = { "index-files", MEND_RECORD },
	[CHECK_JOURNAL_MISSING] = { "journal-missing", MEND_RECORD },
	[CHECK_JOURNAL_ALONE] = { "journal-alone", MEND_RECORD },
	[CHECK_JOURNAL_HEADER] = { "journal-header", MEND_RECORD },
	[CHECK_JOURNAL_PAIR] = { "journal-generation", MEND_RECORD },
	[CHECK_JOURNAL_RECORD] = { "journal-record", MEND_RECORD },
	[CHECK_JOURNAL_TORN] = { "journal-torn", MEND_TAIL },
	[CHECK_CACHE_HEADER] = { "cache-header", MEND_CACHE },
	[CHECK_CACHE_BLOCK] = { "cache-block", MEND_CACHE },
	[CHECK_CACHE_VALUE] = { "cache-value", MEND_CACHE },
	[CHECK_NO_MARK] = { "no-mark", 0 },
	[CHECK_LINK] = { "hard-link", 0 },
	[CHECK_LEFT_OVER] = { "left-over", 0 },
	[CHECK_LIST_VERSION] = { "uidlist-version", 0 },
	[CHECK_NO_RECORD] = { "no-record", 0 },
	[CHECK_NO_FILE] = { "no-file", 0 }
};

static const char *
join(struct arena *arena, const char *dir, const char *file)
{
	struct buf b;
	const char *ret;

	buf_init(&b, PATH_BYTES);
	buf_puts(&b, dir);
	if (file != NULL && *file != '\0') {
		buf_putc(&b, '/');
		buf_puts(&b, file);
	}
	ret = arena_cstr(arena, buf_span(&b));
	buf_done(&b);
	return ret;
}

static void
add(struct look *l, enum check_what what, const char *path, const char *detail)
{
	const struct check_found f = {
		.path = path,
		.what = kinds[what].word,
		.detail = arena_cstr(l->arena, span_str(detail)),
		.is_note = what >= CHECK_NO_MARK,
		.can_mend = kinds[what].mend != 0
	};

	VEC_PUSH(&l->found, f);
}

void
check_add(struct look *l, enum check_what what, const char *dir,
    const char *file, const char *format, ...)
{
	char detail[DETAIL_MAX];
	va_list args;

	l->mend |= kinds[what].mend;
	if (l->count[what]++ >= EACH_MAX)
		return;
	va_start(args, format);
	(void)vsnprintf(detail, sizeof(detail), format, args);
	va_end(args);
	add(l, what, join(l->arena, dir, file), detail);
}

static void
add_counts(struct look *l)
{
	char detail[DETAIL_MAX];

	for (int w = 0; w < CHECK_WHATS; w++) {
		if (l->count[w] <= EACH_MAX)
			continue;
		(void)snprintf(detail, sizeof(detail), "and %zu more",
		    l->count[w] - EACH_MAX);
		add(l, (enum check_what)w, l->dir, detail);
	}
}

/* ---- one look -------------------------------------------------------- */

static void
clear(struct look *l)
{
	VEC_DONE(&l->found);
	memset(l->count, 0, sizeof(l->count));
	l->mend = 0;
	l->lower = 0;
	l->has_list = l->has_picture = false;
	picture_done(&l->pic);
	picture_init(&l->pic);
	scan_done(&l->scan);
	scan_init(&l->scan);
	md_done(&l->md);
	md_init(&l->md, l->md.store);
}

static int
look(struct look *l, const struct maildir_path *path)
{
	int r = box_find(l->md.store, path, &l->md.box);

	if (r == 0)
		r = check_files(l);
	if (r != 0 || l->md.box.control < 0)
		return r;
	r = check_list(l);
	if (r == 0)
		r = check_keywords(l);
	if (r == 0 && l->has_list)
		check_against(l);
	if (r == 0 && l->has_list)
		check_cache(l);
	if (r == 0)
		add_counts(l);
	return r;
}

static bool
has_findings(const struct look *l)
{
	for (int w = 0; w < CHECK_NO_MARK; w++)
		if (l->count[w] > 0)
			return true;
	return false;
}

/* Only what both looks have found. */
static void
keep_common(struct look *l, const struct check_found *v, size_t n)
{
	size_t k = 0;

	for (size_t i = 0; i < l->found.n; i++) {
		struct check_found f = l->found.v[i];

		for (size_t j = 0; j < n; j++) {
			if (strcmp(v[j].path, f.path) == 0 &&
			    strcmp(v[j].what, f.what) == 0) {
				l->found.v[k++] = f;
				break;
			}
		}
	}
	l->found.n = k;
}

/* Something seems wrong: once more, with nobody at work. */
static int
look_again(struct look *l, const struct maildir_path *path)
{
	struct maildir_store *store = l->md.store;
	VEC(struct check_found) before = VEC_INIT;
	struct lock lk = LOCK_NONE;
	struct box box = l->md.box;
	int r = ERR_ACCESS;

	if (box.control >= 0)
		r = box_lock(&box, store, &lk);
	if (r != 0 && r != ERR_ACCESS && r != ERR_READONLY)
		return r;
	l->is_locked = r == 0;
	/* The lock lives in a directory that is opened anew by the look. */
	l->md.box = (struct box){ -1, -1, -1, -1, -1, 0, 0, NULL };
	before.v = l->found.v;
	before.n = l->found.n;
	l->found.v = NULL;
	l->found.n = l->found.cap = 0;
	clear(l);
	r = look(l, path);
	if (r == 0 && !l->is_locked)
		keep_common(l, before.v, before.n);
	lock_drop(&lk);
	box_close(&box);
	VEC_DONE(&before);
	return r;
}

/* ---- a mailbox ------------------------------------------------------- */

static int
find_names(struct look *l, const struct maildir_path *path)
{
	const struct maildir_store *store = l->md.store;
	struct buf b;
	int r = 0;

	buf_init(&b, PATH_BYTES);
	l->dir = store->conf.inbox != NULL ? store->conf.inbox : l->args->root;
	if (!is_maildir_inbox(path)) {
		r = foldername_put(&store->conf, path, &b);
		l->dir = join(l->arena, l->args->root, buf_cstr(&b));
	}
	l->control = l->dir;
	if (r == 0 && store->control != store->root) {
		buf_clear(&b);
		r = folder_control_name(store, path, &b);
		l->control = join(l->arena, l->args->control, buf_cstr(&b));
	}
	buf_done(&b);
	return r;
}

static void
look_init(struct look *l, struct maildir_store *store,
    const struct check_args *args)
{
	struct stat st;

	*l = (struct look){ .args = args, .arena = arena_new(4096),
	    .owner = geteuid() };
	md_init(&l->md, store);
	picture_init(&l->pic);
	scan_init(&l->scan);
	if (fstat(store->root, &st) == 0)
		l->owner = st.st_uid;
}

static void
look_done(struct look *l)
{
	clear(l);
	md_done(&l->md);
	arena_free(l->arena);
}

static void
report(struct look *l, struct check_sum *sum)
{
	for (size_t i = 0; i < l->found.n; i++) {
		const struct check_found *f = &l->found.v[i];

		l->args->found(l->args->arg, f);
		if (f->is_note)
			continue;
		sum->found++;
		if (!f->can_mend || !l->args->mend)
			sum->left++;
	}
}

int
check_mailbox(struct maildir_store *store, const struct maildir_path *path,
    const struct check_args *args, struct check_sum *sum)
{
	struct look l;
	int r;

	look_init(&l, store, args);
	r = find_names(&l, path);
	if (r == 0)
		r = look(&l, path);
	if (r == 0 && has_findings(&l))
		r = look_again(&l, path);
	if (r == ERR_NOENT && maildir_exists(store, path) == ERR_NOENT)
		r = 0;		/* deleted meanwhile */
	else if (r == 0)
		report(&l, sum);
	if (r == 0 && args->mend && l.mend != 0)
		r = mend_mailbox(store, path, l.mend);
	look_done(&l);
	return r;
}

/* ---- the top --------------------------------------------------------- */

struct subs_check {
	struct look *l;
	const char *dir;
};

static void
check_subs_line(void *arg, size_t line, int err)
{
	struct subs_check *s = arg;

	check_add(s->l, err == ERR_EXISTS ? CHECK_SUBS_TWICE :
	    CHECK_SUBS_LINE, s->dir, "subscriptions", "line %zu", line);
}

/* A mark at the top would make others take the user's Maildir for a folder of
 * the directory above. */
static void
check_mark(struct look *l)
{
	struct maildir_store *store = l->md.store;
	struct stat st;

	/* It is a folder: somebody has named one to us. */
	if (fstatat(store->root, "../cur", &st, AT_SYMLINK_NOFOLLOW) == 0 ||
	    fstatat(store->root, FOLDER_MARK, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return;
	check_add(l, CHECK_TOP_MARK, l->args->root, FOLDER_MARK, "%s", "");
	/* It holds nothing, or it is not ours to remove. */
	if (l->args->mend && S_ISREG(st.st_mode) && st.st_size == 0 &&
	    unlinkat(store->root, FOLDER_MARK, 0) == 0)
		return;
	l->found.v[l->found.n - 1].can_mend = false;
}

int
check_top(struct maildir_store *store, const struct check_args *args,
    struct check_sum *sum)
{
	struct look l;
	struct subs_check s = { &l, args->control != NULL ? args->control :
	    args->root };
	int r;

	look_init(&l, store, args);
	check_mark(&l);
	r = subs_check(store, check_subs_line, &s);
	if (r != 0) {
		check_add(&l, CHECK_UNREADABLE, s.dir, "subscriptions", "%s",
		    err_text(r));
		r = 0;
	}
	add_counts(&l);
	report(&l, sum);
	look_done(&l);
	return r;
}
