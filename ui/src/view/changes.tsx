// The functions whose self weight changed most, from the exact tables of both ranges.

import { useState } from "preact/hooks";
import { Change } from "../diff";
import { count, percent, value } from "../format";
import { Model } from "../model";
import { go } from "../store";
import { matcher } from "../search";
import { visible } from "../text";
import { Message, Name } from "./bits";

type Filter = "all" | "real" | "new" | "gone";
const FILTERS: readonly { id: Filter; text: string }[] = [
	{ id: "real", text: "beyond chance" }, { id: "all", text: "all" }, { id: "new", text: "new" }, { id: "gone", text: "gone" },
];
const LIMIT = 300;

const keep = (f: Filter) => (c: Change): boolean => f === "all" || (f === "real" ? c.real : c.what === f);

function Row({ c, unit, most, totalA }: { c: Change; unit: string; most: number; totalA: number }) {
	const part = most > 0 ? (Math.abs(c.delta) / most) * 50 : 0;
	const style = c.delta > 0 ? { left: "50%", width: `${part}%` } : { right: "50%", width: `${part}%` };
	const sign = c.delta > 0 ? "+" : "\u2212";
	return (
		<tr class={c.real ? "" : "dim"}>
			<td class="num">{sign}{value(Math.abs(c.delta), unit)}</td>
			<td class="num share">{sign}{percent(Math.abs(c.delta), totalA)}</td>
			<td class="both-ways" aria-hidden="true"><span class={c.delta > 0 ? "more" : "less"} style={style} /></td>
			<td class="num">{value(c.a, unit)}</td>
			<td class="num">{value(c.b, unit)}</td>
			<td class="what">{c.real ? c.what : "chance"}</td>
			<td class="name"><button type="button" class="link" title="show in the graph" onClick={() => go({ view: "flame", search: c.name, regex: false, focus: [] })}><Name text={c.name} max={300} /></button></td>
			<td class="dim file">{c.file !== "" && <Name text={c.file} max={200} />}</td>
		</tr>
	);
}

export function Changes({ model }: { model: Model }) {
	const [filter, setFilter] = useState<Filter>("real");
	const all = model.changes;
	const t = model.tree;
	if (model.changesError !== "") return <Message tone="error" title="No table"><p>{model.changesError}</p></Message>;
	if (all === null || t === null) return <div class="table-box" />;
	const test = model.state.search === "" ? null : matcher(model.state.search, model.state.regex);
	const rows = all.filter(keep(filter)).filter((c) => test === null || typeof test === "string" || test(c.name));
	const most = rows.reduce((a, c) => Math.max(a, Math.abs(c.delta)), 0);
	return (
		<div class="table-box" tabIndex={0} aria-label="largest changes">
			<div class="row filters" role="group" aria-label="which changes">
				{FILTERS.map((f) => (
					<button key={f.id} class={`action ${filter === f.id ? "on" : ""}`} type="button" aria-pressed={filter === f.id} onClick={() => setFilter(f.id)}>
						{f.text} <span class="num">{count(all.filter(keep(f.id)).length)}</span>
					</button>
				))}
			</div>
			{rows.length === 0 ? <Message title="Nothing of this kind"><p>No function differs in this way between the two ranges.</p></Message> :
				<table class="changes">
					<thead><tr>
						<th scope="col" class="num">self</th><th scope="col" class="num">{model.state.share ? "of all" : `of ${visible(model.sides.a, 16)}`}</th><th scope="col"><span class="spoken">change as a bar</span></th>
						<th scope="col" class="num">{visible(model.sides.a, 24)}</th><th scope="col" class="num">{visible(model.sides.b, 24)}</th><th scope="col">kind</th><th scope="col">function</th><th scope="col">file</th>
					</tr></thead>
					<tbody>{rows.slice(0, LIMIT).map((c, k) => <Row key={`${k} ${c.name}`} c={c} unit={t.unit} most={most} totalA={t.totalA} />)}</tbody>
				</table>}
		</div>
	);
}
