// The page on one file: `everprof pprof -http`.  The views of the server's page, and the
// reports of the command line.

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { useBusy, useSelection, useStore } from "../app";
import { FlameCanvas } from "../flame/canvas";
import { count, percent } from "../format";
import { Desk, onKey } from "../keys";
import { Model } from "../model";
import { totalSentence, whereSentence } from "../sentence";
import { go, linkOf } from "../store";
import { useTheme } from "../theme";
import { visible } from "../text";
import { kindOf, LABEL, nameOf, MORE } from "../tree";
import { Message } from "../view/bits";
import { Changes } from "../view/changes";
import { Flame } from "../view/flame";
import { Help } from "../view/help";
import { FocusPath, Search } from "../view/toolbar";
import { TreeView } from "../view/tree";
import { LocalBar } from "./bar";
import { GraphView } from "./graph";
import { useLocalModel } from "./model";
import { RefineMenu } from "./refinemenu";
import { ReportView } from "./reports";
import { reset, toView } from "./refine";
import { LOCAL_VIEWS } from "./state";
import { TopTable } from "./top";

/** Functions chosen for Refine. */
export interface Picked { names: readonly string[]; toggle: (name: string) => void; clear: () => void }

function usePicked(): Picked {
	const [names, set] = useState<readonly string[]>([]);
	const toggle = useCallback((name: string) => set((old) => (old.includes(name) ? old.filter((n) => n !== name) : [...old, name])), []);
	const clear = useCallback(() => set([]), []);
	return { names, toggle, clear };
}

/** What Refine is about: what is chosen in a list, else the frame chosen in the graph. */
export function chosen(model: Model, picked: Picked, selected: number): readonly string[] {
	if (picked.names.length > 0) return picked.names;
	const t = model.tree;
	const kind = t === null || selected <= 0 || selected >= t.n ? MORE : kindOf(t, selected);
	return kind === MORE || kind === LABEL ? [] : [nameOf(t!, selected)];
}

function Views({ model, names, clear }: { model: Model; names: readonly string[]; clear: () => void }) {
	const s = model.state;
	const isDiff = model.against !== null;
	return (
		<div class="views" role="tablist" aria-label="views">
			{LOCAL_VIEWS.filter((v) => v.view !== "changes" || isDiff || s.view === "changes").map((v) => {
				const patch = toView(s, v.view, names);
				return (
					<a key={v.view} id={`view-${v.path}`} role="tab" href={linkOf({ ...s, ...patch })} aria-selected={s.view === v.view} title={`${v.text} (${v.key})`}
						onClick={(e) => { if (!e.ctrlKey && !e.metaKey) { e.preventDefault(); clear(); go(patch); } }}>{v.text}</a>
				);
			})}
		</div>
	);
}

/** What changed, in words; of a lone file only the sampling error is known. */
function Sentence({ model }: { model: Model }) {
	const t = model.tree;
	if (t === null || !t.isDiff || model.changes === null) return null;
	const totals = { a: t.totalA, b: t.totalB, noise: model.noise, ms: 0, type: t.type, unit: t.unit, share: model.state.share, names: [model.sides.a, model.sides.b] as const };
	return (
		<section class="strip says">
			<div class="strip-head">
				<span id="sentence" class="sentence">{totalSentence(totals)} <span class="dim">{whereSentence(model.changes, totals)}</span></span>
				<span class="ways row">
					<button id="by-share" class={`switch ${model.state.share ? "on" : ""}`} type="button" role="switch" aria-checked={model.state.share}
						title="each side as a share of its own total" onClick={() => go({ share: !model.state.share })}><i aria-hidden="true" />by share</button>
					<button id="swap" class={`switch ${model.state.swap ? "on" : ""}`} type="button" role="switch" aria-checked={model.state.swap}
						title="the other way round (x)" onClick={() => go({ swap: !model.state.swap })}><i aria-hidden="true" />swap sides</button>
				</span>
			</div>
		</section>
	);
}

