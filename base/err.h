/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * err.h: the one list of error codes.
 *
 * A function that can fail returns int: 0, or one of the negative codes below.
 * errno is not part of any interface of this tree: it is translated once, next
 * to the system call, by err_from_errno().
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#define ERR_CHECK	__attribute__((warn_unused_result))

enum {
	ERR_IO = -1,		/* the disk or the network failed (EIO and all
				 * that has no name of its own below) */
	ERR_NOENT = -2,		/* no such file, mailbox, user, message */
	ERR_EXISTS = -3,	/* there is one already */
	ERR_ACCESS = -4,	/* the system or the configuration forbids it */
	ERR_READONLY = -5,	/* read-only file system or mailbox */
	ERR_NOSPACE = -6,	/* disk full */
	ERR_QUOTA = -7,		/* over the user's quota */
	ERR_LIMIT = -8,		/* over one of our own named limits */
	ERR_SYNTAX = -9,	/* malformed text from outside */
	ERR_NAME = -10,		/* a name that cannot be stored or is refused */
	ERR_TIMEOUT = -11,	/* the deadline passed */
	ERR_EOF = -12,		/* the other side closed, or the file ended */
	ERR_BUSY = -13,		/* locked by somebody else until the deadline */
	ERR_CORRUPT = -14,	/* one of our own files does not check out */
	ERR_GONE = -15,		/* the message or mailbox vanished meanwhile */
	ERR_UNAVAIL = -16,	/* not now: disk not mounted, back end down */
	ERR_DENIED = -17,	/* wrong user or password */
	ERR_PROTO = -18,	/* the process at the other end of a pipe broke
				 * the rules of msgpipe.h */
	ERR_CONFIG = -19,	/* bad configuration */
	ERR_UNSUPPORTED = -20,	/* unknown charset, scheme, encoding, ... */
	ERR_CROSSDEV = -21,	/* link or rename across file systems */
	ERR_NOTEMPTY = -22,	/* a folder that has children */
	ERR_EXPIRED = -23,	/* password or account past its date */
	ERR_INTR = -24		/* a termination signal arrived */
};

/*
 * err_text(err): a short lower-case phrase for the log, never NULL; a code
 * that is not in the list gives "unknown error".
 */
const char *err_text(int err);

/*
 * err_from_errno(errnum): the code for an errno value; never 0, so that a
 * failure whose errno was lost still is a failure.
 */
int err_from_errno(int errnum);

#endif
