/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * tls_main.c: the program imapd-tls: the handshake, the dialogue before login
 * inside TLS, and the relay for the rest of the connection.
 */
#include <signal.h>
#include <unistd.h>

#include "base/log.h"
#include "imapd/process/dialogue.h"
#include "imapd/process/image.h"
#include "imapd/process/relay.h"
#include "imapd/process/tls.h"

#define RETRY_MS	300	/* a certificate that is being replaced */
#define EXPIRY_DAYS	10	/* log from here on */

/* Of a forker: made before the sandbox, inherited by each child. */
static struct tls_ctx *prepared;

static void
log_certificate(const char *event, const char *name, const char *reason)
{
	log_begin(LOG_ERR, event);
	log_str("name", name[0] == '\0' ? "default" : name);
	log_str("reason", reason);
	log_end();
}

static void
log_expiry(const struct tls_ctx *ctx)
{
	int days = tls_ctx_days(ctx);

	if (days >= EXPIRY_DAYS)
		return;
	log_begin(LOG_WARNING, "certificate-expiry");
	log_uint("days", days < 0 ? 0 : (uint64_t)days);
	log_end();
}

static int
prepare(struct dec *d, struct arena *arena)
{
	struct settings_tls *set = ARENA_NEW(arena, struct settings_tls);
	struct cert_files files;
	int err;

	settings_get_tls(d, arena, set);
	certfile_get(d, &files);
	if ((err = dec_end(d)) != 0)
		return err;
	/* If they are no good now, each connection tries for itself. */
	if (tls_ctx_new(set, &files, &prepared) == 0)
		log_expiry(prepared);
	else
		prepared = NULL;
	return 0;
}

/* ---- certificates from the monitor ------------------------------------- */

struct finder {
	struct monitor_client *mc;
	const struct settings_tls *set;
	struct tls_ctx *named;
};

/*
 * The context for a name.  A key and a chain that do not match are looked at
 * once more after a pause: that is what a renewal looks like from here.
 */
static int ERR_CHECK
load(struct monitor_client *mc, const struct settings_tls *set,
    struct span name, struct tls_ctx **ret)
{
	struct cert_files files;
	int err;

	for (int i = 0; i < 2; i++) {
		if (i > 0)
			deadline_sleep(deadline_in(RETRY_MS));
		if ((err = monitor_cert(mc, name, &files)) != 0)
			return err;
		if ((err = tls_ctx_new(set, &files, ret)) != ERR_CORRUPT)
			break;
	}
	return err;
}

static struct tls_ctx *
find(void *cookie, struct span name)
{
	struct finder *f = cookie;
	char text[256];
	int err;

	if (!f->set->has_names || f->named != NULL || name.n == 0 ||
	    name.n >= sizeof(text))
		return NULL;
	err = load(f->mc, f->set, name, &f->named);
	if (err == 0)
		return f->named;
	if (err == ERR_CORRUPT) {
		memcpy(text, name.p, name.n);
		text[name.n] = '\0';
		log_certificate("certificate-bad", text, tls_error());
	}
	return NULL;	/* the default will do, or the client complains */
}

/* ---- one connection ---------------------------------------------------- */

static void
say_goodbye(struct tls *tls, const struct image_fds *fds)
{
	if (tls_try_close(tls) == TLS_OK)
		image_linger(fds);
}

static void
converse(struct monitor_client *mc, const struct settings *s,
    const struct image_fds *fds, struct arena *arena, struct tls *tls)
{
	struct settings_peer peer;
	struct sasl_binding binding;
	struct tls_facts facts;
	struct dialogue dlg = { .monitor = mc, .settings = s, .peer = &peer,
	    .binding = &binding, .is_greeted = s->is_starttls };
	enum dialogue_end end;
	const char *why;

	tls_facts(tls, &facts);
	tls_binding(tls, &binding);
	if (monitor_tls_done(mc, &facts, arena, &peer) != 0)
		return;
	dlg.in = wire_in_new((struct wire_source){ tls_read, tls });
	dlg.out = wire_out_new((struct wire_sink){ tls_write, tls },
	    s->stall_ms);
	end = dialogue_run(&dlg);
	wire_out_free(dlg.out);
	wire_in_free(dlg.in);
	if (end == DIALOGUE_LOGIN) {
		/* Nobody listens any more, and the session has the timeouts
		 * and the last word: SIGTERM is not for us. */
		(void)!fdio_ignore(SIGTERM);
		close(mc->fd);
		why = relay_run(tls, fds->in, fds->out, fds->relay);
		log_begin(LOG_DEBUG, "tls-end");
		log_str("reason", why);
		log_end();
		close(fds->relay);
	}
	say_goodbye(tls, fds);
}

static void
log_handshake(int err)
{
	/* Port scanners and health checks just go away. */
	log_begin(err == ERR_EOF ? LOG_DEBUG : LOG_INFO, "tls-failed");
	log_str("reason", err == ERR_SYNTAX ? tls_error() : err_text(err));
	log_end();
}

static void
serve(struct monitor_client *mc, const struct settings *s,
    const struct image_fds *fds, struct arena *arena)
{
	struct finder finder = { .mc = mc, .set = &s->tls };
	struct tls_ctx *ctx = prepared;
	struct settings_peer peer;
	struct tls *tls;
	int err = 0;

	if (image_proxy(mc, s, fds, arena, &peer) != 0)
		return;
	if (ctx == NULL && (err = load(mc, &s->tls, SPAN_NONE, &ctx)) != 0) {
		log_certificate("certificate-bad", "", err == ERR_NOENT ?
		    "no certificate is configured" : tls_error());
		return;
	}
	if (prepared == NULL)
		log_expiry(ctx);
	err = tls_accept(ctx, &s->tls, &(struct tls_fds){ fds->in, fds->out,
	    mc->fd }, s->until, find, &finder, &tls);
	if (err != 0) {
		log_handshake(err);
		return;
	}
	converse(mc, s, fds, arena, tls);
	tls_free(tls);
	tls_ctx_free(finder.named);
	if (prepared == NULL)
		tls_ctx_free(ctx);
}

int
main(int argc, char *argv[])
{
	static const struct image image = { "imapd-tls", prepare, serve };

	return image_main(argc, argv, &image);
}
