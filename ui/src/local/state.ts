// The state of the page on one file, as its address: /ui/VIEW and the parameters of
// `go tool pprof -http`, so that links made for one work in the other.  What only this
// page knows has names of its own.

import { DEFAULTS, oneOf, SORTS, State, View } from "../state";

/** Parameters that go into every question, in the reference's order. */
export const OPTIONS = [
	"calltree", "rel", "unit", "compact", "intel", "mean", "norm", "tagroot", "tagleaf", "dropneg",
	"n", "nf", "ef", "trim", "f", "i", "prunefrom", "h", "s", "sf", "tf", "ti", "ts", "th",
	"noinlines", "showcolumns", "g", "groupby",
] as const;
export type Option = (typeof OPTIONS)[number];

/** What samples and frames are left out or put first: shown as chips. */
export const FILTERS: readonly { key: Option; text: string; hint: string }[] = [
	{ key: "f", text: "focus", hint: "only samples that pass through it" },
	{ key: "i", text: "ignore", hint: "no samples that pass through it" },
	{ key: "h", text: "hide", hint: "samples stay, without these frames" },
	{ key: "s", text: "show", hint: "only these frames" },
	{ key: "sf", text: "show from", hint: "nothing above the first match" },
	{ key: "prunefrom", text: "prune from", hint: "nothing below the match" },
	{ key: "tf", text: "tag", hint: "only samples with this label" },
	{ key: "ti", text: "not tag", hint: "no samples with this label" },
	{ key: "ts", text: "show tags", hint: "only these labels" },
	{ key: "th", text: "hide tags", hint: "not these labels" },
	{ key: "tagroot", text: "by", hint: "values of this label are the outermost frames" },
	{ key: "tagleaf", text: "leaf by", hint: "values of this label are the innermost frames" },
];

export const LOCAL_VIEWS: readonly { view: View; path: string; text: string; key: string }[] = [
	{ view: "flame", path: "flamegraph", text: "flame", key: "1" },
	{ view: "top", path: "top", text: "top", key: "2" },
	{ view: "tree", path: "tree", text: "tree", key: "3" },
	{ view: "graph", path: "graph", text: "graph", key: "4" },
	{ view: "peek", path: "peek", text: "peek", key: "5" },
	{ view: "source", path: "source", text: "source", key: "6" },
	{ view: "disasm", path: "disasm", text: "disassembly", key: "7" },
	{ view: "changes", path: "changes", text: "changes", key: "8" },
];

const PREFIX = "/ui/";

export const isLocal = (path: string): boolean => path.startsWith(PREFIX);

export function parseLocal(path: string, query: string): State {
	const p = new URLSearchParams(query);
	const opt: Record<string, string> = {};
	for (const key of OPTIONS) {
		const v = p.get(key);
		if (v !== null && v !== "") opt[key] = v;
	}
	const found = p.get("find");
	return {
		...DEFAULTS, live: false, opt,
		view: LOCAL_VIEWS.find((v) => v.path === path.slice(PREFIX.length))?.view ?? "flame",
		type: p.get("si") ?? "",
		search: found ?? p.get("p") ?? "",
		regex: found === null && p.has("p"),
		focus: p.getAll("z"),
		sort: p.get("sort") === "cum" ? "total" : oneOf(p.get("order"), SORTS, "self"),
		rising: p.get("rising") === "1",
		share: p.get("share") === "1",
		swap: p.get("swap") === "1",
	};
}

export function formatLocal(s: State): string {
	const p = new URLSearchParams();
	if (s.type !== "") p.set("si", s.type);
	for (const key of OPTIONS) if ((s.opt[key] ?? "") !== "") p.set(key, s.opt[key]!);
	if (s.sort === "total") p.set("sort", "cum");
	else if (s.sort !== "self") p.set("order", s.sort);
	if (s.rising) p.set("rising", "1");
	if (s.search !== "") p.set(s.regex ? "p" : "find", s.search);
	else if (s.regex) p.set("p", "");
	for (const name of s.focus) p.append("z", name);
	for (const key of ["share", "swap"] as const) if (s[key]) p.set(key, "1");
	const path = LOCAL_VIEWS.find((v) => v.view === s.view)?.path ?? "flamegraph";
	const text = p.toString();
	return PREFIX + path + (text === "" ? "" : "?" + text);
}

/** What every question says of the state. */
export function question(s: State): Record<string, string> {
	const q: Record<string, string> = { ...s.opt };
	if (s.type !== "") q["si"] = s.type;
	if (s.sort === "total") q["sort"] = "cum";
	return q;
}
