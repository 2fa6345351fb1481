// Where frames are: pure functions between weights, pixels and nodes.  All of them are
// a binary search in one level, so their cost does not grow with the tree.

import { Tree } from "../tree";

export const ROW = 20;

/** The part of the tree that is on the canvas: weights across, pixels down. */
export interface View {
	x0: number;
	x1: number;
	/** Pixels of the graph above the canvas. */
	top: number;
	/** Size of the canvas in CSS pixels. */
	width: number;
	height: number;
}

export const endX = (t: Tree, i: number): number => t.start[i]! + t.width[i]!;

/** First index k in level[lo, hi) whose node ends right of `x`. */
export function firstEndingAfter(t: Tree, lo: number, hi: number, x: number): number {
	while (lo < hi) {
		const mid = (lo + hi) >>> 1;
		if (endX(t, t.level[mid]!) > x) hi = mid;
		else lo = mid + 1;
	}
	return lo;
}

export const pixelsPer = (v: View): number => v.width / (v.x1 - v.x0);
export const toPixel = (v: View, x: number): number => (x - v.x0) * pixelsPer(v);
export const toWeight = (v: View, px: number): number => v.x0 + px / pixelsPer(v);
export const rowAt = (v: View, py: number): number => Math.floor((py + v.top) / ROW);

/** The node at a pixel, or -1. */
export function nodeAt(t: Tree, v: View, px: number, py: number): number {
	const d = rowAt(v, py);
	if (d < 0 || d + 1 >= t.levelAt.length) return -1;
	const x = toWeight(v, px);
	const hi = t.levelAt[d + 1]!;
	const k = firstEndingAfter(t, t.levelAt[d]!, hi, x);
	if (k >= hi) return -1;
	const i = t.level[k]!;
	return t.start[i]! <= x ? i : -1;
}

/** The window of a focused node: it fills the width. */
export function windowOf(t: Tree, i: number): { x0: number; x1: number } {
	const w = t.width[i]! || t.width[0]! || 1;
	return { x0: t.start[i]!, x1: t.start[i]! + w };
}

/** Zooms by `factor` (under 1: in) about a pixel, inside [lo, hi]. */
export function zoomAt(v: View, px: number, factor: number, lo: number, hi: number): { x0: number; x1: number } {
	const at = toWeight(v, px);
	// 1e-9 of the range: far past any frame, far before floats run out of digits.
	const len = Math.min(hi - lo, Math.max((hi - lo) * 1e-9, (v.x1 - v.x0) * factor));
	const part = (at - v.x0) / (v.x1 - v.x0);
	return clampWindow(at - len * part, len, lo, hi);
}

export function clampWindow(x0: number, len: number, lo: number, hi: number): { x0: number; x1: number } {
	const a = Math.min(Math.max(x0, lo), Math.max(lo, hi - len));
	return { x0: a, x1: Math.min(hi, a + len) };
}

export const graphHeight = (t: Tree): number => (t.levelAt.length - 1) * ROW;

export interface Box {
	/** Node, or the first of a run of frames under a pixel. */
	node: number;
	x: number;
	w: number;
	/** Frames in it: 1, or the length of the run. */
	n: number;
}

/**
 * Calls `put` for what is visible of one level, left to right.  Frames under one pixel
 * are merged with their neighbours: from each drawn pixel the search jumps to the first
 * frame that ends beyond it, so at most `width` boxes come out of a level of any size.
 * The box passed is reused.
 */
export function boxesOf(t: Tree, v: View, depth: number, put: (b: Box) => void): void {
	const hi = t.levelAt[depth + 1]!;
	const per = pixelsPer(v);
	const one = 1 / per;
	let k = firstEndingAfter(t, t.levelAt[depth]!, hi, v.x0);
	const box: Box = { node: 0, x: 0, w: 0, n: 1 };
	while (k < hi) {
		const i = t.level[k]!;
		const from = t.start[i]!;
		if (from >= v.x1) return;
		const wide = t.width[i]! * per;
		box.node = i;
		box.n = 1;
		if (wide >= 1) {
			const a = Math.max(0, (from - v.x0) * per);
			box.x = a;
			box.w = Math.min(v.width, (endX(t, i) - v.x0) * per) - a;
			k++;
		} else {
			const first = k;
			let end = endX(t, i);
			// Extends the run while the next frame touches it within a pixel and is small.
			for (;;) {
				k = firstEndingAfter(t, k + 1, hi, Math.max(end, from) + one);
				const prev = t.level[k - 1]!;
				end = Math.max(end, endX(t, prev));
				if (k >= hi) break;
				const next = t.level[k]!;
				if (t.width[next]! * per >= 1 || t.start[next]! > end + one || t.start[next]! >= v.x1) break;
			}
			box.n = k - first;
			box.x = Math.max(0, (from - v.x0) * per);
			box.w = Math.max(0.6, Math.min(v.width, (end - v.x0) * per) - box.x);
		}
		put(box);
	}
}
