/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * part_pack.h: a message's tree in few bytes, to be kept: as much of it as it
 * takes to find, send and decode a part without parsing the message again.
 */
#ifndef MESSAGE_PART_PACK_H
#define MESSAGE_PART_PACK_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/span.h"
#include "message/part.h"

/* part_pack(top, b): append the tree; about 15 bytes a part. */
void part_pack(const struct part *top, struct buf *b);

/*
 * part_unpack(s, size, arena): the tree of a message of size bytes, in the
 * arena: of each part its kind, place, header, body and content.encoding; no
 * envelope and nothing else of content.  NULL if that is no such tree: no
 * extent lies outside of the message, and PART_DEPTH_MAX and PART_COUNT_MAX
 * hold, whatever the bytes are.
 */
const struct part *part_unpack(struct span s, uint64_t size,
    struct arena *arena);

#endif
