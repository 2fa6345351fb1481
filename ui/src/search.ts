// Search in the names of a tree: which frames match, and how much weight they cover
// when a match inside a match counts once.

import { kindOf, MORE, Tree } from "./tree";

export interface Matches {
	/** By index of names: 1 if it matches. */
	byName: Uint8Array;
	/** The matching nodes in pre-order. */
	nodes: number[];
	/** Weight under them, in units of the layout, each part once. */
	weight: number;
	error: string;
}

/** A test for one name, or a sentence on what is wrong with the pattern. */
export function matcher(text: string, regex: boolean): ((name: string) => boolean) | string {
	if (regex) {
		try {
			const re = new RegExp(text, "i");
			return (name) => re.test(name);
		} catch (e) {
			return `not a regular expression: ${e instanceof Error ? e.message : String(e)}`;
		}
	}
	// As most editors do it: a capital letter asks for capitals.
	if (/[A-Z]/.test(text)) return (name) => name.includes(text);
	const low = text.toLowerCase();
	return (name) => name.toLowerCase().includes(low);
}

export function search(t: Tree, text: string, regex: boolean): Matches | null {
	if (text === "") return null;
	const m: Matches = { byName: new Uint8Array(t.names.length), nodes: [], weight: 0, error: "" };
	const test = matcher(text, regex);
	if (typeof test === "string") return { ...m, error: test };
	for (let k = 0; k < t.names.length; k++) m.byName[k] = test(t.names[k]!) ? 1 : 0;
	let covered = 0;
	for (let i = 1; i < t.n; i++) {
		if (m.byName[t.name[i]!] === 0 || kindOf(t, i) === MORE) continue;
		m.nodes.push(i);
		if (i < covered) continue;
		m.weight += t.width[i]!;
		covered = t.end[i]!;
	}
	return m;
}

/** The match after (or before) node `i`, around the end. */
export function step(m: Matches, i: number, forward: boolean): number {
	if (m.nodes.length === 0) return -1;
	if (forward) return m.nodes.find((k) => k > i) ?? m.nodes[0]!;
	for (let k = m.nodes.length - 1; k >= 0; k--) if (m.nodes[k]! < i) return m.nodes[k]!;
	return m.nodes[m.nodes.length - 1]!;
}
