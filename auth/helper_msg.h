/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * helper_msg.h: what the monitor asks of imapd-auth, over base/msgpipe.h on the
 * child's descriptor 0.  One question, one answer, in this order; the child
 * ends when the pipe does.
 */
#ifndef AUTH_HELPER_MSG_H
#define AUTH_HELPER_MSG_H

enum helper_msg {
	/* bytes user, bytes stored password, u8 count, count times bytes
	 * password: is it one of them?  Answer: u8 enum helper_verdict */
	HELPER_VERIFY = 1, HELPER_VERDICT,

	/* once: bytes mechanism, bytes user, bytes stored password (empty:
	 * nobody's, to fail at the end), u32 iterations to claim for nobody
	 * (0: those of a plain password), bytes key.  No answer. */
	HELPER_DIALOG = 3,

	/* bytes: the client's message, see auth_dialog_step().  Answer: u8
	 * enum auth_step, bytes data, u8 enum helper_verdict */
	HELPER_STEP = 5, HELPER_STEP_ANSWER
};

enum helper_verdict {
	HELPER_YES,
	HELPER_NO,
	HELPER_DAMAGED,		/* the stored password cannot be read */
	HELPER_UNSUPPORTED	/* not built in, or OpenSSL will not do it */
};

#endif
