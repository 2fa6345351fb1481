import assert from "node:assert/strict";
import { test } from "node:test";
import { contrast, diffScale, oklch, PALETTES, packageOf } from "../src/colour";
import { changes, interval, isReal, noiseAt, NO_NOISE } from "../src/diff";
import { boxesOf, clampWindow, firstEndingAfter, nodeAt, ROW, View, windowOf, zoomAt } from "../src/flame/geometry";
import { walk } from "../src/flame/walk";
import { graft } from "../src/graft";
import { search, step } from "../src/search";
import { totalSentence, whereSentence } from "../src/sentence";
import { find, hasMore, kindOf, MORE, nameOf, pathOf, treeFrom } from "../src/tree";
import { TreeAnswer } from "../src/types";

// total 100: main 90 (a 60 (b 40), c 20, 10 left out), x 10
function answer(): TreeAnswer {
	return {
		unit: "nanoseconds", total: 100, type: "process_cpu:cpu:nanoseconds:cpu:nanoseconds",
		names: ["total", "main", "a", "b", "c", "x"], files: ["", "m.c", "a.c", "b.c", "c.c", ""],
		kinds: ["root", "native", "native", "native", "native", "kernel"],
		node: {
			name: [0, 1, 2, 3, 4, 5], depth: [0, 1, 2, 3, 2, 1], self: [0, 0, 20, 40, 20, 10],
			total: [100, 90, 60, 40, 20, 10], more: [0, 10, 0, 0, 0, 0],
		},
	};
}
const view = (over: Partial<View> = {}): View => ({ x0: 0, x1: 100, top: 0, width: 1000, height: 400, ...over });
const named = (t: ReturnType<typeof treeFrom>, name: string): number => find(t, name.split("/")).node;

test("columns become a tree with parents, ends and positions", () => {
	const t = treeFrom(answer());
	const c = named(t, "main/c"), x = named(t, "x");
	assert.equal(t.start[c], 60);
	assert.equal(t.start[x], 90);
	assert.equal(t.end[named(t, "main")], x);
	assert.deepEqual(pathOf(t, named(t, "main/a/b")), ["main", "a", "b"]);
});

test("what was left out is a frame of its own, in its place", () => {
	const t = treeFrom(answer());
	const more = [...Array(t.n).keys()].filter((i) => kindOf(t, i) === MORE);
	assert.equal(more.length, 1);
	assert.equal(t.start[more[0]!], 80);
	assert.equal(t.width[more[0]!], 10);
	assert.ok(hasMore(t, named(t, "main")) && !hasMore(t, named(t, "main/a")));
});

test("a broken tree is refused with a sentence", () => {
	const a = answer();
	a.node.depth[3] = 7;
	assert.throws(() => treeFrom(a), /no parent for node 3/);
	const b = answer();
	b.node.self.pop();
	assert.throws(() => treeFrom(b), /different lengths/);
});

test("an answer about nothing is a tree of nothing", () => {
	const t = treeFrom({ unit: "", total: 0, type: "", names: [], files: [], kinds: [], node: { name: [], depth: [] } as never });
	assert.equal(t.n, 1);
	assert.equal(t.width[0], 0);
});

test("a pixel finds its frame, and nothing where nothing is", () => {
	const t = treeFrom(answer());
	assert.equal(nodeAt(t, view(), 650, 2 * ROW + 3), named(t, "main/c"));
	assert.equal(nodeAt(t, view(), 950, 1 * ROW + 3), named(t, "x"));
	assert.equal(nodeAt(t, view(), 950, 2 * ROW + 3), -1);
	assert.equal(nodeAt(t, view(), 10, 50 * ROW), -1);
	assert.equal(nodeAt(t, view({ x0: 60, x1: 80 }), 10, 2 * ROW), named(t, "main/c"));
});

test("frames under a pixel merge: never more boxes than pixels, none uncovered", () => {
	const n = 50_000;
	const a: TreeAnswer = {
		unit: "count", total: n, type: "t", names: ["total", "f"], files: ["", ""], kinds: ["root", "native"],
		node: {
			name: [0, ...Array<number>(n).fill(1)], depth: [0, ...Array<number>(n).fill(1)],
			self: [0, ...Array<number>(n).fill(1)], total: [n, ...Array<number>(n).fill(1)],
		},
	};
	const t = treeFrom(a);
	let boxes = 0, covered = 0, frames = 0;
	boxesOf(t, view({ x1: n, width: 800 }), 1, (b) => {
		boxes++;
		covered += b.w;
		frames += b.n;
	});
	assert.ok(boxes <= 800, `${boxes} boxes`);
	assert.equal(frames, n);
	assert.ok(Math.abs(covered - 800) < 1, `${covered} pixels`);
	let wide = 0;
	boxesOf(t, view({ x0: 100, x1: 110, width: 800 }), 1, (b) => { wide += b.n === 1 ? 1 : 0; });
	assert.equal(wide, 10);
});

