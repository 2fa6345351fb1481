// The canvas and what the pointer does on it.  It owns the window (zoom and pan), draws
// in animation frames only when something changed, and tells its owner what happened;
// it knows nothing of URLs or requests.

import { diffScale, css, diffSteps, namePaints, PALETTES, Theme } from "../colour";
import { Noise } from "../diff";
import { nameOf, Tree } from "../tree";
import { draw, Drawn, FONT, Look, Marks, TextCache } from "./draw";
import { clampWindow, endX, graphHeight, nodeAt, pixelsPer, ROW, toPixel, View, windowOf, zoomAt } from "./geometry";

export interface Events {
	/** The node under the pointer, or -1. */
	hover: (node: number) => void;
	click: (node: number) => void;
	/** Zoom or scroll changed. */
	moved: (v: View) => void;
}

export interface Show {
	tree: Tree;
	theme: Theme;
	rootText: string;
	noise: Noise;
	matches: Uint8Array | null;
	focus: number;
	selected: number;
}

const EASE_MS = 160;
const ease = (x: number): number => 1 - (1 - x) ** 3;
const calm = (): boolean => matchMedia("(prefers-reduced-motion: reduce)").matches;

export class FlameCanvas {
	readonly view: View = { x0: 0, x1: 1, top: 0, width: 0, height: 0 };
	/** Of the last frame: for tests and for the measurement in docs/ui.md. */
	drawn: Drawn = { boxes: 0, texts: 0 };
	private show: Show | null = null;
	private look: Look | null = null;
	private cache: TextCache = new Map();
	private marks: Marks = { hover: -1, selected: -1, focus: 0 };
	private scheduled = 0;
	private motion: { x0: number; x1: number; to0: number; to1: number; at: number } | null = null;
	private drag: { x: number; y: number; x0: number; top: number; moved: boolean } | null = null;
	private pointer = { x: -1, y: -1 };
	private readonly ctx: CanvasRenderingContext2D;
	private readonly resizer: ResizeObserver;
	private readonly charWidth: number;

	constructor(private readonly el: HTMLCanvasElement, private readonly events: Events) {
		this.ctx = el.getContext("2d", { alpha: false })!;
		this.ctx.font = FONT;
		this.charWidth = this.ctx.measureText("M".repeat(100)).width / 100;
		this.resizer = new ResizeObserver(() => this.resize());
		this.resizer.observe(el.parentElement!);
		el.addEventListener("pointermove", this.onMove);
		el.addEventListener("pointerdown", this.onDown);
		el.addEventListener("pointerup", this.onUp);
		el.addEventListener("pointercancel", this.onCancel);
		el.addEventListener("pointerleave", this.onLeave);
		el.addEventListener("wheel", this.onWheel, { passive: false });
		this.resize();
		(el as HTMLCanvasElement & { flame?: FlameCanvas }).flame = this;
	}

	/** The middle of the widest visible frame of this name, in pixels of the page: how a
	 * test, which sees only pixels, finds what to click. */
	where(name: string): { x: number; y: number; width: number } | null {
		if (this.show === null) return null;
		const t = this.show.tree, v = this.view;
		let best: { x: number; y: number; width: number } | null = null;
		for (let i = 0; i < t.n; i++) {
			if (nameOf(t, i) !== name) continue;
			const a = Math.max(0, toPixel(v, t.start[i]!)), b = Math.min(v.width, toPixel(v, endX(t, i)));
			const y = (t.depth[i]! + 0.5) * ROW - v.top;
			if (b <= a || y < 0 || y > v.height || (best !== null && best.width >= b - a)) continue;
			best = { x: (a + b) / 2, y, width: b - a };
		}
		const box = this.el.getBoundingClientRect();
		return best === null ? null : { x: best.x + box.left, y: best.y + box.top, width: best.width };
	}

	close(): void {
		this.resizer.disconnect();
		cancelAnimationFrame(this.scheduled);
	}

