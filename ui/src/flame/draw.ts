// Paints the visible part of a tree.  No state is kept here but caches that the caller
// holds; the cost of a frame depends on the pixels, not on the size of the tree.

import { css, Palette } from "../colour";
import { labelText, visible } from "../text";
import { Tree, fileOf, kindOf, LABEL, MORE, nameOf, ROOT } from "../tree";
import { trim } from "../trim";
import { Box, boxesOf, endX, pixelsPer, ROW, toPixel, View } from "./geometry";

export const FONT = '12px ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace';
const PAD = 5;
const TEXT_FROM = 26;

export interface Look {
	palette: Palette;
	/** By index of names. */
	paints: readonly string[];
	/** For a diff: by node, an index into diffPaints; else null. */
	steps: Uint8Array | null;
	diffPaints: readonly string[];
	/** By index of names, or null without a search. */
	matches: Uint8Array | null;
	rootText: string;
	charWidth: number;
}

export interface Marks {
	hover: number;
	selected: number;
	focus: number;
}

export interface Drawn {
	boxes: number;
	texts: number;
}

/** Texts by name and room for characters; thrown away with the tree. */
export type TextCache = Map<number, string>;

const cut = (s: string, room: number): string => (s.length <= room ? s : room < 2 ? "" : s.slice(0, room - 1) + "\u2026");

/** The whole where it fits, else the value alone. */
function labelIn(t: Tree, i: number, room: number): string {
	const whole = labelText(nameOf(t, i), fileOf(t, i));
	return cut(whole.length <= room ? whole : labelText(nameOf(t, i), ""), room);
}

function label(t: Tree, i: number, room: number, cache: TextCache, look: Look): string {
	if (kindOf(t, i) === ROOT) return trim(look.rootText, room);
	// Names past 511 characters of room are the same as at 511: no canvas is wider.
	const key = t.name[i]! * 512 + Math.min(room, 511);
	let s = cache.get(key);
	if (s === undefined) {
		s = kindOf(t, i) === LABEL ? labelIn(t, i, room) : trim(visible(nameOf(t, i), 4096), room);
		cache.set(key, s);
	}
	return s;
}

function paintOf(t: Tree, b: Box, look: Look): string {
	if (look.matches !== null) {
		if (b.n === 1 && look.matches[t.name[b.node]!] === 1) return css(look.palette.match);
		if (kindOf(t, b.node) !== ROOT) return css(look.palette.more);
	}
	if (b.n > 1) return look.steps !== null ? look.diffPaints[look.steps[b.node]!]! : css(look.palette.merged);
	if (look.steps !== null && kindOf(t, b.node) !== MORE && kindOf(t, b.node) !== ROOT)
		return look.diffPaints[look.steps[b.node]!]!;
	return look.paints[t.name[b.node]!]!;
}

/** A run of small frames shows a match if any of its frames is one. */
function runMatches(t: Tree, b: Box, look: Look): boolean {
	if (look.matches === null || b.n === 1) return false;
	const d = t.depth[b.node]!;
	let k = lower(t, d, b.node);
	for (let n = 0; n < b.n && n < 4096; n++, k++)
		if (look.matches[t.name[t.level[k]!]!] === 1) return true;
	return false;
}

/** Index of a node in its level: nodes of a level ascend. */
function lower(t: Tree, d: number, node: number): number {
	let lo = t.levelAt[d]!, hi = t.levelAt[d + 1]!;
	while (lo < hi) {
		const mid = (lo + hi) >>> 1;
		if (t.level[mid]! < node) lo = mid + 1;
		else hi = mid;
	}
	return lo;
}

function outline(ctx: CanvasRenderingContext2D, t: Tree, v: View, i: number, colour: string, width: number): void {
	if (i < 0 || i >= t.n) return;
	const a = Math.max(-4, toPixel(v, t.start[i]!));
	const b = Math.min(v.width + 4, toPixel(v, endX(t, i)));
	const y = t.depth[i]! * ROW - v.top;
	if (b < 0 || a > v.width || y > v.height || y < -ROW) return;
	ctx.strokeStyle = colour;
	ctx.lineWidth = width;
	ctx.strokeRect(a + width / 2, y + width / 2, Math.max(2, b - a - 1 - width), ROW - 1 - width);
}

export function draw(
	ctx: CanvasRenderingContext2D, t: Tree, v: View, look: Look, marks: Marks, cache: TextCache,
): Drawn {
	const p = look.palette;
	const drawn: Drawn = { boxes: 0, texts: 0 };
	ctx.fillStyle = css(p.background);
	ctx.fillRect(0, 0, v.width, v.height);
	ctx.font = FONT;
	ctx.textBaseline = "middle";
	const first = Math.max(0, Math.floor(v.top / ROW));
	const last = Math.min(t.levelAt.length - 2, Math.floor((v.top + v.height) / ROW));
	const focusDepth = marks.focus > 0 ? t.depth[marks.focus]! : 0;
	const text = css(p.text), dim = css(p.dim);
	let fill = "";
	for (let d = first; d <= last; d++) {
		const y = d * ROW - v.top;
		boxesOf(t, v, d, (b) => {
			const paint = runMatches(t, b, look) ? css(p.match) : d < focusDepth ? css(p.more) : paintOf(t, b, look);
			if (paint !== fill) ctx.fillStyle = fill = paint;
			// A gap of one pixel parts the frames; the narrowest go without.
			ctx.fillRect(b.x, y, b.w > 3 ? b.w - 1 : b.w, ROW - 1);
			drawn.boxes++;
			if (b.n > 1 || b.w < TEXT_FROM) return;
			const s = label(t, b.node, Math.floor((b.w - 2 * PAD) / look.charWidth), cache, look);
			if (s === "") return;
			const muted = kindOf(t, b.node) === MORE || d < focusDepth || (look.matches !== null && look.matches[t.name[b.node]!] === 0);
			const ink = muted ? dim : text;
			ctx.fillStyle = fill = ink;
			ctx.fillText(s, b.x + PAD, y + ROW / 2);
			drawn.texts++;
		});
	}
	outline(ctx, t, v, marks.hover, css(p.outline), 1);
	outline(ctx, t, v, marks.selected, css(p.outline), 2);
	return drawn;
}

/** How many frames share the pixel of a node that is too small to see. */
export function crowd(t: Tree, v: View, i: number): number {
	if (t.width[i]! * pixelsPer(v) >= 1) return 1;
	let n = 1;
	boxesOf(t, v, t.depth[i]!, (b) => {
		if (b.n > 1 && b.node <= i) n = b.n;
	});
	return n;
}
