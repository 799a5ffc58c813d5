/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include "imapd/wire/command_table.h"
#include "imapd/wire/fmt.h"
#include "imapd/wire/imapdate.h"
#include "maildir/maildir.h"
#include "tests/unit/command_print.h"

/* Text that fmt_string() can carry as it is: the parser lets no NUL through. */
static void
put_astring(struct buf *b, struct span s)
{
	buf_putc(b, ' ');
	fmt_astring(b, s, true);
}

static void
put_string(struct buf *b, struct span s)
{
	buf_putc(b, ' ');
	fmt_nstring(b, s, true);
}

static void
put_number(struct buf *b, uint32_t n)
{
	if (n == SEQSET_STAR)
		buf_putc(b, '*');
	else
		buf_put_u64(b, n);
}

static void
put_set(struct buf *b, const struct seqset *set)
{
	if (set->is_saved)
		buf_putc(b, '$');
	for (size_t i = 0; i < set->n; i++) {
		if (i > 0)
			buf_putc(b, ',');
		put_number(b, set->range[i].lo);
		if (set->range[i].hi == set->range[i].lo)
			continue;
		buf_putc(b, ':');
		put_number(b, set->range[i].hi);
	}
}

static void
put_spans(struct buf *b, const struct spans *list, void (*put)(struct buf *,
    struct span))
{
	for (size_t i = 0; i < list->n; i++)
		put(b, list->v[i]);
}

static void
put_raw(struct buf *b, struct span s)
{
	buf_putc(b, ' ');
	buf_put_span(b, s);
}

static void
put_flags(struct buf *b, const struct flag_list *flags)
{
	const char *sep = "";

	buf_puts(b, " (");
	if (fmt_sysflags(b, flags->sys, flags->has_recent))
		sep = " ";
	for (size_t i = 0; i < flags->keywords.n; i++) {
		buf_puts(b, sep);
		buf_put_span(b, flags->keywords.v[i]);
		sep = " ";
	}
	buf_putc(b, ')');
}

/* ---- words by bit ---------------------------------------------------- */

struct word {
	uint32_t bit;
	const char *name;
};

static const char *
put_words(struct buf *b, const struct word *word, uint32_t set)
{
	const char *sep = "";

	for (; word->name != NULL; word++) {
		if ((set & word->bit) == 0)
			continue;
		buf_puts(b, sep);
		buf_puts(b, word->name);
		sep = " ";
	}
	return sep;
}

static const struct word status_words[] = {
	{ STATUS_MESSAGES, "MESSAGES" }, { STATUS_RECENT, "RECENT" },
	{ STATUS_UIDNEXT, "UIDNEXT" }, { STATUS_UIDVALIDITY, "UIDVALIDITY" },
	{ STATUS_UNSEEN, "UNSEEN" }, { STATUS_SIZE, "SIZE" },
	{ STATUS_DELETED, "DELETED" },
	{ STATUS_HIGHESTMODSEQ, "HIGHESTMODSEQ" },
	{ STATUS_MAILBOXID, "MAILBOXID" },
	{ STATUS_APPENDLIMIT, "APPENDLIMIT" },
	{ STATUS_DELETED_STORAGE, "DELETED-STORAGE" }, { 0, NULL }
};

static const struct word select_words[] = {
	{ LIST_SELECT_SUBSCRIBED, "SUBSCRIBED" },
	{ LIST_SELECT_REMOTE, "REMOTE" },
	{ LIST_SELECT_RECURSIVEMATCH, "RECURSIVEMATCH" },
	{ LIST_SELECT_SPECIAL_USE, "SPECIAL-USE" }, { 0, NULL }
};

static const struct word want_words[] = {
	{ LIST_WANT_SUBSCRIBED, "SUBSCRIBED" },
	{ LIST_WANT_CHILDREN, "CHILDREN" },
	{ LIST_WANT_SPECIAL_USE, "SPECIAL-USE" }, { 0, NULL }
};

