/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include <sys/socket.h>
#include <sys/uio.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/fdio.h"

/*
 * Signals: the handler notes the number and writes a byte to a pipe that every
 * wait polls and that is never read, so that a signal that comes between the
 * test and the wait still ends the wait.
 */
static volatile sig_atomic_t stopped;
static int stop_pipe[2] = { -1, -1 };

static void
on_stop(int signum)
{
	int saved = errno;

	stopped = signum;
	/* The pipe never fills: one byte is enough. */
	(void)!write(stop_pipe[1], "", 1);
	errno = saved;
}

int
fdio_stop_on(int signum)
{
	struct sigaction sa;

	if (stop_pipe[0] == -1 &&
	    pipe2(stop_pipe, O_CLOEXEC | O_NONBLOCK) == -1)
		return err_from_errno(errno);
	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = on_stop;
	sigemptyset(&sa.sa_mask);
	if (sigaction(signum, &sa, NULL) == -1)
		return err_from_errno(errno);
	return 0;
}

int
fdio_ignore(int signum)
{
	struct sigaction sa = { .sa_handler = SIG_IGN };

	return sigaction(signum, &sa, NULL) == -1 ? err_from_errno(errno) : 0;
}

int
fdio_stopped(void)
{
	return stopped;
}

/* Poll n descriptors of pfd and, in pfd[n], the stop pipe. */
static int
wait_any(struct pollfd *pfd, nfds_t n, struct deadline d)
{
	int r;

	pfd[n] = (struct pollfd){ .fd = stop_pipe[0], .events = POLLIN };
	for (;;) {
		if (stopped != 0)
			return ERR_INTR;
		r = poll(pfd, n + 1, deadline_poll_ms(d));
		if (r == 0)
			return ERR_TIMEOUT;
		if (r > 0)
			return pfd[n].revents != 0 ? ERR_INTR : 0;
		if (errno != EINTR && errno != EAGAIN)
			return err_from_errno(errno);
	}
}

int
fdio_wait(int fd, short events, struct deadline d)
{
	struct pollfd pfd[2] = { { .fd = fd, .events = events } };

	return wait_any(pfd, 1, d);
}

int
fdio_wait2(int a, int b, struct deadline d, unsigned *ret_ready)
{
	struct pollfd pfd[3] = {
		{ .fd = a, .events = POLLIN }, { .fd = b, .events = POLLIN }
	};
	int err = wait_any(pfd, 2, d);

	if (err != 0)
		return err;
	*ret_ready = (pfd[0].revents != 0 ? 1u : 0) |
	    (pfd[1].revents != 0 ? 2u : 0);
	return 0;
}

/*
 * A socket is read without waiting first: most of the time there is something.
 * Anything else is polled, as it may be in blocking mode.
 */
static ssize_t
read_some(int fd, void *p, size_t n, bool is_polled)
{
	ssize_t r = recv(fd, p, n, MSG_DONTWAIT);

	if (r == -1 && errno == ENOTSOCK) {
		if (is_polled)
			return read(fd, p, n);
		errno = EAGAIN;
	}
	return r;
}

int
fdio_read(int fd, void *p, size_t n, struct deadline d, size_t *ret_n)
{
	bool is_polled = false;
	ssize_t r;
	int err;

	for (;;) {
		if (stopped != 0)
			return ERR_INTR;
		r = read_some(fd, p, n, is_polled);
		if (r > 0) {
			*ret_n = (size_t)r;
			return 0;
		}
		if (r == 0)
			return ERR_EOF;
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return err_from_errno(errno);
		err = fdio_wait(fd, POLLIN, d);
		if (err != 0)
			return err;
		is_polled = true;
	}
}

int
fdio_read_full(int fd, void *p, size_t n, struct deadline d)
{
	uint8_t *at = p;
	size_t got;
	int err;

	while (n > 0) {
		err = fdio_read(fd, at, n, d, &got);
		if (err != 0)
			return err;
		at += got;
		n -= got;
	}
	return 0;
}

/*
 * A socket is written to without blocking, so that the deadline holds also for
 * a descriptor that is in blocking mode; anything else (a pipe, a terminal) is
 * written in pieces that poll(2) has promised room for.
 */
