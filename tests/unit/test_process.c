/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * The parts of imapd/process that are functions of their input.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/ipnet.h"
#include "imapd/process/config.h"
#include "imapd/process/proxy.h"
#include "imapd/process/runfile.h"
#include "imapd/process/settings.h"

/* ---- config ------------------------------------------------------------ */

static char dir[] = "/tmp/test_process.XXXXXX";

static int
make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) == NULL;
}

static int
remove_dir(void **state)
{
	char command[64];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static const char *
write_file(const char *name, const char *text)
{
	static char path[64];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	return path;
}

static void
test_config_defaults(void **state)
{
	struct config *conf = config_new();
	struct buf err;

	(void)state;
	buf_init(&err, CONFIG_ERROR_MAX);
	assert_int_equal(config_check(conf, &err), 0);
	assert_int_equal(conf->max_line, 2 * 1024 * 1024);
	assert_int_equal(conf->idle_timeout, 30 * 60 * 1000);
	assert_int_equal(conf->sandbox, SANDBOX_YES);
	assert_null(conf->users);
	assert_string_equal(conf->mail, "maildir:%h/Maildir");
	assert_int_equal(conf->plaintext_networks.n, 2);
	buf_done(&err);
	config_free(conf);
}

static void
test_config_read(void **state)
{
	struct config *conf = config_new();
	const char *path;
	struct buf err;

	(void)state;
	buf_init(&err, CONFIG_ERROR_MAX);
	write_file("b.conf", "max_line = 64k\nlogin_timeout=2m\n");
	path = write_file("a.conf", "# comment\n\n"
	    "users = /etc/imapd/users   # here\r\n"
	    "include = b.conf\n"
	    "capability_networks = 10.0.0.0/8 -IDLE\n"
	    "capability_networks = 2001:db8::/32 -UIDONLY -ESEARCH\n"
	    "separator = .\nproxy_networks = 10.0.0.1, 192.0.2.0/24");
	assert_int_equal(config_read(conf, path, &err), 0);
	assert_string_equal(conf->users, "/etc/imapd/users");
	assert_int_equal(conf->max_line, 64 * 1024);
	assert_int_equal(conf->login_timeout, 120 * 1000);
	assert_int_equal(conf->capability_networks.n, 2);
	assert_int_equal(conf->separator, SEPARATOR_DOT);
	assert_int_equal(conf->proxy_networks.n, 2);
	assert_int_equal(conf->files.n, 2);
	assert_int_equal(config_set(conf, SPAN("fsync = no"), &err), 0);
	assert_false(conf->fsync);
	buf_done(&err);
	config_free(conf);
}

static void
test_config_bad(void **state)
{
	static const struct {
		const char *text, *complaint;
	} bad[] = {
		{ "\n\ncolour = red\n", ":3: unknown key \"colour\"" },
		{ "users\n", ":1: not \"key = value\": \"users\"" },
		{ "max_line = 12\n", "max_line is out of range: \"12\"" },
		{ "max_line = 99999999999G\n", "max_line is out of range" },
		{ "max_line = x\n", "max_line is not a number: \"x\"" },
		{ "idle_timeout = 5m\n", "idle_timeout is out of range" },
		{ "users = etc\n", "users is not an absolute path: \"etc\"" },
		{ "sandbox = maybe\n", "not one of the choices: \"maybe\"" },
		{ "fsync = 1\n", "fsync is neither yes nor no: \"1\"" },
		{ "proxy_networks = 10.0.0.1/8\n", "not a list of networks" },
		{ "include = none.conf\n", ":1: no such file \"none.conf\"" },
		{ "include = a.conf\n", "include is not possible here" },
		{ "log = \xff\n", "log is not one of the choices" },
	};
	struct config *conf;
	const char *path;
	struct buf err;

	(void)state;
	buf_init(&err, CONFIG_ERROR_MAX);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		conf = config_new();
		path = write_file("a.conf", bad[i].text);
		assert_int_equal(config_read(conf, path, &err), ERR_CONFIG);
		assert_non_null(strstr(buf_cstr(&err), bad[i].complaint));
		config_free(conf);
	}
	conf = config_new();
	assert_int_equal(config_read(conf, "/none/none", &err), ERR_NOENT);
	config_free(conf);
	buf_done(&err);
}