	/** Shows a tree; the window stays where it was when only the numbers changed. */
	set(show: Show): void {
		const old = this.show;
		this.show = show;
		const t = show.tree;
		if (old?.tree !== t) this.cache = new Map();
		if (old?.tree !== t || old.theme !== show.theme || old.noise !== show.noise) {
			this.look = {
				palette: PALETTES[show.theme], paints: namePaints(t, show.theme), matches: null,
				steps: t.isDiff ? diffSteps(t, show.noise) : null,
				diffPaints: diffScale(show.theme).map(css), rootText: "", charWidth: this.charWidth,
			};
		}
		this.look!.matches = show.matches;
		this.look!.rootText = show.rootText;
		this.marks.focus = show.focus;
		this.marks.selected = show.selected;
		this.frame(old, show);
		// A number is another node in another tree; what is under the pointer stays true.
		if (old !== null && old.tree !== t && this.marks.hover >= 0)
			this.hover(nodeAt(t, this.view, this.pointer.x, this.pointer.y));
		this.request();
	}

	private frame(old: Show | null, show: Show): void {
		const to = windowOf(show.tree, show.focus);
		if (old === null) {
			this.jump(to);
		} else if (old.tree !== show.tree) {
			// The same part of the focused frame as before, in the new weights.
			const was = windowOf(old.tree, Math.min(old.focus, old.tree.n - 1));
			const scale = (to.x1 - to.x0) / (was.x1 - was.x0);
			const same = old.tree.depth[old.focus] === show.tree.depth[show.focus];
			const v = this.motion === null ? this.view : { x0: this.motion.to0, x1: this.motion.to1 };
			if (same) this.jump(clampWindow(to.x0 + (v.x0 - was.x0) * scale, (v.x1 - v.x0) * scale, to.x0, to.x1));
			else this.animate(to);
		} else if (old.focus !== show.focus) {
			this.animate(to);
		}
		this.clampTop();
		if (old === null || old.focus !== show.focus) this.revealRow(show.tree.depth[show.focus]!);
	}

	private jump(w: { x0: number; x1: number }): void {
		this.motion = null;
		this.view.x0 = w.x0;
		this.view.x1 = w.x1;
		this.events.moved(this.view);
	}

	private animate(w: { x0: number; x1: number }): void {
		if (calm()) return this.jump(w);
		this.motion = { x0: this.view.x0, x1: this.view.x1, to0: w.x0, to1: w.x1, at: performance.now() };
		this.request();
	}

	private request(): void {
		if (this.scheduled === 0) this.scheduled = requestAnimationFrame(this.paint);
	}

	private readonly paint = (now: number): void => {
		this.scheduled = 0;
		const m = this.motion;
		if (m !== null) {
			const part = Math.min(1, Math.max(0, (now - m.at) / EASE_MS));
			const k = ease(part);
			this.view.x0 = m.x0 + (m.to0 - m.x0) * k;
			this.view.x1 = m.x1 + (m.to1 - m.x1) * k;
			if (part >= 1) this.jump({ x0: m.to0, x1: m.to1 });
			else this.request();
		}
		if (this.show === null || this.view.width === 0) return;
		this.drawn = draw(this.ctx, this.show.tree, this.view, this.look!, this.marks, this.cache);
	};

	/** Draws now; returns milliseconds.  For the measurement in docs/ui.md. */
	measure(): number {
		const t0 = performance.now();
		this.drawn = draw(this.ctx, this.show!.tree, this.view, this.look!, this.marks, this.cache);
		// Reading a pixel back waits for the drawing to be done.
		this.ctx.getImageData(0, 0, 1, 1);
		return performance.now() - t0;
	}

	private resize(): void {
		const box = this.el.parentElement!.getBoundingClientRect();
		const ratio = devicePixelRatio || 1;
		this.view.width = Math.floor(box.width);
		this.view.height = Math.floor(box.height);
		this.el.width = Math.floor(this.view.width * ratio);
		this.el.height = Math.floor(this.view.height * ratio);
		this.el.style.width = `${this.view.width}px`;
		this.el.style.height = `${this.view.height}px`;
		this.ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
		if (this.show === null) return;
		this.clampTop();
		// At once: a canvas is blank after its size changed.
		cancelAnimationFrame(this.scheduled);
		this.paint(performance.now());
	}

	private clampTop(): void {
		const most = Math.max(0, graphHeight(this.show!.tree) - this.view.height + 4);
		this.view.top = Math.min(most, Math.max(0, this.view.top));
	}

	private bounds(): { x0: number; x1: number } {
		return windowOf(this.show!.tree, this.show!.focus);
	}

	private revealRow(depth: number): void {
		const y = depth * ROW;
		if (y < this.view.top) this.view.top = y;
		else if (y + 2 * ROW > this.view.top + this.view.height) this.view.top = y - this.view.height / 2;
		this.clampTop();
	}