static ssize_t
write_some(int fd, struct span s, bool is_polled)
{
	ssize_t r = send(fd, s.p, s.n, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (r == -1 && errno == ENOTSOCK) {
		if (is_polled)
			return write(fd, s.p, s.n < 4096 ? s.n : 4096);
		errno = EAGAIN;
	}
	return r;
}

int
fdio_write_some(int fd, struct span s, struct deadline d, size_t *ret_n)
{
	bool is_polled = false;
	ssize_t r;
	int err;

	for (;;) {
		r = write_some(fd, s, is_polled);
		if (r >= 0) {
			*ret_n = (size_t)r;
			return 0;
		}
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return err_from_errno(errno);
		err = fdio_wait(fd, POLLOUT, d);
		if (err != 0)
			return err;
		is_polled = true;
	}
}

int
fdio_write(int fd, struct span s, struct deadline d)
{
	size_t n;
	int err;

	while (s.n > 0) {
		err = fdio_write_some(fd, s, d, &n);
		if (err != 0)
			return err;
		s = span_skip(s, n);
	}
	return 0;
}

int
fdio_pread(int fd, void *p, size_t n, uint64_t off, size_t *ret_n)
{
	uint8_t *at = p;
	size_t got = 0;
	ssize_t r;

	while (got < n) {
		r = pread(fd, at + got, n - got, (off_t)(off + got));
		if (r == 0)
			break;
		if (r > 0)
			got += (size_t)r;
		else if (errno != EINTR)
			return err_from_errno(errno);
	}
	*ret_n = got;
	return 0;
}

int
fdio_write_file(int fd, struct span s)
{
	ssize_t r;

	while (s.n > 0) {
		r = write(fd, s.p, s.n);
		if (r >= 0)
			s = span_skip(s, (size_t)r);
		else if (errno != EINTR)
			return err_from_errno(errno);
	}
	return 0;
}

union control {
	struct cmsghdr align;
	uint8_t bytes[CMSG_SPACE(sizeof(int) * FDIO_FDS_MAX)];
};

static void
attach_fds(struct msghdr *mh, union control *ctl, const int *fds, size_t nfds)
{
	struct cmsghdr *cm;

	memset(ctl, 0, sizeof(*ctl));
	mh->msg_control = ctl->bytes;
	mh->msg_controllen = CMSG_SPACE(sizeof(int) * nfds);
	cm = CMSG_FIRSTHDR(mh);
	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	cm->cmsg_len = CMSG_LEN(sizeof(int) * nfds);
	memcpy(CMSG_DATA(cm), fds, sizeof(int) * nfds);
}

int
fdio_send(int sock, struct span s, const int *fds, size_t nfds,
    struct deadline d)
{
	struct iovec iov = { .iov_base = (void *)(uintptr_t)s.p,
	    .iov_len = s.n };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	union control ctl;
	int err;

	if (nfds > FDIO_FDS_MAX)
		return ERR_LIMIT;
	if (nfds > 0)
		attach_fds(&mh, &ctl, fds, nfds);
	for (;;) {
		if (sendmsg(sock, &mh, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
			return 0;
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN && errno != ENOBUFS)
			return err_from_errno(errno);
		err = fdio_wait(sock, POLLOUT, d);
		if (err != 0)
			return err;
	}
}

/* Collect the descriptors of a received message. */
static size_t
detach_fds(struct msghdr *mh, int fds[FDIO_FDS_MAX])
{
	size_t nfds = 0;

	for (struct cmsghdr *cm = CMSG_FIRSTHDR(mh); cm != NULL;
	    cm = CMSG_NXTHDR(mh, cm)) {
		size_t n;

		if (cm->cmsg_level != SOL_SOCKET ||
		    cm->cmsg_type != SCM_RIGHTS)
			continue;
		n = (cm->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(cm) + i * sizeof(int),
			    sizeof(fd));
			if (nfds < FDIO_FDS_MAX)
				fds[nfds++] = fd;
			else
				close(fd);
		}
	}
	return nfds;
}

int
fdio_recv(int sock, void *p, size_t n, struct deadline d, size_t *ret_n,
    int fds[FDIO_FDS_MAX], size_t *ret_nfds)
{
	struct iovec iov = { .iov_base = p, .iov_len = n };
	union control ctl;
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1,
	    .msg_control = ctl.bytes, .msg_controllen = sizeof(ctl.bytes) };
	size_t nfds;
	ssize_t r;
	int err;

	memset(&ctl, 0, sizeof(ctl));
	for (;;) {
		r = recvmsg(sock, &mh, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
		if (r >= 0)
			break;
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return err_from_errno(errno);
		err = fdio_wait(sock, POLLIN, d);
		if (err != 0)
			return err;
	}
	nfds = detach_fds(&mh, fds);
	if (r == 0 || (mh.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
		for (size_t i = 0; i < nfds; i++)
			close(fds[i]);
		return r == 0 ? ERR_EOF : ERR_PROTO;
	}
	*ret_n = (size_t)r;
	*ret_nfds = nfds;
	return 0;
}

void
fdio_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}
