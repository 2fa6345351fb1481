// Puts the page together: the state, what is loaded for it, and the views.

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { watchBusy } from "./api";
import { FlameCanvas } from "./flame/canvas";
import { typeText } from "./format";
import { Desk, onKey } from "./keys";
import { Model, useModel } from "./model";
import { State } from "./state";
import { go, state, subscribe } from "./store";
import { useTheme } from "./theme";
import { AUTO, rangeText, spanText } from "./time";
import { pathOf, find } from "./tree";
import { Message } from "./view/bits";
import { Changes } from "./view/changes";
import { FirstRun } from "./view/firstrun";
import { Flame } from "./view/flame";
import { Help } from "./view/help";
import { LedgerBar } from "./view/ledger";
import { Services } from "./view/services";
import { Strip } from "./view/strip";
import { Toolbar } from "./view/toolbar";
import { Top } from "./view/top";
import { TopBar } from "./view/topbar";
import { TreeView } from "./view/tree";

export function useStore(): State {
	const [s, set] = useState(state());
	useEffect(() => subscribe(() => set(state())), []);
	return s;
}

export function useBusy(): boolean {
	const [n, set] = useState(0);
	useEffect(() => watchBusy(set), []);
	return n > 0;
}

/** The chosen node; kept by its path when the tree is read anew. */
export function useSelection(model: Model): [number, (i: number) => void] {
	const held = useRef<{ tree: Model["tree"]; node: number; path: string[] }>({ tree: null, node: -1, path: [] });
	const [, redraw] = useState(0);
	const t = model.tree;
	if (t !== held.current.tree) {
		const h = held.current;
		const at = t !== null && h.node > 0 ? find(t, h.path) : null;
		held.current = { tree: t, node: h.node === 0 ? 0 : at?.whole ? at.node : -1, path: h.path };
	}
	const select = useCallback((i: number) => {
		const tree = held.current.tree;
		held.current = { tree, node: i, path: tree !== null && i > 0 && i < tree.n ? pathOf(tree, i) : [] };
		redraw((n) => n + 1);
	}, []);
	return [held.current.node, select];
}

/** Words where the graph would be; null when there is a graph. */
function nothing(model: Model) {
	const s = model.state;
	if (model.services.error !== "" && model.tree === null)
		return <Message tone="error" title="No answer from the server"><p>{model.services.error}</p><p class="dim">The page asks again by itself.</p></Message>;
	if (model.answer.error !== "") return <Message tone="error" title="No graph"><p>{model.answer.error}</p></Message>;
	const t = model.tree;
	if (t === null) return <div class="loading" aria-label="loading" />;
	if (t.totalA + t.totalB > 0) return null;
	const last = model.service?.last ?? Math.max(0, ...(model.services.value ?? []).map((x) => x.last));
	const range = s.from === AUTO ? "the last 15 min" : rangeText(s.from, s.until, model.now);
	return (
		<Message title={`No ${typeText(s.type)} profiles here`}>
			<p>Nothing matches {s.labels.length > 0 ? "these labels " : ""}in {range}.</p>
			{s.labels.length > 0 && <button class="action" type="button" onClick={() => go({ labels: [] })}>without the labels</button>}
			{last > 0 && last < model.range.from && (
				<button class="action" type="button" onClick={() => go({ from: String(last - 1_800_000), until: String(last + 60_000) })}>
					the last ones, {spanText(model.now - last)} ago
				</button>
			)}
		</Message>
	);
}

function useTitle(model: Model): void {
	const s = model.state;
	const title = s.service === "" ? "all services \u00b7 everprof" : `${s.service} \u00b7 ${typeText(s.type)} \u00b7 everprof`;
	useEffect(() => { document.title = title; }, [title]);
}

export function App() {
	const s = useStore();
	const model = useModel(s);
	const busy = useBusy();
	const { theme, choice, next } = useTheme();
	const [selected, select] = useSelection(model);
	const [help, setHelp] = useState(false);
	const canvas = useRef<FlameCanvas | null>(null);
	const desk = useRef<Desk>(null!);
	desk.current = { model, selected, select, canvas: canvas.current, help: () => setHelp(true) };
	useEffect(() => {
		const handler = (e: KeyboardEvent): void => onKey(e, { ...desk.current, canvas: canvas.current });
		addEventListener("keydown", handler);
		return () => removeEventListener("keydown", handler);
	}, []);
	useTitle(model);
	const show = (i: number): void => {
		select(i);
		canvas.current?.reveal(i);
	};
	const words = s.view === "services" ? null : nothing(model);
	const t = model.tree;
	const overview = s.service === "" && s.view !== "services";
	return (
		<>
			<div class={`progress ${busy ? "busy" : ""}`} aria-hidden="true" />
			<TopBar model={model} choice={choice} dark={theme === "dark"} nextTheme={next} help={() => setHelp(true)} />
			{model.empty ? <FirstRun /> : (
				<>
					<Strip model={model} theme={theme} />
					{overview && <Services model={model} compact />}
					<Toolbar model={model} selected={selected} select={show} />
					<main class={`main ${model.stale && s.view !== "services" ? "stale" : ""}`} id="main" aria-busy={model.stale}>
						{words}
						{words === null && s.view === "flame" && <Flame model={model} theme={theme} selected={selected} select={select} hold={(c) => { canvas.current = c; }} />}
						{words === null && s.view === "top" && <Top model={model} />}
						{words === null && s.view === "tree" && <TreeView model={model} selected={selected} select={select} />}
						{words === null && s.view === "changes" && <Changes model={model} />}
						{s.view === "services" && <Services model={model} />}
					</main>
				</>
			)}
			<LedgerBar model={model} ledger={t !== null && t.totalA + t.totalB > 0 ? t.ledger : null} whole={t === null ? 0 : t.totalA + t.totalB}
				right={model.against === null || s.compare === "label" ? "" : `compared with ${rangeText(String(Math.round(model.against.from)), String(Math.round(model.against.until)), model.now)}`} />
			{help && <Help close={() => setHelp(false)} />}
		</>
	);
}
