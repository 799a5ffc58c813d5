/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include "message/envelope.h"

struct row {
	struct span name;
	size_t member;		/* its offset in struct envelope */
};

#define ROW(name, member) \
	{ SPAN(name), offsetof(struct envelope, member) }
#define COUNT(a)		(sizeof(a) / sizeof((a)[0]))

static const struct row texts[] = {
	ROW("Date", date), ROW("Subject", subject),
	ROW("In-Reply-To", in_reply_to), ROW("Message-ID", message_id),
	ROW("References", references)
};

static const struct row lists[ENVELOPE_LISTS] = {
	ROW("From", from), ROW("Sender", sender), ROW("Reply-To", reply_to),
	ROW("To", to), ROW("Cc", cc), ROW("Bcc", bcc)
};

/* The lengths of these names, as bits: most fields have none of them. */
#define LENGTHS	(1u << 2 | 1u << 3 | 1u << 4 | 1u << 6 | 1u << 7 | 1u << 8 | \
		1u << 10 | 1u << 11)

static void *
member(struct envelope *env, const struct row *row)
{
	return (uint8_t *)env + row->member;
}

/* The addresses of a field, behind those of earlier fields of its name: an
 * address hidden in a second From must not go unseen. */
static void
join(struct envelope *env, size_t which, struct span body, struct arena *arena)
{
	struct address *more, **at = member(env, &lists[which]);

	if (env->naddress >= ENVELOPE_ADDRESS_MAX)
		return;
	more = address_list(body, arena);
	if (env->last[which] != NULL)
		at = &env->last[which]->next;
	*at = more;
	for (; more != NULL; more = more->next) {
		env->last[which] = more;
		env->naddress++;
	}
}

void
envelope_field(struct envelope *env, const struct header_field *f,
    struct arena *arena)
{
	if (f->name.n > 11 || (LENGTHS >> f->name.n & 1) == 0)
		return;
	for (size_t i = 0; i < COUNT(lists); i++) {
		if (is_span_ieq(f->name, lists[i].name)) {
			join(env, i, f->body, arena);
			return;
		}
	}
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct span *text = member(env, &texts[i]);

		if (is_span_ieq(f->name, texts[i].name)) {
			if (text->p == NULL)
				*text = arena_dup(arena,
				    header_unfold(f->body, arena));
			return;
		}
	}
}
