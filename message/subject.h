/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * subject.h: the base subject, for sorting and threading (RFC 5256 2.1).
 */
#ifndef MESSAGE_SUBJECT_H
#define MESSAGE_SUBJECT_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/span.h"

/*
 * subject_base(field, arena, ret_is_reply): the base subject of the body of a
 * Subject field (encoded words and folding still in it), in UTF-8, not folded
 * in case; in the arena.  A field that is not UTF-8 itself is in no charset we
 * know: its bytes stay as they are, encoded words too (RFC 5255 4.6).
 * *ret_is_reply: something said that it is a reply or a forward.
 */
struct span subject_base(struct span field, struct arena *arena,
    bool *ret_is_reply);

#endif
