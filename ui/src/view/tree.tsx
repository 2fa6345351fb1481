// The same tree as text: rows that open, for reading and for screen readers.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { percent, value } from "../format";
import { Model } from "../model";
import { go } from "../store";
import { children, heaviestChild, kindOf, MORE, nameOf, pathOf, ROOT, Tree } from "../tree";
import { Bar, Name } from "./bits";

const BATCH = 100;
const OPEN_AT_FIRST = 12;

/** Keys are paths, so that what is open stays open when the tree is read anew. */
const keyOf = (t: Tree, i: number): string => pathOf(t, i).join("\u0001");

/** From the focus down the heaviest way. */
function firstOpen(t: Tree, focus: number): Set<string> {
	const open = new Set<string>();
	for (let i = focus, n = 0; i >= 0 && n < OPEN_AT_FIRST; n++) {
		open.add(keyOf(t, i));
		const c = heaviestChild(t, i);
		if (c >= 0 && t.width[c]! < t.width[focus]! * 0.2) break;
		i = c;
	}
	return open;
}

interface RowData { node: number; level: number; open: boolean; leaf: boolean; rest: number }

function rowsOf(t: Tree, focus: number, open: ReadonlySet<string>): RowData[] {
	const rows: RowData[] = [];
	const visit = (i: number, level: number): void => {
		const isOpen = open.has(keyOf(t, i));
		rows.push({ node: i, level, open: isOpen, leaf: t.end[i]! === i + 1, rest: 0 });
		if (!isOpen) return;
		const kids = [...children(t, i)].sort((a, b) => t.width[b]! - t.width[a]!);
		kids.slice(0, BATCH).forEach((c) => visit(c, level + 1));
		if (kids.length > BATCH) rows.push({ node: i, level: level + 1, open: false, leaf: true, rest: kids.length - BATCH });
	};
	visit(focus, 1);
	return rows;
}

export function TreeView({ model, selected, select }: { model: Model; selected: number; select: (i: number) => void }) {
	const t = model.tree!;
	const { focus } = model;
	const [open, setOpen] = useState(() => firstOpen(t, focus));
	const rows = useMemo(() => rowsOf(t, focus, open), [t, focus, open]);
	const box = useRef<HTMLDivElement>(null);
	const moved = useRef(false);
	useEffect(() => setOpen((old) => (old.has(keyOf(t, focus)) ? old : firstOpen(t, focus))), [focus]);
	useEffect(() => {
		if (moved.current) box.current?.querySelector<HTMLElement>("[tabindex='0']")?.focus();
		moved.current = false;
	}, [selected]);
	const current = rows.some((r) => r.node === selected && r.rest === 0) ? selected : focus;
	const toggle = (i: number, want: boolean): void => {
		const next = new Set(open);
		if (want) next.add(keyOf(t, i));
		else next.delete(keyOf(t, i));
		setOpen(next);
	};
	const moveTo = (i: number): void => {
		moved.current = true;
		select(i);
	};
	const onKey = (e: KeyboardEvent): void => {
		const at = rows.findIndex((r) => r.node === current && r.rest === 0);
		const r = rows[at];
		if (r === undefined) return;
		const near = (k: number, by: number): RowData | undefined => {
			for (k += by; rows[k] !== undefined; k += by) if (rows[k]!.rest === 0) return rows[k];
			return undefined;
		};
		if (e.key === "ArrowDown") { const n = near(at, 1); if (n) moveTo(n.node); }
		else if (e.key === "ArrowUp") { const n = near(at, -1); if (n) moveTo(n.node); }
		else if (e.key === "ArrowRight") { if (!r.open && !r.leaf) toggle(r.node, true); else { const n = near(at, 1); if (n && n.level > r.level) moveTo(n.node); } }
		else if (e.key === "ArrowLeft") { if (r.open && !r.leaf) toggle(r.node, false); else if (r.node !== focus) moveTo(t.parent[r.node]!); }
		else return;
		e.preventDefault();
		e.stopPropagation();
	};
	const whole = t.width[0]!;
	return (
		<div class="table-box tree" role="tree" aria-label="call tree" ref={box} onKeyDown={onKey}>
			{rows.map((r) => r.rest > 0 ?
				<div key={`rest ${r.node}`} class="tree-row dim" role="none"><Indent level={r.level} />{r.rest} lighter children</div> :
				<div key={r.node} class={`tree-row ${r.node === current ? "current" : ""} ${model.matches?.byName[t.name[r.node]!] === 1 ? "match" : ""}`}
					role="treeitem" aria-level={r.level} aria-expanded={r.leaf ? undefined : r.open} aria-selected={r.node === current}
					tabIndex={r.node === current ? 0 : -1}
					onClick={() => { select(r.node); if (kindOf(t, r.node) === MORE) go({ focus: pathOf(t, t.parent[r.node]!) }); else if (!r.leaf) toggle(r.node, !r.open); }}
					onDblClick={() => go({ focus: pathOf(t, r.node) })}>
					<Numbers t={t} i={r.node} whole={whole} />
					<Indent level={r.level} />
					<span class="twist" aria-hidden="true">{r.leaf ? "" : r.open ? "\u25be" : "\u25b8"}</span>
					{kindOf(t, r.node) === ROOT ? <span>everything</span> : <Name text={nameOf(t, r.node)} max={300} />}
				</div>)}
		</div>
	);
}

function Indent({ level }: { level: number }) {
	return <span style={{ width: `${Math.min(level - 1, 60) * 14}px` }} class="indent" />;
}

function Numbers({ t, i, whole }: { t: Tree; i: number; whole: number }) {
	if (t.isDiff) {
		const d = t.totalB_[i]! - t.total[i]!;
		return <><span class="num cell">{value(t.total[i]!, t.unit)}</span><span class="num cell">{value(t.totalB_[i]!, t.unit)}</span>
			<span class={`num cell ${d > 0 ? "more" : "less"}`}>{d > 0 ? "+" : d < 0 ? "\u2212" : ""}{value(Math.abs(d), t.unit)}</span></>;
	}
	return <><Bar part={t.total[i]! / whole} /><span class="num cell">{percent(t.total[i]!, whole)}</span><span class="num cell">{value(t.total[i]!, t.unit)}</span>
		<span class="num cell dim">{value(t.self[i]!, t.unit)}</span></>;
}
