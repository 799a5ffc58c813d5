/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * key.h: a key of this host, for what must be the same at each try and mean
 * nothing to others: the salts that SCRAM makes up, the mark of a wrong
 * password.
 */
#ifndef AUTH_KEY_H
#define AUTH_KEY_H

#include "base/buf.h"

#define KEY_MAX	64

/*
 * key_find(path, key): the first bytes of the file path, which is made when
 * missing and we may; else (and for NULL) the machine's id, which local users
 * know.  key is initialised; it may stay empty.
 */
void key_find(const char *path, struct buf *key);

#endif
