// What changed between two sides, and whether it is more than chance.  A sample is a
// Poisson event: the count n of a side has variance n, so the difference of two counts
// has variance na + nb.  Two standard deviations are taken for the interval.

import { TopAnswer, TopRow } from "./types";

const Z = 1.96;

export interface Noise {
	/** What one sample weighs; 0 if the server does not say. */
	perSample: number;
	/** What A was multiplied with to be as long as B: it multiplies A's deviation too. */
	scaleA: number;
}
export const NO_NOISE: Noise = { perSample: 0, scaleA: 1 };

/** The noise in one node of a tree, which may be made of heavier samples than the rest. */
export function noiseAt(t: { perSample: Float64Array }, i: number, n: Noise): Noise {
	const perSample = t.perSample[i] ?? 0;
	return perSample > 0 ? { ...n, perSample } : n;
}

/** Half the interval of b - a (a is scaled already); 0 if unknown. */
export function interval(a: number, b: number, n: Noise): number {
	return n.perSample > 0 ? Z * Math.sqrt(n.perSample * (n.scaleA * a + b)) : 0;
}

export const isReal = (a: number, b: number, n: Noise): boolean =>
	Math.abs(b - a) > interval(a, b, n);

/** The same where the variances of both are known. */
export const isBeyond = (delta: number, variance: number): boolean =>
	Math.abs(delta) > Z * Math.sqrt(variance);

export interface Change {
	name: string;
	file: string;
	a: number;
	b: number;
	delta: number;
	real: boolean;
	what: "new" | "gone" | "more" | "less" | "same";
}

const key = (r: TopRow): string => `${r.name}\u0000${r.file}`;

/** Changes of self weight by function, the largest first.  A is scaled to B's length. */
export function changes(a: TopAnswer, b: TopAnswer, noise: Noise): Change[] {
	const rows = new Map<string, Change>();
	const variance = new Map<Change, number>();
	const vary = (c: Change, r: TopRow, scale: number): void => {
		if (r.variance !== undefined) variance.set(c, (variance.get(c) ?? 0) + r.variance * scale * scale);
	};
	const row = (r: TopRow): Change => {
		const k = key(r);
		let c = rows.get(k);
		if (c === undefined) {
			c = { name: r.name, file: r.file, a: 0, b: 0, delta: 0, real: false, what: "same" };
			rows.set(k, c);
		}
		return c;
	};
	for (const r of a.rows) {
		const c = row(r);
		c.a += r.self * noise.scaleA;
		vary(c, r, noise.scaleA);
	}
	for (const r of b.rows) {
		const c = row(r);
		c.b += r.self;
		vary(c, r, 1);
	}
	const all = [...rows.values()];
	for (const c of all) {
		c.delta = c.b - c.a;
		const v = variance.get(c);
		c.real = v === undefined ? isReal(c.a, c.b, noise) : isBeyond(c.delta, v);
		if (c.delta === 0) c.what = "same";
		else if (c.a === 0 && a.count <= a.rows.length) c.what = "new";
		else if (c.b === 0 && b.count <= b.rows.length) c.what = "gone";
		else c.what = c.delta > 0 ? "more" : "less";
	}
	return all.filter((c) => c.delta !== 0).sort((x, y) => Math.abs(y.delta) - Math.abs(x.delta));
}
