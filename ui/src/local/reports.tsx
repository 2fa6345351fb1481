// Peek, source and disassembly: what `everprof pprof` prints, to be read on the page.

import { useMemo, useState } from "preact/hooks";
import { percent, value } from "../format";
import { Model } from "../model";
import { go } from "../store";
import { visible } from "../text";
import { Message, Name } from "../view/bits";
import { amount, Row, Section, sourceSections, textSections } from "./listing";
import { toView } from "./refine";

const MOST_ROWS = 4_000;
const OFFERED = 40;
const TITLES: Readonly<Record<string, string>> = { peek: "Whose callers and callees?", source: "The source of which function?", disasm: "The machine code of which function?" };

/** A function has to be chosen first. */
function Choose({ model }: { model: Model }) {
	const { top } = model.local!;
	if (top.error !== "") return <Message tone="error" title="No functions"><p>{top.error}</p></Message>;
	if (top.value === null) return <div class="loading" aria-label="loading" />;
	const t = top.value;
	return (
		<div class="table-box choose">
			<h2>{TITLES[model.state.view]}</h2>
			<p class="dim">Choose one here, or in another view first, or search and press Enter.</p>
			<ul class="menu">
				{t.rows.filter((r) => r.kind !== "unnamed").slice(0, OFFERED).map((r, k) => (
					<li key={`${k} ${r.name}`}>
						<button type="button" onClick={() => go(toView(model.state, model.state.view, [r.name]))}>
							<Name text={r.name} max={120} />
							<span class="num dim">{value(r.self, t.unit)}</span><span class="num dim">{percent(r.self, t.total)}</span>
						</button>
					</li>
				))}
			</ul>
		</div>
	);
}

const heat = (r: { flat: string; cum: string }, most: number): string => {
	const part = most > 0 ? Math.max(amount(r.flat), amount(r.cum) * 0.35) / most : 0;
	return part <= 0 ? "" : part < 0.1 ? "heat1" : part < 0.35 ? "heat2" : "heat3";
};

function Line({ r, most, open, toggle }: { r: Row; most: number; open: boolean; toggle: () => void }) {
	const has = r.below.length > 0;
	return (
		<>
			<tr class={heat(r, most)}>
				<td class="num">{r.flat}</td><td class="num">{r.cum}</td>
				<td class="num at">{r.at}</td>
				<td class="code">{has ? <button type="button" class="unfold" aria-expanded={open} title="machine code" onClick={toggle}>{visibleCode(r.text)}</button> : visibleCode(r.text)}</td>
			</tr>
			{open && r.below.map((b, k) => (
				<tr key={k} class={`asm ${b.inlined ? "inlined" : heat(b, most)}`}><td class="num">{b.flat}</td><td class="num">{b.cum}</td><td /><td class="code">{visibleCode(b.text)}</td></tr>
			))}
		</>
	);
}

/** Tabs stay; an empty line is empty. */
const visibleCode = (s: string): string => (s === "" ? "" : s.split("\t").map((p) => (p === "" ? "" : visible(p, 2000))).join("    "));

function SectionView({ s, lines }: { s: Section; lines: boolean }) {
	const [open, setOpen] = useState<ReadonlySet<number>>(new Set());
	const toggle = (k: number): void => {
		const next = new Set(open);
		if (!next.delete(k)) next.add(k);
		setOpen(next);
	};
	return (
		<section class="listing">
			<header><h2><Name text={s.name} max={400} /></h2>{s.file !== "" && <Name text={s.file} max={300} class="dim" />}<span class="num dim">{s.head}</span></header>
			<table>
				<thead><tr><th class="num" scope="col">flat</th><th class="num" scope="col">cum</th><th class="num" scope="col">{lines ? "line" : "address"}</th><th scope="col">{lines ? "source" : "instruction"}</th></tr></thead>
				<tbody>{s.rows.slice(0, MOST_ROWS).map((r, k) => <Line key={k} r={r} most={s.most} open={open.has(k)} toggle={() => toggle(k)} />)}</tbody>
			</table>
			{lines && s.rows.length > 0 && s.rows.every((r) => r.text === "???") && <p class="pad dim">The file is not on this machine under that name; -source_path and -trim_path say where to look.</p>}
			{s.rows.length > MOST_ROWS && <p class="pad dim">{s.rows.length - MOST_ROWS} more lines; `everprof pprof` prints them all.</p>}
		</section>
	);
}

/** A dim line for what frames the text, a strong one for the function in question. */
function PeekText({ text }: { text: string }) {
	const lines = text.split("\n");
	const from = lines.findIndex((l) => l.startsWith("---"));
	return (
		<pre class="report" tabIndex={0}>
			{lines.slice(Math.max(0, from)).map((l, k) => {
				const what = l.startsWith("---") ? "rule" : /^ *\S+ +\S+ +\S+ +\S+ +\S+ +\| /.test(l) || /^ *\S+ +\S+ +\S+ +\S+% +\| \S/.test(l) ? "own" : "";
				return <span key={k} class={what}>{visibleCode(l)}{"\n"}</span>;
			})}
		</pre>
	);
}

export function ReportView({ model }: { model: Model }) {
	const { report } = model.local!;
	const view = model.state.view;
	const r = report.value?.kind === view ? report.value : null;
	const sections = useMemo(
		() => (r === null || view === "peek" ? [] : view === "source" ? sourceSections(r.text) : textSections(r.text)), [r, view]);
	if ((model.state.opt["f"] ?? "") === "") return <Choose model={model} />;
	if (report.error !== "")
		return (
			<Message tone="error" title={`No ${view === "disasm" ? "disassembly" : view}`}>
				<p>{report.error}</p>
				{view === "disasm" && <p class="dim">Machine code is read from the binary: it has to be on this machine, or in $PPROF_BINARY_PATH.</p>}
			</Message>
		);
	if (r === null) return <div class="loading" aria-label="loading" />;
	if (view === "peek") return <PeekText text={r.text} />;
	if (sections.length === 0) return <Message title="Nothing to list"><p>The expression matches no function here.</p></Message>;
	return <div class="table-box listings" tabIndex={0} aria-label={view === "source" ? "source" : "disassembly"}>{sections.map((s, k) => <SectionView key={`${k} ${s.name}`} s={s} lines={view === "source"} />)}</div>;
}
