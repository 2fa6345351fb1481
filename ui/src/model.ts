// What is on the page, from the state and the server: every request the page makes on
// its own is in this file.  Views get the Model and make no requests, except lists that
// open on demand (labels).

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import * as api from "./api";
import { Change, changes, Noise } from "./diff";
import { rateKind, typeUnit } from "./format";
import { graft } from "./graft";
import { Load, useLoad } from "./load";
import { Matches, search } from "./search";
import { selector, withMatchers } from "./selector";
import type { Local } from "./local/model";
import { State } from "./state";
import { go } from "./store";
import { compareRange, isRelative, Range, resolveRange, stepFor } from "./time";
import { find, hasMore, Tree, treeFrom } from "./tree";
import { SeriesAnswer, Service, TopAnswer, TreeAnswer } from "./types";

/** Of short ranges, where a new profile is seen, and of long ones. */
const REFRESH_MS = 5_000;
const REFRESH_LONG_MS = 10_000;
const SHORT_MS = 1_800_000;
const FIRST_RUN_MS = 2_000;
const MAX_NODES = 16_384;
const TOP_LIMIT = 1_000;
const SPARK_POINTS = 60;
const SPARK_LIMIT = 60;
export const SERVICE = "service_name";

export interface Model {
	state: State;
	now: number;
	range: Range;
	against: Range | null;
	/** Start of the first data in the range, or 0. */
	first: number;
	/** Milliseconds that a rate is over: since the first profile of what is shown. */
	lived: number;
	/** What side A and side B of a comparison are called, and how long B is. */
	sides: { a: string; b: string; ms: number };
	/** The label whose values are the first level of the graph, or "". */
	by: string;
	/** Of all services: weight over time of each. */
	sparks: Load<SeriesAnswer>;
	services: Load<Service[]>;
	/** No profile has ever come. */
	empty: boolean;
	service: Service | null;
	query: api.Query;
	series: Load<[SeriesAnswer, SeriesAnswer | null]>;
	step: number;
	answer: Load<TreeAnswer>;
	tree: Tree | null;
	/** The node in focus in `tree`, 0 for all of it. */
	focus: number;
	focusLost: boolean;
	refining: boolean;
	matches: Matches | null;
	top: Load<TopAnswer>;
	changes: Change[] | null;
	changesError: string;
	noise: Noise;
	/** What is shown answers the question before. */
	stale: boolean;
	/** Of one file only (local/model.ts). */
	local?: Local;
}

/** Milliseconds since 1970, new with every change of `dep` and, when live, every 10 s. */
function useNow(dep: string, period: number): number {
	const [tick, setTick] = useState(0);
	useEffect(() => {
		if (period === 0) return;
		const timer = setInterval(() => {
			if (!document.hidden) setTick((t) => t + 1);
		}, period);
		return () => clearInterval(timer);
	}, [period]);
	return useMemo(() => Date.now(), [dep, tick, period]);
}

export const preferredType = (types: readonly string[]): string =>
	types.find((t) => t.startsWith("process_cpu:cpu:")) ?? types.find((t) => t.startsWith("wall:")) ?? types[0] ?? "";

/** Completes a state that names no type.  Not a step in the history. */
function useChoice(state: State, all: Service[] | null, service: Service | null): void {
	useEffect(() => {
		if (all === null || all.length === 0 || state.type !== "") return;
		if (state.service === "") go({ type: preferredType(all.flatMap((s) => s.types)) }, true);
		else if (service !== null) go({ type: preferredType(service.types) }, true);
	}, [all, state.service, state.type, service]);
}

function useServices(range: Range, copies: boolean, period: number): { load: Load<Service[]>; empty: boolean } {
	const key = `${range.from} ${range.until} ${copies}`;
	const load = useLoad(`services ${key}`, "services", (s) => api.services(range, copies, s));
	const none = load.value !== null && load.value.length === 0;
	const ever = useLoad(none ? `ever ${key} ${period}` : null, "ever", (s) => api.services(null, copies, s));
	const all = none && ever.value !== null ? { ...load, value: ever.value } : load;
	return { load: all, empty: none && ever.value !== null && ever.value.length === 0 };
}

export type Ask = (path: readonly string[], signal: AbortSignal) => Promise<TreeAnswer>;

