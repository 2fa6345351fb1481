// The top table: exact over all the data, from the server, not from the picture.

import { useState } from "preact/hooks";
import { count, percent, value } from "../format";
import { Model } from "../model";
import { matcher } from "../search";
import { SortKey } from "../state";
import { go } from "../store";
import { TopRow } from "../types";
import { Bar, Message, Name } from "./bits";

const FIRST = 200;
const COLUMNS: readonly { key: SortKey; text: string; num: boolean }[] = [
	{ key: "self", text: "self", num: true }, { key: "total", text: "total", num: true },
	{ key: "name", text: "function", num: false }, { key: "file", text: "file", num: false },
];

export function sorted(rows: readonly TopRow[], key: SortKey, rising: boolean): TopRow[] {
	const by = (a: TopRow, b: TopRow): number =>
		key === "self" || key === "total" ? b[key] - a[key] : a[key] < b[key] ? -1 : a[key] > b[key] ? 1 : 0;
	return [...rows].sort((a, b) => (rising ? -1 : 1) * by(a, b));
}

function Head({ sort, rising }: { sort: SortKey; rising: boolean }) {
	return (
		<thead>
			<tr>
				{COLUMNS.map((c) => (
					<th key={c.key} class={c.num ? "num" : ""} scope="col" colSpan={c.num ? 2 : 1}
						aria-sort={sort !== c.key ? "none" : (c.num !== rising) ? "descending" : "ascending"}>
						<button type="button" onClick={() => go({ sort: c.key, rising: sort === c.key ? !rising : false }, true)}>
							{c.text}<span class="arrow" aria-hidden="true">{sort === c.key ? (c.num !== rising ? "\u2193" : "\u2191") : ""}</span>
						</button>
					</th>
				))}
			</tr>
		</thead>
	);
}

/** A click on a name shows every place of it in the graph. */
const showInGraph = (name: string): void => go({ view: "flame", search: name, regex: false, focus: [] });

export function Top({ model }: { model: Model }) {
	const [limit, setLimit] = useState(FIRST);
	const { top, state } = model;
	if (top.value === null) return top.error !== "" ? <Message tone="error" title="No table">{top.error}</Message> : <div class="table-box" />;
	const test = state.regex && state.search !== "" ? matcher(state.search, true) : null;
	if (typeof test === "string") return <Message tone="error" title="No table"><p>{test}</p></Message>;
	const { unit, total, count: all } = top.value;
	const rows = sorted(test === null ? top.value.rows : top.value.rows.filter((r) => test(r.name)), state.sort, state.rising);
	if (rows.length === 0) return <Message title="No function matches"><p>Nothing in this range is called so.</p></Message>;
	return (
		<div class="table-box" tabIndex={0} aria-label="top functions">
			<table class="top">
				<Head sort={state.sort} rising={state.rising} />
				<tbody>
					{rows.slice(0, limit).map((r, k) => (
						<tr key={`${k} ${r.name}`}>
							<td class="num">{value(r.self, unit)}</td>
							<td class="num share"><Bar part={r.self / total} />{percent(r.self, total)}</td>
							<td class="num">{value(r.total, unit)}</td>
							<td class="num share">{percent(r.total, total)}</td>
							<td class="name"><button type="button" class="link" title="show in the graph" onClick={() => showInGraph(r.name)}><Name text={r.name} max={300} /></button></td>
							<td class="dim file">{r.file !== "" && <Name text={r.file} max={200} />}</td>
						</tr>
					))}
				</tbody>
			</table>
			<p class="pad dim">
				{count(Math.min(limit, rows.length))} of {count(all)} functions, computed on all the data.{" "}
				{rows.length > limit && <button class="action" type="button" onClick={() => setLimit(limit + 500)}>more</button>}
				{top.value.rows.length < all && rows.length <= limit && "Search to reach the others."}
			</p>
		</div>
	);
}
