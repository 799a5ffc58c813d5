/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * mark.c: has this wrong password been tried before?
 *
 * One user who has changed his password, with an old one in his telephone, must
 * not look like an attack that locks out the office behind the same address.
 * The hash is crypt(3)'s, which is in the monitor anyway; the salt is the key
 * of this host.
 */
#include <crypt.h>

#include "base/mem.h"

#include "auth/auth.h"
#include "auth/key.h"
#include "auth/verify.h"

#define SETTING		"$5$rounds=1000$"
#define SALT_CHARS	16
#define NO_MARK		"--"

/* The setting of SHA256-CRYPT, with the key for a salt. */
static const char *
make_setting(const struct buf *key, struct buf *setting)
{
	static const char digits[] = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz";

	buf_puts(setting, SETTING);
	for (size_t i = 0; i < SALT_CHARS; i++)
		buf_putc(setting, (uint8_t)digits[i < key->n ?
		    key->p[i] & 63 : 0]);
	return buf_cstr(setting);
}

void
auth_password_mark(const struct auth *auth, struct span password,
    char out[AUTH_MARK + 1])
{
	struct crypt_data *work = mem_zalloc(sizeof(*work));
	char *text = mem_dup(password.p, password.n);
	const char *made, *hash = NO_MARK;
	struct buf key, setting;

	key_find(auth->conf->secret_file, &key);
	buf_init(&setting, sizeof(SETTING) + SALT_CHARS);
	made = crypt_rn(text, make_setting(&key, &setting), work,
	    (int)sizeof(*work));
	if (made != NULL && strlen(made) > setting.n + AUTH_MARK)
		hash = made + setting.n + 1;	/* behind the last "$" */
	memcpy(out, hash, AUTH_MARK);
	out[AUTH_MARK] = '\0';
	mem_wipe_free(text, password.n);
	mem_wipe_free(work, sizeof(*work));
	buf_wipe_done(&setting);
	buf_wipe_done(&key);
}
