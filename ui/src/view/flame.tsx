// The flame graph view: the canvas, and words where there is nothing to draw.

import { useEffect, useRef, useState } from "preact/hooks";
import { Theme } from "../colour";
import { crowd } from "../flame/draw";
import { FlameCanvas } from "../flame/canvas";
import { percent, rate, typeText, value } from "../format";
import { Model, SERVICE } from "../model";
import { go } from "../store";
import { visible } from "../text";
import { fileOf, kindOf, LABEL, MORE, nameOf, pathOf, Tree } from "../tree";
import { Details, frameText } from "./details";
import { openService } from "./services";
import { rateMs } from "./strip";

interface Props {
	model: Model;
	theme: Theme;
	selected: number;
	select: (node: number) => void;
	/** Gives the keyboard its canvas. */
	hold: (c: FlameCanvas | null) => void;
}

function rootText(model: Model, t: Tree): string {
	if (t.isDiff && model.state.share) return `all \u00b7 shares of ${visible(model.sides.a)} and ${visible(model.sides.b)}`;
	if (t.isDiff) return `all \u00b7 ${rate(t.totalA, model.sides.ms, t.type, t.unit)} ${visible(model.sides.a)}, ${rate(t.totalB, model.sides.ms, t.type, t.unit)} ${visible(model.sides.b)}`;
	const sum = value(t.totalA, t.unit);
	const whole = model.local?.whole ?? 0;
	if (whole > 0 && whole !== t.totalA) return `all \u00b7 ${value(t.totalA, t.unit)} \u00b7 ${percent(t.totalA, whole)} of ${value(whole, t.unit)}`;
	const per = rate(t.totalA, rateMs(model), t.type, t.unit);
	return per === sum ? `all \u00b7 ${sum}` : `all \u00b7 ${per} \u00b7 ${sum} of ${typeText(t.type)}`;
}

/** A click focuses; on the frame in focus it goes back to the one above. */
function focusOn(t: Tree, node: number, focus: number): void {
	const at = kindOf(t, node) === MORE ? t.parent[node]! : node;
	if (at === focus && at > 0 && kindOf(t, node) !== MORE) return go({ focus: pathOf(t, t.parent[at]!) });
	go({ focus: pathOf(t, at) });
}

/** A service in the graph of all of them opens its own. */
function openLabel(m: Model, t: Tree, i: number): boolean {
	if (kindOf(t, i) !== LABEL || fileOf(t, i) !== SERVICE) return false;
	const s = m.services.value?.find((x) => x.name === nameOf(t, i));
	if (s === undefined) return false;
	openService(m, s);
	return true;
}

export function Flame({ model, theme, selected, select, hold }: Props) {
	const el = useRef<HTMLCanvasElement>(null);
	const canvas = useRef<FlameCanvas | null>(null);
	const now = useRef(model);
	now.current = model;
	const [hover, setHover] = useState(-1);
	const [zoomed, setZoomed] = useState(false);
	const t = model.tree!;
	useEffect(() => {
		const c = new FlameCanvas(el.current!, {
			hover: setHover,
			click: (i) => {
				const m = now.current;
				if (m.tree === null) return;
				select(i);
				if (!openLabel(m, m.tree, i)) focusOn(m.tree, i, m.focus);
			},
			moved: () => setZoomed(canvas.current?.zoomed() ?? false),
		});
		canvas.current = c;
		hold(c);
		return () => {
			hold(null);
			c.close();
		};
	}, []);
	useEffect(() => {
		canvas.current?.set({
			tree: t, theme, rootText: rootText(model, t), noise: model.noise,
			matches: model.matches === null || model.matches.error !== "" ? null : model.matches.byName,
			focus: model.focus, selected,
		});
	}, [t, theme, model.matches, model.focus, selected, model.noise]);
	const pinned = hover < 0 || hover >= t.n;
	const node = !pinned ? hover : selected >= 0 && selected < t.n ? selected : model.focus;
	const view = canvas.current?.view;
	const many = pinned || view === undefined ? 1 : crowd(t, view, node);
	return (
		<div class="graph">
			<div class="canvas-box">
				<canvas id="flame" ref={el} tabIndex={0} role="img" aria-describedby="spoken"
					aria-label="flame graph; arrows walk from frame to frame; the tree view shows the same as text" />
				{zoomed && <button class="action reset" type="button" onClick={() => canvas.current?.reset()}>whole width</button>}
				{t.isDiff && <Legend />}
			</div>
			<Details model={model} node={node} pinned={pinned} crowd={many} />
			<p id="spoken" class="spoken" aria-live="polite">{selected >= 0 && selected < t.n ? frameText(t, selected) : `${percent(1, 1)} shown`}</p>
		</div>
	);
}

function Legend() {
	return (
		<div class="legend" aria-label="colours">
			<span class="swatch less" />less<span class="swatch same" />within chance<span class="swatch more" />more
		</div>
	);
}
