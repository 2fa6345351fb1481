// Puts a refined subtree (an answer with `path`) into the answer it refines.

import { NodeColumns, TreeAnswer } from "./types";

const endOf = (c: NodeColumns, i: number): number => {
	let k = i + 1;
	while (k < c.depth.length && c.depth[k]! > c.depth[i]!) k++;
	return k;
};

function childNamed(t: TreeAnswer, at: number, name: string): number {
	const c = t.node;
	let best = -1;
	for (let k = at + 1; k < endOf(c, at); k = endOf(c, k))
		if (t.names[c.name[k]!] === name && (best < 0 || c.total[k]! > c.total[best]!)) best = k;
	return best;
}

/** The row of `path` in `t`, or -1. */
export function locate(t: TreeAnswer, path: readonly string[]): number {
	let at = 0;
	for (const name of path) {
		at = childNamed(t, at, name);
		if (at < 0) return -1;
	}
	return at;
}

/** The answer's row that is the end of `path`: below its root, or its root itself. */
function subtreeRow(sub: TreeAnswer, path: readonly string[]): number {
	const inside = locate(sub, path);
	if (inside >= 0) return inside;
	const last = path[path.length - 1];
	return sub.names[sub.node.name[0]!] === last || sub.kinds[sub.node.name[0]!] === "root" ? 0 : -1;
}

/** `base` with the subtree at `path` replaced by that of `sub`; `base` if it has none. */
export function graft(base: TreeAnswer, path: readonly string[], sub: TreeAnswer): TreeAnswer {
	const at = locate(base, path);
	const from = subtreeRow(sub, path);
	if (at < 0 || from < 0) return base;
	const end = endOf(base.node, at);
	const subEnd = endOf(sub.node, from);
	const shift = base.names.length;
	const down = base.node.depth[at]! - sub.node.depth[from]!;
	const splice = (key: "self" | "total" | "more" | "self_b" | "total_b" | "per_sample"): number[] => [
		...(base.node[key] ?? []).slice(0, at), ...(sub.node[key] ?? []).slice(from, subEnd),
		...(base.node[key] ?? []).slice(end),
	];
	const names = sub.node.name.slice(from, subEnd).map((k) => k + shift);
	names[0] = base.node.name[at]!;
	return {
		...base,
		names: [...base.names, ...sub.names],
		files: [...base.files, ...sub.files],
		kinds: [...base.kinds, ...sub.kinds],
		node: {
			name: [...base.node.name.slice(0, at), ...names, ...base.node.name.slice(end)],
			depth: [
				...base.node.depth.slice(0, at),
				...sub.node.depth.slice(from, subEnd).map((d) => d + down),
				...base.node.depth.slice(end),
			],
			self: splice("self"), total: splice("total"), more: splice("more"),
			...(base.node.total_b === undefined ? {} : { self_b: splice("self_b"), total_b: splice("total_b") }),
			...(base.node.per_sample === undefined ? {} : { per_sample: splice("per_sample") }),
		},
	};
}