static const struct word return_words[] = {
	{ SEARCH_RETURN_MIN, "MIN" }, { SEARCH_RETURN_MAX, "MAX" },
	{ SEARCH_RETURN_ALL, "ALL" }, { SEARCH_RETURN_COUNT, "COUNT" },
	{ SEARCH_RETURN_SAVE, "SAVE" }, { 0, NULL }
};

/* ---- FETCH ----------------------------------------------------------- */

static void
put_section(struct buf *b, const struct fetch_item *item)
{
	static const char *const text[] = {
		[SECTION_ALL] = "", [SECTION_HEADER] = "HEADER",
		[SECTION_FIELDS] = "HEADER.FIELDS",
		[SECTION_FIELDS_NOT] = "HEADER.FIELDS.NOT",
		[SECTION_TEXT] = "TEXT", [SECTION_MIME] = "MIME"
	};
	const struct section *s = &item->section;

	buf_putc(b, '[');
	for (size_t i = 0; i < s->nparts; i++) {
		if (i > 0)
			buf_putc(b, '.');
		buf_put_u64(b, s->part[i]);
	}
	if (s->nparts > 0 && s->what != SECTION_ALL)
		buf_putc(b, '.');
	buf_puts(b, text[s->what]);
	for (size_t i = 0; i < s->fields.n; i++) {
		buf_puts(b, i == 0 ? " (" : " ");
		fmt_astring(b, s->fields.v[i], true);
	}
	buf_puts(b, s->fields.n > 0 ? ")]" : "]");
	if (!item->has_partial)
		return;
	buf_putc(b, '<');
	buf_put_u64(b, item->partial_off);
	buf_putc(b, '.');
	buf_put_u64(b, item->partial_len);
	buf_putc(b, '>');
}

static void
put_item(struct buf *b, const struct fetch_item *item)
{
	static const char *const name[] = {
		[FETCH_UID] = "UID", [FETCH_FLAGS] = "FLAGS",
		[FETCH_INTERNALDATE] = "INTERNALDATE",
		[FETCH_RFC822_SIZE] = "RFC822.SIZE",
		[FETCH_ENVELOPE] = "ENVELOPE", [FETCH_BODY] = "BODY",
		[FETCH_BODYSTRUCTURE] = "BODYSTRUCTURE",
		[FETCH_SECTION] = "BODY", [FETCH_BINARY] = "BINARY",
		[FETCH_BINARY_SIZE] = "BINARY.SIZE",
		[FETCH_MODSEQ] = "MODSEQ",
		[FETCH_PREVIEW] = "PREVIEW", [FETCH_SAVEDATE] = "SAVEDATE",
		[FETCH_EMAILID] = "EMAILID", [FETCH_THREADID] = "THREADID"
	};
	bool is_obsolete = item->name != NULL;

	buf_puts(b, is_obsolete ? item->name : name[item->what]);
	if (item->is_peek && item->what != FETCH_BINARY_SIZE &&
	    !(is_obsolete && item->section.what == SECTION_HEADER))
		buf_puts(b, ".PEEK");
	if (!is_obsolete && (item->what == FETCH_SECTION ||
	    item->what == FETCH_BINARY || item->what == FETCH_BINARY_SIZE))
		put_section(b, item);
	if (item->is_lazy)
		buf_puts(b, " (LAZY)");
}

static void
put_fetch(struct buf *b, const struct fetch_args *args)
{
	buf_putc(b, ' ');
	put_set(b, &args->set);
	for (size_t i = 0; i < args->nitems; i++) {
		buf_puts(b, i == 0 ? " (" : " ");
		put_item(b, &args->item[i]);
	}
	buf_putc(b, ')');
	if (!args->has_since)
		return;
	buf_puts(b, " (CHANGEDSINCE ");
	buf_put_u64(b, args->since);
	buf_puts(b, args->wants_vanished ? " VANISHED)" : ")");
}