test("binary search agrees with looking at every node", () => {
	const t = treeFrom(answer());
	for (let x = 0; x < 100; x += 5) {
		let k = t.levelAt[2]!;
		while (k < t.levelAt[3]! && t.start[t.level[k]!]! + t.width[t.level[k]!]! <= x) k++;
		assert.equal(firstEndingAfter(t, t.levelAt[2]!, t.levelAt[3]!, x), k);
	}
});

test("zoom keeps the weight under the pointer and stays inside", () => {
	const z = zoomAt(view(), 250, 0.5, 0, 100);
	assert.deepEqual(z, { x0: 12.5, x1: 62.5 });
	assert.deepEqual(zoomAt(view({ x0: 10, x1: 20 }), 500, 1000, 0, 100), { x0: 0, x1: 100 });
	assert.deepEqual(clampWindow(-5, 20, 0, 100), { x0: 0, x1: 20 });
	const t = treeFrom(answer());
	assert.deepEqual(windowOf(t, named(t, "main/c")), { x0: 60, x1: 80 });
});

test("arrows walk to the caller, the heaviest callee and the neighbours", () => {
	const t = treeFrom(answer());
	const main = named(t, "main"), a = named(t, "main/a"), c = named(t, "main/c");
	assert.equal(walk(t, main, "down"), a);
	assert.equal(walk(t, a, "right"), c);
	assert.equal(walk(t, c, "left"), a);
	assert.equal(walk(t, a, "up"), main);
	assert.equal(walk(t, 0, "up"), 0);
	assert.equal(walk(t, main, "right"), named(t, "x"));
});

test("search counts frames, and weight under nested matches once", () => {
	const t = treeFrom(answer());
	const m = search(t, "^(a|b)$", true)!;
	assert.deepEqual(m.nodes.map((i) => nameOf(t, i)), ["a", "b"]);
	assert.equal(m.weight, 60);
	assert.equal(step(m, m.nodes[1]!, true), m.nodes[0]);
	assert.equal(step(m, m.nodes[0]!, false), m.nodes[1]);
	assert.ok(search(t, "(", true)!.error.includes("not a regular expression"));
	assert.equal(search(t, "", false), null);
	assert.equal(search(t, "smaller", false)!.nodes.length, 0, "left-out frames are no functions");
});

test("a refined subtree takes the place of the coarse one", () => {
	const base = answer();
	const sub: TreeAnswer = {
		...answer(), names: ["total", "main", "a", "b", "c", "d"],
		node: { name: [0, 1, 2, 3, 4, 5], depth: [0, 1, 2, 3, 2, 2], self: [0, 0, 20, 40, 20, 10], total: [100, 90, 60, 40, 20, 10], more: [0, 0, 0, 0, 0, 0] },
		files: ["", "m.c", "a.c", "b.c", "c.c", "d.c"], kinds: ["root", "native", "native", "native", "native", "native"],
	};
	const t = treeFrom(graft(base, ["main"], sub));
	assert.ok(!hasMore(t, 0));
	assert.equal(t.total[named(t, "main/d")], 10);
	assert.equal(t.total[named(t, "x")], 10);
	assert.equal(graft(base, ["nowhere"], sub), base);
});

test("a diff lays both sides beside each other and says what is left out of each", () => {
	const a = answer();
	a.node.self_b = [0, 0, 30, 40, 0, 10];
	a.node.total_b = [100, 90, 70, 40, 0, 10];
	a.total_a = 100;
	a.total_b = 100;
	a.node.more = [0, 30, 0, 0, 0, 0];
	const t = treeFrom(a);
	const more = [...Array(t.n).keys()].find((i) => kindOf(t, i) === MORE)!;
	assert.equal(t.width[0], 200);
	assert.equal(t.total[more], 10);
	assert.equal(t.totalB_[more], 20);
});

test("a difference within chance is not called a change", () => {
	assert.ok(!isReal(0, 10, { perSample: 10, scaleA: 1 }), "one sample against none");
	assert.ok(isReal(1000, 2000, { perSample: 10, scaleA: 1 }));
	assert.equal(interval(5, 5, NO_NOISE), 0);
	// 100 samples seen in half the time count as 200, with the doubt of 100.
	assert.ok(Math.abs(interval(200, 0, { perSample: 1, scaleA: 2 }) - 1.96 * 2 * Math.sqrt(100)) < 1e-9);
});

