// What changed, in words.

import { Change, interval, Noise } from "./diff";
import { percent, rate, rateKind, typeText, value } from "./format";
import { visible } from "./text";

export interface Totals {
	a: number;
	b: number;
	noise: Noise;
	/** Length of either side (A is scaled to B's). */
	ms: number;
	type: string;
	unit: string;
	/** Both sides are brought to one total. */
	share: boolean;
	/** What the sides are called when they are not two times. */
	names: readonly [string, string] | null;
}

const amount = (n: number, t: Totals): string => rate(n, t.ms, t.type, t.unit);

/** "CPU rose from 1.2 to 1.6 cores (+33 % ± 4 %)": the total, and whether it is real. */
export function totalSentence(t: Totals): string {
	if (t.names !== null) return `${visible(t.names[0], 40) || "without"} \u2192 ${visible(t.names[1], 40) || "without"}: ${sums(t)}`;
	return sums(t);
}

function sums(t: Totals): string {
	const what = typeText(t.type);
	if (t.share && t.a > 0 && t.b > 0) return `Each as a share of its own total.`;
	if (t.a <= 0 && t.b <= 0) return "Nothing was recorded in either range.";
	if (t.a <= 0) return `Nothing was recorded in the earlier range; now ${what} is ${amount(t.b, t)}.`;
	if (t.b <= 0) return `Nothing was recorded in this range; before, ${what} was ${amount(t.a, t)}.`;
	const d = t.b - t.a;
	const half = interval(t.a, t.b, t.noise);
	const both = `from ${amount(t.a, t)} to ${amount(t.b, t)}`;
	const sign = d > 0 ? "+" : "\u2212";
	const by = `${sign}${percent(Math.abs(d), t.a)}${half > 0 ? ` \u00b1 ${percent(half, t.a)}` : ""}`;
	if (Math.abs(d) <= half) return `${what} is unchanged within chance: ${both} (${by}).`;
	return `${what} ${d > 0 ? "rose" : "fell"} ${both} (${by}).`;
}

/** The largest real changes: "Most of it: +0.3 cores in parse, −0.1 cores in gc." */
export function whereSentence(list: readonly Change[], t: Totals, most = 3): string {
	const real = list.filter((c) => c.real).slice(0, most);
	if (real.length === 0) return list.length === 0 ? "" : "No single function changed by more than chance.";
	const parts = real.map((c) => {
		const text = t.share ? percent(Math.abs(c.delta), t.b) : rateKind(t.type, t.unit) === "sum" ? value(Math.abs(c.delta), t.unit) : amount(Math.abs(c.delta), t);
		const tail = c.what === "new" ? " (new)" : c.what === "gone" ? " (gone)" : "";
		return `${c.delta > 0 ? "+" : "\u2212"}${text} in ${visible(c.name, 60)}${tail}`;
	});
	return `Most: ${parts.join(", ")}.`;
}
