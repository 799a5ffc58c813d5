/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * trace.h: everything a client and its session say to each other, in a file.
 *
 * For the administrator who looks for the fault of one client: on where
 * trace_directory has a directory of the user's name.  Each transfer stands
 * behind a line of its own, "<seconds.millis<" from the client, ">...>" to it,
 * in seconds since the session began.
 * What came before the login, the password above all, is not in it.
 */
#ifndef IMAPD_COMMAND_TRACE_H
#define IMAPD_COMMAND_TRACE_H

#include "imapd/wire/wire_in.h"
#include "imapd/wire/wire_out.h"

struct trace;

/*
 * trace_open(directory, user): a new file directory/USER/SECONDS.PID, or -1
 * where there is no such directory, which is the usual case: making it turns
 * the trace on.  Called with the user's rights, before the sandbox.
 */
int trace_open(const char *directory, const char *user);

/* trace_new(fd, fd_in, fd_out): fd is the open file and stays the caller's. */
struct trace *trace_new(int fd, int fd_in, int fd_out);
void trace_free(struct trace *tr);

/* What wire_in and wire_out read and write through instead. */
struct wire_source trace_source(struct trace *tr);
struct wire_sink trace_sink(struct trace *tr);

#endif
