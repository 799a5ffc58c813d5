/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * msgpipe.h: typed, bounded messages between two of our processes.
 *
 * A SOCK_SEQPACKET socketpair; each packet is a 16-bit type and a body in the
 * encoding of enc.h, at most MSGPIPE_MAX bytes, with up to FDIO_FDS_MAX
 * descriptors.  Which types may come when is the receiver's business
 * (struct msgpipe_rule); this module refuses what the rules do not allow, so
 * that no handler runs for an unexpected message.
 */
#ifndef BASE_MSGPIPE_H
#define BASE_MSGPIPE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/deadline.h"
#include "base/enc.h"
#include "base/err.h"
#include "base/fdio.h"

#define MSGPIPE_MAX	(128 * 1024)

/*
 * msgpipe_pair(ret_a, ret_b): the two ends, close-on-exec, with send and
 * receive buffers large enough for one message.
 */
int msgpipe_pair(int *ret_a, int *ret_b) ERR_CHECK;

/*
 * msgpipe_send(fd, type, body, fds, nfds, d): one message.  ERR_LIMIT if body
 * has overflowed or is too large, ERR_EOF if the other process is gone.
 */
int msgpipe_send(int fd, uint16_t type, const struct buf *body, const int *fds,
    size_t nfds, struct deadline d) ERR_CHECK;

struct msg {
	uint16_t type;
	struct dec body;	/* into the buffer given to msgpipe_recv() */
	int fds[FDIO_FDS_MAX];	/* owned by the receiver; -1 beyond nfds */
	size_t nfds;
};

/*
 * msgpipe_recv(fd, b, d, ret): the next message, its body kept in b (cleared
 * first; ceiling at least MSGPIPE_MAX + 2).  ERR_PROTO if it is too short or
 * too long.
 */
int msgpipe_recv(int fd, struct buf *b, struct deadline d, struct msg *ret)
    ERR_CHECK;

/* msg_close_fds(m): close the descriptors that the receiver did not take. */
void msg_close_fds(struct msg *m);

/*
 * One row per type that may ever come.  left is how many more times it may
 * come now: the monitor's state is nothing but these counters.
 */
struct msgpipe_rule {
	uint16_t type;
	unsigned left;		/* 0: not now */
	size_t max_body;	/* larger is a violation */
	size_t nfds;		/* exactly so many descriptors */
};

/*
 * msgpipe_permit(rules, n, m): 0 and the counter of m's row lowered by one;
 * ERR_PROTO if there is no such row, it may not come now, or its size or
 * descriptors are not as the row says.
 */
int msgpipe_permit(struct msgpipe_rule *rules, size_t n, const struct msg *m)
    ERR_CHECK;

/* msgpipe_allow(rules, n, type, left): set a row's counter. */
void msgpipe_allow(struct msgpipe_rule *rules, size_t n, uint16_t type,
    unsigned left);

#endif
