// The account of completeness at the bottom, always in sight.

import { count, percent, value } from "../format";
import { Model } from "../model";
import { go } from "../store";
import { clockText, dateText, Range, spanText } from "../time";
import { Ledger } from "../types";

interface Entry {
	text: string;
	why: string;
	bad?: boolean;
}

/** Profiles come every 5 to 15 s and travel a while: less than this is not missing. */
const SLACK_MS = 30_000;

/** What time the profiles cover.  Only time after the first profile can be missing, and
 * of one service nobody knows: it may have been idle. */
export function coverage(l: Ledger, range: Range, first: number, now: number, everything: boolean): Entry {
	const young = first > range.from + SLACK_MS;
	const day = dateText(first) === dateText(now) ? "" : dateText(first) + " ";
	const span = young ? range.until - first : l.span_ms;
	const gap = span - l.covered_ms;
	const since = young ? `since ${day}${clockText(first)}` : "";
	if (gap <= Math.max(SLACK_MS, span * 0.02))
		return { text: young ? since : `covers ${spanText(l.span_ms)}`, why: young ? "the first profile of this range; none is missing since" : "profiles came for all of the range" };
	const text = `covers ${spanText(Math.round(l.covered_ms / 1000) * 1000)} of ${spanText(Math.round(span / 1000) * 1000)}${young ? " " + since : ""}`;
	return everything ? { text, bad: true, why: "for the rest no profile came of anything" } :
		{ text, why: "time for which profiles of this came; for the rest it was idle, away, or not profiled" };
}

/** The entries of the bar; a figure that the server does not know is left out. */
export function entries(l: Ledger, whole: number): Entry[] {
	const out: Entry[] = [
		{ text: `${count(l.samples)} samples`, why: `from ${count(l.profiles)} profiles` },
	];
	const tried = l.taken + l.lost;
	if (l.asked > 0)
		out.push({ text: `${percent(Math.min(l.taken, l.asked), l.asked)} taken`, why: `of the ${count(l.asked)} samples that were asked for` });
	if (tried > 0) {
		out.push({ text: `${percent(l.lost, tried)} lost`, bad: l.lost > tried * 0.01, why: `${count(l.lost)} samples found no room on their way` });
		out.push({ text: `${percent(l.truncated, tried)} cut`, bad: l.truncated > tried * 0.05, why: `${count(l.truncated)} stacks were deeper than what was kept of them` });
	}
	if (whole > 0)
		out.push({ text: `${percent(whole - l.unsymbolised, whole)} named`, bad: l.unsymbolised > whole * 0.1, why: "share of the weight whose functions have names" });
	return out;
}

const COPIES_WHY = "The agent samples every process, also those that push profiles of themselves. " +
	"What both measured is counted once, from the process; the agent's copy of it is left out.";

/** Whether what is measured twice counts once; shown where there is such a thing. */
function Copies({ model, l }: { model: Model; l: Ledger }) {
	const on = model.state.copies;
	const left = l.copies ?? 0;
	if (!on && left === 0) return null;
	const text = on ? "copies counted too" : `${value(left, model.tree?.unit ?? "")} of copies left out`;
	return (
		<span class="entry">
			<button id="copies" type="button" class={`switch ${on ? "on" : ""}`} role="switch" aria-checked={on} title={COPIES_WHY}
				onClick={() => go({ copies: !on })}><i aria-hidden="true" />{text}</button>
		</span>
	);
}

export function LedgerBar({ model, ledger, whole, right }: { model: Model; ledger: Ledger | null; whole: number; right: string }) {
	const list = ledger === null ? [] : entries(ledger, whole);
	if (ledger !== null && ledger.span_ms > 0 && model.against === null)
		list.push(coverage(ledger, model.range, model.first, model.now, model.state.service === "" && model.state.labels.length === 0));
	return (
		<footer class="ledger" aria-label="completeness">
			{ledger === null ? <span class="dim">no samples in this range</span> :
				list.map((e) => (
					<span key={e.why} class={`entry ${e.bad === true ? "bad" : ""}`} title={e.why}>{e.text}</span>
				))}
			{ledger !== null && <Copies model={model} l={ledger} />}
			<span class="right dim">{right}</span>
		</footer>
	);
}
