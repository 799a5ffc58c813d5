/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * The monitor against a login process that has been taken over.  A child plays
 * the forker and then imapd-login: it sends what it likes and tells by its exit
 * code what it got.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "auth/sasl.h"
#include "base/log.h"
#include "base/msgpipe.h"
#include "imapd/process/connection.h"
#include "imapd/process/monitor_client.h"

#define WAIT_MS	30000

enum { GOT_LOGIN = 10, GOT_NO, GOT_CUT_OFF, GOT_NOTHING };

/* The client's address, and that it is in proxy_networks. */
static bool is_proxy;

static char dir[] = "/tmp/test_monitor.XXXXXX";
static char users[64];

static int
make_dir(void **state)
{
	FILE *f;

	(void)state;
	if (mkdtemp(dir) == NULL)
		return 1;
	(void)snprintf(users, sizeof(users), "%s/users", dir);
	if ((f = fopen(users, "w")) == NULL)
		return 1;
	(void)fputs("joe:{PLAIN}secret:1234:1234::/nonexistent::\n", f);
	return fclose(f);
}

static int
remove_dir(void **state)
{
	char command[128];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

/* ---- the hostile process ----------------------------------------------- */

/* Wait for MON_FORK and MON_SETTINGS; the pipe to the monitor. */
static int
become_login(int forker)
{
	struct msg m;
	struct buf b;
	int fd;

	buf_init(&b, MSGPIPE_MAX + 2);
	if (msgpipe_recv(forker, &b, deadline_in(WAIT_MS), &m) != 0 ||
	    m.type != MON_FORK)
		_exit(GOT_NOTHING);
	fd = m.fds[0];
	if (msgpipe_recv(fd, &b, deadline_in(WAIT_MS), &m) != 0 ||
	    m.type != MON_SETTINGS)
		_exit(GOT_NOTHING);
	buf_done(&b);
	return fd;
}

static int
try_password(struct monitor_client *mc, const char *password)
{
	struct sasl_request req = { .ask = SASL_ASK_PASSWORD,
	    .user = SPAN("joe"), .password = span_str(password) };
	struct monitor_answer answer;

	if (monitor_auth(mc, "LOGIN", &req, &answer) != 0)
		return GOT_CUT_OFF;
	return answer.step == AUTH_DONE ? GOT_LOGIN : GOT_NO;
}

static int
play_right_password(struct monitor_client *mc)
{
	int got = try_password(mc, "secret");

	if (got == GOT_LOGIN && monitor_handoff(mc, SPAN("a1"), SPAN("b NOOP"),
	    SPAN("client 1")) != 0)
		return GOT_CUT_OFF;
	return got;
}

static int
play_guessing(struct monitor_client *mc)
{
	int tries = 0;

	while (tries < 20 && try_password(mc, "wrong") == GOT_NO)
		tries++;
	return tries;
}

/* A dialogue that is left open must not give tries for nothing. */
static int
play_open_dialogue(struct monitor_client *mc)
{
	struct sasl_request req = { .ask = SASL_ASK_DIALOG,
	    .user = SPAN("joe"), .data = SPAN("x") };
	struct monitor_answer answer;
	int tries = 0;

	for (int i = 0; i < 2; i++)
		if (try_password(mc, "wrong") == GOT_NO)
			tries++;
	if (monitor_auth(mc, "SCRAM-SHA-256", &req, &answer) != 0)
		return tries;
	while (tries < 20 && try_password(mc, "wrong") == GOT_NO)
		tries++;
	return tries;
}

static int
play_handoff_without_login(struct monitor_client *mc)
{
	struct buf b;
	struct msg m;

	buf_init(&b, MSGPIPE_MAX + 2);
	if (monitor_handoff(mc, SPAN("a1"), SPAN_NONE, SPAN_NONE) != 0)
		return GOT_CUT_OFF;
	return msgpipe_recv(mc->fd, &b, deadline_in(WAIT_MS), &m) == ERR_EOF ?
	    GOT_CUT_OFF : GOT_NOTHING;
}

/* What only imapd-tls may ask, an unknown type, too much, too little. */
static int
play_raw(struct monitor_client *mc, uint16_t type, size_t n)
{
	struct buf b, in;
	struct msg m;

	buf_init(&b, MSGPIPE_MAX);
	buf_init(&in, MSGPIPE_MAX + 2);
	for (size_t i = 0; i < n; i++)
		buf_putc(&b, 0);
	if (msgpipe_send(mc->fd, type, &b, NULL, 0, mc->until) != 0)
		return GOT_CUT_OFF;
	return msgpipe_recv(mc->fd, &in, mc->until, &m) == ERR_EOF ?
	    GOT_CUT_OFF : GOT_NOTHING;
}

static int
play_cert(struct monitor_client *mc)
{
	return play_raw(mc, MON_CERT, 4);
}

static int
play_tls_done(struct monitor_client *mc)
{
	return play_raw(mc, MON_TLS_DONE, 17);
}

static int
play_proxy(struct monitor_client *mc)
{
	return play_raw(mc, MON_PROXY, 46);
}

static int
play_external(struct monitor_client *mc)
{
	return play_raw(mc, MON_AUTH_EXTERNAL, 4);
}

static int
play_next(struct monitor_client *mc)
{
	return play_raw(mc, MON_AUTH_DIALOG_NEXT, 4);
}

static int
play_unknown(struct monitor_client *mc)
{
	return play_raw(mc, 999, 0);
}

static int
play_too_long(struct monitor_client *mc)
{
	return play_raw(mc, MON_AUTH_PASSWORD, 60000);
}

static int
play_too_short(struct monitor_client *mc)
{
	return play_raw(mc, MON_AUTH_PASSWORD, 3);
}

/* ---- one run ----------------------------------------------------------- */

/* What monitor_run() returns; *ret_got is what the child saw. */
static int
run(int (*play)(struct monitor_client *), struct connection *c, int *ret_got)
{
	struct config *conf = config_new();
	struct monitor_client mc;
	struct forkers forkers = { { -1, -1 } };
	struct peer peer = { .has_address = false };
	struct buf err;
	int sv[2], client[2], status, r;
	char line[128];
	pid_t pid;

	buf_init(&err, CONFIG_ERROR_MAX);
	(void)snprintf(line, sizeof(line), "users = %s", users);
	assert_int_equal(config_set(conf, span_str(line), &err), 0);
	(void)snprintf(line, sizeof(line), "run_directory = %s/run", dir);
	assert_int_equal(config_set(conf, span_str(line), &err), 0);
	assert_int_equal(config_set(conf, SPAN("scram = yes"), &err), 0);
	if (is_proxy) {
		assert_int_equal(config_set(conf,
		    SPAN("proxy_networks = 127.0.0.1"), &err), 0);
		peer.has_address = true;
		assert_int_equal(ipaddr_parse(SPAN("127.0.0.1"),
		    &peer.remote), 0);
	}
	assert_int_equal(config_set(conf,
	    SPAN("libexec_directory = /nonexistent"), &err), 0);
	assert_int_equal(msgpipe_pair(&sv[0], &sv[1]), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, client), 0);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		close(sv[0]);
		monitor_client_init(&mc, become_login(sv[1]),
		    deadline_in(WAIT_MS));
		_exit(play(&mc));
	}
	close(sv[1]);
	forkers.fd[HELPER_LOGIN] = sv[0];
	log_open(LOG_TO_NONE, "test", LOG_ERR);
	connection_init(c, conf, client[0], client[0], &peer, LOG_TO_NONE);
	c->forkers = &forkers;
	r = monitor_run(c);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	*ret_got = WEXITSTATUS(status);
	close(sv[0]);
	close(client[0]);
	close(client[1]);
	buf_done(&err);
	return r;
}

