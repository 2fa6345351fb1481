// The table of functions of one file; rows are chosen for Refine.

import { useState } from "preact/hooks";
import { isBeyond, Noise } from "../diff";
import { count, percent, value } from "../format";
import { Model } from "../model";
import { matcher } from "../search";
import { SortKey } from "../state";
import { go } from "../store";
import { visible } from "../text";
import { Bar, Message, Name } from "../view/bits";
import { LocalRow, LocalTop, Pair } from "./api";
import { Picked } from "./app";

const FIRST = 200;
const COLUMNS: readonly { key: SortKey | ""; text: string; span: number }[] = [
	{ key: "self", text: "flat", span: 2 }, { key: "", text: "sum", span: 1 }, { key: "total", text: "cum", span: 2 },
	{ key: "name", text: "function", span: 1 }, { key: "file", text: "file", span: 1 },
];

/** What both sides have of a row, as the reader turned them. */
function sidesOf(r: LocalRow, key: "self" | "total", swap: boolean): [number, number] {
	const a = r[key], b = (key === "self" ? r.self_b : r.total_b) ?? 0;
	return swap ? [b, a] : [a, b];
}

function varianceOf(r: LocalRow, key: "self" | "total", swap: boolean): Pair {
	const [a, b] = (key === "self" ? r.self_variance : r.total_variance) ?? [0, 0];
	return swap ? [b, a] : [a, b];
}

const weight = (r: LocalRow, key: "self" | "total", isDiff: boolean): number =>
	isDiff ? (key === "self" ? (r.self_b ?? 0) - r.self : (r.total_b ?? 0) - r.total) : r[key];

function sorted(t: LocalTop, key: SortKey, rising: boolean): LocalRow[] {
	const isDiff = t.total_b !== undefined;
	const by = (a: LocalRow, b: LocalRow): number =>
		key === "self" || key === "total" ? Math.abs(weight(b, key, isDiff)) - Math.abs(weight(a, key, isDiff)) : a[key] < b[key] ? -1 : a[key] > b[key] ? 1 : 0;
	return [...t.rows].sort((a, b) => (rising ? -1 : 1) * by(a, b));
}

function Head({ sort, rising, files, isDiff }: { sort: SortKey; rising: boolean; files: boolean; isDiff: boolean }) {
	return (
		<thead>
			<tr>
				{COLUMNS.filter((c) => (files || c.key !== "file") && (!isDiff || c.key !== "")).map((c) => {
					const num = c.key === "self" || c.key === "total" || c.key === "";
					const down = num !== rising;
					if (c.key === "") return <th key="sum" class="num" scope="col">sum</th>;
					const key = c.key;
					return (
						<th key={key} class={num ? "num" : ""} scope="col" colSpan={c.span} aria-sort={sort !== key ? "none" : down ? "descending" : "ascending"}>
							<button type="button" onClick={() => go({ sort: key, rising: sort === key ? !rising : false }, true)}>
								{c.text}<span class="arrow" aria-hidden="true">{sort === key ? (down ? "\u2193" : "\u2191") : ""}</span>
							</button>
						</th>
					);
				})}
			</tr>
		</thead>
	);
}

function Plain({ n, of, unit }: { n: number; of: number; unit: string }) {
	return <><td class="num">{value(n, unit)}</td><td class="num share"><Bar part={n / of} />{percent(n, of)}</td></>;
}

/** A change; one that chance can explain is never called more or less. */
function Delta({ a, b, varianceA, varianceB, of, unit, noise }: { a: number; b: number; varianceA: number; varianceB: number; of: number; unit: string; noise: Noise }) {
	const d = b - a * noise.scaleA;
	const tone = !isBeyond(d, varianceA * noise.scaleA ** 2 + varianceB) ? "dim" : d > 0 ? "more" : "less";
	const sign = d > 0 ? "+" : d < 0 ? "\u2212" : "";
	return (
		<>
			<td class={`num ${tone}`} title={tone === "dim" ? "within chance" : ""}>{sign}{value(Math.abs(d), unit)}</td>
			<td class="num share"><Bar part={Math.abs(d) / of} tone={tone === "dim" ? "" : `${tone}-bar`} />{percent(Math.abs(d), of)}</td>
		</>
	);
}

export function TopTable({ model, picked }: { model: Model; picked: Picked }) {
	const [limit, setLimit] = useState(FIRST);
	const { state } = model;
	const { top } = model.local!;
	if (top.value === null) return top.error !== "" ? <Message tone="error" title="No table">{top.error}</Message> : <div class="table-box" />;
	const t = top.value;
	const isDiff = t.total_b !== undefined;
	const test = state.search === "" ? null : matcher(state.search, state.regex);
	if (typeof test === "string") return <Message tone="error" title="No table"><p>{test}</p></Message>;
	const rows = sorted(t, state.sort, state.rising).filter((r) => test === null || test(r.name));
	if (rows.length === 0) return <Message title="No function matches"><p>Nothing in this profile is called so.</p></Message>;
	const of = Math.max(1, isDiff ? Math.max(t.total, t.total_b ?? 0) : (model.local!.whole || t.total));
	let sum = 0;
	// By function alone, as the reference's table is, nothing says the file.
	const files = t.rows.some((r) => r.file !== "");
	const bySelf = state.sort === "self" && !state.rising && !isDiff && test === null;
	return (
		<div class="table-box" tabIndex={0} aria-label="top functions">
			<table class="top local">
				<Head sort={state.sort} rising={state.rising} files={files} isDiff={isDiff} />
				<tbody>
					{rows.slice(0, limit).map((r, k) => {
						sum += r.self;
						const on = picked.names.includes(r.name);
						const cells = (key: "self" | "total") => {
							if (!isDiff) return <Plain n={r[key]} of={of} unit={t.unit} />;
							const [a, b] = sidesOf(r, key, state.swap);
							const [va, vb] = varianceOf(r, key, state.swap);
							return <Delta a={a} b={b} varianceA={va} varianceB={vb} of={of} unit={t.unit} noise={model.noise} />;
						};
						return (
							<tr key={`${k} ${r.name}`} class={on ? "picked" : ""} aria-selected={on} onClick={() => picked.toggle(r.name)}>
								{cells("self")}
								{!isDiff && <td class="num dim">{bySelf ? percent(sum, of) : ""}</td>}
								{cells("total")}
								<td class="name"><button type="button" class="link" aria-pressed={on} title="choose for refine"><Name text={r.name} max={300} /></button>{r.inlined && <span class="dim"> inlined</span>}</td>
								{files && <td class="dim file">{r.file !== "" && <Name text={r.file} max={200} />}</td>}
							</tr>
						);
					})}
				</tbody>
			</table>
			<p class="pad dim">
				{count(Math.min(limit, rows.length))} of {count(test === null ? t.count : rows.length)} functions{isDiff ? `, changes from ${visible(model.sides.a)} to ${visible(model.sides.b)}` : ""}.{" "}
				{rows.length > limit && <button class="action" type="button" onClick={() => setLimit(limit + 500)}>more</button>}
			</p>
		</div>
	);
}
