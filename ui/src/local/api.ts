// Questions about one file: docs/pprof-web.md.

import { ApiError, failure, get, Params } from "../api";
import { TopRow, TreeAnswer } from "../types";

export interface SampleType { name: string; unit: string; total: number }
export interface Config { name: string; params: Record<string, string> }

export interface Info {
	version: string;
	file: string;
	doc_url: string;
	/** Of `types`: what is shown. */
	column: number;
	types: SampleType[];
	/** "compare": samples of both sides apart; "net": equal ones have met. */
	diff: "" | "compare" | "net";
	time_ms: number;
	duration_ms: number;
	ledger?: { asked: number; taken: number; lost: number; truncated: number };
	header: string[];
	configs: Config[];
	configs_error?: string;
}

export interface LocalTree { tree: TreeAnswer; whole: number; notes: string[] }
/** Of both sides. */
export type Pair = readonly [number, number];
export interface LocalRow extends TopRow { kind: string; inlined?: boolean; self_b?: number; total_b?: number; self_variance?: Pair; total_variance?: Pair }
export interface LocalTop { unit: string; type: string; total: number; total_b?: number; rows: LocalRow[]; count: number }
export interface Report { kind: string; text: string; notes: string[] }
export interface TagValue { value: string; filter: string; total: number }
export interface Tag { name: string; total: number; count: number; numeric: boolean; values: TagValue[] }
export interface Tags { unit: string; total: number; tags: Tag[] }

export const info = (q: Params, s: AbortSignal): Promise<Info> => get("pprof/info", q, s);
export const tree = (q: Params, path: readonly string[], maxNodes: number, s: AbortSignal): Promise<LocalTree> =>
	get("pprof/flamegraph", { ...q, path, max_nodes: maxNodes }, s);
export const top = (q: Params, limit: number, s: AbortSignal): Promise<LocalTop> => get("pprof/top", { ...q, limit }, s);
export const report = (kind: string, q: Params, s: AbortSignal): Promise<Report> => get("pprof/report", { ...q, kind }, s);
export const tags = (q: Params, s: AbortSignal): Promise<Tags> => get("pprof/tags", q, s);

async function edit(method: string, route: string, params: Record<string, string>): Promise<void> {
	const r = await fetch(`/ui/${route}?${new URLSearchParams(params).toString()}`, { method }).catch(() => null);
	if (r === null) throw new ApiError("everprof cannot be reached; is it still running?", "", 0);
	if (!r.ok) throw await failure(r);
}

export const saveConfig = (name: string, q: Record<string, string>): Promise<void> => edit("POST", "saveconfig", { ...q, config: name });
export const deleteConfig = (name: string): Promise<void> => edit("DELETE", "deleteconfig", { config: name });
export const downloadAddress = "/ui/download";
