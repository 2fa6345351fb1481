import { useEffect, useRef } from "preact/hooks";

export const KEYS: readonly [string, string][] = [
	["/", "search"], ["n  N", "next, previous match"],
	["\u2190 \u2192", "frames beside"], ["\u2191 \u2193", "caller, heaviest callee"],
	["Enter", "focus the frame"], ["Backspace", "back one step of focus"],
	["+  \u2212  0", "zoom in, out, whole width"], ["c", "compare with the time before, or stop"],
	["x", "swap the sides of a comparison"],
	["1 \u2013 5", "flame, top, tree, changes, services"], ["l", "live on or off"],
	["Esc", "stop loading; clear the search; leave the focus"], ["?", "this list"],
];

const LOCAL_KEYS: readonly [string, string][] = [
	...KEYS.slice(0, 7), ["f  i  h  s  r", "focus, ignore, hide, show, show from: what is chosen, or the search"],
	["x", "swap the sides of a comparison"],
	["1 \u2013 8", "flame, top, tree, graph, peek, source, disassembly, changes"],
	["Esc", "stop loading; clear the search; go back to the whole width"], ["?", "this list"],
];

export function Help({ close, local = false }: { close: () => void; local?: boolean }) {
	const el = useRef<HTMLDialogElement>(null);
	useEffect(() => el.current?.showModal(), []);
	return (
		<dialog ref={el} class="help" aria-label="keys" onClose={close} onClick={(e) => e.target === el.current && el.current?.close()}>
			<h2>Keys</h2>
			<dl>{(local ? LOCAL_KEYS : KEYS).map(([k, what]) => <div class="kv" key={k}><dt><kbd>{k}</kbd></dt><dd>{what}</dd></div>)}</dl>
			<p class="dim">In the graph: click focuses, the wheel zooms about the pointer, Shift and the wheel scroll, dragging moves.</p>
			<button class="action" type="button" onClick={() => el.current?.close()}>close</button>
		</dialog>
	);
}
