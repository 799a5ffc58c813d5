/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * index.h: a picture from the record, and the record anew from a picture.
 *
 * What is done about damage: if the header, the messages, the fields or the
 * words do not check out, the index is not used, and the directories and the
 * uidlist are read as if there were none.  Damaged mod-sequences become that of
 * the header's highest, damaged keywords are read from the file names, damaged
 * names lead to a complete look.  In each case a new index is written, and the
 * caller's note() is told once.
 */
#ifndef MAILDIR_INDEX_H
#define MAILDIR_INDEX_H

#include "maildir/md.h"

/*
 * index_load(md, ret): the picture that is on record; md->ul has been read, and
 * md->history and the keywords without letters are set.  ERR_NOENT: there is no
 * record that can be used, and the picture is empty.
 */
int index_load(struct maildir *md, struct picture *ret) ERR_CHECK;

/* index_uidnext(md, p): after index_load(md, p), the first UID that is not on
 * record as given out, to messages that are there or gone. */
uint32_t index_uidnext(const struct maildir *md, const struct picture *p);

/*
 * index_save(md, modseq, times): write index and journal anew from md's
 * picture, which has to be complete and have all its mod-sequences; messages
 * that left and are not on record get modseq.  The caller holds the lock and
 * has resolved the journal's end.  The picture is that of the new index then.
 */
int index_save(struct maildir *md, uint64_t modseq,
    const struct index_times *times) ERR_CHECK;

#endif
