// The table of functions of one file; rows are chosen for Refine.

import { useState } from "preact/hooks";
import { count, percent, value } from "../format";
import { Model } from "../model";
import { matcher } from "../search";
import { SortKey } from "../state";
import { go } from "../store";
import { visible } from "../text";
import { Bar, Message, Name } from "../view/bits";
import { LocalRow, LocalTop } from "./api";
import { Picked } from "./app";

const FIRST = 200;
const COLUMNS: readonly { key: SortKey | ""; text: string; span: number }[] = [
	{ key: "self", text: "flat", span: 2 }, { key: "", text: "sum", span: 1 }, { key: "total", text: "cum", span: 2 },
	{ key: "name", text: "function", span: 1 }, { key: "file", text: "file", span: 1 },
];

const weight = (r: LocalRow, key: "self" | "total", isDiff: boolean): number =>
	isDiff ? (key === "self" ? (r.self_b ?? 0) - r.self : (r.total_b ?? 0) - r.total) : r[key];

function sorted(t: LocalTop, key: SortKey, rising: boolean): LocalRow[] {
	const isDiff = t.total_b !== undefined;
	const by = (a: LocalRow, b: LocalRow): number =>
		key === "self" || key === "total" ? Math.abs(weight(b, key, isDiff)) - Math.abs(weight(a, key, isDiff)) : a[key] < b[key] ? -1 : a[key] > b[key] ? 1 : 0;
	return [...t.rows].sort((a, b) => (rising ? -1 : 1) * by(a, b));
}

function Head({ sort, rising, files }: { sort: SortKey; rising: boolean; files: boolean }) {
	return (
		<thead>
			<tr>
				{COLUMNS.filter((c) => files || c.key !== "file").map((c) => {
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

function Weight({ n, of, unit, isDiff }: { n: number; of: number; unit: string; isDiff: boolean }) {
	const sign = isDiff && n > 0 ? "+" : "";
	const tone = !isDiff || n === 0 ? "" : n > 0 ? "more" : "less";
	return (
		<>
			<td class={`num ${tone}`}>{sign}{value(n, unit)}</td>
			<td class="num share"><Bar part={Math.abs(n) / of} tone={tone === "" ? "" : `${tone}-bar`} />{percent(n, of)}</td>
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
				<Head sort={state.sort} rising={state.rising} files={files} />
				<tbody>
					{rows.slice(0, limit).map((r, k) => {
						sum += r.self;
						const on = picked.names.includes(r.name);
						return (
							<tr key={`${k} ${r.name}`} class={on ? "picked" : ""} aria-selected={on} onClick={() => picked.toggle(r.name)}>
								<Weight n={weight(r, "self", isDiff)} of={of} unit={t.unit} isDiff={isDiff} />
								<td class="num dim">{bySelf ? percent(sum, of) : ""}</td>
								<Weight n={weight(r, "total", isDiff)} of={of} unit={t.unit} isDiff={isDiff} />
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
