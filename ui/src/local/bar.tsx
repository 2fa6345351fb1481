// The bar at the top on one file: what it is, which type, what is left out, how it is
// shown.  Every part is a control, every part is in the address.

import { percent, typeText, value } from "../format";
import { Model } from "../model";
import { go, linkOf } from "../store";
import { visible } from "../text";
import { useState } from "preact/hooks";
import { Caret, Name } from "../view/bits";
import { Popup } from "../view/popup";
import { downloadAddress } from "./api";
import { ConfigMenu } from "./config";
import { withOption } from "./refine";
import { FILTERS } from "./state";
import { TagMenu } from "./tags";

function TypeMenu({ model, close }: { model: Model; close: () => void }) {
	const info = model.local!.info!;
	return (
		<ul class="menu" aria-label="sample types">
			{info.types.map((t, k) => (
				<li key={`${k} ${t.name}`}>
					<button type="button" aria-current={k === info.column} onClick={() => { go({ type: t.name, focus: [] }); close(); }}>
						<span>{visible(t.name, 60)}</span><span class="num dim">{value(t.total, t.unit)}</span>
					</button>
				</li>
			))}
		</ul>
	);
}

/** What is left out, in the order of the reference; each part can be taken away. */
function Chips({ model }: { model: Model }) {
	const s = model.state;
	return (
		<>
			{FILTERS.filter((f) => (s.opt[f.key] ?? "") !== "").map((f) => (
				<span key={f.key} class="chip filter-chip" title={f.hint}>
					<span class="chip-word">{f.text}</span>
					<Name text={s.opt[f.key]!} max={80} />
					<button type="button" aria-label={`remove ${f.text} ${visible(s.opt[f.key]!, 60)}`} title="remove"
						onClick={() => go({ ...withOption(s, f.key, ""), focus: [] })}>{"\u00d7"}</button>
				</span>
			))}
		</>
	);
}

function About({ model }: { model: Model }) {
	const { info } = model.local!;
	return (
		<div class="about">
			{info!.header.map((line, k) => <p key={k} class={k === 0 ? "strong" : ""}><bdi>{visible(line, 400)}</bdi></p>)}
			{/^https?:\/\//.test(info!.doc_url) && <p><a href={info!.doc_url} target="_blank" rel="noreferrer noopener">what this profile shows</a></p>}
			{info!.diff !== "" && <p class="dim">{info!.diff === "compare" ? "Compared with a base: both sides are whole." :
				"A base was subtracted: what both have in common has cancelled out. With -diff_base both sides stay whole."}</p>}
			<p class="dim">everprof {info!.version}</p>
		</div>
	);
}

async function copyLink(done: (text: string) => void): Promise<void> {
	try {
		await navigator.clipboard.writeText(location.href);
		done("copied");
	} catch {
		done("copy it from the address bar");
	}
	setTimeout(() => done(""), 2000);
}

function Share() {
	const [said, say] = useState("");
	return (
		<ul class="menu" aria-label="share">
			<li><button type="button" onClick={() => void copyLink(say)}>copy link <span class="dim">{said}</span></button></li>
			<li><a id="download" href={downloadAddress} download="profile.pb.gz">download the profile</a></li>
		</ul>
	);
}

function total(model: Model): string {
	const t = model.tree, l = model.local!;
	if (t === null) return "";
	if (t.isDiff) return `${value(t.totalA, t.unit)} \u2192 ${value(t.totalB, t.unit)}`;
	const part = l.whole > 0 && t.totalA !== l.whole ? ` \u00b7 ${percent(t.totalA, l.whole)} of ${value(l.whole, t.unit)}` : "";
	return value(t.totalA, t.unit) + part;
}

interface Props {
	model: Model;
	dark: boolean;
	nextTheme: () => void;
	help: () => void;
}

export function LocalBar({ model, dark, nextTheme, help }: Props) {
	const { info } = model.local!;
	const shown = info === null ? "" : (info.types[info.column]?.name ?? "");
	const name = info === null || info.file === "" ? "profile" : info.file;
	const begin = linkOf({ ...model.state, opt: {}, focus: [], search: "", type: "" });
	return (
		<header class="topbar">
			<h1 class="spoken">everprof: {visible(name, 80)}, {shown}</h1>
			<a class="brand" href={begin} title="everprof: the whole profile"
				onClick={(e) => { if (!e.ctrlKey && !e.metaKey) { e.preventDefault(); go({ opt: {}, focus: [], search: "", type: "", view: "flame" }); } }}>
				<span class="logo" aria-hidden="true"><i /><i /><i /></span>everprof
			</a>
			{info !== null && (
				<>
					<Popup id="about" label={`about ${visible(name, 80)}`} title="what this profile is" text={<><Name text={name} max={40} class="strong" /><Caret /></>}>
						{() => <About model={model} />}
					</Popup>
					<Popup id="type" label={`sample type: ${visible(shown, 60)}`} title="sample type" text={<><span>{visible(typeText(shown), 40)}</span><Caret /></>}>
						{(close) => <TypeMenu model={model} close={close} />}
					</Popup>
					<span id="total" class="num dim total">{total(model)}</span>
				</>
			)}
			<div class="chips">
				<Chips model={model} />
				<Popup id="tags" label="add a label filter" title="filter or group by a label" className="quiet" text="+ label">
					{(close) => <TagMenu model={model} close={close} />}
				</Popup>
			</div>
			<Popup id="config" label="config" title="how it is shown; saved configs" align="right" text={<>config<Caret /></>}>
				{(close) => <ConfigMenu model={model} close={close} />}
			</Popup>
			<Popup id="share" label="share" title="link and download" align="right" text="share">
				{() => <Share />}
			</Popup>
			<button id="theme" class="control icon" type="button" onClick={nextTheme}
				title={dark ? "light colours" : "dark colours"} aria-label={dark ? "light colours" : "dark colours"}>
				<svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true"><circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" stroke-width="1.5" /><path d="M8 2a6 6 0 0 1 0 12z" fill="currentColor" /></svg>
			</button>
			<button id="help" class="control icon" type="button" onClick={help} title="keys (?)" aria-label="keys">?</button>
		</header>
	);
}
