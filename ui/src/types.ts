// The answers of docs/api.md as they come over the wire.  Only api.ts makes them.

export interface Service {
	name: string;
	types: string[];
	total: Record<string, number>;
	profiles: number;
	/** Starts of its first and newest profile in the range asked for. */
	first: number;
	last: number;
}

export interface LabelName {
	name: string;
	values: number;
	scope: "series" | "sample";
}

export interface LabelValue {
	value: string;
	total: number;
}

export interface SeriesAnswer {
	step: number;
	unit: string;
	series: { labels: Record<string, string>; total: number; points: [number, number][] }[];
}

export interface Ledger {
	profiles: number;
	samples: number;
	asked: number;
	taken: number;
	lost: number;
	truncated: number;
	unsymbolised: number;
	/** Weight left out because the process pushed it itself. */
	copies?: number;
	covered_ms: number;
	span_ms: number;
}

export interface NodeColumns {
	name: number[];
	depth: number[];
	self: number[];
	total: number[];
	more?: number[];
	self_b?: number[];
	total_b?: number[];
	/** Of a comparison of files: the variance of a node's value, a unit of it. */
	per_sample?: number[];
}

export interface TreeAnswer {
	unit: string;
	total: number;
	total_a?: number;
	total_b?: number;
	type: string;
	names: string[];
	files: string[];
	kinds: string[];
	node: NodeColumns;
	/** Of a diff: side A's, with ledger_b of side B, or one for both. */
	ledger?: Ledger;
	ledger_b?: Ledger;
	/** Of a comparison of files: the variance of a value, a unit of it. */
	per_sample?: number;
}

export interface TopRow {
	name: string;
	file: string;
	self: number;
	total: number;
	/** Of `self`, by sampling; without it, it follows from what a sample weighs. */
	variance?: number;
}

export interface TopAnswer {
	unit: string;
	total: number;
	rows: TopRow[];
	count: number;
}

export interface StatusAnswer {
	version: string;
	uptime_s: number;
	host: string;
	sees: string[];
	agent: Record<string, unknown> | null;
}
