// The call graph that Graphviz drew.  Its SVG is read as data and built anew from a
// short list of elements and attributes, so that nothing in a name can become markup.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { Model } from "../model";
import { visible } from "../text";
import { Message } from "../view/bits";
import { Picked } from "./app";

const NS = "http://www.w3.org/2000/svg";
const ELEMENTS = new Set(["svg", "g", "title", "polygon", "path", "text", "ellipse", "polyline", "a"]);
const ATTRIBUTES = new Set(["id", "class", "transform", "points", "d", "fill", "stroke", "stroke-width", "stroke-dasharray",
	"text-anchor", "x", "y", "cx", "cy", "rx", "ry", "font-size"]);

interface Drawing { svg: SVGSVGElement; box: [number, number, number, number]; names: Map<string, string> }

function copy(from: Element, names: Map<string, string>): SVGElement | null {
	if (!ELEMENTS.has(from.localName)) return null;
	if (from.localName === "title") return null;
	const to = document.createElementNS(NS, from.localName === "a" ? "g" : from.localName);
	for (const a of from.attributes) if (ATTRIBUTES.has(a.name)) to.setAttribute(a.name, a.value);
	if (from.localName === "a") {
		const tip = from.getAttribute("xlink:title") ?? from.getAttribute("title") ?? "";
		if (tip !== "") {
			const title = document.createElementNS(NS, "title");
			title.textContent = visible(tip, 1000);
			to.append(title);
			const group = from.closest("g.node")?.id ?? "";
			if (/^node\d+$/.test(group)) names.set(group, tip.replace(/ \([^()]*\)$/, ""));
		}
	}
	for (const c of from.childNodes) {
		if (c instanceof Element) {
			const made = copy(c, names);
			if (made !== null) to.append(made);
		} else if (from.localName === "text") to.append(c.textContent ?? "");
	}
	return to;
}

function draw(text: string): Drawing | null {
	// What XML does not allow, but dot lets through: control characters, and a bare "&".
	const bare = text.slice(Math.max(0, text.indexOf("<svg"))).replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, "\ufffd").replace(/&;/g, "&amp;;");
	const doc = new DOMParser().parseFromString(bare, "image/svg+xml");
	const root = doc.documentElement;
	if (root.localName !== "svg") return null;
	const box = (root.getAttribute("viewBox") ?? "").split(/\s+/).map(Number);
	if (box.length !== 4 || box.some((n) => !Number.isFinite(n))) return null;
	const names = new Map<string, string>();
	const svg = copy(root, names) as SVGSVGElement | null;
	return svg === null ? null : { svg, box: box as Drawing["box"], names };
}

/** Moves and scales a drawing within its box. */
class Lens {
	k = 1;
	x = 0;
	y = 0;
	constructor(private readonly box: HTMLElement, private readonly d: Drawing) {
		d.svg.setAttribute("width", String(d.box[2]));
		d.svg.setAttribute("height", String(d.box[3]));
		d.svg.setAttribute("viewBox", d.box.join(" "));
		this.fit();
	}
	private put(): void {
		this.d.svg.style.transform = `translate(${this.x}px,${this.y}px) scale(${this.k})`;
	}
	fit(): void {
		const w = this.box.clientWidth - 24, h = this.box.clientHeight - 24;
		const all = Math.min(w / this.d.box[2], h / this.d.box[3]);
		// What would be too small to read begins at its top instead.
		this.k = Math.min(1, Math.max(all, 0.45));
		this.x = 12 + Math.max((w - this.d.box[2] * this.k) / 2, Math.min(0, (w - this.d.box[2] * this.k) / 2));
		this.y = 12;
		this.put();
	}
	whole(): void {
		const w = this.box.clientWidth - 24, h = this.box.clientHeight - 24;
		this.k = Math.min(1, w / this.d.box[2], h / this.d.box[3]);
		this.x = 12 + (w - this.d.box[2] * this.k) / 2;
		this.y = 12 + (h - this.d.box[3] * this.k) / 2;
		this.put();
	}
	zoom(by: number, cx: number, cy: number): void {
		const k = Math.min(8, Math.max(0.02, this.k * by));
		this.x = cx - ((cx - this.x) * k) / this.k;
		this.y = cy - ((cy - this.y) * k) / this.k;
		this.k = k;
		this.put();
	}
	move(dx: number, dy: number): void {
		this.x += dx;
		this.y += dy;
		this.put();
	}
}

