// What the page on one file shows: the Model of the shared views, filled from the local
// questions.  A file does not change, so nothing is asked twice by itself.

import { useMemo, useState } from "preact/hooks";
import { Change, changes, Noise } from "../diff";
import { Load, useLoad } from "../load";
import { Ask, Model, scaleOf, useTree } from "../model";
import { search } from "../search";
import { State } from "../state";
import { TopAnswer, TreeAnswer } from "../types";
import * as api from "./api";
import { question } from "./state";

const MAX_NODES = 16_384;
const TOP_LIMIT = 2_000;

export interface Local {
	info: api.Info | null;
	infoError: string;
	/** Reads the info again: a config was saved. */
	again: () => void;
	/** What 100 % was before filters, in the unit of the tree. */
	whole: number;
	notes: string[];
	top: Load<api.LocalTop>;
	report: Load<api.Report>;
	params: Record<string, string>;
}

const nothing = <T>(value: T): Load<T> => ({ value, key: "", stale: false, error: "", busy: false });
const REPORTS: Readonly<Record<string, string>> = { graph: "graph", peek: "peek", source: "source", disasm: "disasm" };

function side(t: api.LocalTop, b: boolean): TopAnswer {
	return {
		unit: t.unit, total: b ? (t.total_b ?? 0) : t.total, count: t.count,
		rows: t.rows.map((r) => ({ name: r.name, file: r.file, self: b ? (r.self_b ?? 0) : r.self, total: b ? (r.total_b ?? 0) : r.total, variance: r.self_variance?.[b ? 1 : 0] ?? 0 })),
	};
}

/** Sides change places: the answer is turned round. */
function turned(a: TreeAnswer): TreeAnswer {
	const { self, total, self_b, total_b } = a.node;
	if (self_b === undefined || total_b === undefined) return a;
	return {
		...a, total_a: a.total_b ?? 0, total_b: a.total_a ?? 0, node: { ...a.node, self: self_b, total: total_b, self_b: self, total_b: total },
		...(a.ledger !== undefined && a.ledger_b !== undefined ? { ledger: a.ledger_b, ledger_b: a.ledger } : {}),
	};
}

export function useLocalModel(state: State): Model {
	const params = question(state);
	const key = JSON.stringify(params);
	const [edition, setEdition] = useState(0);
	const info = useLoad(`info ${key} ${edition}`, "info", (s) => api.info(params, s));
	const loaded = useLoad(`tree ${key}`, key, (s) => api.tree(params, [], MAX_NODES, s));
	const swap = state.swap;
	const value = useMemo(() => {
		const t = loaded.value?.tree ?? null;
		return t !== null && swap ? turned(t) : t;
	}, [loaded.value, swap]);
	const answer: Load<TreeAnswer> = { ...loaded, value };
	const scaleA = scaleOf(value, state.share, 1);
	const ask: Ask = async (path, s) => {
		const t = (await api.tree(params, path, MAX_NODES, s)).tree;
		return swap ? turned(t) : t;
	};
	const shown = useTree(answer, state, ask, scaleA, !loaded.stale);
	const matches = useMemo(
		() => (shown.tree === null ? null : search(shown.tree, state.search, state.regex)),
		[shown.tree, state.search, state.regex]);
	const isDiff = shown.tree?.isDiff ?? false;
	// Peek, source and disassembly without a function offer the heaviest ones.
	const wantTop = isDiff || ["top", "peek", "source", "disasm"].includes(state.view);
	const top = useLoad(wantTop ? `top ${key}` : null, key, (s) => api.top(params, TOP_LIMIT, s));
	const kind = REPORTS[state.view];
	const wantReport = kind !== undefined && (kind === "graph" || (state.opt["f"] ?? "") !== "");
	const report = useLoad(wantReport ? `report ${kind} ${key}` : null, `${kind} ${key}`, (s) => api.report(kind!, params, s));

	const perSample = isDiff ? (loaded.value?.tree.per_sample ?? 0) : 0;
	const noise = useMemo<Noise>(() => ({ perSample, scaleA }), [perSample, scaleA]);
	const list = useMemo<Change[] | null>(
		() => (!isDiff || top.value === null || top.stale ? null : changes(side(top.value, swap), side(top.value, !swap), noise)),
		[isDiff, top.value, top.stale, noise, swap]);

	const i = info.value;
	const ms = shown.tree !== null && /^(cpu|samples)$/.test(shown.tree.type) && !isDiff ? (i?.duration_ms ?? 0) : 0;
	const names = i?.diff === "net" ? ["less", "more"] as const : ["base", "this"] as const;
	const range = { from: 0, until: 0 };
	return {
		state, now: 0, range, against: isDiff ? range : null, first: 0, lived: ms,
		sides: { a: swap ? names[1] : names[0], b: swap ? names[0] : names[1], ms: 0 },
		by: "", sparks: nothing({ step: 1, unit: "", series: [] }), services: nothing([]), empty: false, service: null,
		query: { type: "", query: "", range }, series: nothing([{ step: 1, unit: "", series: [] }, null]), step: 1,
		answer: shown.error === "" ? answer : { ...answer, error: shown.error },
		tree: shown.tree, focus: shown.focus, focusLost: shown.focusLost, refining: shown.refining, matches,
		top: nothing({ unit: "", total: 0, rows: [], count: 0 }), changes: list, changesError: top.error, noise,
		stale: loaded.stale || top.stale || report.stale,
		local: {
			info: i, infoError: info.error, again: () => setEdition((n) => n + 1),
			whole: loaded.value?.whole ?? 0, notes: [...new Set([...(loaded.value?.notes ?? []), ...(report.value?.notes ?? [])])],
			top, report, params,
		},
	};
}
