// Labels of the samples: only one value, all but one, or all of them side by side.

import { useState } from "preact/hooks";
import { count, percent } from "../format";
import { useLoad } from "../load";
import { Model } from "../model";
import { go } from "../store";
import { visible } from "../text";
import { Bar, Name } from "../view/bits";
import * as api from "./api";
import { withOption, withTag } from "./refine";

function Values({ model, tag, close }: { model: Model; tag: api.Tag; close: () => void }) {
	const s = model.state;
	const [find, setFind] = useState("");
	const low = find.toLowerCase();
	const list = tag.values.filter((v) => v.value.toLowerCase().includes(low));
	const put = (key: "tf" | "ti", v: api.TagValue): void => {
		go({ ...withOption(s, key, withTag(s.opt[key] ?? "", tag.name, v.filter, tag.numeric)), focus: [] });
		close();
	};
	return (
		<>
			{tag.values.length > 12 && <input class="filter" type="search" placeholder="find a value" aria-label="find a value" value={find} onInput={(e) => setFind(e.currentTarget.value)} />}
			<ul class="menu values" aria-label={`values of ${visible(tag.name, 60)}`}>
				{list.map((v) => (
					<li key={v.filter}>
						<button type="button" title="only samples with it" onClick={() => put("tf", v)}>
							<Name text={v.value} max={60} /><Bar part={v.total / tag.total} /><span class="num dim">{percent(v.total, tag.total)}</span>
						</button>
						<button type="button" class="not" title="no samples with it" aria-label={`not ${visible(v.value, 60)}`} onClick={() => put("ti", v)}>not</button>
					</li>
				))}
			</ul>
			{tag.count > tag.values.length && <p class="pad dim">the heaviest {tag.values.length} of {count(tag.count)}</p>}
		</>
	);
}

export function TagMenu({ model, close }: { model: Model; close: () => void }) {
	const s = model.state, { params } = model.local!;
	const load = useLoad(`tags ${JSON.stringify(params)}`, "tags", (signal) => api.tags(params, signal));
	const [open, setOpen] = useState("");
	if (load.error !== "") return <p class="bad pad">{load.error}</p>;
	if (load.value === null) return <p class="dim pad">reading labels{"\u2026"}</p>;
	const { tags, total } = load.value;
	if (tags.length === 0) return <p class="dim pad">These samples have no labels.</p>;
	const tag = tags.find((t) => t.name === open);
	if (tag !== undefined)
		return (
			<>
				<div class="head row">
					<button class="action quiet" type="button" aria-label="all labels" onClick={() => setOpen("")}>{"\u2039"}</button>
					<bdi class="mono strong">{visible(tag.name, 60)}</bdi>
					<button class="action" type="button" title="a frame for each value, under the root"
						onClick={() => { go({ ...withOption(s, "tagroot", tag.name), focus: [], view: "flame" }); close(); }}>split by it</button>
				</div>
				<Values model={model} tag={tag} close={close} />
			</>
		);
	return (
		<ul class="menu" aria-label="labels">
			{tags.map((t) => (
				<li key={t.name}>
					<button type="button" onClick={() => setOpen(t.name)}>
						<Name text={t.name} max={60} />
						<span class="dim num">{count(t.count)} {t.count === 1 ? "value" : "values"}</span>
						<span class="dim num">{percent(t.total, total)}</span>
					</button>
				</li>
			))}
		</ul>
	);
}