static void
test_login(void **state)
{
	struct connection c;
	int got;

	(void)state;
	assert_int_equal(run(play_right_password, &c, &got), 0);
	assert_int_equal(got, GOT_LOGIN);
	assert_string_equal(c.user->name, "joe");
	assert_true(is_span_eq(c.tag, SPAN("a1")));
	assert_true(is_span_eq(c.unread, SPAN("b NOOP")));
	assert_true(is_span_eq(c.method, SPAN("LOGIN")));
	auth_user_free(c.user);
	config_free(c.conf);
	arena_free(c.arena);
}

static void
test_tries(void **state)
{
	struct connection c;
	int got;

	(void)state;
	assert_int_not_equal(run(play_guessing, &c, &got), 0);
	assert_int_equal(got, 3);
	config_free(c.conf);
	arena_free(c.arena);
	assert_int_not_equal(run(play_open_dialogue, &c, &got), 0);
	assert_true(got <= 3);
	config_free(c.conf);
	arena_free(c.arena);
}

static void
test_refused(void **state)
{
	static int (*const plays[])(struct monitor_client *) = {
		play_handoff_without_login, play_cert, play_tls_done,
		play_proxy, play_external, play_next, play_unknown,
		play_too_long, play_too_short,
	};
	struct connection c;
	int got;

	(void)state;
	for (size_t i = 0; i < sizeof(plays) / sizeof(plays[0]); i++) {
		assert_int_not_equal(run(plays[i], &c, &got), 0);
		assert_int_equal(got, GOT_CUT_OFF);
		assert_null(c.user);
		config_free(c.conf);
		arena_free(c.arena);
	}
}

/* Behind a proxy nobody is let in before the header says who it is. */
static void
test_proxy_first(void **state)
{
	struct connection c;
	int got;

	(void)state;
	is_proxy = true;
	assert_int_not_equal(run(play_right_password, &c, &got), 0);
	assert_int_equal(got, GOT_CUT_OFF);
	is_proxy = false;
	config_free(c.conf);
	arena_free(c.arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_login),
		cmocka_unit_test(test_tries),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_proxy_first),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