static void
test_config_print(void **state)
{
	struct config *a = config_new(), *b = config_new();
	struct buf err, one, two;

	(void)state;
	buf_init(&err, CONFIG_ERROR_MAX);
	buf_init(&one, 65536);
	buf_init(&two, 65536);
	assert_int_equal(config_set(a, SPAN("keepalive = 7m"), &err), 0);
	assert_int_equal(config_set(a, SPAN("append_limit = 3M"), &err), 0);
	assert_int_equal(config_set(a, SPAN("scram = yes"), &err), 0);
	assert_int_equal(config_set(a, SPAN("capability_networks ="
	    " 10.0.0.0/8 -IDLE"), &err), 0);
	config_print(a, &one);
	assert_int_equal(config_read(b, write_file("a.conf", buf_cstr(&one)),
	    &err), 0);
	config_print(b, &two);
	assert_string_equal(buf_cstr(&one), buf_cstr(&two));
	buf_done(&err);
	buf_done(&one);
	buf_done(&two);
	config_free(a);
	config_free(b);
}

static void
test_config_check(void **state)
{
	static const char *const lines[] = {
		"tls_cert = /a", "tls_client_require = yes", "anonymous = yes",
		"capability_networks = IDLE", "capability_networks = ::1",
		"quota = 1G", "quota = *:storage=1X",
	};
	struct config *conf;
	struct buf err;

	(void)state;
	buf_init(&err, CONFIG_ERROR_MAX);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		conf = config_new();
		assert_int_equal(config_set(conf, span_str(lines[i]), &err),
		    0);
		assert_int_equal(config_check(conf, &err), ERR_CONFIG);
		config_free(conf);
	}
	buf_done(&err);
}

static void
test_config_capability(void **state)
{
	struct config *conf = config_new();
	struct ipaddr addr;
	struct buf err, mask;

	(void)state;
	buf_init(&err, CONFIG_ERROR_MAX);
	buf_init(&mask, 1024);
	assert_int_equal(config_set(conf, SPAN("capability = -MOVE"), &err), 0);
	assert_int_equal(config_set(conf, SPAN("capability_networks = "
	    "192.0.2.0/24 -IDLE -ID"), &err), 0);
	assert_int_equal(ipaddr_parse(SPAN("192.0.2.7"), &addr), 0);
	config_capability_put(conf, &addr, &mask);
	assert_string_equal(buf_cstr(&mask), "-MOVE -IDLE -ID");
	buf_clear(&mask);
	assert_int_equal(ipaddr_parse(SPAN("192.0.3.7"), &addr), 0);
	config_capability_put(conf, &addr, &mask);
	assert_string_equal(buf_cstr(&mask), "-MOVE");
	buf_done(&err);
	buf_done(&mask);
	config_free(conf);
}

/* ---- base/ipnet -------------------------------------------------------- */