/** What brings side A to the length, or to the total, of side B. */
export function scaleOf(answer: TreeAnswer | null, share: boolean, lengths: number): number {
	const a = answer?.total_a ?? 0, b = answer?.total_b ?? 0;
	return share && a > 0 && b > 0 ? b / a : lengths;
}

export function useTree(answer: Load<TreeAnswer>, state: State, ask: Ask, scaleA: number, on: boolean) {
	const baseTree = useMemo(() => {
		try {
			return answer.value === null ? null : treeFrom(answer.value, scaleA);
		} catch (e) {
			return e instanceof Error ? e.message : String(e);
		}
	}, [answer.value, scaleA]);
	const base = typeof baseTree === "string" ? null : baseTree;
	const at = base === null ? null : find(base, state.focus);
	const want = on && base !== null && state.focus.length > 0 && at !== null &&
		(!at.whole || hasMore(base, at.node));
	const key = want ? `refine ${answer.key} ${state.focus.join("\u0001")}` : null;
	const sub = useLoad(key, key ?? "", (s) => ask(state.focus, s));
	const tree = useMemo(() => {
		if (base === null || answer.value === null || sub.value === null || sub.key !== key) return base;
		// The focus may lie deeper than the first answer goes: then graft where it ends.
		const held = at!.whole ? state.focus : pathHeld(base, state.focus);
		const grafted = graft(answer.value, held, sub.value);
		return grafted === answer.value ? base : treeFrom(grafted, scaleA);
	}, [base, sub.value, sub.key, key]);
	const found = tree === null ? { node: 0, whole: true } : find(tree, state.focus);
	return {
		tree, focus: found.node, focusLost: !found.whole && !sub.busy, refining: sub.busy,
		error: typeof baseTree === "string" ? baseTree : "",
	};
}

function pathHeld(t: Tree, path: readonly string[]): string[] {
	let n = path.length;
	while (n > 0 && !find(t, path.slice(0, n)).whole) n--;
	return path.slice(0, n);
}

/** Weight over time: of the range, of what it is compared with, and of each service. */
function useSeries(query: api.Query, before: api.Query | null, key: string, scope: string, state: State, ready: boolean) {
	const step = stepFor(query.range, 180);
	const spread = rateKind(query.type, typeUnit(query.type)) !== "sum";
	// Two times in one picture are enough: no split in a comparison.
	const by = before === null ? state.by : "";
	const series = useLoad<[SeriesAnswer, SeriesAnswer | null]>(ready ? `series ${key} ${by}` : null, `${scope} ${by}`, (s) =>
		Promise.all([
			api.series(query, { step, by, spread }, s),
			before === null ? null : api.series(before, { step, by: "", spread }, s),
		]));
	const all = ready && state.service === "";
	const sparks = useLoad(all ? `sparks ${key}` : null, `sparks ${scope}`, (s) =>
		api.series(query, { step: stepFor(query.range, SPARK_POINTS), by: SERVICE, spread, limit: SPARK_LIMIT }, s));
	return { step, series, sparks };
}

/** The two sides of a comparison, as asked, and their names. */
function sidesOf(state: State, query: api.Query, other: api.Query | null) {
	const names = state.compare === "label" ?
		[state.clabels.map((m) => m.value).join(", "), state.labels.filter((m) => state.clabels.some((c) => c.name === m.name)).map((m) => m.value).join(", ") || "all"] :
		["before", "now"];
	const [a, b] = state.swap ? [query, other ?? query] : [other ?? query, query];
	const [nameA, nameB] = state.swap ? [names[1]!, names[0]!] : [names[0]!, names[1]!];
	return { a, b, nameA, nameB, ms: b.range.until - b.range.from };
}

