// Copyright (c) 2026 the imapd authors
// SPDX-License-Identifier: ISC
//
// imapflow_qresync.js PORT USER PASSWORD: a Node mail client with QRESYNC that
// comes back twice, and another one that changes the mailbox meanwhile; prints
// one JSON object for test_clients.py to judge.
"use strict";
const { ImapFlow } = require("imapflow");

const [port, user, pass] = process.argv.slice(2);

async function open(qresync, options, seen) {
	const client = new ImapFlow({
		host: "127.0.0.1", port: Number(port), secure: true,
		auth: { user, pass }, logger: false, qresync,
		tls: { rejectUnauthorized: false },
	});
	client.on("expunge", (e) => seen.expunged.push([e.uid, e.earlier]));
	client.on("flags", (e) => seen.flags.push([e.uid, [...e.flags]]));
	await client.connect();
	await client.mailboxOpen("INBOX", options);
	return client;
}

function nothing() {
	return { expunged: [], flags: [] };
}

async function main() {
	const out = { live: nothing(), back: nothing() };
	const client = await open(true, {}, out.live);
	const other = await open(false, {}, nothing());
	const since = client.mailbox.highestModseq;
	const uidValidity = client.mailbox.uidValidity;

	out.enabled = [...client.enabled].sort();
	await other.messageFlagsAdd("3", ["\\Flagged"], { uid: true });
	await other.messageDelete("2", { uid: true });
	await client.noop();
	out.stale = await client.messageFlagsSet("3", ["\\Seen"],
	    { uid: true, unchangedSince: since });
	out.changed = [];
	for await (const m of client.fetch("1:*", { uid: true, flags: true },
	    { uid: true, changedSince: since }))
		out.changed.push([m.uid, [...m.flags], m.modseq > since]);
	out.status = (await other.status("INBOX",
	    { highestModseq: true })).highestModseq > since;
	await client.logout();

	const back = await open(true, { changedSince: since, uidValidity },
	    out.back);
	out.is_qresync = back.mailbox.qresync;
	await back.logout();
	await other.logout();
	console.log(JSON.stringify(out));
}

main().catch((e) => {
	console.error(e);
	process.exit(1);
});
