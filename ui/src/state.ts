// What the page shows is this one value, and the value is the URL: parse(format(s)) = s.
// Defaults are left out, so that a link is short.  The only state outside is the theme
// (a taste of the reader, not of the link) and what the pointer is on.

import { Matcher, matcherText, parseMatcher } from "./selector";
import { AUTO, Compare, resolveTime } from "./time";

export type View = "flame" | "top" | "tree" | "changes" | "services" | "graph" | "peek" | "source" | "disasm";
/** Those that speak to a server; local/state.ts has those on one file. */
export const VIEWS: readonly View[] = ["flame", "top", "tree", "changes", "services"];
export type SortKey = "self" | "total" | "name" | "file";

export interface State {
	service: string;
	type: string;
	labels: Matcher[];
	from: string;
	until: string;
	live: boolean;
	/** Label that splits the time series and the graph; "": none, of all services: theirs. */
	by: string;
	compare: Compare;
	cfrom: string;
	cuntil: string;
	/** What takes the place of filters on the same labels, in a comparison of labels. */
	clabels: Matcher[];
	/** Both sides as shares of their totals. */
	share: boolean;
	swap: boolean;
	/** Count the agent's samples of processes that push themselves, too. */
	copies: boolean;
	view: View;
	search: string;
	regex: boolean;
	/** Names from below the root to the frame in focus; empty: everything. */
	focus: string[];
	sort: SortKey;
	rising: boolean;
	/** Of one file: the reference's parameters by name (local/state.ts). */
	opt: Readonly<Record<string, string>>;
}

export const DEFAULTS: Readonly<State> = {
	service: "", type: "", labels: [], from: AUTO, until: "now", live: true,
	by: "", compare: "", cfrom: "now-2h", cuntil: "now-1h",
	clabels: [], share: false, swap: false, copies: false, view: "flame", search: "", regex: false,
	focus: [], sort: "self", rising: false, opt: {},
};

const COMPARES: readonly Compare[] = ["prev", "day", "week", "custom", "label"];
export const SORTS: readonly SortKey[] = ["self", "total", "name", "file"];

export function oneOf<T extends string>(text: string | null, all: readonly T[], otherwise: T): T {
	return all.includes(text as T) ? (text as T) : otherwise;
}

function timeOr(text: string | null, otherwise: string): string {
	return text === AUTO || (text !== null && resolveTime(text, 0) !== null) ? text! : otherwise;
}

const matchers = (p: URLSearchParams, key: string): Matcher[] =>
	p.getAll(key).map(parseMatcher).filter((m): m is Matcher => m !== null);

export function parse(query: string): State {
	const p = new URLSearchParams(query);
	return {
		service: p.get("service") ?? "",
		type: p.get("type") ?? "",
		labels: matchers(p, "label"),
		from: timeOr(p.get("from"), DEFAULTS.from),
		until: timeOr(p.get("until"), DEFAULTS.until),
		live: p.get("live") !== "0",
		by: p.get("by") ?? "",
		compare: oneOf<Compare>(p.get("compare"), COMPARES, ""),
		cfrom: timeOr(p.get("cfrom"), DEFAULTS.cfrom),
		cuntil: timeOr(p.get("cuntil"), DEFAULTS.cuntil),
		clabels: matchers(p, "clabel"),
		share: p.get("share") === "1",
		swap: p.get("swap") === "1",
		copies: p.get("copies") === "1",
		view: oneOf(p.get("view"), VIEWS, "flame"),
		search: p.get("search") ?? "",
		regex: p.get("regex") === "1",
		focus: p.getAll("focus"),
		sort: oneOf(p.get("sort"), SORTS, "self"),
		rising: p.get("rising") === "1",
		opt: {},
	};
}

export function format(s: State): string {
	const p = new URLSearchParams();
	const put = (key: keyof State): void => {
		if (s[key] !== DEFAULTS[key]) p.set(key, String(s[key]));
	};
	put("service");
	put("type");
	for (const m of s.labels) p.append("label", matcherText(m));
	put("from");
	put("until");
	if (!s.live) p.set("live", "0");
	put("by");
	put("compare");
	if (s.compare === "custom") {
		p.set("cfrom", s.cfrom);
		p.set("cuntil", s.cuntil);
	}
	for (const m of s.clabels) p.append("clabel", matcherText(m));
	for (const key of ["share", "swap", "copies"] as const) if (s[key]) p.set(key, "1");
	put("view");
	put("search");
	if (s.regex) p.set("regex", "1");
	for (const f of s.focus) p.append("focus", f);
	put("sort");
	if (s.rising) p.set("rising", "1");
	const text = p.toString();
	return text === "" ? "" : "?" + text;
}
