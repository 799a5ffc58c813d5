/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * SORT and THREAD: what stands in front of the keys of a search.
 */
#include "imapd/wire/parse_rules.h"

struct word {
	const char *name;
	int value;
};

/*
 * sort-key =  "ARRIVAL" / "CC" / "DATE" / "FROM" / "SIZE" / "SUBJECT" / "TO"
 *                                                          (RFC 5256 section 5)
 * sort-key =/ "DISPLAYFROM" / "DISPLAYTO"                  (RFC 5957 section 5)
 */
static const struct word sort_keys[] = {
	{ "ARRIVAL", SORT_ARRIVAL }, { "CC", SORT_CC }, { "DATE", SORT_DATE },
	{ "DISPLAYFROM", SORT_DISPLAYFROM }, { "DISPLAYTO", SORT_DISPLAYTO },
	{ "FROM", SORT_FROM }, { "SIZE", SORT_SIZE },
	{ "SUBJECT", SORT_SUBJECT }, { "TO", SORT_TO }, { NULL, 0 }
};

/* thread-alg = "ORDEREDSUBJECT" / "REFERENCES" / thread-alg-ext */
static const struct word algorithms[] = {
	{ "ORDEREDSUBJECT", THREAD_ORDEREDSUBJECT },
	{ "REFERENCES", THREAD_REFERENCES }, { "REFS", THREAD_REFS },
	{ NULL, 0 }
};

/* One of the words of a table; why is the complaint about any other. */
static int ERR_CHECK
word(struct lex *lx, const struct word *table, const char *why, int *ret)
{
	size_t start = lx->at;
	struct span s;
	int err = lex_word(lx, &s);

	if (err != 0)
		return err;
	for (; table->name != NULL; table++) {
		if (is_span_ieq(s, span_str(table->name))) {
			*ret = table->value;
			return 0;
		}
	}
	lx->at = start;
	return lex_bad(lx, why);
}

/*
 * sort-criterion = ["REVERSE" SP] sort-key                 (RFC 5256 section 5)
 */
static int
sort_criterion(struct lex *lx, void *arg)
{
	struct sort_args *args = arg;
	struct sort_criterion c = { .is_reverse = is_lex_word(lx, "REVERSE") };
	int err = 0, key;

	if (c.is_reverse) {
		lex_skip(lx, 7);
		err = lex_sp(lx);
	}
	if (err != 0 ||
	    (err = word(lx, sort_keys, "Unknown sort key", &key)) != 0)
		return err;
	c.key = (enum sort_key)key;
	for (size_t i = 0; i < args->ncriteria; i++)
		if (args->criterion[i].key == c.key)
			return 0;
	args->criterion[args->ncriteria++] = c;
	return 0;
}

/*
 * search-criteria = charset 1*(SP search-key)
 * charset         = atom / quoted                          (RFC 5256 section 5)
 */
static int ERR_CHECK
search_criteria(struct lex *lx, struct search_args *args)
{
	int err = is_lex_at(lx, '"') ? lex_string(lx, &args->charset) :
	    lex_atom(lx, &args->charset);

	if (err != 0 || (err = lex_sp(lx)) != 0)
		return err;
	return parse_search_keys(lx, args);
}

/*
 * sort          = ["UID" SP] "SORT" SP sort-criteria SP search-criteria
 * sort-criteria = "(" sort-criterion *(SP sort-criterion) ")"
 *                                                          (RFC 5256 section 5)
 * extended-sort = ["UID" SP] "SORT" search-return-opts SP sort-criteria SP
 *                 search-criteria                          (RFC 5267 section 5)
 */
int
parse_sort(struct lex *lx, struct command *cmd)
{
	struct sort_args *args = &cmd->u.sort;
	int err = lex_sp(lx);

	if (err == 0 && is_lex_word(lx, "RETURN"))
		err = parse_search_return(lx, &args->search);
	if (err != 0 || (err = lex_list1(lx, sort_criterion, args)) != 0 ||
	    (err = lex_sp(lx)) != 0)
		return err;
	return search_criteria(lx, &args->search);
}

/*
 * thread = ["UID" SP] "THREAD" SP thread-alg SP search-criteria
 *                                                          (RFC 5256 section 5)
 */
int
parse_thread(struct lex *lx, struct command *cmd)
{
	struct thread_args *args = &cmd->u.thread;
	int err = lex_sp(lx), algorithm;

	if (err != 0 || (err = word(lx, algorithms,
	    "Unknown threading algorithm", &algorithm)) != 0 ||
	    (err = lex_sp(lx)) != 0)
		return err;
	args->algorithm = (enum thread_algorithm)algorithm;
	return search_criteria(lx, &args->search);
}
