// Colours of frames.  One scale for dark and light: muted hues at one lightness, made
// in OKLCH so that all weigh the same to the eye; the hue comes from the package, so
// that it is the same in every load.  Kernel, unnamed and lost frames are grey.

import { isReal, Noise } from "./diff";
import { fileOf, JIT, KERNEL, kindOf, LOST, MORE, nameOf, ROOT, Tree, UNNAMED } from "./tree";

export type Theme = "light" | "dark";
export type Rgb = readonly [number, number, number];

export function oklch(l: number, c: number, hueDeg: number): Rgb {
	const h = (hueDeg * Math.PI) / 180;
	const a = c * Math.cos(h), b = c * Math.sin(h);
	const l_ = (l + 0.3963377774 * a + 0.2158037573 * b) ** 3;
	const m_ = (l - 0.1055613458 * a - 0.0638541728 * b) ** 3;
	const s_ = (l - 0.0894841775 * a - 1.291485548 * b) ** 3;
	const to = (x: number): number => {
		const y = x <= 0.0031308 ? 12.92 * x : 1.055 * x ** (1 / 2.4) - 0.055;
		return Math.round(Math.min(1, Math.max(0, y)) * 255);
	};
	return [
		to(4.0767416621 * l_ - 3.3077115913 * m_ + 0.2309699292 * s_),
		to(-1.2684380046 * l_ + 2.6097574011 * m_ - 0.3413193965 * s_),
		to(-0.0041960863 * l_ - 0.7034186147 * m_ + 1.707614701 * s_),
	];
}

export const css = (c: Rgb): string => `rgb(${c[0]},${c[1]},${c[2]})`;

function luminance(c: Rgb): number {
	const f = (v: number): number => {
		const x = v / 255;
		return x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4;
	};
	return 0.2126 * f(c[0]) + 0.7152 * f(c[1]) + 0.0722 * f(c[2]);
}

/** WCAG contrast ratio. */
export function contrast(a: Rgb, b: Rgb): number {
	const x = luminance(a), y = luminance(b);
	return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
}

// Hues in the order in which neighbours differ most; no red, no pure blue or orange,
// which mean "lost" and "changed".
const HUES = [62, 155, 285, 95, 205, 330, 125, 245, 80, 180, 310, 110, 265, 38];

/** The colour of the k-th line of a chart: told apart from its neighbours and the page. */
export const lineColour = (k: number, theme: Theme): string => {
	const c = oklch(theme === "light" ? 0.56 : 0.75, 0.12, [250, 55, 155, 330, 95, 205, 285, 125, 20, 180][k % 10]!);
	return css(c);
};

export interface Palette {
	text: Rgb;
	dim: Rgb;
	root: Rgb;
	kernel: Rgb;
	unnamed: Rgb;
	lost: Rgb;
	more: Rgb;
	match: Rgb;
	hues: readonly Rgb[];
	merged: Rgb;
	background: Rgb;
	outline: Rgb;
}

const light: Palette = {
	text: [28, 30, 36], dim: [88, 92, 102], background: [255, 255, 255],
	root: oklch(0.9, 0.008, 260), kernel: oklch(0.84, 0.012, 250), unnamed: oklch(0.91, 0.004, 90),
	lost: oklch(0.84, 0.06, 20), more: oklch(0.95, 0.004, 260), match: oklch(0.83, 0.17, 92),
	merged: oklch(0.885, 0.01, 260), outline: [20, 22, 28],
	hues: HUES.map((h) => oklch(0.865, 0.062, h)),
};
const dark: Palette = {
	text: [240, 241, 244], dim: [160, 165, 176], background: [20, 22, 27],
	root: oklch(0.36, 0.012, 260), kernel: oklch(0.41, 0.016, 250), unnamed: oklch(0.34, 0.004, 90),
	lost: oklch(0.42, 0.09, 20), more: oklch(0.27, 0.006, 260), match: oklch(0.52, 0.12, 85),
	merged: oklch(0.33, 0.01, 260), outline: [250, 250, 252],
	hues: HUES.map((h) => oklch(0.43, 0.058, h)),
};
export const PALETTES: Readonly<Record<Theme, Palette>> = { light, dark };

/** What a frame belongs to: a Go package, a C++ namespace, a file, a library. */
export function packageOf(name: string, file: string): string {
	const slash = name.lastIndexOf("/");
	const dot = name.indexOf(".", slash + 1);
	if (dot > 0 && /^[\w./\-~%]+$/.test(name.slice(0, dot))) return name.slice(0, dot);
	const colons = name.indexOf("::");
	if (colons > 0) return name.slice(0, colons).replace(/^.*[ &*<(]/, "");
	if (file !== "") return file.replace(/^.*\//, "");
	return name.replace(/[^A-Za-z].*$/, "");
}

export function hash(s: string): number {
	let h = 2166136261;
	for (let i = 0; i < s.length && i < 256; i++) h = Math.imul(h ^ s.charCodeAt(i), 16777619);
	h ^= h >>> 15;
	return Math.imul(h, 2246822519) >>> 0;
}

function kindColour(kind: number, p: Palette): Rgb | null {
	switch (kind) {
		case ROOT: return p.root;
		case KERNEL: return p.kernel;
		case UNNAMED: return p.unnamed;
		case LOST: return p.lost;
		case MORE: return p.more;
		default: return null;
	}
}

/** The colour of every name of a tree, as CSS text. */
export function namePaints(t: Tree, theme: Theme): string[] {
	const p = PALETTES[theme];
	return t.names.map((name, k) => {
		const fixed = kindColour(t.kinds[k]!, p);
		if (fixed !== null) return css(fixed);
		const shift = t.kinds[k] === JIT ? 3 : 0;
		return css(p.hues[(hash(packageOf(name, t.files[k]!)) + shift) % HUES.length]!);
	});
}

const STEPS = 12;
/** From strongly less (blue), over grey, to strongly more (orange). */
export function diffScale(theme: Theme): Rgb[] {
	const base = theme === "light" ? 0.9 : 0.36;
	const far = theme === "light" ? 0.75 : 0.5;
	return Array.from({ length: 2 * STEPS + 1 }, (_, k) => {
		const x = (k - STEPS) / STEPS;
		const m = Math.abs(x);
		const l = base + (far - base) * m;
		return m === 0 ? oklch(base, 0.004, 260) : oklch(l, 0.02 + 0.115 * m, x < 0 ? 250 : 55);
	});
}

/** Index in the diff scale for a frame that went from a to b. */
export function diffStep(a: number, b: number, noise: Noise): number {
	if (a + b <= 0 || !isReal(a, b, noise)) return STEPS;
	const x = (b - a) / (a + b);
	return STEPS + Math.sign(x) * Math.max(1, Math.round(Math.sqrt(Math.abs(x)) * STEPS));
}

/** The colour of every node of a diff, as an index into the scale. */
export function diffSteps(t: Tree, noise: Noise): Uint8Array {
	const out = new Uint8Array(t.n);
	for (let i = 0; i < t.n; i++) out[i] = diffStep(t.total[i]!, t.totalB_[i]!, noise);
	return out;
}

export const packageAt = (t: Tree, i: number): string =>
	kindOf(t, i) === MORE ? "" : packageOf(nameOf(t, i), fileOf(t, i));
