// The frame under the pointer, or the chosen one, in its fixed place at the right.

import { packageAt } from "../colour";
import { interval, noiseAt } from "../diff";
import { percent, rate, value } from "../format";
import { quoted, refine, toView } from "../local/refine";
import { REFINE } from "../local/refinemenu";
import { Model } from "../model";
import { Matcher, withMatchers } from "../selector";
import { go } from "../store";
import { labelText, NO_NAME, visible } from "../text";
import { children, fileOf, KERNEL, JIT, kindOf, LABEL, LOST, MORE, nameOf, pathOf, ROOT, Tree, UNNAMED } from "../tree";
import { rateMs } from "./strip";

const KIND_TEXT: Readonly<Record<number, string>> = {
	[KERNEL]: "kernel", [JIT]: "compiled at run time", [UNNAMED]: "without a name: the program was stripped and its symbols are not here",
	[LOST]: "samples whose stack was lost", [LABEL]: "everything with this label",
	[MORE]: "frames too small for the first answer; click to read them",
};

/** Of a frame, or in words what is no frame. */
export function shownName(t: Tree, i: number, max: number): string {
	const kind = kindOf(t, i);
	if (kind === ROOT) return "everything";
	return kind === LABEL ? labelText(nameOf(t, i), fileOf(t, i)) : visible(nameOf(t, i), max);
}

export function frameText(t: Tree, i: number): string {
	const whole = t.width[0]!;
	const total = t.isDiff ? t.totalB_[i]! : t.total[i]!;
	const self = t.isDiff ? t.selfB[i]! : t.self[i]!;
	const all = t.isDiff ? t.totalB : whole;
	const name = shownName(t, i, 200);
	return `${name}: total ${value(total, t.unit)}, ${percent(total, all)}; self ${value(self, t.unit)}`;
}

function Row({ name, text, share }: { name: string; text: string; share?: string }) {
	return <div class="kv"><dt>{name}</dt><dd class="num"><span>{text}</span>{share !== undefined && <span class="share">{share}</span>}</dd></div>;
}

function Plain({ model, t, i }: { model: Model; t: Tree; i: number }) {
	const whole = t.totalA;
	const p = t.parent[i]!;
	const f = model.focus;
	return (
		<dl>
			<Row name="self" text={value(t.self[i]!, t.unit)} share={percent(t.self[i]!, whole)} />
			<Row name="total" text={value(t.total[i]!, t.unit)} share={percent(t.total[i]!, whole)} />
			{rateMs(model) > 0 && <Row name="rate" text={rate(t.total[i]!, rateMs(model), t.type, t.unit)} />}
			{p >= 0 && <Row name="of its caller" text="" share={percent(t.total[i]!, t.total[p]!)} />}
			{f > 0 && i !== f && i > f && i < t.end[f]! && <Row name="of the focus" text="" share={percent(t.total[i]!, t.total[f]!)} />}
			{t.more[i]! > 0 && <Row name="left out" text={value(t.more[i]!, t.unit)} share={percent(t.more[i]!, whole)} />}
		</dl>
	);
}

function Both({ model, t, i }: { model: Model; t: Tree; i: number }) {
	const a = t.total[i]!, b = t.totalB_[i]!;
	const half = interval(a, b, noiseAt(t, i, model.noise));
	const d = b - a;
	const sign = d > 0 ? "+" : d < 0 ? "\u2212" : "";
	const word = Math.abs(d) <= half ? "within chance" : d > 0 ? (a === 0 ? "new" : "more") : b === 0 ? "gone" : "less";
	return (
		<>
			<dl>
				<Row name={visible(model.sides.a, 24)} text={value(a, t.unit)} share={percent(a, t.totalA)} />
				<Row name={visible(model.sides.b, 24)} text={value(b, t.unit)} share={percent(b, t.totalB)} />
				<Row name="change" text={`${sign}${value(Math.abs(d), t.unit)}`} share={model.state.share ? `${sign}${percent(Math.abs(d), t.totalB)}` : a > 0 ? `${sign}${percent(Math.abs(d), a)}` : ""} />
				{half > 0 && <Row name="chance" text={`\u00b1${value(half, t.unit)}`} />}
				<Row name={`self ${visible(model.sides.a, 18)}`} text={value(t.self[i]!, t.unit)} />
				<Row name={`self ${visible(model.sides.b, 18)}`} text={value(t.selfB[i]!, t.unit)} />
			</dl>
			<p class={`verdict ${word === "within chance" ? "dim" : d > 0 ? "more" : "less"}`}>{word}</p>
		</>
	);
}