export function useModel(state: State): Model {
	const live = state.live && isRelative(state.until);
	const [empty, setEmpty] = useState(false);
	const held = useRef(0);
	const span = resolveRange(state.from, state.until, 1e14);
	const period = empty ? FIRST_RUN_MS : span.until - span.from <= SHORT_MS ? REFRESH_MS : REFRESH_LONG_MS;
	const times = [state.from, state.until, state.compare, state.cfrom, state.cuntil, state.copies, state.swap].join(" ");
	const now = useNow(times, live || empty ? period : 0);
	const wide = useMemo(() => resolveRange(state.from, state.until, now), [state.from, state.until, now]);

	const { load: services, empty: none } = useServices(wide, state.copies, period);
	useEffect(() => setEmpty(none), [none]);
	const first = (services.value ?? []).reduce((a, s) => (s.first > 0 && (a === 0 || s.first < a) ? s.first : a), 0);
	if (services.value !== null) held.current = first;
	const range = useMemo(() => resolveRange(state.from, state.until, now, held.current), [state.from, state.until, now, held.current]);
	const against = useMemo(
		() => compareRange(range, state.compare, state.cfrom, state.cuntil, now),
		[range, state.compare, state.cfrom, state.cuntil]);
	const service = services.value?.find((s) => s.name === state.service) ?? null;
	useChoice(state, services.value, service);

	const query: api.Query = { type: state.type, query: selector(state.service, state.labels), range, copies: state.copies };
	const before: api.Query | null = against === null ? null :
		{ ...query, range: against, query: selector(state.service, withMatchers(state.labels, state.compare === "label" ? state.clabels : [])) };
	const sides = sidesOf(state, query, before);
	const ready = state.type !== "" && services.value !== null && !none;
	const subject = `${query.type} ${query.query} ${before?.query ?? ""}`;
	const rangeKey = `${range.from} ${range.until}`;
	const key = `${subject} ${state.copies} ${state.swap} ${rangeKey} ${against === null ? "" : `${against.from} ${against.until}`}`;
	const mode = against === null ? "one" : "two";
	const by = state.by !== "" ? state.by : state.service === "" ? SERVICE : "";

	const { step, series, sparks } = useSeries(query, before, key, `${subject} ${times}`, state, ready);
	const ask: Ask = (path, s) =>
		before === null ? api.flamegraph(query, by, path, MAX_NODES, s) : api.diff(sides.a, sides.b, by, path, MAX_NODES, s);
	const answer = useLoad(ready ? `tree ${key} ${by}` : null, `${subject} ${mode} ${times} ${by}`, (s) => ask([], s));
	const lengths = before === null ? 1 : sides.ms / Math.max(1, sides.a.range.until - sides.a.range.from);
	const scaleA = scaleOf(answer.value, state.share, lengths);
	const shown = useTree(answer, state, ask, scaleA, ready && !answer.stale);
	const matches = useMemo(
		() => (shown.tree === null ? null : search(shown.tree, state.search, state.regex)),
		[shown.tree, state.search, state.regex]);

	const top = useLoad(ready && state.view === "top" ? `top ${key} ${state.search} ${state.regex}` : null,
		`top ${subject} ${times}`,
		(s) => api.top(query, TOP_LIMIT, state.regex ? "" : state.search, s));
	const both = useLoad(ready && before !== null ? `both ${key}` : null, `both ${subject} ${times}`, (s) =>
		Promise.all([api.top(sides.a, TOP_LIMIT, "", s), api.top(sides.b, TOP_LIMIT, "", s)]));
	const samples = shown.tree?.samples ?? 0;
	// A was scaled to B; its samples were not.
	const whole = shown.tree === null ? 0 : shown.tree.totalA / scaleA + shown.tree.totalB;
	const perSample = samples > 0 ? whole / samples : 0;
	const noise = useMemo<Noise>(() => ({ perSample, scaleA }), [perSample, scaleA]);
	const list = useMemo(
		() => (both.value === null || both.stale ? null : changes(both.value[0], both.value[1], noise)),
		[both.value, both.stale, noise]);

	const since = state.service === "" ? held.current : (service?.first ?? 0);
	return {
		state, now, range, against, services, empty: none, service, query, series, sparks, step, by,
		first: since, lived: range.until - Math.min(range.until - 1, Math.max(range.from, since)),
		sides: { a: sides.nameA, b: sides.nameB, ms: sides.ms },
		answer: shown.error === "" ? answer : { ...answer, error: shown.error },
		tree: shown.tree, focus: shown.focus, focusLost: shown.focusLost, refining: shown.refining,
		matches, top, changes: list, changesError: both.error, noise,
		stale: answer.stale || (state.view === "top" && top.stale),
	};
}
