/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include <errno.h>
#include <stddef.h>

#include "base/err.h"

static const char *const texts[] = {
	[-ERR_IO] = "input/output error",
	[-ERR_NOENT] = "not found",
	[-ERR_EXISTS] = "exists already",
	[-ERR_ACCESS] = "permission denied",
	[-ERR_READONLY] = "read-only",
	[-ERR_NOSPACE] = "disk full",
	[-ERR_QUOTA] = "over quota",
	[-ERR_LIMIT] = "over a limit",
	[-ERR_SYNTAX] = "malformed",
	[-ERR_NAME] = "unusable name",
	[-ERR_TIMEOUT] = "timed out",
	[-ERR_EOF] = "closed by the other side",
	[-ERR_BUSY] = "locked by somebody else",
	[-ERR_CORRUPT] = "damaged file",
	[-ERR_GONE] = "no longer there",
	[-ERR_UNAVAIL] = "unavailable now",
	[-ERR_DENIED] = "wrong user or password",
	[-ERR_PROTO] = "violation between processes",
	[-ERR_CONFIG] = "bad configuration",
	[-ERR_UNSUPPORTED] = "not supported",
	[-ERR_CROSSDEV] = "on another file system",
	[-ERR_NOTEMPTY] = "not empty",
	[-ERR_EXPIRED] = "expired",
	[-ERR_INTR] = "stopped by a signal",
};

const char *
err_text(int err)
{
	size_t i;

	if (err == 0)
		return "success";
	if (err > 0 || err <= -(int)(sizeof(texts) / sizeof(texts[0])))
		return "unknown error";
	i = (size_t)-err;
	return texts[i] == NULL ? "unknown error" : texts[i];
}

static const struct {
	int errnum;
	int err;
} codes[] = {
	{ ENOENT, ERR_NOENT },
	{ ENOTDIR, ERR_NOENT },
	{ EEXIST, ERR_EXISTS },
	{ EACCES, ERR_ACCESS },
	{ EPERM, ERR_ACCESS },
	{ ELOOP, ERR_ACCESS },		/* O_NOFOLLOW met a link */
	{ EROFS, ERR_READONLY },
	{ ENOSPC, ERR_NOSPACE },
	{ EDQUOT, ERR_QUOTA },
	{ EMFILE, ERR_LIMIT },
	{ ENFILE, ERR_LIMIT },
	{ EMLINK, ERR_LIMIT },
	{ EFBIG, ERR_LIMIT },
	{ ENAMETOOLONG, ERR_NAME },
	{ EINVAL, ERR_IO },
	{ ETIMEDOUT, ERR_TIMEOUT },
	{ EPIPE, ERR_EOF },
	{ ECONNRESET, ERR_EOF },
	{ EHOSTUNREACH, ERR_EOF },
	{ ENETUNREACH, ERR_EOF },
	{ ENOTCONN, ERR_EOF },
	{ EBUSY, ERR_BUSY },
	{ EXDEV, ERR_CROSSDEV },
	{ ENOTEMPTY, ERR_NOTEMPTY },
	{ EINTR, ERR_INTR },
	{ ENOSYS, ERR_UNSUPPORTED },
	{ EOPNOTSUPP, ERR_UNSUPPORTED },
	{ ESTALE, ERR_GONE },
};

int
err_from_errno(int errnum)
{
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (codes[i].errnum == errnum)
			return codes[i].err;
	return ERR_IO;
}