/* ---- SEARCH ---------------------------------------------------------- */

static const char *
flag_key(const struct search_node *node)
{
	bool is_set = node->key == KEY_FLAG;

	switch (node->sys) {
	case MAILDIR_ANSWERED:
		return is_set ? "ANSWERED" : "UNANSWERED";
	case MAILDIR_FLAGGED:
		return is_set ? "FLAGGED" : "UNFLAGGED";
	case MAILDIR_DELETED:
		return is_set ? "DELETED" : "UNDELETED";
	case MAILDIR_SEEN:
		return is_set ? "SEEN" : "UNSEEN";
	case MAILDIR_DRAFT:
		return is_set ? "DRAFT" : "UNDRAFT";
	default:
		return "?";
	}
}

static const char *
key_name(const struct search_node *node)
{
	static const char *const name[] = {
		[KEY_ALL] = "ALL", [KEY_UID] = "UID", [KEY_KEYWORD] = "KEYWORD",
		[KEY_UNKEYWORD] = "UNKEYWORD", [KEY_RECENT] = "RECENT",
		[KEY_NEW] = "NEW", [KEY_OLD] = "OLD", [KEY_BEFORE] = "BEFORE",
		[KEY_ON] = "ON", [KEY_SINCE] = "SINCE",
		[KEY_SENTBEFORE] = "SENTBEFORE", [KEY_SENTON] = "SENTON",
		[KEY_SENTSINCE] = "SENTSINCE", [KEY_LARGER] = "LARGER",
		[KEY_SMALLER] = "SMALLER", [KEY_HEADER] = "HEADER",
		[KEY_FROM] = "FROM", [KEY_TO] = "TO", [KEY_CC] = "CC",
		[KEY_BCC] = "BCC", [KEY_SUBJECT] = "SUBJECT",
		[KEY_BODY] = "BODY", [KEY_TEXT] = "TEXT",
		[KEY_OLDER] = "OLDER", [KEY_YOUNGER] = "YOUNGER",
		[KEY_MODSEQ] = "MODSEQ", [KEY_SAVEDBEFORE] = "SAVEDBEFORE",
		[KEY_SAVEDON] = "SAVEDON", [KEY_SAVEDSINCE] = "SAVEDSINCE",
		[KEY_SAVEDATESUPPORTED] = "SAVEDATESUPPORTED",
		[KEY_EMAILID] = "EMAILID", [KEY_THREADID] = "THREADID"
	};

	if (node->key == KEY_FLAG || node->key == KEY_UNFLAG)
		return flag_key(node);
	return name[node->key];
}

static void put_node(struct buf *b, const struct search_node *node);

static void
put_group(struct buf *b, const struct search_node *child)
{
	buf_putc(b, '(');
	for (; child != NULL; child = child->next) {
		put_node(b, child);
		if (child->next != NULL)
			buf_putc(b, ' ');
	}
	buf_putc(b, ')');
}

/* An OR inside is put in parentheses, lest it join the chain. */
static void
put_or(struct buf *b, const struct search_node *child)
{
	for (; child != NULL; child = child->next) {
		buf_puts(b, child->next != NULL ? "OR " : "");
		buf_puts(b, child->key == KEY_OR ? "(" : "");
		put_node(b, child);
		buf_puts(b, child->key == KEY_OR ? ")" : "");
		buf_puts(b, child->next != NULL ? " " : "");
	}
}

static void
put_day(struct buf *b, int64_t day)
{
	struct buf text;

	buf_init(&text, 64);
	imapdate_put(&text, day * 86400, 0);
	buf_putc(b, ' ');
	/* date-day = 1*2DIGIT: without the zero that date-time has. */
	buf_put_span(b, span_skip(span_take(buf_span(&text), 11),
	    text.p[0] == '0'));
	buf_done(&text);
}

