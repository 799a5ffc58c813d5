/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * runfile.h: what the processes of different connections share: small files in
 * the run directory.  Each is optional; none that is missing, unreadable or
 * full is a reason to refuse service.
 *
 *	ticket-keys	the keys of TLS session tickets: TICKET_KEYS records
 *			of u64 time of birth (seconds), name, AES key, HMAC
 *			key; the youngest first; mode 0600; replaced whole
 *	failures	RUNFILE_FAILURES records of u32 key, u32 time of the
 *			last failure (seconds), u32 count; the place is the key
 *			modulo their number; a newer key takes the place of an
 *			older one
 *	slots/KEY	no content; byte i is locked (fcntl, per open file) by
 *			the session that has slot i of that user, so that the
 *			kernel gives it back when the session ends, however
 *	secret		the key of auth/key.h, unless secret_file is set
 *
 * Integers are big-endian.  KEY is a hash of the user name, 16 hexadecimal
 * digits: a clash makes two users share a limit, no more.
 */
#ifndef IMAPD_PROCESS_RUNFILE_H
#define IMAPD_PROCESS_RUNFILE_H

#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "imapd/process/settings.h"

#define RUNFILE_FAILURES	4096

/*
 * runfile_tickets(dir, lifetime_ms, tls): the ticket keys of all processes;
 * makes them, or new ones when the youngest has lived for lifetime_ms.  If they
 * cannot be stored they are good for this process and its children only.  A
 * ticket is good for lifetime_ms times the number of keys that are kept.
 * lifetime_ms of 0: no tickets.
 */
void runfile_tickets(const char *dir, uint64_t lifetime_ms,
    struct settings_tls *tls);

/* runfile_failures(dir, who): failed logins of who (an address or a user)
 * within the last minutes; 0 if unknown. */
unsigned runfile_failures(const char *dir, struct span who);

/* runfile_failed(dir, who): count one more. */
void runfile_failed(const char *dir, struct span who);

/*
 * runfile_slot(dir, user, max, ret_fd): one of max slots.  *ret_fd must stay
 * open as long as it is used; -1 if slots cannot be kept here.  ERR_BUSY: all
 * are taken.
 */
int runfile_slot(const char *dir, struct span user, uint64_t max, int *ret_fd)
    ERR_CHECK;

#endif
