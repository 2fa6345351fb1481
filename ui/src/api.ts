// The one file that knows URLs.  Every call takes a signal; every failure is an
// ApiError whose message is a sentence for the reader.

import { SeriesAnswer, Service, LabelName, LabelValue, StatusAnswer, TopAnswer, TreeAnswer } from "./types";
import { Range } from "./time";

export class ApiError extends Error {
	constructor(message: string, readonly code: string, readonly status: number) {
		super(message);
	}
}

export type Params = Record<string, string | number | readonly string[] | undefined>;

let inFlight = 0;
let onBusy: (n: number) => void = () => {};
/** Told of the number of open requests whenever it changes. */
export function watchBusy(fn: (n: number) => void): void {
	onBusy = fn;
}

const BASE = "/api/v1/";

export function address(route: string, params: Params): string {
	const p = new URLSearchParams();
	for (const [k, v] of Object.entries(params)) {
		if (v === undefined || v === "") continue;
		if (typeof v === "object") v.forEach((x) => p.append(k, x));
		else p.set(k, String(v));
	}
	const query = p.toString();
	return BASE + route + (query === "" ? "" : "?" + query);
}

export async function failure(r: Response): Promise<ApiError> {
	const text = await r.text().catch(() => "");
	try {
		const body = JSON.parse(text) as { error?: unknown; code?: unknown };
		if (typeof body.error === "string")
			return new ApiError(body.error, String(body.code ?? ""), r.status);
	} catch {
		// Not ours: a proxy's page, say.
	}
	return new ApiError(`the server answered ${r.status} ${r.statusText}`.trim(), "", r.status);
}

export async function get<T>(route: string, params: Params, signal: AbortSignal): Promise<T> {
	onBusy(++inFlight);
	try {
		const r = await fetch(address(route, params), { signal, headers: { Accept: "application/json" } });
		if (!r.ok) throw await failure(r);
		return (await r.json()) as T;
	} catch (e) {
		if (e instanceof ApiError || signal.aborted) throw e;
		if (e instanceof SyntaxError) throw new ApiError("the server's answer was not JSON", "", 0);
		throw new ApiError("the server cannot be reached; is everprof still running?", "", 0);
	} finally {
		onBusy(--inFlight);
	}
}

export interface Query {
	type: string;
	query: string;
	range: Range;
	/** Count what is measured twice twice. */
	copies?: boolean;
}

const base = (q: Query): Params => ({
	type: q.type, query: q.query, from: Math.round(q.range.from), until: Math.round(q.range.until),
	copies: q.copies === true ? 1 : undefined,
});

export const services = async (range: Range | null, copies: boolean, signal: AbortSignal): Promise<Service[]> =>
	(await get<{ services: Service[] }>("services", {
		...(range === null ? { from: 0, until: "now" } : { from: Math.round(range.from), until: Math.round(range.until) }),
		copies: copies ? 1 : undefined,
	}, signal)).services;

export const labels = async (q: Query, signal: AbortSignal): Promise<LabelName[]> =>
	(await get<{ labels: LabelName[] }>("labels", base(q), signal)).labels;

export const labelValues = (
	q: Query, name: string, prefix: string, limit: number, signal: AbortSignal,
): Promise<{ values: LabelValue[]; more: boolean }> =>
	get(`labels/${encodeURIComponent(name)}/values`, { ...base(q), prefix, limit }, signal);

export interface Steps {
	step: number;
	by: string;
	/** Even over the time of each profile; not for gauges. */
	spread: boolean;
	limit?: number;
}

/** From whole steps on, so that a point stays what it was when the range moves. */
export const series = (q: Query, s: Steps, signal: AbortSignal): Promise<SeriesAnswer> =>
	get("series", {
		...base(q), from: Math.floor(q.range.from / s.step) * s.step, step: s.step, by: s.by,
		spread: s.spread ? 1 : undefined, limit: s.limit,
	}, signal);

export const flamegraph = (
	q: Query, by: string, path: readonly string[], maxNodes: number, signal: AbortSignal,
): Promise<TreeAnswer> => get("flamegraph", { ...base(q), by, path, max_nodes: maxNodes }, signal);

export const top = (q: Query, limit: number, search: string, signal: AbortSignal): Promise<TopAnswer> =>
	get("top", { ...base(q), limit, search }, signal);

export const diff = (a: Query, b: Query, by: string, path: readonly string[], maxNodes: number, signal: AbortSignal): Promise<TreeAnswer> =>
	get("diff", {
		type: b.type, max_nodes: maxNodes, path, by, copies: b.copies === true ? 1 : undefined,
		a_query: a.query, a_from: Math.round(a.range.from), a_until: Math.round(a.range.until),
		b_query: b.query, b_from: Math.round(b.range.from), b_until: Math.round(b.range.until),
	}, signal);

export const status = (signal: AbortSignal): Promise<StatusAnswer> => get("status", {}, signal);

/** Where the merged profile can be downloaded. */
export const profileAddress = (q: Query): string => address("profile", base(q));
