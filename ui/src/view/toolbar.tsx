// The row above the graph: search, what is in focus, and which view.

import { count, percent } from "../format";
import { toView } from "../local/refine";
import { Model } from "../model";
import { step } from "../search";
import { View } from "../state";
import { go } from "../store";
import { MORE_NAME } from "../tree";
import { visible } from "../text";

export const VIEW_TEXT: readonly { view: View; text: string; key: string }[] = [
	{ view: "flame", text: "flame", key: "1" },
	{ view: "top", text: "top", key: "2" },
	{ view: "tree", text: "tree", key: "3" },
	{ view: "changes", text: "changes", key: "4" },
	{ view: "services", text: "services", key: "5" },
];

interface Props {
	model: Model;
	selected: number;
	select: (node: number) => void;
}

export function Search({ model, selected, select }: Props) {
	const { state, matches, tree } = model;
	const found = matches === null || tree === null ? "" : matches.error !== "" ? matches.error :
		`${count(matches.nodes.length)} of ${count(tree.n)} frames \u00b7 ${percent(matches.weight, tree.width[0]!)}`;
	const move = (forward: boolean): void => {
		if (matches !== null) select(step(matches, selected, forward));
	};
	const onKey = (e: KeyboardEvent): void => {
		const report = model.local !== undefined && ["peek", "source", "disasm"].includes(state.view);
		if (e.key === "Enter" && report && state.search !== "") go({ ...toView(state, state.view, []), search: "" });
		else if (e.key === "Enter") move(!e.shiftKey);
		else if (e.key === "Escape") {
			if (state.search !== "") go({ search: "" }, true);
			(e.currentTarget as HTMLElement).blur();
		} else return;
		e.preventDefault();
		e.stopPropagation();
	};
	return (
		<div class="search" role="search">
			<input id="search" type="search" placeholder="search  /" aria-label="search functions" autocomplete="off" spellcheck={false}
				value={state.search} onKeyDown={onKey} onInput={(e) => go({ search: e.currentTarget.value }, true)} />
			<button class={`action regex ${state.regex ? "on" : ""}`} type="button" aria-pressed={state.regex}
				title="regular expression" onClick={() => go({ regex: !state.regex }, true)}>.*</button>
			<button class="action" type="button" title="previous match (N)" aria-label="previous match"
				disabled={!matches?.nodes.length} onClick={() => move(false)}>{"\u2039"}</button>
			<button class="action" type="button" title="next match (n)" aria-label="next match"
				disabled={!matches?.nodes.length} onClick={() => move(true)}>{"\u203a"}</button>
			<output id="found" class={`num ${matches?.error ? "bad" : "dim"}`} aria-live="polite">{found}</output>
		</div>
	);
}

/** The way down to the frame in focus; each part goes back to it. */
export function FocusPath({ model }: { model: Model }) {
	const path = model.state.focus;
	if (path.length === 0) return null;
	const shown = path.length > 3 ? path.slice(-2) : path;
	const at = path.length - shown.length;
	return (
		<nav class="focus" aria-label="focus">
			<button class="crumb" type="button" onClick={() => go({ focus: [] })}>all</button>
			{at > 0 && <span class="dim" title={path.slice(0, at).map((x) => visible(x, 80)).join(" \u203a ")}>{`\u203a ${at} frames \u203a`}</span>}
			{shown.map((name, k) => (
				<span key={`${k} ${name}`} class="crumb-part">
					{(k > 0 || at === 0) && <span class="dim">{"\u203a"}</span>}
					<button class="crumb mono" type="button" title={visible(name, 300)} aria-current={k === shown.length - 1}
						onClick={() => go({ focus: path.slice(0, at + k + 1) })}>{visible(name, 32)}</button>
				</span>
			))}
			<button class="action" type="button" aria-label="leave the focus" title="leave the focus" onClick={() => go({ focus: [] })}>{"\u00d7"}</button>
			{model.focusLost && <span class="bad">not in this range</span>}
			{model.refining && <span class="dim">reading {MORE_NAME.slice(2)}{"\u2026"}</span>}
		</nav>
	);
}

export function Toolbar(props: Props) {
	const { model } = props;
	const views = VIEW_TEXT.filter((v) => v.view !== "changes" || model.against !== null);
	return (
		<section class="toolbar" aria-label="search and views">
			<Search {...props} />
			<FocusPath model={model} />
			<div class="views" role="tablist" aria-label="views">
				{views.map((v) => (
					<button key={v.view} id={`view-${v.view}`} role="tab" type="button" aria-selected={model.state.view === v.view}
						title={`${v.text} (${v.key})`} onClick={() => go({ view: v.view })}>{v.text}</button>
				))}
			</div>
		</section>
	);
}
