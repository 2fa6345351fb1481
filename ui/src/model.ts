// What is on the page, from the state and the server: every request the page makes on
// its own is in this file.  Views get the Model and make no requests, except lists that
// open on demand (labels).

import { useEffect, useMemo, useState } from "preact/hooks";
import * as api from "./api";
import { Change, changes, Noise } from "./diff";
import { graft } from "./graft";
import { Load, useLoad } from "./load";
import { Matches, search } from "./search";
import { selector } from "./selector";
import { State } from "./state";
import { go } from "./store";
import { compareRange, isRelative, Range, resolveRange, stepFor } from "./time";
import { find, hasMore, Tree, treeFrom } from "./tree";
import { SeriesAnswer, Service, TopAnswer, TreeAnswer } from "./types";

const REFRESH_MS = 10_000;
const FIRST_RUN_MS = 2_000;
const MAX_NODES = 16_384;
const TOP_LIMIT = 1_000;

export interface Model {
	state: State;
	now: number;
	range: Range;
	against: Range | null;
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

const heaviest = (all: Service[]): Service | null => {
	const weight = (s: Service): number => Math.max(0, ...Object.values(s.total));
	const busy = all.filter((s) => s.types.length > 0);
	return busy.reduce<Service | null>((a, b) => (a === null || weight(b) > weight(a) ? b : a), null);
};

export const preferredType = (types: readonly string[]): string =>
	types.find((t) => t.startsWith("process_cpu:cpu:")) ?? types.find((t) => t.startsWith("wall:")) ?? types[0] ?? "";

/** Completes a state that names no service or type.  Not a step in the history. */
function useChoice(state: State, all: Service[] | null, service: Service | null): void {
	useEffect(() => {
		if (all === null || all.length === 0) return;
		if (state.service === "") {
			const s = heaviest(all);
			if (s !== null) go({ service: s.name, type: state.type || preferredType(s.types) }, true);
		} else if (state.type === "" && service !== null) {
			go({ type: preferredType(service.types) }, true);
		}
	}, [all, state.service, state.type, service]);
}

function useServices(range: Range, key: string, period: number): { load: Load<Service[]>; empty: boolean } {
	const load = useLoad(`services ${key}`, "services", (s) => api.services(range, s));
	const none = load.value !== null && load.value.length === 0;
	const ever = useLoad(none ? `ever ${key} ${period}` : null, "ever", (s) => api.services(null, s));
	const all = none && ever.value !== null ? { ...load, value: ever.value } : load;
	return { load: all, empty: none && ever.value !== null && ever.value.length === 0 };
}

type Ask = (path: readonly string[], signal: AbortSignal) => Promise<TreeAnswer>;

function useTree(answer: Load<TreeAnswer>, state: State, ask: Ask, scaleA: number, on: boolean) {
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

export function useModel(state: State): Model {
	const live = state.live && isRelative(state.until);
	const [period, setPeriod] = useState(REFRESH_MS);
	const times = [state.from, state.until, state.compare, state.cfrom, state.cuntil].join(" ");
	const now = useNow(times, live || period === FIRST_RUN_MS ? period : 0);
	const range = useMemo(() => resolveRange(state.from, state.until, now), [state.from, state.until, now]);
	const against = useMemo(
		() => compareRange(range, state.compare, state.cfrom, state.cuntil, now),
		[range, state.compare, state.cfrom, state.cuntil]);
	const rangeKey = `${range.from} ${range.until}`;

	const { load: services, empty } = useServices(range, rangeKey, period);
	useEffect(() => setPeriod(empty ? FIRST_RUN_MS : REFRESH_MS), [empty]);
	const service = services.value?.find((s) => s.name === state.service) ?? null;
	useChoice(state, services.value, service);

	const query: api.Query = { type: state.type, query: selector(state.service, state.labels), range };
	const before: api.Query | null = against === null ? null : { ...query, range: against };
	const ready = state.service !== "" && state.type !== "" && !empty;
	const subject = `${query.type} ${query.query}`;
	const key = `${subject} ${rangeKey} ${against === null ? "" : `${against.from} ${against.until}`}`;
	const mode = against === null ? "one" : "two";
	const scaleA = against === null ? 1 : (range.until - range.from) / Math.max(1, against.until - against.from);

	const step = stepFor(range, 150);
	// Two times in one picture are enough: no split in a comparison.
	const by = before === null ? state.by : "";
	const series = useLoad(ready ? `series ${key} ${by}` : null, `${subject} ${times} ${by}`, (s) =>
		Promise.all([api.series(query, step, by, s), before === null ? null : api.series(before, step, "", s)]));
	const ask: Ask = (path, s) =>
		before === null ? api.flamegraph(query, path, MAX_NODES, s) : api.diff(before, query, path, MAX_NODES, s);
	const answer = useLoad(ready ? `tree ${key}` : null, `${subject} ${mode} ${times}`, (s) => ask([], s));
	const shown = useTree(answer, state, ask, scaleA, ready && !answer.stale);
	const matches = useMemo(
		() => (shown.tree === null ? null : search(shown.tree, state.search, state.regex)),
		[shown.tree, state.search, state.regex]);

	const top = useLoad(ready && state.view === "top" ? `top ${key} ${state.search} ${state.regex}` : null,
		`top ${subject} ${times}`,
		(s) => api.top(query, TOP_LIMIT, state.regex ? "" : state.search, s));
	const both = useLoad(ready && before !== null ? `both ${key}` : null, `both ${subject} ${times}`, (s) =>
		Promise.all([api.top(before!, TOP_LIMIT, "", s), api.top(query, TOP_LIMIT, "", s)]));
	const samples = shown.tree?.samples ?? 0;
	// A was scaled to B's length; its samples were not.
	const whole = shown.tree === null ? 0 : shown.tree.totalA / scaleA + shown.tree.totalB;
	const perSample = samples > 0 ? whole / samples : 0;
	const noise = useMemo<Noise>(() => ({ perSample, scaleA }), [perSample, scaleA]);
	const list = useMemo(
		() => (both.value === null || both.stale ? null : changes(both.value[0], both.value[1], noise)),
		[both.value, both.stale, noise]);

	return {
		state, now, range, against, services, empty, service, query, series, step,
		answer: shown.error === "" ? answer : { ...answer, error: shown.error },
		tree: shown.tree, focus: shown.focus, focusLost: shown.focusLost, refining: shown.refining,
		matches, top, changes: list, changesError: both.error, noise,
		stale: answer.stale || (state.view === "top" && top.stale),
	};
}
