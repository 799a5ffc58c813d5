/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * picture_names.h: the half of a picture that knows names: for picture.c alone;
 * what others may call stands in picture.h.
 */
#ifndef MAILDIR_PICTURE_NAMES_H
#define MAILDIR_PICTURE_NAMES_H

#include "maildir/picture.h"

void picture_names_init(struct picture *p);
void picture_names_done(struct picture *p);

/* picture_load_names(p): all of them are in memory. */
void picture_load_names(struct picture *p);

/* picture_load_fields(p): the fields of the records of a file. */
int picture_load_fields(struct picture *p) ERR_CHECK;

/* picture_spell_keywords(p): letters for a column of keywords that is damaged:
 * those of the file names. */
void picture_spell_keywords(struct picture *p);

/* picture_names_pushed(p, m): m is the new last message. */
void picture_names_pushed(struct picture *p, const struct msg *m);

/* picture_drop_name(p, m): m leaves. */
void picture_drop_name(struct picture *p, const struct msg *m);

/* picture_sweep_fields(p): keep the fields of messages that are there. */
void picture_sweep_fields(struct picture *p);

/* picture_names_rest(p): as picture_rest(). */
void picture_names_rest(struct picture *p);

#endif