static void
put_operand(struct buf *b, const struct search_node *node)
{
	switch (node->key) {
	case KEY_UID:
		buf_putc(b, ' ');
		put_set(b, &node->set);
		break;
	case KEY_KEYWORD: case KEY_UNKEYWORD:
	case KEY_EMAILID: case KEY_THREADID:
		put_raw(b, node->text);
		break;
	case KEY_BEFORE: case KEY_ON: case KEY_SINCE:
	case KEY_SENTBEFORE: case KEY_SENTON: case KEY_SENTSINCE:
	case KEY_SAVEDBEFORE: case KEY_SAVEDON: case KEY_SAVEDSINCE:
		put_day(b, node->day);
		break;
	case KEY_LARGER: case KEY_SMALLER: case KEY_OLDER: case KEY_YOUNGER:
	case KEY_MODSEQ:
		buf_putc(b, ' ');
		buf_put_u64(b, node->number);
		break;
	case KEY_HEADER:
		put_astring(b, node->field);
		put_astring(b, node->text);
		break;
	case KEY_FROM: case KEY_TO: case KEY_CC: case KEY_BCC:
	case KEY_SUBJECT: case KEY_BODY: case KEY_TEXT:
		put_astring(b, node->text);
		break;
	default:
		break;
	}
}

static void
put_node(struct buf *b, const struct search_node *node)
{
	switch (node->key) {
	case KEY_AND:
		put_group(b, node->child);
		break;
	case KEY_OR:
		put_or(b, node->child);
		break;
	case KEY_NOT:
		buf_puts(b, "NOT ");
		put_node(b, node->child);
		break;
	case KEY_SEQ:
		put_set(b, &node->set);
		break;
	default:
		buf_puts(b, key_name(node));
		put_operand(b, node);
		break;
	}
}

static void
put_search(struct buf *b, const struct search_args *args)
{
	if (args->has_return) {
		buf_puts(b, " RETURN (");
		(void)put_words(b, return_words, args->want);
		buf_putc(b, ')');
	}
	if (args->charset.p != NULL) {
		buf_puts(b, " CHARSET");
		put_astring(b, args->charset);
	}
	for (const struct search_node *n = args->root->child; n != NULL;
	    n = n->next) {
		buf_putc(b, ' ');
		put_node(b, n);
	}
}

/* charset = atom / quoted: never a literal */
static void
put_charset(struct buf *b, struct span s)
{
	bool is_plain = s.n > 0;

	for (size_t i = 0; i < s.n; i++)
		is_plain &= is_alpha(s.p[i]) || is_digit(s.p[i]) ||
		    s.p[i] == '-';
	buf_putc(b, ' ');
	if (is_plain) {
		buf_put_span(b, s);
		return;
	}
	buf_putc(b, '"');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			buf_putc(b, '\\');
		buf_putc(b, s.p[i]);
	}
	buf_putc(b, '"');
}

static void
put_criteria(struct buf *b, const struct search_args *args)
{
	put_charset(b, args->charset);
	for (const struct search_node *n = args->root->child; n != NULL;
	    n = n->next) {
		buf_putc(b, ' ');
		put_node(b, n);
	}
}

static void
put_sort(struct buf *b, const struct sort_args *args)
{
	static const char *const names[SORT_KEYS] = {
		[SORT_ARRIVAL] = "ARRIVAL", [SORT_CC] = "CC",
		[SORT_DATE] = "DATE", [SORT_DISPLAYFROM] = "DISPLAYFROM",
		[SORT_DISPLAYTO] = "DISPLAYTO", [SORT_FROM] = "FROM",
		[SORT_SIZE] = "SIZE", [SORT_SUBJECT] = "SUBJECT",
		[SORT_TO] = "TO"
	};

	if (args->search.has_return) {
		buf_puts(b, " RETURN (");
		(void)put_words(b, return_words, args->search.want);
		buf_putc(b, ')');
	}
	for (size_t i = 0; i < args->ncriteria; i++) {
		buf_puts(b, i == 0 ? " (" : " ");
		if (args->criterion[i].is_reverse)
			buf_puts(b, "REVERSE ");
		buf_puts(b, names[args->criterion[i].key]);
	}
	buf_putc(b, ')');
	put_criteria(b, &args->search);
}

