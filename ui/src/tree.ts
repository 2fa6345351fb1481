// The tree as columns of typed arrays: node i is a row.  Pre-order makes a subtree a
// range [i, end[i]), and the nodes of one depth, in order, a list sorted by position;
// drawing and hit-testing are binary searches in these lists.
//
// Where the server left children out (`more`), a node of kind MORE stands in for them
// with their weight, so that nothing is missing from the picture and there is something
// to click.

import { Ledger, TreeAnswer } from "./types";

export const KINDS = ["root", "native", "kernel", "jit", "unnamed", "lost", "more", "label"] as const;
export const ROOT = 0, NATIVE = 1, KERNEL = 2, JIT = 3, UNNAMED = 4, LOST = 5, MORE = 6, LABEL = 7;
export const MORE_NAME = "\u2026 smaller frames";

export interface Tree {
	unit: string;
	type: string;
	/** Of the diff: the sums of both sides; otherwise the total and 0. */
	totalA: number;
	totalB: number;
	isDiff: boolean;
	names: string[];
	files: string[];
	kinds: Uint8Array;
	n: number;
	name: Int32Array;
	depth: Int32Array;
	parent: Int32Array;
	end: Int32Array;
	self: Float64Array;
	total: Float64Array;
	more: Float64Array;
	/** Side B of a diff, else empty. */
	selfB: Float64Array;
	totalB_: Float64Array;
	/** What a sample weighs in each node, where the answer says so; 0: it does not. */
	perSample: Float64Array;
	/** Layout: position and width in units of weight; width[0] is the whole. */
	start: Float64Array;
	width: Float64Array;
	/** level[levelAt[d] .. levelAt[d+1]) are the nodes of depth d, left to right. */
	level: Int32Array;
	levelAt: Int32Array;
	ledger: Ledger | null;
	/** Samples behind both sides; 0 when the server does not say. */
	samples: number;
}

function check(t: TreeAnswer): void {
	const { name, depth, self, total } = t.node;
	const n = name.length;
	if (depth.length !== n || self.length !== n || total.length !== n)
		throw new Error("the server's tree has columns of different lengths");
	if (t.files.length !== t.names.length || t.kinds.length !== t.names.length)
		throw new Error("the server's tree has names without files or kinds");
	for (let i = 1; i < n; i++)
		if (depth[i]! < 1 || depth[i]! > depth[i - 1]! + 1)
			throw new Error(`the server's tree has no parent for node ${i}`);
}

/** Rows in pre-order, growing. */
class Rows {
	name: number[] = [];
	depth: number[] = [];
	self: number[] = [];
	total: number[] = [];
	more: number[] = [];
	selfB: number[] = [];
	totalB: number[] = [];
	perSample: number[] = [];
	add(name: number, depth: number, self: number, total: number, more: number, sb: number, tb: number, per = 0): void {
		this.name.push(name);
		this.depth.push(depth);
		this.self.push(self);
		this.total.push(total);
		this.more.push(more);
		this.selfB.push(sb);
		this.totalB.push(tb);
		this.perSample.push(per);
	}
}

/** A node whose children are still coming, and the weight they have not claimed. */
interface Open {
	depth: number;
	more: number;
	a: number;
	b: number;
}

/** The wire's rows with a MORE child where children were left out.  In a diff `more` is
 * of both sides; what each side lacks follows from total = self + children + more. */
function expand(t: TreeAnswer, moreName: number): Rows {
	const c = t.node;
	const isDiff = c.total_b !== undefined;
	const rows = new Rows();
	const open: Open[] = [];
	const close = (to: number): void => {
		while (open.length > 0 && open[open.length - 1]!.depth >= to) {
			const o = open.pop()!;
			if (o.more <= 0) continue;
			const a = isDiff ? Math.max(0, o.a) : o.more, b = isDiff ? Math.max(0, o.b) : 0;
			rows.add(moreName, o.depth + 1, a, a, 0, b, b);
		}
	};
	for (let i = 0; i < c.name.length; i++) {
		close(c.depth[i]!);
		const more = c.more?.[i] ?? 0;
		const selfB = c.self_b?.[i] ?? 0, totalB = c.total_b?.[i] ?? 0;
		const parent = open[open.length - 1];
		if (parent !== undefined) {
			parent.a -= c.total[i]!;
			parent.b -= totalB;
		}
		rows.add(c.name[i]!, c.depth[i]!, c.self[i]!, c.total[i]!, more, selfB, totalB, c.per_sample?.[i]);
		open.push({ depth: c.depth[i]!, more, a: c.total[i]! - c.self[i]!, b: totalB - selfB });
	}
	close(0);
	return rows;
}

