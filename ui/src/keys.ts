// What keys do on the page.  Where the reader types, keys are theirs.

import { FlameCanvas } from "./flame/canvas";
import { walk, Way } from "./flame/walk";
import { stopAll } from "./load";
import { expression, refine, toView } from "./local/refine";
import { LOCAL_VIEWS, Option } from "./local/state";
import { Model } from "./model";
import { step } from "./search";
import { VIEWS } from "./state";
import { go } from "./store";
import { pathOf } from "./tree";

export interface Desk {
	model: Model;
	selected: number;
	select: (node: number) => void;
	canvas: FlameCanvas | null;
	help: () => void;
	/** Of one file: the functions that Refine is about. */
	names?: readonly string[];
}

const WAYS: Readonly<Record<string, Way>> = {
	ArrowUp: "up", ArrowDown: "down", ArrowLeft: "left", ArrowRight: "right",
};

const typing = (e: KeyboardEvent): boolean =>
	e.target instanceof HTMLElement && e.target.closest("input, select, textarea, dialog, .panel") !== null;

function escape(d: Desk): void {
	const s = d.model.state;
	if (stopAll()) return;
	if (s.search !== "") go({ search: "" }, true);
	else if (d.canvas?.zoomed()) d.canvas.reset();
	else if (s.focus.length > 0) go({ focus: [] });
	else d.select(-1);
}

function arrows(d: Desk, way: Way): boolean {
	if (d.model.state.view !== "flame" || d.model.tree === null) return false;
	const t = d.model.tree;
	const from = d.selected >= 0 && d.selected < t.n ? d.selected : d.model.focus;
	const to = d.selected < 0 && way === "down" ? from : walk(t, from, way);
	d.select(to);
	d.canvas?.reveal(to);
	return true;
}

function match(d: Desk, forward: boolean): void {
	const m = d.model.matches;
	if (m === null || m.nodes.length === 0) return;
	const to = step(m, d.selected, forward);
	d.select(to);
	d.canvas?.reveal(to);
}

const REFINES: Readonly<Record<string, Option>> = { f: "f", i: "i", h: "h", s: "s", r: "sf" };

/** What keys do on one file and nowhere else. */
function actLocal(d: Desk, key: string): boolean {
	const s = d.model.state;
	const option = REFINES[key];
	if (option !== undefined) {
		const re = expression(s, d.names ?? []);
		if (re !== "") go(refine(s, option, re));
		return re !== "";
	}
	if (key === "c" || key === "l") return true;
	if (key === "x" && d.model.against !== null) go({ swap: !s.swap });
	const view = LOCAL_VIEWS.find((v) => v.key === key);
	if (view !== undefined && (view.view !== "changes" || d.model.against !== null)) go(toView(s, view.view, d.names ?? []));
	return view !== undefined || key === "x";
}

function act(d: Desk, key: string): boolean {
	const { state: s, tree } = d.model;
	if (d.model.local !== undefined && actLocal(d, key)) return true;
	switch (key) {
		case "/": document.getElementById("search")?.focus(); return true;
		case "n": match(d, true); return true;
		case "N": match(d, false); return true;
		case "c": go({ compare: s.compare === "" ? "prev" : "", view: s.view === "changes" ? "flame" : s.view }); return true;
		case "x": if (s.compare !== "") go({ swap: !s.swap }); return true;
		case "l": go({ live: !s.live }, true); return true;
		case "+": case "=": d.canvas?.zoom(1 / 1.5); return true;
		case "-": d.canvas?.zoom(1.5); return true;
		case "0": d.canvas?.reset(); return true;
		case "?": d.help(); return true;
		case "Escape": escape(d); return true;
		case "Backspace": if (s.focus.length > 0) go({ focus: s.focus.slice(0, -1) }); return true;
		case "Enter":
			if (tree === null || d.selected < 0 || d.selected >= tree.n) return false;
			go({ focus: pathOf(tree, d.selected) });
			return true;
	}
	const view = d.model.local === undefined ? VIEWS[Number(key) - 1] : undefined;
	if (view === undefined || (view === "changes" && s.compare === "")) return false;
	go({ view });
	return true;
}

export function onKey(e: KeyboardEvent, d: Desk): void {
	if (e.ctrlKey || e.metaKey || e.altKey || e.defaultPrevented || typing(e)) return;
	// Enter and the arrows belong to a button or link that has the focus.
	const control = e.target instanceof HTMLElement && e.target.closest("button, a[href]") !== null;
	if (control && (e.key === "Enter" || e.key === " ")) return;
	const way = WAYS[e.key];
	if (way !== undefined ? arrows(d, way) : act(d, e.key)) e.preventDefault();
}