static void
put_thread(struct buf *b, const struct thread_args *args)
{
	static const char *const names[] = {
		[THREAD_ORDEREDSUBJECT] = " ORDEREDSUBJECT",
		[THREAD_REFERENCES] = " REFERENCES", [THREAD_REFS] = " REFS"
	};

	buf_puts(b, names[args->algorithm]);
	put_criteria(b, &args->search);
}

/* ---- the others ------------------------------------------------------ */

static void
put_list(struct buf *b, const struct list_args *args)
{
	const char *sep;

	if (args->is_extended) {
		buf_puts(b, " (");
		(void)put_words(b, select_words, args->select);
		buf_putc(b, ')');
	}
	put_astring(b, args->reference);
	buf_puts(b, args->is_extended ? " (" : "");
	for (size_t i = 0; i < args->patterns.n; i++) {
		buf_puts(b, i == 0 && args->is_extended ? "" : " ");
		fmt_string(b, args->patterns.v[i], true);
	}
	if (!args->is_extended)
		return;
	buf_puts(b, ") RETURN (");
	sep = put_words(b, want_words, args->want);
	if ((args->want & LIST_WANT_STATUS) != 0) {
		buf_puts(b, sep);
		buf_puts(b, "STATUS (");
		(void)put_words(b, status_words, args->status_items);
		buf_putc(b, ')');
	}
	buf_putc(b, ')');
}

static void
put_qresync(struct buf *b, const struct qresync_args *args)
{
	buf_puts(b, "QRESYNC (");
	buf_put_u64(b, args->uidvalidity);
	buf_putc(b, ' ');
	buf_put_u64(b, args->modseq);
	if (args->known.n > 0) {
		buf_putc(b, ' ');
		put_set(b, &args->known);
	}
	if (args->match_seqs.n > 0) {
		buf_puts(b, " (");
		put_set(b, &args->match_seqs);
		buf_putc(b, ' ');
		put_set(b, &args->match_uids);
		buf_putc(b, ')');
	}
	buf_putc(b, ')');
}

static void
put_select(struct buf *b, const struct select_args *args)
{
	put_astring(b, args->mailbox);
	if (!args->is_condstore && !args->is_qresync)
		return;
	buf_puts(b, args->is_condstore ? " (CONDSTORE" : " (");
	if (args->is_qresync) {
		buf_puts(b, args->is_condstore ? " " : "");
		put_qresync(b, &args->qresync);
	}
	buf_putc(b, ')');
}

static void
put_append(struct buf *b, const struct append_args *args)
{
	put_astring(b, args->mailbox);
	put_flags(b, &args->flags);
	if (args->has_date) {
		buf_putc(b, ' ');
		fmt_datetime(b, args->date, args->date_zone);
	}
	buf_puts(b, args->is_utf8 ? " UTF8 (" : " ");
	buf_puts(b, args->is_binary ? "~{" : "{");
	buf_put_u64(b, args->size);
	buf_putc(b, '}');
}

static void
put_store(struct buf *b, const struct store_args *args)
{
	buf_putc(b, ' ');
	put_set(b, &args->set);
	if (args->has_since) {
		buf_puts(b, " (UNCHANGEDSINCE ");
		buf_put_u64(b, args->since);
		buf_putc(b, ')');
	}
	buf_puts(b, args->op == MAILDIR_ADD ? " +" :
	    args->op == MAILDIR_REMOVE ? " -" : " ");
	buf_puts(b, args->is_silent ? "FLAGS.SILENT" : "FLAGS");
	put_flags(b, &args->flags);
}

