/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * config_keys.h: the table of keys.  Included several times, with
 *
 *	CONFIG_KEY(type, name, default, min, max, choices)
 *
 * defined each time to what is wanted of it: the members of struct config, the
 * rows of the parser and of imapd -T.  tests/lint compares it with
 * imapd.conf(5).  The default is text, read by the parser like a value in the
 * file; an empty one means unset.
 *
 *	FLAG	yes or no			bool
 *	NUMBER	decimal, min..max		uint64_t
 *	TIME	90, 90s, 10m, 12h, 1d; seconds	uint64_t milliseconds
 *	SIZE	bytes, or with k, M, G		uint64_t
 *	CHOICE	one of choices			int, its position
 *	STRING	any text			const char *, NULL if unset
 *	PATH	absolute path			const char *, NULL if unset
 *	NETS	networks, by blanks or commas	struct config_nets
 *	LINES	text; may be given repeatedly	struct config_lines
 */

/* ---- listening (imapd -l) and TLS -------------------------------------- */
CONFIG_KEY(STRING, listen, "imap:*:143 imaps:*:993", 0, 0, NULL)
CONFIG_KEY(STRING, imaps_ports, "993", 0, 0, NULL)
CONFIG_KEY(NETS, proxy_networks, "", 0, 0, NULL)
CONFIG_KEY(NUMBER, max_connections, "2000", 1, 100000, NULL)
CONFIG_KEY(NUMBER, max_connections_address, "200", 1, 100000, NULL)
CONFIG_KEY(STRING, tls_cert, "", 0, 0, NULL)
CONFIG_KEY(STRING, tls_key, "", 0, 0, NULL)
CONFIG_KEY(PATH, tls_directory, "", 0, 0, NULL)
CONFIG_KEY(PATH, tls_client_ca, "", 0, 0, NULL)
CONFIG_KEY(FLAG, tls_client_require, "no", 0, 0, NULL)
CONFIG_KEY(FLAG, tls_legacy, "no", 0, 0, NULL)
CONFIG_KEY(STRING, tls_ciphers, "", 0, 0, NULL)
CONFIG_KEY(TIME, tls_ticket_lifetime, "12h", 0, 7 * 86400, NULL)

/* ---- processes --------------------------------------------------------- */
CONFIG_KEY(PATH, run_directory, RUNSTATEDIR "/imapd", 0, 0, NULL)
CONFIG_KEY(PATH, libexec_directory, LIBEXECDIR, 0, 0, NULL)
CONFIG_KEY(STRING, login_user, "imapd-login nobody", 0, 0, NULL)
CONFIG_KEY(PATH, chroot_directory, "", 0, 0, NULL)
CONFIG_KEY(CHOICE, sandbox, "yes", 0, 0, "no yes require")

/* ---- who may log in ---------------------------------------------------- */
CONFIG_KEY(PATH, users, "", 0, 0, NULL)
CONFIG_KEY(FLAG, system_users, "no", 0, 0, NULL)
CONFIG_KEY(STRING, checkpassword, "", 0, 0, NULL)
CONFIG_KEY(STRING, default_scheme, "CRYPT", 0, 0, NULL)
CONFIG_KEY(FLAG, fold_user_names, "yes", 0, 0, NULL)
CONFIG_KEY(FLAG, allow_weak, "no", 0, 0, NULL)
CONFIG_KEY(SIZE, argon2_max_memory, "128M", 1024 * 1024, 1ULL << 32, NULL)
CONFIG_KEY(TIME, crypt_max_time, "5s", 1, 60, NULL)
CONFIG_KEY(FLAG, plaintext_auth, "no", 0, 0, NULL)
CONFIG_KEY(NETS, plaintext_networks, "127.0.0.0/8 ::1", 0, 0, NULL)
CONFIG_KEY(PATH, secret_file, "", 0, 0, NULL)
CONFIG_KEY(CHOICE, scram, "auto", 0, 0, "no yes auto")
CONFIG_KEY(FLAG, cram_md5, "no", 0, 0, NULL)
CONFIG_KEY(FLAG, anonymous, "no", 0, 0, NULL)
CONFIG_KEY(STRING, anonymous_user, "", 0, 0, NULL)
CONFIG_KEY(TIME, login_timeout, "60s", 5, 600, NULL)
CONFIG_KEY(NUMBER, max_connections_user, "50", 1, 10000, NULL)

