// A hook that loads something when its key changes.  The former value stays until the
// next is there, so that nothing blinks; `stale` says when it answers another question
// than the one asked now (not just an older minute of it).  A newer key cancels the
// older call.

import { useEffect, useRef, useState } from "preact/hooks";

export interface Load<T> {
	value: T | null;
	/** The key `value` belongs to. */
	key: string;
	stale: boolean;
	error: string;
	busy: boolean;
}

const running = new Set<AbortController>();

/** Stops every request; what was there stays. */
export function stopAll(): boolean {
	const any = running.size > 0;
	for (const c of running) c.abort();
	return any;
}

/** `scope`: the question without its moment; a value of another scope is stale. */
export function useLoad<T>(
	key: string | null, scope: string, run: (signal: AbortSignal) => Promise<T>,
): Load<T> {
	const [load, set] = useState<Load<T>>({ value: null, key: "", error: "", busy: key !== null, stale: false });
	const held = useRef(scope);
	useEffect(() => {
		if (key === null) {
			set({ value: null, key: "", error: "", busy: false, stale: false });
			return;
		}
		const control = new AbortController();
		running.add(control);
		set((old) => ({ ...old, busy: true }));
		run(control.signal).then(
			(value) => {
				if (control.signal.aborted) return;
				held.current = scope;
				set({ value, key, error: "", busy: false, stale: false });
			},
			(e: unknown) => {
				if (superseded.has(control)) return;
				const error = control.signal.aborted
					? "Stopped. Change something, or reload, to ask again."
					: e instanceof Error ? e.message : String(e);
				const keep = control.signal.aborted && held.current === scope;
				set((old) => ({ value: keep ? old.value : null, key, error: keep ? "" : error, busy: false, stale: false }));
			},
		).finally(() => running.delete(control));
		return () => {
			superseded.add(control);
			control.abort();
		};
	}, [key]);
	return { ...load, stale: load.value !== null && held.current !== scope };
}

// Calls that a newer one replaced: their end is nobody's news.
const superseded = new WeakSet<AbortController>();
