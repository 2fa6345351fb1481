// Colours of frames.  One scale for dark and light: muted hues at one lightness, made
// in OKLCH so that all weigh the same to the eye; the hue comes from the package, so
// that it is the same in every load.  Kernel, unnamed and lost frames are grey.

import { isReal, Noise, noiseAt } from "./diff";
import { fileOf, JIT, KERNEL, kindOf, LABEL, LOST, MORE, nameOf, ROOT, Tree, UNNAMED } from "./tree";

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

// Hues in the order in which neighbours differ most; no red, which means "lost".
const HUES = [250, 160, 62, 292, 200, 95, 130, 270, 78, 180, 308, 225, 112, 42];
/** Violet and rose shout at the chroma at which green is quiet. */
const quiet = (h: number): number => (h > 260 && h < 330 ? 0.72 : h < 60 ? 0.9 : 1);
/** Shades of one package: its functions are told apart, and stay a family. */
const SHADES: readonly (readonly [number, number])[] = [[0, 0], [0.028, 7], [-0.028, -7], [0.014, -5], [-0.014, 5]];

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
	/** By hue, then shade. */
	hues: readonly (readonly Rgb[])[];
	/** Without names, faintly in the hue of the module. */
	modules: readonly Rgb[];
	label: Rgb;
	merged: Rgb;
	background: Rgb;
	outline: Rgb;
}

const light: Palette = {
	text: [28, 30, 36], dim: [88, 92, 102], background: [255, 255, 255],
	root: oklch(0.9, 0.008, 260), kernel: oklch(0.84, 0.012, 250), unnamed: oklch(0.91, 0.004, 90),
	lost: oklch(0.84, 0.06, 20), more: oklch(0.95, 0.004, 260), match: oklch(0.83, 0.17, 92),
	merged: oklch(0.885, 0.01, 260), outline: [20, 22, 28],
	label: oklch(0.82, 0.03, 260),
	hues: HUES.map((h) => SHADES.map(([l, turn]) => oklch(0.86 + l, 0.07 * quiet(h), h + turn))),
	modules: HUES.map((h) => oklch(0.91, 0.017, h)),
};
const dark: Palette = {
	text: [13, 15, 19], dim: [168, 173, 184], background: [20, 22, 27],
	root: oklch(0.62, 0.014, 260), kernel: oklch(0.6, 0.026, 250), unnamed: oklch(0.63, 0.006, 90),
	lost: oklch(0.66, 0.11, 20), more: oklch(0.29, 0.008, 260), match: oklch(0.87, 0.16, 95),
	merged: oklch(0.38, 0.014, 260), outline: [250, 250, 252],
	label: oklch(0.7, 0.035, 260),
	hues: HUES.map((h) => SHADES.map(([l, turn]) => oklch(0.69 + l, 0.088 * quiet(h), h + turn))),
	modules: HUES.map((h) => oklch(0.62, 0.024, h)),
};
export const PALETTES: Readonly<Record<Theme, Palette>> = { light, dark };

/** What a frame belongs to: a Go package, a C++ namespace, a file, a library. */
export function packageOf(name: string, file: string): string {
	const module = /^(?:.*\/)?([^/]+)\+0x[0-9a-f]+$/.exec(name);
	if (module !== null) return module[1]!;
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
		case LOST: return p.lost;
		case LABEL: return p.label;
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
		const hue = (hash(packageOf(name, t.files[k]!)) + shift) % HUES.length;
		if (t.kinds[k] === UNNAMED) return css(p.modules[hue]!);
		return css(p.hues[hue]![hash(name) % SHADES.length]!);
	});
}

const STEPS = 12;
/** From strongly less (blue), over grey, to strongly more (orange). */
export function diffScale(theme: Theme): Rgb[] {
	const base = theme === "light" ? 0.9 : 0.6;
	const far = theme === "light" ? 0.75 : 0.72;
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
	for (let i = 0; i < t.n; i++) out[i] = diffStep(t.total[i]!, t.totalB_[i]!, noiseAt(t, i, noise));
	return out;
}

export const packageAt = (t: Tree, i: number): string =>
	kindOf(t, i) === MORE ? "" : packageOf(nameOf(t, i), fileOf(t, i));
