// A server that has no profile yet: how to get the first one, with this server's
// address in every command.  Turns into the graph by itself when one arrives.

import { useState } from "preact/hooks";
import * as api from "../api";
import { useLoad } from "../load";
import { visible } from "../text";

interface Way { title: string; why: string; command: string }

export function ways(origin: string): Way[] {
	return [
		{ title: "A program, unchanged", why: "Any dynamically linked program; nothing is rebuilt.",
			command: `everprof run --server ${origin} -- ./your-program` },
		{ title: "Every process of a machine", why: "With eBPF, as root; names each service by itself.",
			command: `sudo everprof agent --server ${origin}` },
		{ title: "A C program, with labels", why: "Link the library and call everprof_start(NULL); then start it so:",
			command: `EVERPROF_SERVER=${origin} ./your-program` },
		{ title: "A profile you already have", why: "pprof, gzipped or not.",
			command: `curl --data-binary @cpu.pb.gz '${origin}/ingest?name=my-service'` },
		{ title: "Go, Java, Python, Ruby, .NET, Node, Rust", why: "Any Pyroscope client sends here; its server address is:",
			command: origin },
	];
}

function Command({ text }: { text: string }) {
	const [said, say] = useState("copy");
	const copy = (): void => {
		navigator.clipboard.writeText(text).then(() => say("copied"), () => say("select it"));
		setTimeout(() => say("copy"), 2000);
	};
	return <div class="command"><code>{text}</code><button class="action" type="button" onClick={copy}>{said}</button></div>;
}

export function FirstRun() {
	const status = useLoad("status", "status", api.status);
	const sees = status.value?.sees ?? [];
	return (
		<main class="first-run">
			<h1>Waiting for the first profile</h1>
			<p class="dim">This page turns into the flame graph when it arrives. Choose a way:</p>
			<ol>
				{ways(location.origin).map((w) => (
					<li key={w.title}><h2>{w.title}</h2><p class="dim">{w.why}</p><Command text={w.command} /></li>
				))}
			</ol>
			{sees.length > 0 && <section><h2>What this server sees</h2>{sees.map((l) => <p key={l} class="mono dim">{visible(l, 300)}</p>)}</section>}
		</main>
	);
}
