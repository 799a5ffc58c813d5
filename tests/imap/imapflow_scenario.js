// Copyright (c) 2026 the imapd authors
// SPDX-License-Identifier: ISC
//
// imapflow_scenario.js PORT USER PASSWORD: what a Node mail client does; prints
// one JSON object for test_clients.py to judge.
"use strict";
const { ImapFlow } = require("imapflow");

const [port, user, pass] = process.argv.slice(2);

async function main() {
	const client = new ImapFlow({
		host: "127.0.0.1", port: Number(port), secure: true,
		auth: { user, pass }, logger: false,
		tls: { rejectUnauthorized: false },
	});
	const out = {};
	await client.connect();
	out.mailboxes = (await client.list()).map((m) => m.path).sort();
	const lock = await client.getMailboxLock("INBOX");
	try {
		out.exists = client.mailbox.exists;
		out.subjects = [];
		for await (const m of client.fetch("1:*", {
			envelope: true, flags: true, bodyStructure: true,
			source: true, uid: true,
		})) {
			out.subjects.push([m.uid, m.envelope.subject,
			    m.source.length, m.bodyStructure.type]);
		}
		out.search = await client.search({ subject: "Second" },
		    { uid: true });
		await client.messageFlagsAdd("2", ["\\Flagged", "$node"],
		    { uid: true });
		const r = await client.append("INBOX",
		    "Subject: from node\r\n\r\nhello\r\n", ["\\Seen"]);
		out.appended = r.uid;
		await client.mailboxCreate("Node");
		const moved = await client.messageMove("1", "Node",
		    { uid: true });
		out.moved = Array.from(moved.uidMap || []);
	} finally {
		lock.release();
	}
	await client.logout();
	console.log(JSON.stringify(out));
}

main().catch((e) => {
	console.error(e);
	process.exit(1);
});
