// How it is shown, as the reference's options, and the saved ones.

import { useState } from "preact/hooks";
import { Model } from "../model";
import { go } from "../store";
import { visible } from "../text";
import * as api from "./api";
import { isCurrent, truth, withConfig, withOption } from "./refine";
import { Option } from "./state";

const GRANULARITIES: readonly [string, string][] = [
	["", "as the view likes it"], ["functions", "functions"], ["filefunctions", "functions and files"],
	["files", "files"], ["lines", "lines"], ["addresses", "addresses"],
];
const SWITCHES: readonly { key: Option; text: string; hint: string; on: string }[] = [
	{ key: "rel", text: "percent of what is shown", hint: "percentages relative to what the filters leave", on: "t" },
	{ key: "noinlines", text: "without inlined functions", hint: "what is inlined counts for its caller", on: "t" },
	{ key: "calltree", text: "graph as a tree", hint: "a node for each way to a function", on: "t" },
	{ key: "dropneg", text: "without decreases", hint: "nothing that became less", on: "t" },
	{ key: "mean", text: "mean per sample", hint: "values divided by the count", on: "t" },
	{ key: "intel", text: "Intel syntax", hint: "of the disassembly", on: "t" },
	{ key: "trim", text: "without trimming", hint: "reports show the small nodes too", on: "f" },
];
const NUMBERS: readonly { key: Option; text: string; otherwise: string; step: string }[] = [
	{ key: "n", text: "nodes at most", otherwise: "80", step: "1" },
	{ key: "nf", text: "nodes above, part", otherwise: "0.005", step: "any" },
	{ key: "ef", text: "edges above, part", otherwise: "0.001", step: "any" },
];

function Saved({ model }: { model: Model }) {
	const s = model.state, { info, params, again } = model.local!;
	const [name, setName] = useState("");
	const [error, setError] = useState("");
	const act = (p: Promise<void>): void => {
		setError("");
		p.then(() => { setName(""); again(); }, (e: unknown) => setError(e instanceof Error ? e.message : String(e)));
	};
	const all = [{ name: "", params: {} }, ...(info?.configs ?? [])];
	const current = all.map((c) => isCurrent(s, c.params)).lastIndexOf(true);
	return (
		<section class="saved" aria-label="saved configs">
			<ul class="menu">
				{all.map((c, k) => (
					<li key={`${k} ${c.name}`}>
						<button type="button" aria-current={k === current} onClick={() => go(withConfig(s, c.params))}>
							<span>{k === 0 ? "Default" : <bdi>{visible(c.name, 60)}</bdi>}</span><span aria-hidden="true">{k === current ? "\u2713" : ""}</span>
						</button>
						{k > 0 && <button class="not" type="button" title="delete" aria-label={`delete ${visible(c.name, 60)}`} onClick={() => act(api.deleteConfig(c.name))}>{"\u00d7"}</button>}
					</li>
				))}
			</ul>
			<form class="row" onSubmit={(e) => { e.preventDefault(); if (name.trim() !== "") act(api.saveConfig(name.trim(), params)); }}>
				<input id="config-name" placeholder="name" aria-label="name of the config" value={name} maxLength={200} onInput={(e) => setName(e.currentTarget.value)} />
				<button class="action" type="submit" disabled={name.trim() === ""}>save as</button>
			</form>
			{(error !== "" || info?.configs_error) && <p class="bad pad" role="alert">{error !== "" ? error : info!.configs_error}</p>}
		</section>
	);
}

export function ConfigMenu({ model }: { model: Model; close: () => void }) {
	const s = model.state;
	const set = (key: Option, v: string): void => go(withOption(s, key, v));
	return (
		<div class="config">
			<label>granularity
				<select id="granularity" value={s.opt["g"] ?? ""} onChange={(e) => set("g", e.currentTarget.value)}>
					{GRANULARITIES.map(([v, text]) => <option key={v} value={v}>{text}</option>)}
				</select>
			</label>
			{NUMBERS.map((n) => (
				<label key={n.key}>{n.text}
					<input type="number" min="0" step={n.step} placeholder={n.otherwise} value={s.opt[n.key] ?? ""} onChange={(e) => set(n.key, e.currentTarget.value)} />
				</label>
			))}
			<label>unit <input placeholder="fits the numbers" value={s.opt["unit"] ?? ""} onChange={(e) => set("unit", e.currentTarget.value.trim())} /></label>
			{SWITCHES.map((w) => {
				const on = truth(s.opt[w.key] ?? "") === w.on;
				return (
					<button key={w.key} type="button" class={`switch ${on ? "on" : ""}`} role="switch" aria-checked={on} title={w.hint}
						onClick={() => set(w.key, on ? "" : w.on)}><i aria-hidden="true" />{w.text}</button>
				);
			})}
			<Saved model={model} />
		</div>
	);
}
