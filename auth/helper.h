/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * helper.h: imapd-auth, seen from the monitor.
 */
#ifndef AUTH_HELPER_H
#define AUTH_HELPER_H

#include <stddef.h>
#include <stdint.h>

#include "auth/auth.h"
#include "auth/helper_msg.h"
#include "base/buf.h"
#include "base/deadline.h"
#include "base/err.h"
#include "base/span.h"

#define HELPER_TRIES_MAX	2	/* forms of one password */

struct helper;

/* helper_start(program, ret): start it; ERR_UNAVAIL if that fails. */
int helper_start(const char *program, struct helper **ret) ERR_CHECK;

/* helper_stop(h): end it, whatever it is doing; h may be NULL. */
void helper_stop(struct helper *h);

/*
 * helper_verify(h, user, stored, tries, ntries, until): is one of tries the
 * password?  0, ERR_DENIED, ERR_SYNTAX (stored is damaged), ERR_UNSUPPORTED;
 * any other error means that the helper cannot be asked again.
 */
int helper_verify(struct helper *h, struct span user, struct span stored,
    const struct span *tries, size_t ntries, struct deadline until) ERR_CHECK;

/* helper_dialog(): HELPER_DIALOG of helper_msg.h. */
int helper_dialog(struct helper *h, struct span mech, struct span user,
    struct span stored, uint32_t iterations, struct span key,
    struct deadline until) ERR_CHECK;

/* helper_step(h, in, until, out, ret_step, ret): HELPER_STEP. */
int helper_step(struct helper *h, struct span in, struct deadline until,
    struct buf *out, enum auth_step *ret_step, enum helper_verdict *ret)
    ERR_CHECK;

#endif