const SIBLINGS = 8;

/** One value of the label the graph is grouped by: only it, or it against another. */
function LabelActions({ model, t, node }: { model: Model; t: Tree; node: number }) {
	const { labels } = model.state;
	const of = (i: number): Matcher => ({ name: fileOf(t, i), op: "=", value: nameOf(t, i) });
	const own = of(node);
	const rest = { by: "", focus: [], view: "flame" as const };
	const others = [...children(t, 0)].filter((i) => i !== node && kindOf(t, i) === LABEL && fileOf(t, i) !== "")
		.sort((a, b) => t.width[b]! - t.width[a]!).slice(0, SIBLINGS);
	return (
		<>
			<div class="actions">
				<button class="action" type="button" onClick={() => go({ ...rest, labels: withMatchers(labels, [own]) })}>only this</button>
			</div>
			{!t.isDiff && others.length > 0 && (
				<div class="actions" role="group" aria-label="compare with">
					<span class="dim">compare with</span>
					{others.map((i) => (
						<button key={i} class="action versus" type="button"
							onClick={() => go({ ...rest, compare: "label", labels: withMatchers(labels, [own]), clabels: [of(i)] })}>
							<bdi>{visible(nameOf(t, i), 40) === NO_NAME ? "without" : visible(nameOf(t, i), 40)}</bdi>
						</button>
					))}
				</div>
			)}
		</>
	);
}

/** Of one file: filters, and the reports about this function. */
function LocalActions({ model, name }: { model: Model; name: string }) {
	const s = model.state;
	return (
		<>
			<div class="actions" role="group" aria-label="refine by this function">
				{REFINE.map((r) => (
					<button key={r.key} class="action" type="button" title={r.text + " (" + r.letter + ")"} onClick={() => go(refine(s, r.key, quoted(name)))}>{r.text}</button>
				))}
			</div>
			<div class="actions" role="group" aria-label="reports about this function">
				{(["peek", "source", "disasm"] as const).map((v) => (
					<button key={v} class="action" type="button" onClick={() => go(toView(s, v, [name]))}>{v === "disasm" ? "machine code" : v}</button>
				))}
			</div>
		</>
	);
}

interface Props {
	model: Model;
	/** Node to show. */
	node: number;
	pinned: boolean;
	crowd: number;
}

export function Details({ model, node, pinned, crowd }: Props) {
	const t = model.tree;
	if (t === null || node < 0 || node >= t.n) return <aside class="details" aria-label="frame" />;
	const kind = kindOf(t, node);
	const name = nameOf(t, node);
	const file = fileOf(t, node);
	const local = model.local !== undefined;
	const isRoot = kind === ROOT;
	const pkg = packageAt(t, node);
	return (
		<aside class="details" aria-label="frame">
			<h2 class="mono frame-name" id="frame-name"><bdi>{shownName(t, node, 1000)}</bdi></h2>
			{file !== "" && kind !== LABEL && <p class="mono dim file"><bdi>{visible(file, 300)}</bdi></p>}
			{!isRoot && kind !== LABEL && pkg !== "" && !file.endsWith(pkg) && <p class="mono dim file"><bdi>{visible(pkg, 100)}</bdi></p>}
			{KIND_TEXT[kind] !== undefined && <p class="dim">{KIND_TEXT[kind]}</p>}
			{crowd > 1 && <p class="dim">{crowd} frames share this pixel; click to come nearer</p>}
			{t.isDiff ? <Both model={model} t={t} i={node} /> : <Plain model={model} t={t} i={node} />}
			{kind === LABEL && file !== "" && pinned && <LabelActions model={model} t={t} node={node} />}
			{!isRoot && kind !== MORE && kind !== LABEL && pinned && (
				<div class="actions">
					<button class="action" type="button" onClick={() => go({ focus: pathOf(t, node) })}>{local ? "zoom" : "focus"}</button>
					<button class="action" type="button" onClick={() => go({ search: name, regex: false })}>find all</button>
					<button class="action" type="button" onClick={() => void navigator.clipboard.writeText(name).catch(() => undefined)}>copy name</button>
				</div>
			)}
			{local && !isRoot && kind !== MORE && kind !== LABEL && pinned && <LocalActions model={model} name={name} />}
			<p class="hint dim">{pinned ? "arrows walk, Enter focuses, Backspace goes back" : "point at a frame; click to focus, wheel to zoom, drag to move"}</p>
		</aside>
	);
}
