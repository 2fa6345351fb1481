// Holds the state and its history.  Everything that changes the page calls go().

import { format, parse, State } from "./state";

type Listener = () => void;
const listeners = new Set<Listener>();
let current: State = parse(location.search);

export const state = (): State => current;

export function subscribe(fn: Listener): () => void {
	listeners.add(fn);
	return () => listeners.delete(fn);
}

function changed(): void {
	for (const fn of listeners) fn();
}

/** Applies a change.  `replace` for what is not a step of its own to the reader:
 * a choice the page made for them, or one more letter of a search. */
export function go(patch: Partial<State>, replace = false): void {
	const next = { ...current, ...patch };
	const url = location.pathname + format(next);
	const same = format(next) === format(current);
	current = next;
	if (!same) history[replace ? "replaceState" : "pushState"](null, "", url);
	changed();
}

export function start(): void {
	addEventListener("popstate", () => {
		current = parse(location.search);
		changed();
	});
}