static void
put_auth(struct buf *b, const struct auth_args *args)
{
	put_raw(b, args->mechanism);
	if (args->has_initial)
		put_raw(b, args->initial);
}

static void
put_create(struct buf *b, const struct create_args *args)
{
	put_astring(b, args->mailbox);
	for (size_t i = 0; i < args->use.n; i++) {
		buf_puts(b, i == 0 ? " (USE (" : " ");
		buf_put_span(b, args->use.v[i]);
	}
	buf_puts(b, args->use.n > 0 ? "))" : "");
}

static void
put_id(struct buf *b, const struct id_args *args)
{
	for (size_t i = 0; i < args->kv.n; i++) {
		buf_puts(b, i == 0 ? " (" : " ");
		fmt_nstring(b, args->kv.v[i], true);
	}
	buf_puts(b, args->kv.n > 0 ? ")" : " NIL");
}

static void
put_login(struct buf *b, const struct login_args *args)
{
	put_string(b, args->user);
	put_string(b, args->password);
}

static void
put_status(struct buf *b, const struct status_args *args)
{
	put_astring(b, args->mailbox);
	buf_puts(b, " (");
	(void)put_words(b, status_words, args->items);
	buf_putc(b, ')');
}

static void
put_args(struct buf *b, const struct command *cmd)
{
	switch (cmd->id) {
	case CMD_ID:
		put_id(b, &cmd->u.ident);
		break;
	case CMD_AUTHENTICATE:
		put_auth(b, &cmd->u.auth);
		break;
	case CMD_LOGIN:
		put_login(b, &cmd->u.login);
		break;
	case CMD_ENABLE:
		put_spans(b, &cmd->u.words, put_raw);
		break;
	case CMD_SELECT: case CMD_EXAMINE:
		put_select(b, &cmd->u.select);
		break;
	case CMD_CREATE:
		put_create(b, &cmd->u.create);
		break;
	case CMD_GETQUOTA:
		put_astring(b, cmd->u.quota_root);
		break;
	case CMD_DELETE: case CMD_SUBSCRIBE: case CMD_UNSUBSCRIBE:
	case CMD_GETQUOTAROOT:
		put_astring(b, cmd->u.mailbox);
		break;
	case CMD_RENAME:
		put_astring(b, cmd->u.rename.from);
		put_astring(b, cmd->u.rename.to);
		break;
	case CMD_LIST: case CMD_LSUB:
		put_list(b, &cmd->u.list);
		break;
	case CMD_STATUS:
		put_status(b, &cmd->u.status);
		break;
	case CMD_APPEND:
		put_append(b, &cmd->u.append);
		break;
	case CMD_SEARCH: case CMD_UID_SEARCH:
		put_search(b, &cmd->u.search);
		break;
	case CMD_SORT: case CMD_UID_SORT:
		put_sort(b, &cmd->u.sort);
		break;
	case CMD_THREAD: case CMD_UID_THREAD:
		put_thread(b, &cmd->u.thread);
		break;
	case CMD_FETCH: case CMD_UID_FETCH:
		put_fetch(b, &cmd->u.fetch);
		break;
	case CMD_STORE: case CMD_UID_STORE:
		put_store(b, &cmd->u.store);
		break;
	case CMD_COPY: case CMD_MOVE: case CMD_UID_COPY: case CMD_UID_MOVE:
		buf_putc(b, ' ');
		put_set(b, &cmd->u.copy.set);
		put_astring(b, cmd->u.copy.mailbox);
		break;
	case CMD_UID_EXPUNGE:
		buf_putc(b, ' ');
		put_set(b, &cmd->u.expunge);
		break;
	default:
		break;
	}
}

void
command_print(struct buf *b, const struct command *cmd)
{
	if (cmd->id == CMD_LIST && cmd->u.list.is_xlist)
		buf_puts(b, "XLIST");
	else
		buf_puts(b, command_row(cmd->id)->name);
	put_args(b, cmd);
}