test("changes are joined by function and sorted by size; new and gone are said", () => {
	const top = (rows: [string, number][]) => ({ unit: "count", total: 0, count: rows.length, rows: rows.map(([name, self]) => ({ name, file: "", self, total: self })) });
	const list = changes(top([["kept", 100], ["gone", 500]]), top([["kept", 110], ["__proto__", 900]]), { perSample: 1, scaleA: 1 });
	assert.deepEqual(list.map((c) => [c.name, c.what, c.real]), [["__proto__", "new", true], ["gone", "gone", true], ["kept", "more", false]]);
});

test("with variances of its rows, one heavy sample against none is chance, and many are not", () => {
	const top = (rows: [string, number, number][]) => ({ unit: "bytes", total: 0, count: rows.length, rows: rows.map(([name, self, variance]) => ({ name, file: "", self, total: self, variance })) });
	const list = changes(top([["half", 100, 100]]), top([["one", 1200, 1200 ** 2], ["many", 1000, 1000], ["half", 200, 200]]), { perSample: 1, scaleA: 1 });
	assert.deepEqual(list.map((c) => [c.name, c.real]), [["one", false], ["many", true], ["half", true]]);
	assert.equal(changes(top([["half", 100, 400]]), top([["half", 120, 0]]), { perSample: 1, scaleA: 4 })[0]!.real, true);
});

test("a node of one heavy sample is within chance where many light ones are not", () => {
	const t = treeFrom({
		unit: "bytes", type: "space", total: 2400, total_a: 0, total_b: 2400, names: ["total", "one", "many"], files: ["", "", ""], kinds: ["root", "native", "native"],
		node: { name: [0, 1, 2], depth: [0, 1, 1], self: [0, 0, 0], total: [0, 0, 0], self_b: [0, 1200, 1200], total_b: [2400, 1200, 1200], per_sample: [600, 1200, 1] },
	});
	const noise = { perSample: 600, scaleA: 1 };
	assert.deepEqual([1, 2].map((i) => isReal(0, 1200, noiseAt(t, i, noise))), [false, true]);
	assert.equal(isReal(0, 1200, noise), false);
	assert.equal(noiseAt(treeFrom({ unit: "", type: "", total: 1, names: ["total"], files: [""], kinds: ["root"], node: { name: [0], depth: [0], self: [1], total: [1] } }), 0, noise), noise);
});

test("the sentence says direction, amount and chance", () => {
	const totals = { a: 60e9, b: 90e9, noise: { perSample: 1e7, scaleA: 1 }, ms: 60_000, type: "process_cpu:cpu:nanoseconds:cpu:nanoseconds", unit: "nanoseconds", share: false, names: null };
	assert.ok(totalSentence(totals).startsWith("CPU rose from 1\u202fcores to 1.5\u202fcores (+50.0\u202f%"), totalSentence(totals));
	assert.ok(totalSentence({ ...totals, b: 60.1e9 }).includes("unchanged within chance"));
	assert.ok(totalSentence({ ...totals, a: 0 }).includes("earlier range"));
	assert.ok(totalSentence({ ...totals, names: ["/cart", "/login"] }).startsWith("/cart \u2192 /login: CPU rose"));
	assert.equal(whereSentence([{ name: "f", file: "", a: 0, b: 30e9, delta: 30e9, real: true, what: "new" }], { ...totals, share: true }), "Most: +33.3\u202f% in f (new).");
	assert.equal(whereSentence([{ name: "f", file: "", a: 0, b: 30e9, delta: 30e9, real: true, what: "new" }], totals), "Most: +0.5\u202fcores in f (new).");
});

test("text stays readable on every colour, dark and light", () => {
	for (const theme of ["light", "dark"] as const) {
		const p = PALETTES[theme];
		const all = [...p.hues.flat(), ...p.modules, p.label, p.root, p.kernel, p.unnamed, p.lost, p.match, ...diffScale(theme)];
		for (const c of all) assert.ok(contrast(p.text, c) >= 4.5, `${theme} ${c} ${contrast(p.text, c)}`);
		assert.ok(contrast(p.dim, p.more) >= 4.5, `${theme} dim on more`);
	}
	assert.deepEqual(oklch(1, 0, 0), [255, 255, 255]);
});

test("packages of Go, C++ and C", () => {
	assert.equal(packageOf("github.com/acme/shop/cart.(*Cart).Total", "cart.go"), "github.com/acme/shop/cart");
	assert.equal(packageOf("db::Pool::query(int)", "/src/pool.cc"), "db");
	assert.equal(packageOf("parse", "/src/json.c"), "json.c");
	assert.equal(packageOf("/usr/bin/python3.11+0x13f6c0", ""), "python3.11");
});