/* ---- where their mail is ----------------------------------------------- */
CONFIG_KEY(STRING, mail, "maildir:%h/Maildir", 0, 0, NULL)
CONFIG_KEY(STRING, home, "", 0, 0, NULL)
CONFIG_KEY(STRING, mail_uid, "", 0, 0, NULL)
CONFIG_KEY(STRING, mail_gid, "", 0, 0, NULL)
CONFIG_KEY(STRING, quota, "none", 0, 0, NULL)
CONFIG_KEY(FLAG, fsync, "yes", 0, 0, NULL)
CONFIG_KEY(TIME, lock_timeout, "2m", 1, 600, NULL)
CONFIG_KEY(CHOICE, separator, "/", 0, 0, "/ .")
CONFIG_KEY(FLAG, inbox_prefix, "no", 0, 0, NULL)
CONFIG_KEY(FLAG, utf8_names, "no", 0, 0, NULL)

/* ---- what clients may do ----------------------------------------------- */
CONFIG_KEY(TIME, idle_timeout, "30m", 1800, 7 * 86400, NULL)
CONFIG_KEY(TIME, idle_notify, "20m", 0, 86400, NULL)
CONFIG_KEY(TIME, keepalive, "10m", 0, 86400, NULL)
CONFIG_KEY(TIME, stall_timeout, "5m", 10, 3600, NULL)
CONFIG_KEY(SIZE, max_line, "2M", 8192, 1 << 30, NULL)
CONFIG_KEY(SIZE, append_limit, "128M", 1024, UINT32_MAX, NULL)
CONFIG_KEY(STRING, capability, "", 0, 0, NULL)
CONFIG_KEY(LINES, capability_networks, "", 0, 0, NULL)
CONFIG_KEY(STRING, id, "name=imapd", 0, 0, NULL)
CONFIG_KEY(STRING, autocreate, "", 0, 0, NULL)
CONFIG_KEY(STRING, special_drafts, "Drafts|Draft|Entwürfe|Brouillons|"
    "Borradores|Bozze|Concepten|Rascunhos|Utkast|Kladder|Luonnokset|"
    "Kopie robocze|Koncepty|Черновики|下書き|草稿", 0, 0, NULL)
CONFIG_KEY(STRING, special_sent, "Sent|Sent Items|Sent Messages|Sent Mail|"
    "Gesendet|Gesendete Objekte|Gesendete Elemente|Envoyés|"
    "Éléments envoyés|Messages envoyés|Enviados|Elementos enviados|"
    "Posta inviata|Inviata|Verzonden|Verzonden items|Itens enviados|Skickat|"
    "Sendt|Lähetetyt|Wysłane|Odeslané|Отправленные|送信済み|已发送", 0, 0, NULL)
CONFIG_KEY(STRING, special_junk, "Junk|Spam|Junk E-mail|Junk Email|Junk Mail|"
    "Bulk Mail|Spamverdacht|Werbung|Courrier indésirable|Indésirables|"
    "Correo no deseado|Posta indesiderata|Ongewenste e-mail|"
    "Lixo eletrônico|Skräppost|Roskaposti|Спам|迷惑メール|垃圾邮件", 0, 0,
    NULL)
CONFIG_KEY(STRING, special_trash, "Trash|Deleted Items|Deleted Messages|Bin|"
    "Rubbish|Deleted|Papierkorb|Gelöschte Objekte|Gelöschte Elemente|"
    "Corbeille|Éléments supprimés|Papelera|Elementos eliminados|Cestino|"
    "Prullenbak|Verwijderde items|Lixo|Lixeira|Papperskorg|Papirkurv|"
    "Roskakori|Kosz|Koš|Корзина|ゴミ箱|已删除", 0, 0, NULL)
CONFIG_KEY(STRING, special_archive, "Archive|Archives|Archiv|Archivo|"
    "Archivio|Archief|Arquivo|Arkiv|Arkisto|Archiwum|Архив|アーカイブ|归档",
    0, 0, NULL)

/* ---- the log ----------------------------------------------------------- */
CONFIG_KEY(CHOICE, log, "auto", 0, 0, "auto syslog stderr none")
CONFIG_KEY(CHOICE, log_level, "info", 0, 0, "error warning notice info debug")
CONFIG_KEY(PATH, trace_directory, "", 0, 0, NULL)