function hands(box: HTMLElement, lens: Lens, d: Drawing, pick: (name: string) => void): () => void {
	let from: { x: number; y: number } | null = null, moved = false;
	const down = (e: PointerEvent): void => {
		if (e.button !== 0 || (e.target as Element).closest("button") !== null) return;
		from = { x: e.clientX, y: e.clientY };
		moved = false;
	};
	const move = (e: PointerEvent): void => {
		if (from === null) return;
		if (!moved && Math.hypot(e.clientX - from.x, e.clientY - from.y) < 4) return;
		if (!moved) box.setPointerCapture(e.pointerId);
		moved = true;
		lens.move(e.clientX - from.x, e.clientY - from.y);
		from = { x: e.clientX, y: e.clientY };
	};
	const up = (e: PointerEvent): void => {
		const name = d.names.get((e.target as Element).closest("g.node")?.id ?? "");
		if (from !== null && !moved && name !== undefined) pick(name);
		from = null;
	};
	const wheel = (e: WheelEvent): void => {
		e.preventDefault();
		const r = box.getBoundingClientRect();
		if (e.shiftKey) lens.move(0, -e.deltaY);
		else lens.zoom(Math.exp(-e.deltaY / 400), e.clientX - r.left, e.clientY - r.top);
	};
	box.addEventListener("pointerdown", down);
	box.addEventListener("pointermove", move);
	box.addEventListener("pointerup", up);
	box.addEventListener("wheel", wheel, { passive: false });
	return () => {
		box.removeEventListener("pointerdown", down);
		box.removeEventListener("pointermove", move);
		box.removeEventListener("pointerup", up);
		box.removeEventListener("wheel", wheel);
	};
}

export function GraphView({ model, picked }: { model: Model; picked: Picked }) {
	const { report } = model.local!;
	const box = useRef<HTMLDivElement>(null);
	const lens = useRef<Lens | null>(null);
	const [, ready] = useState(0);
	const text = report.value?.kind === "graph" ? report.value.text : null;
	const drawing = useMemo(() => (text === null ? null : draw(text)), [text]);
	const toggle = useRef(picked.toggle);
	toggle.current = picked.toggle;
	useEffect(() => {
		const el = box.current;
		if (el === null || drawing === null) return;
		el.querySelector("svg")?.remove();
		el.prepend(drawing.svg);
		const l = new Lens(el, drawing);
		lens.current = l;
		ready((n) => n + 1);
		return hands(el, l, drawing, (name) => toggle.current(name));
	}, [drawing]);
	useEffect(() => {
		if (drawing === null) return;
		for (const [id, name] of drawing.names)
			drawing.svg.querySelector(`g#${id}`)?.classList.toggle("picked", picked.names.includes(name) || (model.matches !== null && model.state.search !== "" && hit(model, name)));
	}, [drawing, picked.names, model.matches]);
	if (report.error !== "") return <Message tone="error" title="No graph"><p>{report.error}</p></Message>;
	if (text !== null && drawing === null) return <Message title="Nothing to draw"><p>The graph is empty.</p></Message>;
	const middle = (by: number): void => lens.current?.zoom(by, (box.current?.clientWidth ?? 0) / 2, (box.current?.clientHeight ?? 0) / 2);
	return (
		<div class="dot" ref={box} tabIndex={0} role="group" aria-label="call graph; the top and tree views show the same as text">
			<div class="dot-tools">
				<button class="action" type="button" aria-label="zoom in" title="zoom in" onClick={() => middle(1.4)}>+</button>
				<button class="action" type="button" aria-label="zoom out" title="zoom out" onClick={() => middle(1 / 1.4)}>{"\u2212"}</button>
				<button class="action" type="button" onClick={() => lens.current?.whole()}>whole graph</button>
			</div>
		</div>
	);
}

function hit(model: Model, name: string): boolean {
	try {
		const s = model.state;
		return s.regex ? new RegExp(s.search, "i").test(name) : name.toLowerCase().includes(s.search.toLowerCase());
	} catch {
		return false;
	}
}
