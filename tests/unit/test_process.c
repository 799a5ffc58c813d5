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
	static const char *const names[] = { "a.conf", "b.conf" };
	char path[64];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		(void)unlink(path);
	}
	return rmdir(dir);
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
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
