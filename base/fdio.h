/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * fdio.h: read and write until done or until a deadline.
 *
 * The one place that knows of EINTR, short transfers and EAGAIN.  Descriptors
 * may be blocking or not.  A termination signal (fdio_stop_on()) makes a
 * waiting call return ERR_INTR, so that a session can say goodbye.
 */
#ifndef BASE_FDIO_H
#define BASE_FDIO_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"
#include "base/err.h"
#include "base/span.h"

/*
 * fdio_stop_on(signum): from now on this signal makes every wait in this file
 * return ERR_INTR, without a race between the test and the wait (a self-pipe).
 * Call once at the start of the process.
 */
int fdio_stop_on(int signum) ERR_CHECK;

/* fdio_ignore(signum): it does nothing, here and in what we execute. */
int fdio_ignore(int signum) ERR_CHECK;

/* A signal named by fdio_stop_on() has arrived: its number, else 0. */
int fdio_stopped(void);

/*
 * fdio_wait(fd, events, d): until poll(2) reports one of events (POLLIN,
 * POLLOUT) or an error condition on fd.  0, ERR_TIMEOUT or ERR_INTR.
 */
int fdio_wait(int fd, short events, struct deadline d) ERR_CHECK;

/* fdio_wait2(): the same for two descriptors and POLLIN; fd may be -1.
 * *ret_ready gets bit 0 for a, bit 1 for b. */
int fdio_wait2(int a, int b, struct deadline d, unsigned *ret_ready) ERR_CHECK;

/*
 * fdio_read(fd, p, n, d, ret_n): at least one byte, as soon as there is one.
 * ERR_EOF at the end, ERR_TIMEOUT, ERR_INTR, ERR_IO.
 */
int fdio_read(int fd, void *p, size_t n, struct deadline d, size_t *ret_n)
    ERR_CHECK;

/* fdio_read_full(): exactly n bytes; ERR_EOF if the end comes before. */
int fdio_read_full(int fd, void *p, size_t n, struct deadline d) ERR_CHECK;

/* fdio_write(fd, s, d): all of s; ERR_EOF if the reader is gone (EPIPE). */
int fdio_write(int fd, struct span s, struct deadline d) ERR_CHECK;

/* fdio_write_some(): at least one byte of s, as soon as any is taken; for those
 * who count the time since the reader last took something. */
int fdio_write_some(int fd, struct span s, struct deadline d, size_t *ret_n)
    ERR_CHECK;

/*
 * Regular files.  fdio_pread(): up to n bytes at off, fewer only at the end of
 * the file.  fdio_write_file(): all of s at the current offset.
 */
int fdio_pread(int fd, void *p, size_t n, uint64_t off, size_t *ret_n)
    ERR_CHECK;
int fdio_write_file(int fd, struct span s) ERR_CHECK;

/*
 * fdio_send(sock, s, fds, nfds, d): one message on a SOCK_SEQPACKET socket with
 * up to FDIO_FDS_MAX descriptors, which stay open here.
 */
#define FDIO_FDS_MAX	4
int fdio_send(int sock, struct span s, const int *fds, size_t nfds,
    struct deadline d) ERR_CHECK;

/*
 * fdio_recv(sock, p, n, d, ret_n, fds, ret_nfds): one message of at most n
 * bytes and its descriptors (close-on-exec, owned by the caller).  A message
 * that was longer, or carried more descriptors than FDIO_FDS_MAX, is ERR_PROTO
 * and its descriptors are closed.  ERR_EOF when the other side has closed.
 */
int fdio_recv(int sock, void *p, size_t n, struct deadline d, size_t *ret_n,
    int fds[FDIO_FDS_MAX], size_t *ret_nfds) ERR_CHECK;

/* Close *fd if it is not negative and make it -1; errors are of no use. */
void fdio_close(int *fd);

#endif