static void
test_ipnet(void **state)
{
	static const char *const bad[] = {
		"", "1.2.3", "1.2.3.4/33", "1.2.3.4/8", "::1/129", "1.2.3.4/",
		"1.2.3.4/x", "fe80::1%eth0", "[::1]", "localhost",
	};
	struct ipnet net;
	struct ipaddr addr;
	char text[IPNET_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(ipnet_parse(span_str(bad[i]), &net),
		    ERR_SYNTAX);
	assert_int_equal(ipnet_parse(SPAN("10.1.0.0/16"), &net), 0);
	assert_int_equal(net.bits, 112);
	assert_int_equal(ipaddr_parse(SPAN("10.1.255.3"), &addr), 0);
	assert_true(is_ipnet_member(&net, &addr));
	ipaddr_print(&addr, text);
	assert_string_equal(text, "10.1.255.3");
	assert_int_equal(ipaddr_parse(SPAN("::ffff:10.1.0.9"), &addr), 0);
	assert_true(is_ipnet_member(&net, &addr));
	assert_int_equal(ipaddr_parse(SPAN("10.2.0.0"), &addr), 0);
	assert_false(is_ipnet_member(&net, &addr));
	assert_int_equal(ipnet_parse(SPAN("::/0"), &net), 0);
	assert_true(is_ipnet_member(&net, &addr));
	assert_int_equal(ipaddr_parse(SPAN("2001:db8::1"), &addr), 0);
	ipaddr_print(&addr, text);
	assert_string_equal(text, "2001:db8::1");
	assert_false(is_ipaddr_loopback(&addr));
	assert_int_equal(ipaddr_parse(SPAN("::1"), &addr), 0);
	assert_true(is_ipaddr_loopback(&addr));
	assert_int_equal(ipaddr_parse(SPAN("127.9.9.9"), &addr), 0);
	assert_true(is_ipaddr_loopback(&addr));
}

/* ---- PROXY protocol ---------------------------------------------------- */

/* Read s as image_proxy() does: never more than is asked for.  What is left. */
static enum proxy_outcome
feed(struct span s, struct proxy_header *h, size_t *ret_taken)
{
	enum proxy_outcome outcome;
	size_t have = 0, n = 0;

	while ((outcome = proxy_parse(span_take(s, have), h, &n)) ==
	    PROXY_MORE) {
		assert_true(n > 0);
		if (have + n > s.n)
			return PROXY_MORE;
		have += n;
		assert_true(have <= PROXY_MAX);
	}
	*ret_taken = have;
	return outcome;
}

static void
check_proxy(struct span header, const char *remote, uint16_t port, bool is_tls)
{
	uint8_t text[512];
	struct proxy_header h = { .has_addresses = false };
	char addr[IPNET_TEXT_MAX];
	size_t taken = 0;

	/* What follows the header must not be touched. */
	memcpy(text, header.p, header.n);
	memcpy(text + header.n, "a1 NOOP\r\n", 9);
	assert_int_equal(feed(span_of(text, header.n + 9), &h, &taken),
	    PROXY_DONE);
	assert_int_equal(taken, header.n);
	assert_int_equal(h.has_addresses, remote != NULL);
	assert_int_equal(h.is_tls, is_tls);
	if (remote != NULL) {
		ipaddr_print(&h.remote, addr);
		assert_string_equal(addr, remote);
		assert_int_equal(h.remote_port, port);
	}
	/* Each prefix wants more. */
	for (size_t i = 0; i < header.n; i++)
		assert_int_equal(feed(span_take(header, i), &h, &taken),
		    PROXY_MORE);
}

#define V2(rest)	"\r\n\r\n\0\r\nQUIT\n" rest
#define V4_PORTS	"\xc0\x00\x02\x01" "\xc0\x00\x02\x02" "\x10\x00\x00\x8f"

static void
test_proxy_good(void **state)
{
	(void)state;
	check_proxy(SPAN("PROXY TCP4 192.0.2.1 192.0.2.2 56324 143\r\n"),
	    "192.0.2.1", 56324, false);
	check_proxy(SPAN("PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n"),
	    "2001:db8::1", 1, false);
	check_proxy(SPAN("PROXY UNKNOWN\r\n"), NULL, 0, false);
	check_proxy(SPAN("PROXY UNKNOWN ff:ff any thing\r\n"), NULL, 0,
	    false);
	check_proxy(SPAN(V2("\x21\x11\x00\x0c" V4_PORTS)), "192.0.2.1", 4096,
	    false);
	check_proxy(SPAN(V2("\x21\x11\x00\x14" V4_PORTS
	    "\x20\x00\x05\x01\x00\x00\x00\x00")), "192.0.2.1", 4096, true);
	check_proxy(SPAN(V2("\x21\x11\x00\x14" V4_PORTS
	    "\x20\x00\x05\x00\x00\x00\x00\x00")), "192.0.2.1", 4096, false);
	check_proxy(SPAN(V2("\x20\x00\x00\x00")), NULL, 0, false);
	check_proxy(SPAN(V2("\x21\x31\x00\x02xx")), NULL, 0, false);
}

static void
test_proxy_bad(void **state)
{
	static const struct span bad[] = {
		{ (const uint8_t *)"GET / HTTP/1.0\r\n\r\n", 18 },
		{ (const uint8_t *)"PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n", 30 },
		{ (const uint8_t *)"PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n", 34 },
		{ (const uint8_t *)"PROXY TCP4 ::1 ::1 1 2\r\n", 24 },
		{ (const uint8_t *)"PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n", 32 },
		{ (const uint8_t *)"PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n",
		    36 },
		{ (const uint8_t *)"PROXY TCP4 1.2.3.4 1.2.3.4 -1 2\r\n", 33 },
		{ (const uint8_t *)"PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n", 31 },
		{ (const uint8_t *)"PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n", 32 },
		{ (const uint8_t *)V2("\x11\x11\x00\x0c" V4_PORTS), 28 },
		{ (const uint8_t *)V2("\x22\x11\x00\x0c" V4_PORTS), 28 },
		{ (const uint8_t *)V2("\x21\x11\x00\x04" V4_PORTS), 28 },
		{ (const uint8_t *)V2("\x21\x11\xff\xff" V4_PORTS), 28 },
		{ (const uint8_t *)V2("\x21\x11\x00\x0f" V4_PORTS
		    "\x20\xff\xff"), 31 },
	};
	struct proxy_header h;
	uint8_t line[300];
	size_t taken;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(feed(bad[i], &h, &taken), PROXY_BAD);
	memset(line, 'x', sizeof(line));
	memcpy(line, "PROXY ", 6);
	assert_int_equal(feed(span_of(line, sizeof(line)), &h, &taken),
	    PROXY_BAD);
}

/* ---- settings ---------------------------------------------------------- */

static void
test_settings(void **state)
{
	struct arena *arena = arena_new(1024);
	struct settings s = { .until = { 77 }, .stall_ms = 5 }, t;
	struct buf b;
	struct dec d;

	(void)state;
	s.rights = (struct settings_rights){ true, 12, 34, "/run/empty",
	    SANDBOX_REQUIRE, LOG_TO_SYSLOG, LOG_DEBUG };
	s.tls.ciphers = "HIGH";
	s.tls.client_ca = SPAN("PEM");
	s.tls.nticket = 2;
	s.tls.ticket_seconds = 86400;
	s.tls.is_legacy = true;
	memset(&s.tls.ticket[1], 7, sizeof(s.tls.ticket[1]));
	s.peer.mechs = 5;
	s.peer.capability_mask = SPAN("-IDLE");
	s.want_proxy = true;
	s.session = SPAN("abc");
	s.id = SPAN("name=imapd");
	buf_init(&b, 65536);
	settings_put(&b, &s);
	d = dec_init(buf_span(&b));
	settings_get(&d, arena, &t);
	assert_int_equal(dec_end(&d), 0);
	assert_int_equal(t.rights.uid, 12);
	assert_string_equal(t.rights.chroot, "/run/empty");
	assert_int_equal(t.tls.nticket, 2);
	assert_int_equal(t.tls.ticket_seconds, 86400);
	assert_memory_equal(&t.tls.ticket[1], &s.tls.ticket[1],
	    sizeof(s.tls.ticket[1]));
	assert_true(t.tls.is_legacy && t.want_proxy && !t.is_starttls);
	assert_true(is_span_eq(t.peer.capability_mask, SPAN("-IDLE")));
	assert_true(is_span_eq(t.id, SPAN("name=imapd")));
	/* Cut anywhere it is an error, never a crash. */
	for (size_t i = 0; i < b.n; i++) {
		d = dec_init(span_take(buf_span(&b), i));
		settings_get(&d, arena, &t);
		assert_int_not_equal(dec_end(&d), 0);
	}
	buf_done(&b);
	arena_free(arena);
}

/* ---- the run directory ------------------------------------------------- */

static void
test_runfile(void **state)
{
	struct settings_tls one = { .nticket = 0 }, two = { .nticket = 0 };
	char run[64];
	int fd[3];

	(void)state;
	(void)snprintf(run, sizeof(run), "%s/run", dir);
	runfile_tickets(run, 1000 * 1000, &one);
	runfile_tickets(run, 1000 * 1000, &two);
	assert_int_equal(one.nticket, 1);
	assert_memory_equal(&one.ticket[0], &two.ticket[0],
	    sizeof(one.ticket[0]));
	assert_int_equal(one.ticket_seconds, 2000);
	runfile_tickets(run, 0, &two);
	assert_int_equal(two.nticket, 0);

	assert_int_equal(runfile_failures(run, SPAN("192.0.2.1")), 0);
	runfile_failed(run, SPAN("192.0.2.1"));
	runfile_failed(run, SPAN("192.0.2.1"));
	assert_int_equal(runfile_failures(run, SPAN("192.0.2.1")), 2);
	assert_int_equal(runfile_failures(run, SPAN("192.0.2.2")), 0);

	assert_int_equal(runfile_slot(run, SPAN("joe"), 2, &fd[0]), 0);
	assert_int_equal(runfile_slot(run, SPAN("joe"), 2, &fd[1]), 0);
	assert_int_equal(runfile_slot(run, SPAN("joe"), 2, &fd[2]), ERR_BUSY);
	assert_int_equal(runfile_slot(run, SPAN("jane"), 2, &fd[2]), 0);
	close(fd[0]);
	assert_int_equal(runfile_slot(run, SPAN("joe"), 2, &fd[0]), 0);
	for (int i = 0; i < 3; i++)
		close(fd[i]);

	/* Where nothing can be written nothing is refused. */
	assert_int_equal(runfile_slot("/proc/none", SPAN("joe"), 1, &fd[0]),
	    0);
	assert_int_equal(fd[0], -1);
	runfile_failed("/proc/none", SPAN("x"));
	assert_int_equal(runfile_failures("/proc/none", SPAN("x")), 0);
	runfile_tickets("/proc/none", 1000, &one);
	assert_int_equal(one.nticket, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_config_defaults),
		cmocka_unit_test(test_config_read),
		cmocka_unit_test(test_config_bad),
		cmocka_unit_test(test_config_print),
		cmocka_unit_test(test_config_check),
		cmocka_unit_test(test_config_capability),
		cmocka_unit_test(test_ipnet),
		cmocka_unit_test(test_proxy_good),
		cmocka_unit_test(test_proxy_bad),
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_runfile),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