	/** Brings a node into sight, wide enough to be read. */
	reveal(i: number): void {
		if (this.show === null || i < 0) return;
		const t = this.show.tree;
		const b = this.bounds();
		const w = { x0: this.view.x0, x1: this.view.x1 };
		const small = t.width[i]! * pixelsPer(this.view) < 24;
		const outside = t.start[i]! + t.width[i]! <= w.x0 || t.start[i]! >= w.x1;
		if (small || outside) {
			const len = Math.min(b.x1 - b.x0, small ? t.width[i]! * 8 : w.x1 - w.x0);
			this.animate(clampWindow(t.start[i]! + t.width[i]! / 2 - len / 2, len, b.x0, b.x1));
		}
		this.revealRow(t.depth[i]!);
		this.request();
	}

	zoom(factor: number, px = this.view.width / 2): void {
		if (this.show === null) return;
		const b = this.bounds();
		this.jump(zoomAt(this.view, px, factor, b.x0, b.x1));
		this.request();
	}

	/** Whether the window is narrower than the frame in focus. */
	zoomed(): boolean {
		if (this.show === null) return false;
		const b = this.bounds();
		return this.view.x1 - this.view.x0 < (b.x1 - b.x0) * 0.999;
	}

	reset(): void {
		if (this.show !== null) this.animate(this.bounds());
	}

	scroll(dy: number): void {
		this.view.top += dy;
		this.clampTop();
		this.events.moved(this.view);
		this.request();
	}

	pan(dx: number): void {
		const b = this.bounds();
		this.jump(clampWindow(this.view.x0 + dx / pixelsPer(this.view), this.view.x1 - this.view.x0, b.x0, b.x1));
		this.request();
	}

	private point(e: MouseEvent): { x: number; y: number } {
		const box = this.el.getBoundingClientRect();
		return { x: e.clientX - box.left, y: e.clientY - box.top };
	}

	private hover(i: number): void {
		if (i === this.marks.hover) return;
		this.marks.hover = i;
		this.events.hover(i);
		this.request();
	}

	private readonly onMove = (e: PointerEvent): void => {
		if (this.show === null) return;
		const at = this.pointer = this.point(e);
		if (this.drag === null) return this.hover(nodeAt(this.show.tree, this.view, at.x, at.y));
		const dx = at.x - this.drag.x, dy = at.y - this.drag.y;
		if (!this.drag.moved && Math.hypot(dx, dy) < 4) return;
		this.drag.moved = true;
		this.el.classList.add("dragging");
		const b = this.bounds();
		this.view.top = this.drag.top - dy;
		this.clampTop();
		this.jump(clampWindow(this.drag.x0 - dx / pixelsPer(this.view), this.view.x1 - this.view.x0, b.x0, b.x1));
		this.request();
	};

	private readonly onDown = (e: PointerEvent): void => {
		if (e.button !== 0 || this.show === null) return;
		const at = this.point(e);
		this.drag = { ...at, x0: this.view.x0, top: this.view.top, moved: false };
		this.el.setPointerCapture(e.pointerId);
	};

	private readonly onUp = (e: PointerEvent): void => {
		const drag = this.drag;
		this.onCancel();
		if (drag === null || drag.moved || this.show === null) return;
		const at = this.point(e);
		const i = nodeAt(this.show.tree, this.view, at.x, at.y);
		if (i < 0) return;
		// A frame too small to see was not meant: go nearer first.
		if (this.show.tree.width[i]! * pixelsPer(this.view) < 1) {
			const b = this.bounds();
			this.animate(zoomAt(this.view, at.x, 1 / 32, b.x0, b.x1));
		} else {
			this.events.click(i);
		}
	};

	private readonly onCancel = (): void => {
		this.drag = null;
		this.el.classList.remove("dragging");
	};

	private readonly onLeave = (): void => {
		if (this.drag === null) this.hover(-1);
	};

	private readonly onWheel = (e: WheelEvent): void => {
		if (this.show === null) return;
		e.preventDefault();
		const unit = e.deltaMode === 1 ? 16 : 1;
		const dx = e.deltaX * unit, dy = e.deltaY * unit;
		if (e.shiftKey) return this.scroll(dy || dx);
		if (Math.abs(dx) > Math.abs(dy)) return this.pan(dx);
		this.zoom(Math.exp(Math.max(-240, Math.min(240, dy)) * 0.0025), this.point(e).x);
		this.onMove(e as unknown as PointerEvent);
	};
}
