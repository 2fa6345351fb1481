// Refine: the chosen functions, or the search, as a filter.

import { Model } from "../model";
import { go } from "../store";
import { visible } from "../text";
import { Caret } from "../view/bits";
import { Popup } from "../view/popup";
import { Picked } from "./app";
import { expression, refine, reset } from "./refine";
import { FILTERS, Option } from "./state";

export const REFINE: readonly { key: Option; text: string; letter: string }[] = [
	{ key: "f", text: "focus", letter: "f" }, { key: "i", text: "ignore", letter: "i" }, { key: "h", text: "hide", letter: "h" },
	{ key: "s", text: "show", letter: "s" }, { key: "sf", text: "show from", letter: "r" },
];

const hint = (key: Option): string => FILTERS.find((f) => f.key === key)?.hint ?? "";

export function RefineMenu({ model, names, picked }: { model: Model; names: readonly string[]; picked: Picked }) {
	const s = model.state;
	const re = expression(s, names);
	const subject = names.length === 1 ? visible(names[0]!, 48) : names.length > 1 ? `${names.length} functions` : s.search !== "" ? `what matches ${visible(s.search, 32)}` : "";
	const act = (key: Option, close: () => void): void => {
		go(refine(s, key, re));
		picked.clear();
		close();
	};
	return (
		<Popup id="refine" label="refine" title="filter by what is chosen" className={`refine ${subject === "" ? "" : "ready"}`}
			text={<>refine{subject !== "" && <bdi class="mono subject">{subject}</bdi>}<Caret /></>}>
			{(close) => (
				<>
					{subject === "" && <p class="pad dim">Choose a frame, rows or nodes, or search: then filter by them here.</p>}
					<ul class="menu" aria-label="refine">
						{REFINE.map((r) => (
							<li key={r.key}>
								<button id={`refine-${r.key}`} type="button" disabled={re === ""} onClick={() => act(r.key, close)}>
									<span>{r.text} <span class="dim">{hint(r.key)}</span></span><kbd>{r.letter}</kbd>
								</button>
							</li>
						))}
						<li><button id="refine-reset" type="button" onClick={() => { go(reset(s)); picked.clear(); close(); }}><span>reset <span class="dim">the whole profile</span></span></button></li>
					</ul>
				</>
			)}
		</Popup>
	);
}
