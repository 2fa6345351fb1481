// Holds the state and its history.  Everything that changes the page calls go().

import { formatLocal, isLocal, parseLocal } from "./local/state";
import { format, parse, State } from "./state";

type Listener = () => void;
const listeners = new Set<Listener>();
/** One file of `everprof pprof -http`, or a server: the path says which. */
export const LOCAL = isLocal(location.pathname);
const read = (): State => (LOCAL ? parseLocal(location.pathname, location.search) : parse(location.search));
/** The address of a state, on this page. */
export const linkOf = (s: State): string => (LOCAL ? formatLocal(s) : location.pathname + format(s));
let current: State = read();

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
	const url = linkOf(next);
	const same = url === linkOf(current);
	current = next;
	if (!same) history[replace ? "replaceState" : "pushState"](null, "", url);
	changed();
}

export function start(): void {
	addEventListener("popstate", () => {
		current = read();
		changed();
	});
}
