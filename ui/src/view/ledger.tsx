// The account of completeness at the bottom, always in sight.

import { count, percent } from "../format";
import { spanText } from "../time";
import { Ledger } from "../types";

interface Entry {
	text: string;
	why: string;
	bad?: boolean;
}

/** The entries of the bar; a figure that the server does not know is left out. */
export function entries(l: Ledger, whole: number): Entry[] {
	const out: Entry[] = [
		{ text: `${count(l.samples)} samples`, why: `from ${count(l.profiles)} profiles` },
	];
	const tried = l.taken + l.lost;
	if (l.asked > 0)
		out.push({ text: `${percent(l.taken, l.asked)} taken`, why: `of the ${count(l.asked)} samples that were asked for` });
	if (tried > 0) {
		out.push({ text: `${percent(l.lost, tried)} lost`, bad: l.lost > tried * 0.01, why: `${count(l.lost)} samples found no room on their way` });
		out.push({ text: `${percent(l.truncated, tried)} cut`, bad: l.truncated > tried * 0.05, why: `${count(l.truncated)} stacks were deeper than what was kept of them` });
	}
	if (whole > 0)
		out.push({ text: `${percent(whole - l.unsymbolised, whole)} named`, bad: l.unsymbolised > whole * 0.1, why: "share of the weight whose functions have names" });
	if (l.span_ms > 0)
		out.push({ text: `covers ${spanText(l.covered_ms)} of ${spanText(l.span_ms)}`, why: "time for which profiles came, of the range asked for" });
	return out;
}

export function LedgerBar({ ledger, whole, right }: { ledger: Ledger | null; whole: number; right: string }) {
	return (
		<footer class="ledger" aria-label="completeness">
			{ledger === null ? <span class="dim">no samples in this range</span> :
				entries(ledger, whole).map((e) => (
					<span key={e.why} class={`entry ${e.bad === true ? "bad" : ""}`} title={e.why}>{e.text}</span>
				))}
			<span class="right dim">{right}</span>
		</footer>
	);
}
