// The frame under the pointer, or the chosen one, in its fixed place at the right.

import { packageAt } from "../colour";
import { interval } from "../diff";
import { percent, rate, value } from "../format";
import { Model } from "../model";
import { go } from "../store";
import { visible } from "../text";
import { fileOf, KERNEL, JIT, kindOf, LOST, MORE, nameOf, pathOf, ROOT, Tree, UNNAMED } from "../tree";

const KIND_TEXT: Readonly<Record<number, string>> = {
	[KERNEL]: "kernel", [JIT]: "compiled at run time", [UNNAMED]: "without a name: the program was stripped and its symbols are not here",
	[LOST]: "samples whose stack was lost", [MORE]: "frames too small for the first answer; click to read them",
};

export function frameText(t: Tree, i: number): string {
	const whole = t.width[0]!;
	const total = t.isDiff ? t.totalB_[i]! : t.total[i]!;
	const self = t.isDiff ? t.selfB[i]! : t.self[i]!;
	const all = t.isDiff ? t.totalB : whole;
	const name = kindOf(t, i) === ROOT ? "everything" : visible(nameOf(t, i), 200);
	return `${name}: total ${value(total, t.unit)}, ${percent(total, all)}; self ${value(self, t.unit)}`;
}

function Row({ name, text, share }: { name: string; text: string; share?: string }) {
	return <div class="kv"><dt>{name}</dt><dd class="num"><span>{text}</span>{share !== undefined && <span class="share">{share}</span>}</dd></div>;
}

function Plain({ model, t, i }: { model: Model; t: Tree; i: number }) {
	const whole = t.totalA;
	const ms = model.range.until - model.range.from;
	const p = t.parent[i]!;
	const f = model.focus;
	return (
		<dl>
			<Row name="self" text={value(t.self[i]!, t.unit)} share={percent(t.self[i]!, whole)} />
			<Row name="total" text={value(t.total[i]!, t.unit)} share={percent(t.total[i]!, whole)} />
			<Row name="rate" text={rate(t.total[i]!, model.tree?.ledger?.covered_ms || ms, t.type, t.unit)} />
			{p >= 0 && <Row name="of its caller" text="" share={percent(t.total[i]!, t.total[p]!)} />}
			{f > 0 && i !== f && i > f && i < t.end[f]! && <Row name="of the focus" text="" share={percent(t.total[i]!, t.total[f]!)} />}
			{t.more[i]! > 0 && <Row name="left out" text={value(t.more[i]!, t.unit)} share={percent(t.more[i]!, whole)} />}
		</dl>
	);
}

function Both({ model, t, i }: { model: Model; t: Tree; i: number }) {
	const a = t.total[i]!, b = t.totalB_[i]!;
	const half = interval(a, b, model.noise);
	const d = b - a;
	const sign = d > 0 ? "+" : d < 0 ? "\u2212" : "";
	const word = Math.abs(d) <= half ? "within chance" : d > 0 ? (a === 0 ? "new" : "more") : b === 0 ? "gone" : "less";
	return (
		<>
			<dl>
				<Row name="before" text={value(a, t.unit)} share={percent(a, t.totalA)} />
				<Row name="now" text={value(b, t.unit)} share={percent(b, t.totalB)} />
				<Row name="change" text={`${sign}${value(Math.abs(d), t.unit)}`} share={a > 0 ? `${sign}${percent(Math.abs(d), a)}` : ""} />
				{half > 0 && <Row name="chance" text={`\u00b1${value(half, t.unit)}`} />}
				<Row name="self before" text={value(t.self[i]!, t.unit)} />
				<Row name="self now" text={value(t.selfB[i]!, t.unit)} />
			</dl>
			<p class={`verdict ${word === "within chance" ? "dim" : d > 0 ? "more" : "less"}`}>{word}</p>
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
	const isRoot = kind === ROOT;
	const pkg = packageAt(t, node);
	return (
		<aside class="details" aria-label="frame">
			<h2 class="mono frame-name" id="frame-name"><bdi>{isRoot ? "everything" : visible(name, 1000)}</bdi></h2>
			{file !== "" && <p class="mono dim file"><bdi>{visible(file, 300)}</bdi></p>}
			{!isRoot && pkg !== "" && !file.endsWith(pkg) && <p class="mono dim file"><bdi>{visible(pkg, 100)}</bdi></p>}
			{KIND_TEXT[kind] !== undefined && <p class="dim">{KIND_TEXT[kind]}</p>}
			{crowd > 1 && <p class="dim">{crowd} frames share this pixel; click to come nearer</p>}
			{t.isDiff ? <Both model={model} t={t} i={node} /> : <Plain model={model} t={t} i={node} />}
			{!isRoot && kind !== MORE && pinned && (
				<div class="actions">
					<button class="action" type="button" onClick={() => go({ focus: pathOf(t, node) })}>focus</button>
					<button class="action" type="button" onClick={() => go({ search: name, regex: false })}>find all</button>
					<button class="action" type="button" onClick={() => void navigator.clipboard.writeText(name).catch(() => undefined)}>copy name</button>
				</div>
			)}
			<p class="hint dim">{pinned ? "arrows walk, Enter focuses, Backspace goes back" : "point at a frame; click to focus, wheel to zoom, drag to move"}</p>
		</aside>
	);
}
