// "+ label": names first, then the values of one with their weight, heaviest first.

import { useEffect, useRef, useState } from "preact/hooks";
import * as api from "../api";
import { count, percent, value } from "../format";
import { useLoad } from "../load";
import { Model } from "../model";
import { Op, toggleMatcher } from "../selector";
import { go } from "../store";
import { Bar, Name } from "./bits";

const LIMIT = 100;
const OPS: readonly { op: Op; text: string }[] = [
	{ op: "=", text: "is" }, { op: "!=", text: "is not" }, { op: "=~", text: "matches" }, { op: "!~", text: "matches not" },
];

const keyOf = (q: api.Query): string => `${q.type} ${q.query} ${q.range.from} ${q.range.until}`;

export function Names({ query, pick }: { query: api.Query; pick: (name: string) => void }) {
	const [filter, setFilter] = useState("");
	const load = useLoad(`labels ${keyOf(query)}`, "labels", (s) => api.labels(query, s));
	const low = filter.toLowerCase();
	const list = (load.value ?? []).filter((l) => l.name !== "service_name" && l.name.toLowerCase().includes(low));
	return (
		<>
			<input class="filter" type="search" placeholder="which label?" aria-label="which label?"
				value={filter} onInput={(e) => setFilter(e.currentTarget.value)}
				onKeyDown={(e) => e.key === "Enter" && list[0] !== undefined && pick(list[0].name)} />
			<ul class="menu" aria-label="labels">
				{list.map((l) => (
					<li key={l.name}>
						<button type="button" onClick={() => pick(l.name)}>
							<Name text={l.name} max={60} />
							<span class="num dim">{count(l.values)} {l.values === 1 ? "value" : "values"}</span>
						</button>
					</li>
				))}
				{load.error !== "" && <li class="pad bad">{load.error}</li>}
				{load.value !== null && list.length === 0 && <li class="pad dim">no further labels in this range</li>}
				{load.value === null && load.busy && <li class="pad dim">asking{"\u2026"}</li>}
			</ul>
		</>
	);
}

interface ValuesProps {
	query: api.Query;
	name: string;
	unit: string;
	back: () => void;
	pick: (op: Op, value: string) => void;
}

function Values({ query, name, unit, back, pick }: ValuesProps) {
	const [prefix, setPrefix] = useState("");
	const [op, setOp] = useState<Op>("=");
	const isRegex = op === "=~" || op === "!~";
	const ask = isRegex ? "" : prefix;
	const load = useLoad(`values ${keyOf(query)} ${name} ${ask}`, name, (s) =>
		api.labelValues(query, name, ask, LIMIT, s));
	const list = load.value?.values ?? [];
	const whole = list.reduce((a, v) => a + v.total, 0);
	const typed = isRegex && prefix !== "";
	const input = useRef<HTMLInputElement>(null);
	useEffect(() => input.current?.focus(), []);
	return (
		<>
			<div class="row head">
				<button class="action" type="button" onClick={back} aria-label="back to the labels">{"\u2039"}</button>
				<Name text={name} max={40} class="strong" />
				<select aria-label="how" value={op} onChange={(e) => setOp(e.currentTarget.value as Op)}>
					{OPS.map((o) => <option key={o.op} value={o.op}>{o.text}</option>)}
				</select>
			</div>
			<form onSubmit={(e) => { e.preventDefault(); if (typed) pick(op, prefix); else if (list[0]) pick(op, list[0].value); }}>
				<input ref={input} class="filter" type="search" value={prefix} placeholder={isRegex ? "regular expression, then Enter" : "begins with"}
					aria-label={isRegex ? "regular expression" : "value begins with"} onInput={(e) => setPrefix(e.currentTarget.value)} />
			</form>
			<ul class="menu" aria-label={`values of ${name}`}>
				{list.map((v) => (
					<li key={v.value}>
						<button type="button" onClick={() => pick(op, v.value)}>
							<Name text={v.value} max={80} />
							<Bar part={whole > 0 ? v.total / whole : 0} />
							<span class="num dim">{value(v.total, unit)}</span>
							<span class="num share">{percent(v.total, whole)}</span>
						</button>
					</li>
				))}
				{load.value?.more === true && <li class="pad dim">the {LIMIT} heaviest; type to see others</li>}
				{load.error !== "" && <li class="pad bad">{load.error}</li>}
				{load.value !== null && list.length === 0 && <li class="pad dim">no value begins so</li>}
			</ul>
		</>
	);
}

export function LabelPicker({ model, close }: { model: Model; close: () => void }) {
	const [name, setName] = useState("");
	const { state, query } = model;
	if (name === "") return <Names query={query} pick={setName} />;
	return (
		<Values query={query} name={name} unit={model.tree?.unit ?? ""} back={() => setName("")}
			pick={(op, v) => {
				go({ labels: toggleMatcher(state.labels, { name, op, value: v }) });
				close();
			}} />
	);
}
