/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include <stdlib.h>

#include "base/enc.h"
#include "base/fdio.h"
#include "base/mem.h"
#include "base/msgpipe.h"

#include "auth/helper.h"
#include "auth/spawn.h"

#define BODY_ROOM	8192	/* the longest question with a secret */

struct helper {
	pid_t pid;
	int fd;
	struct buf body;	/* what goes out */
	struct buf answer;	/* what came back */
};

int
helper_start(const char *program, struct helper **ret)
{
	char *const argv[] = { mem_strdup(program), NULL };
	char *const envp[] = { NULL };
	struct helper *h = mem_zalloc(sizeof(*h));
	int theirs = -1, err;

	h->fd = -1;
	buf_init(&h->body, MSGPIPE_MAX);
	buf_init(&h->answer, MSGPIPE_MAX + 2);
	/* A buffer that grows leaves copies of what was in it. */
	(void)buf_room(&h->body, BODY_ROOM);
	err = msgpipe_pair(&h->fd, &theirs);
	if (err == 0)
		err = spawn_child(argv, envp,
		    &(struct spawn_fd){ theirs, 0 }, 1, &h->pid);
	fdio_close(&theirs);
	free(argv[0]);
	if (err != 0) {
		h->pid = 0;
		helper_stop(h);
		return ERR_UNAVAIL;
	}
	*ret = h;
	return 0;
}

void
helper_stop(struct helper *h)
{
	if (h == NULL)
		return;
	fdio_close(&h->fd);
	if (h->pid > 0)
		spawn_kill(h->pid);
	buf_wipe_done(&h->body);
	buf_wipe_done(&h->answer);
	free(h);
}

/* Send body; the answer must be of this type. */
static int
ask(struct helper *h, uint16_t type, uint16_t answer_type,
    struct deadline until, struct dec *ret)
{
	struct msg m;
	int err;

	err = msgpipe_send(h->fd, type, &h->body, NULL, 0, until);
	if (err != 0)
		return err;
	err = msgpipe_recv(h->fd, &h->answer, until, &m);
	if (err != 0)
		return err;
	if (m.type != answer_type || m.nfds != 0) {
		msg_close_fds(&m);
		return ERR_PROTO;
	}
	*ret = m.body;
	return 0;
}

int
helper_verify(struct helper *h, struct span user, struct span stored,
    const struct span *tries, size_t ntries, struct deadline until)
{
	struct dec d;
	uint8_t verdict;
	int err;

	buf_clear(&h->body);
	enc_bytes(&h->body, user);
	enc_bytes(&h->body, stored);
	enc_u8(&h->body, (uint8_t)ntries);
	for (size_t i = 0; i < ntries; i++)
		enc_bytes(&h->body, tries[i]);
	err = ask(h, HELPER_VERIFY, HELPER_VERDICT, until, &d);
	if (err != 0)
		return err;
	verdict = dec_u8(&d);
	if (dec_end(&d) != 0)
		return ERR_PROTO;
	switch (verdict) {
	case HELPER_YES:
		return 0;
	case HELPER_NO:
		return ERR_DENIED;
	case HELPER_DAMAGED:
		return ERR_SYNTAX;
	case HELPER_UNSUPPORTED:
		return ERR_UNSUPPORTED;
	default:
		return ERR_PROTO;
	}
}

int
helper_dialog(struct helper *h, struct span mech, struct span user,
    struct span stored, uint32_t iterations, struct span key,
    struct deadline until)
{
	buf_clear(&h->body);
	enc_bytes(&h->body, mech);
	enc_bytes(&h->body, user);
	enc_bytes(&h->body, stored);
	enc_u32(&h->body, iterations);
	enc_bytes(&h->body, key);
	return msgpipe_send(h->fd, HELPER_DIALOG, &h->body, NULL, 0, until);
}

int
helper_step(struct helper *h, struct span in, struct deadline until,
    struct buf *out, enum auth_step *ret_step, enum helper_verdict *ret)
{
	struct dec d;
	struct span data;
	uint8_t step, verdict;
	int err;

	buf_clear(&h->body);
	enc_bytes(&h->body, in);
	err = ask(h, HELPER_STEP, HELPER_STEP_ANSWER, until, &d);
	if (err != 0)
		return err;
	step = dec_u8(&d);
	data = dec_bytes(&d, AUTH_MESSAGE_MAX);
	verdict = dec_u8(&d);
	if (dec_end(&d) != 0 || step > AUTH_FAILED ||
	    verdict > HELPER_UNSUPPORTED)
		return ERR_PROTO;
	buf_put_span(out, data);
	*ret_step = (enum auth_step)step;
	*ret = (enum helper_verdict)verdict;
	return buf_err(out);
}
