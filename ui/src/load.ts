// A hook that loads something when its key changes.  The former value stays until the
// next is there, so that nothing blinks on refresh; a newer key cancels the older call.

import { useEffect, useRef, useState } from "preact/hooks";

export interface Load<T> {
	value: T | null;
	/** The key `value` belongs to. */
	key: string;
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

/** `scope`: when it differs from the last one's, the old value would mislead and goes. */
export function useLoad<T>(
	key: string | null, scope: string, run: (signal: AbortSignal) => Promise<T>,
): Load<T> {
	const [load, set] = useState<Load<T>>({ value: null, key: "", error: "", busy: key !== null });
	const held = useRef(scope);
	useEffect(() => {
		if (key === null) {
			set({ value: null, key: "", error: "", busy: false });
			return;
		}
		const control = new AbortController();
		running.add(control);
		const keep = held.current === scope;
		held.current = scope;
		set((old) => ({ ...old, value: keep ? old.value : null, busy: true }));
		run(control.signal).then(
			(value) => {
				if (!control.signal.aborted) set({ value, key, error: "", busy: false });
			},
			(e: unknown) => {
				if (superseded.has(control)) return;
				const error = control.signal.aborted
					? "Stopped. Change something, or reload, to ask again."
					: e instanceof Error ? e.message : String(e);
				set((old) => ({ value: control.signal.aborted ? old.value : null, key, error, busy: false }));
			},
		).finally(() => running.delete(control));
		return () => {
			superseded.add(control);
			control.abort();
		};
	}, [key]);
	return load;
}

// Calls that a newer one replaced: their end is nobody's news.
const superseded = new WeakSet<AbortController>();