/** The account of completeness, of what a file can tell. */
function Ledger({ model }: { model: Model }) {
	const t = model.tree, info = model.local!.info;
	const entries: { text: string; why: string; bad?: boolean }[] = [];
	if (t?.ledger && !t.isDiff) {
		entries.push({ text: `${count(t.samples)} ${t.samples === 1 ? "sample" : "samples"}`, why: "behind what is shown" });
		const l = info?.ledger;
		if (l !== undefined && l.asked > 0) entries.push({ text: `${percent(Math.min(l.taken, l.asked), l.asked)} taken`, why: `of the ${count(l.asked)} that were asked for` });
		if (l !== undefined) entries.push({ text: `${percent(l.lost, l.taken + l.lost)} lost`, why: `${count(l.lost)} samples found no room`, bad: l.lost > (l.taken + l.lost) * 0.01 });
		if (l !== undefined) entries.push({ text: `${percent(l.truncated, l.taken + l.lost)} cut`, why: `${count(l.truncated)} stacks were deeper than what was kept` });
		if (t.totalA > 0) entries.push({ text: `${percent(t.totalA - t.ledger.unsymbolised, t.totalA)} named`, why: "share of the weight whose functions have names", bad: t.ledger.unsymbolised > t.totalA * 0.1 });
	} else if (t?.isDiff) {
		entries.push({ text: `${count(t.samples)} samples in both`, why: "behind what is shown" });
		entries.push({ text: "intervals know the sampling error only", why: "two lone files do not tell how much one run differs from another" });
	}
	const { notes } = model.local!;
	return (
		<footer class="ledger" aria-label="completeness">
			{entries.map((e) => <span key={e.why} class={`entry ${e.bad === true ? "bad" : ""}`} title={e.why}>{e.text}</span>)}
			{notes.length > 0 && <span class="right notes" role="status">{notes.map((n) => visible(n, 200)).join(" \u00b7 ")}</span>}
		</footer>
	);
}

/** Words where a view would be; null when it is there. */
function words(model: Model) {
	if (model.answer.error !== "")
		return (
			<Message tone="error" title="No answer to that">
				<p>{model.answer.error}</p>
				<button class="action" type="button" onClick={() => go(reset(model.state))}>the whole profile</button>
			</Message>
		);
	const t = model.tree;
	if (t === null) return <div class="loading" aria-label="loading" />;
	if (t.totalA + t.totalB > 0) return null;
	const filtered = Object.keys(model.state.opt).length > 0;
	return (
		<Message title={filtered ? "The filters leave nothing" : "No samples of this type"}>
			{model.local!.notes.map((n) => <p key={n}>{visible(n, 300)}</p>)}
			{filtered ? <button class="action" type="button" onClick={() => go(reset(model.state))}>the whole profile</button> : <p>Choose another type at the top.</p>}
		</Message>
	);
}

function useTitle(model: Model): void {
	const { info } = model.local!;
	const title = info === null ? "everprof" : `${info.file === "" ? "profile" : info.file} ${info.types[info.column]?.name ?? ""} \u00b7 everprof`;
	useEffect(() => { document.title = title; }, [title]);
}

export function LocalApp() {
	const s = useStore();
	const model = useLocalModel(s);
	const busy = useBusy();
	const { theme, next } = useTheme();
	const [selected, select] = useSelection(model);
	const picked = usePicked();
	const [help, setHelp] = useState(false);
	const canvas = useRef<FlameCanvas | null>(null);
	const desk = useRef<Desk>(null!);
	const names = chosen(model, picked, selected);
	desk.current = { model, selected, select, canvas: canvas.current, help: () => setHelp(true), names };
	useEffect(() => {
		const handler = (e: KeyboardEvent): void => onKey(e, { ...desk.current, canvas: canvas.current });
		addEventListener("keydown", handler);
		return () => removeEventListener("keydown", handler);
	}, []);
	useEffect(() => picked.clear(), [s.opt, s.type]);
	useTitle(model);
	const show = (i: number): void => {
		select(i);
		canvas.current?.reveal(i);
	};
	const said = words(model);
	const reports = ["peek", "source", "disasm"].includes(s.view);
	return (
		<>
			<div class={`progress ${busy ? "busy" : ""}`} aria-hidden="true" />
			<LocalBar model={model} dark={theme === "dark"} nextTheme={next} help={() => setHelp(true)} />
			<Sentence model={model} />
			<section class="toolbar" aria-label="search and views">
				<Search model={model} selected={selected} select={show} />
				<RefineMenu model={model} names={names} picked={picked} />
				<FocusPath model={model} />
				<Views model={model} names={names} clear={picked.clear} />
			</section>
			<main class={`main ${model.stale ? "stale" : ""}`} id="main" aria-busy={model.stale}>
				{said}
				{said === null && s.view === "flame" && <Flame model={model} theme={theme} selected={selected} select={select} hold={(c) => { canvas.current = c; }} />}
				{said === null && s.view === "top" && <TopTable model={model} picked={picked} />}
				{said === null && s.view === "tree" && <TreeView model={model} selected={selected} select={select} />}
				{said === null && s.view === "graph" && <GraphView model={model} picked={picked} />}
				{said === null && reports && <ReportView model={model} />}
				{said === null && s.view === "changes" && (model.against !== null ? <Changes model={model} /> : <Message title="Nothing to compare with"><p>Start with -diff_base FILE to compare two profiles.</p></Message>)}
			</main>
			<Ledger model={model} />
			{help && <Help close={() => setHelp(false)} local />}
		</>
	);
}