/** Sets parent, end, start, and the levels. */
function layOut(t: Tree): void {
	const maxDepth = t.depth.reduce((a, b) => Math.max(a, b), 0);
	const last = new Int32Array(maxDepth + 2).fill(-1);
	const cursor = new Float64Array(maxDepth + 2);
	t.levelAt = new Int32Array(maxDepth + 2);
	for (let i = 0; i < t.n; i++) {
		const d = t.depth[i]!;
		for (let k = d; k <= maxDepth && last[k]! >= 0; k++) {
			t.end[last[k]!] = i;
			last[k] = -1;
		}
		last[d] = i;
		t.parent[i] = d === 0 ? -1 : last[d - 1]!;
		t.start[i] = cursor[d]!;
		cursor[d + 1] = cursor[d]!;
		cursor[d] = cursor[d]! + t.width[i]!;
		t.levelAt[d + 1]!++;
	}
	for (let k = 0; k <= maxDepth; k++) if (last[k]! >= 0) t.end[last[k]!] = t.n;
	for (let d = 0; d <= maxDepth; d++) t.levelAt[d + 1]! += t.levelAt[d]!;
	const fill = t.levelAt.slice();
	for (let i = 0; i < t.n; i++) t.level[fill[t.depth[i]!]!++] = i;
}

/** An answer about nothing may come without a root; it gets one. */
function rooted(a: TreeAnswer): TreeAnswer {
	if (a.node.name.length > 0) return a;
	const zero = [0];
	return { ...a, total: 0, names: ["total"], files: [""], kinds: ["root"], node: { name: zero, depth: zero, self: zero, total: zero } };
}

/** Reads the server's answer.  `scaleA` brings side A of a diff to B's length of time. */
export function treeFrom(answer: TreeAnswer, scaleA = 1): Tree {
	const a = rooted(answer);
	check(a);
	const isDiff = a.node.total_b !== undefined;
	const names = [...a.names, MORE_NAME];
	const rows = expand(a, names.length - 1);
	const n = rows.name.length;
	const kind = (k: string): number => Math.max(0, KINDS.indexOf(k as (typeof KINDS)[number]));
	const scale = (xs: number[]): Float64Array => Float64Array.from(xs, (x) => x * scaleA);
	const t: Tree = {
		unit: a.unit, type: a.type, isDiff,
		totalA: isDiff ? (a.total_a ?? a.total) * scaleA : a.total, totalB: a.total_b ?? 0,
		names, files: [...a.files, ""],
		kinds: Uint8Array.from([...a.kinds.map((k) => kind(k)), MORE]),
		n, name: Int32Array.from(rows.name), depth: Int32Array.from(rows.depth),
		parent: new Int32Array(n), end: new Int32Array(n),
		self: scale(rows.self), total: scale(rows.total), more: scale(rows.more),
		selfB: Float64Array.from(isDiff ? rows.selfB : []),
		totalB_: Float64Array.from(isDiff ? rows.totalB : []),
		perSample: Float64Array.from(a.node.per_sample === undefined ? [] : rows.perSample),
		start: new Float64Array(n), width: new Float64Array(n),
		level: new Int32Array(n), levelAt: new Int32Array(0),
		ledger: a.ledger_b ?? a.ledger ?? null,
		samples: (a.ledger?.samples ?? 0) + (a.ledger_b?.samples ?? 0),
	};
	// Both sides side by side in one width: it adds up at every depth, and a frame
	// that is gone keeps its place.
	for (let i = 0; i < n; i++) t.width[i] = t.total[i]! + (isDiff ? t.totalB_[i]! : 0);
	layOut(t);
	return t;
}

export const kindOf = (t: Tree, i: number): number => t.kinds[t.name[i]!]!;
export const nameOf = (t: Tree, i: number): string => t.names[t.name[i]!]!;
export const fileOf = (t: Tree, i: number): string => t.files[t.name[i]!]!;

/** Names from below the root down to `i`. */
export function pathOf(t: Tree, i: number): string[] {
	const path: string[] = [];
	for (; i > 0; i = t.parent[i]!) path.unshift(nameOf(t, i));
	return path;
}

export function* children(t: Tree, i: number): Generator<number> {
	for (let c = i + 1; c < t.end[i]!; c = t.end[c]!) yield c;
}

export function heaviestChild(t: Tree, i: number): number {
	let best = -1;
	for (const c of children(t, i))
		if (kindOf(t, c) !== MORE && (best < 0 || t.width[c]! > t.width[best]!)) best = c;
	return best;
}

/** The node at `path`, as deep as it exists; `whole` says whether all of it did. */
export function find(t: Tree, path: readonly string[]): { node: number; whole: boolean } {
	let at = 0;
	for (const name of path) {
		let next = -1;
		for (const c of children(t, at)) {
			if (nameOf(t, c) !== name || kindOf(t, c) === MORE) continue;
			if (next < 0 || t.width[c]! > t.width[next]!) next = c;
		}
		if (next < 0) return { node: at, whole: false };
		at = next;
	}
	return { node: at, whole: true };
}

/** Whether anything in the subtree of `i` was left out. */
export function hasMore(t: Tree, i: number): boolean {
	for (let k = i; k < t.end[i]!; k++) if (t.more[k]! > 0) return true;
	return false;
}
