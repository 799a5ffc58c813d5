/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * auth_main.c: imapd-auth, a child of the monitor that verifies passwords which
 * need libcrypto or much memory.  It ends with its secrets.
 *
 *	imapd-auth		answer questions on descriptor 0
 *	imapd-auth --report	run by a checkpassword program, see
 *				auth/checkpassword.h
 */
#include <sys/prctl.h>
#include <sys/resource.h>

#include <grp.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "auth/checkpassword.h"
#include "auth/helper_serve.h"
#include "base/err.h"
#include "base/span.h"
#include "imapd/process/config.h"
#include "imapd/process/sandbox.h"

#define NOBODY		65534
#define EXIT_PROTOCOL	76	/* EX_PROTOCOL */
#define EXIT_RIGHTS	77	/* EX_NOPERM */

extern char **environ;

static int
limit(__rlimit_resource_t resource, rlim_t value)
{
	const struct rlimit lim = { value, value };

	return setrlimit(resource, &lim);
}

/*
 * It has one pipe, and nothing else in the world: no uid that owns anything, no
 * file, no new process, no memory that others could look into.
 */
static int
drop_rights(void)
{
	if (prctl(PR_SET_DUMPABLE, 0) != 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    limit(RLIMIT_CORE, 0) != 0 || limit(RLIMIT_FSIZE, 0) != 0)
		return ERR_ACCESS;
	if (geteuid() == 0 && (setgroups(0, NULL) != 0 ||
	    setresgid(NOBODY, NOBODY, NOBODY) != 0 ||
	    setresuid(NOBODY, NOBODY, NOBODY) != 0 || setuid(0) == 0))
		return ERR_ACCESS;
	/* What imapd-login may do is all that is needed here.  Where "sandbox =
	 * require", the monitor has refused before it came to this. */
	return sandbox_enter(SANDBOX_LOGIN, SANDBOX_YES, NULL, 0);
}

int
main(int argc, char **argv)
{
	int err;

	if (argc == 2 && is_span_eq(span_str(argv[1]),
	    SPAN(CHECKPASSWORD_REPORT)))
		return checkpassword_report(environ) == 0 ? EXIT_SUCCESS :
		    EXIT_FAILURE;
	if (argc != 1)
		return EXIT_FAILURE;
	/* No openssl.cnf: its modules and engines are not for us. */
	if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1)
		return EXIT_FAILURE;
	err = drop_rights();
	if (err != 0)
		return EXIT_RIGHTS;
	err = helper_serve(0);
	return err == 0 ? EXIT_SUCCESS : EXIT_PROTOCOL;
}
