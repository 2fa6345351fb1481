// The time series over the range: the total as a line, the time compared with behind
// it, and a brush that sets the range.

import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { useEffect, useRef } from "preact/hooks";
import { lineColour, Theme } from "../colour";
import { figures, percent, rate, rateKind, typeText, value } from "../format";
import { Model, SERVICE } from "../model";
import { totalSentence, whereSentence } from "../sentence";
import { toggleMatcher } from "../selector";
import { go } from "../store";
import { visible } from "../text";
import { clockText, dateText, DAY, isRelative, Range, zoneText } from "../time";
import { SeriesAnswer } from "../types";
import { Caret, Name } from "./bits";
import { Names } from "./labels";
import { Popup } from "./popup";
import { compareText } from "./topbar";

const HEIGHT = 88;
/** Steps without a profile that are drawn as zero. */
const BRIDGE = 6;
const FONT = '11px system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif';

/** The points on an even grid; null where no profile came. */
export function onGrid(rows: SeriesAnswer["series"], r: Range, step: number, shift: number): (number | null)[] {
	const first = Math.ceil(r.from / step) * step;
	const n = Math.max(0, Math.ceil((r.until - first) / step) + 1);
	const out: (number | null)[] = new Array<number | null>(n).fill(null);
	for (const s of rows)
		for (const [t, v] of s.points) {
			const k = Math.round((t + shift - first) / step);
			if (k >= 0 && k < n) out[k] = (out[k] ?? 0) + v;
		}
	return bridged(out);
}

/** A short time without a profile is one in which nothing ran: zero, not a hole. */
function bridged(values: (number | null)[]): (number | null)[] {
	let last = -1;
	values.forEach((v, k) => {
		if (v === null) return;
		if (last >= 0 && k - last <= BRIDGE + 1) values.fill(0, last + 1, k);
		last = k;
	});
	return values;
}

/** The newest step is still filling up: drawn, it would look like a fall. */
function settled(values: (number | null)[], live: boolean): (number | null)[] {
	let last = values.length - 1;
	while (last >= 0 && values[last] === null) last--;
	if (live && last > 2 && last >= values.length - 6) values[last] = null;
	return values;
}

export function gridTimes(r: Range, step: number): number[] {
	const first = Math.ceil(r.from / step) * step;
	const n = Math.max(0, Math.ceil((r.until - first) / step) + 1);
	return Array.from({ length: n }, (_, k) => (first + k * step) / 1000);
}

/** A point with nothing on either side has no line: it is drawn as a dot. */
function lonely(u: uPlot, k: number): number[] {
	const v = u.data[k] as (number | null)[];
	const none = (x: number | null | undefined): boolean => x === null || x === undefined;
	return v.map((_, i) => i).filter((i) => !none(v[i]) && none(v[i - 1]) && none(v[i + 1]));
}

const line = (stroke: string, more: Partial<uPlot.Series> = {}): uPlot.Series =>
	({ stroke, width: 1.5, points: { show: true, size: 5, fill: stroke, filter: (u, k) => lonely(u, k) }, ...more });

interface Colours { line: string; fill: string; other: string; grid: string; text: string }

function coloursOf(theme: Theme, comparing: boolean): Colours {
	const dark = theme === "dark";
	const line = comparing ? (dark ? "#f0a35c" : "#b85c00") : dark ? "#7fb3e6" : "#2766b0";
	return {
		line, fill: line + (dark ? "30" : "22"), other: dark ? "#7fb3e6" : "#2766b0",
		grid: dark ? "#ffffff14" : "#00000012", text: dark ? "#a0a5b0" : "#585c66",
	};
}

function options(width: number, c: Colours, lines: uPlot.Series[], r: Range, model: Model, onBrush: (a: number, b: number) => void): uPlot.Options {
	const { type } = model.query;
	const long = r.until - r.from > 2 * DAY;
	return {
		width, height: HEIGHT, legend: { show: false }, padding: [6, 20, 0, 0],
		cursor: { y: false, points: { size: 6 }, drag: { x: true, y: false, setScale: false, dist: 4 } },
		scales: { x: { time: true, range: [r.from / 1000, r.until / 1000] }, y: { range: (_u, _min, max) => [0, max > 0 ? max * 1.12 : 1] } },
		series: [{}, ...lines],
		axes: [
			{
				stroke: c.text, font: FONT, size: 22, gap: 2, grid: { show: false }, ticks: { show: false }, space: 90,
				values: (_u, ts) => ts.map((t) => (long ? dateText(t * 1000).slice(5) : clockText(t * 1000, r.until - r.from < 600_000))),
			},
			{
				stroke: c.text, font: FONT, size: 64, gap: 6, space: 28, grid: { stroke: c.grid, width: 1 }, ticks: { show: false },
				values: (_u, vs) => vs.map((v) => v === 0 ? "" : tickText(v, type, model.tree?.unit ?? "nanoseconds")),
			},
		],
		hooks: {
			setSelect: [(u) => {
				if (u.select.width < 4) return;
				onBrush(u.posToVal(u.select.left, "x") * 1000, u.posToVal(u.select.left + u.select.width, "x") * 1000);
				u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
			}],
		},
	};
}

function tickText(v: number, type: string, unit: string): string {
	const kind = rateKind(type, unit);
	if (kind === "cores") return figures(v);
	return value(v, unit) + (kind === "second" ? "/s" : "");
}

/** Sums per step into the rate of the axis. */
function scaled(values: (number | null)[], kind: string, step: number): (number | null)[] {
	const by = kind === "cores" ? 1 / (step * 1e6) : kind === "second" ? 1000 / step : 1;
	return values.map((v) => (v === null ? null : v * by));
}

interface PlotProps { model: Model; theme: Theme; say: (idx: number | null) => void }

function Plot({ model, theme, say }: PlotProps) {
	const el = useRef<HTMLDivElement>(null);
	const plot = useRef<uPlot | null>(null);
	const { range, step, against } = model;
	const pair = model.series.value;
	const unit = pair?.[0].unit ?? "nanoseconds";
	useEffect(() => {
		if (el.current === null || pair === null) return;
		const kind = rateKind(model.query.type, unit);
		const used = pair[0].step || step;
		const colours = coloursOf(theme, against !== null);
		const split = splitOf(model);
		const plain: uPlot.Series[] = [line(colours.line, { fill: colours.fill })];
		const lines = split === null ? plain :
			split.map((_, k) => line(lineColour(k, theme)));
		const rows = split === null ? [pair[0].series] : split.map((s) => [s]);
		const data: uPlot.AlignedData = [gridTimes(range, used), ...rows.map((x) => scaled(settled(onGrid(x, range, used, 0), isRelative(model.state.until)), kind, used))];
		if (pair[1] !== null && against !== null) {
			lines.push(line(colours.other, { dash: [4, 3] }));
			data.push(scaled(onGrid(pair[1].series, range, used, range.from - against.from), kind, used));
		}
		const host = el.current;
		const brush = (a: number, b: number): void =>
			go({ from: String(Math.round(a)), until: String(Math.round(b)) });
		const opts = options(host.clientWidth, colours, lines, range, model, brush);
		opts.hooks!.setCursor = [(u) => say(u.cursor.idx ?? null)];
		const u = new uPlot(opts, data, host);
		plot.current = u;
		const seen = new ResizeObserver(() => u.setSize({ width: host.clientWidth, height: HEIGHT }));
		seen.observe(host);
		return () => {
			seen.disconnect();
			u.destroy();
		};
	}, [pair, theme, unit]);
	return <div class="plot" ref={el} role="img" aria-label="time series; drag to choose a time range" />;
}

function Sum({ model }: { model: Model }) {
	const t = model.tree;
	const { type } = model.query;
	if (t === null || model.stale) return <strong class="num dim">{"\u2026"}</strong>;
	const whole = t.isDiff ? t.totalB : t.totalA;
	return <strong class="num">{rate(whole, rateMs(model), type, t.unit)}</strong>;
}

/** A rate is over the time since the first profile, not over an empty past; of a lone
 * profile over its own time. */
export function rateMs(model: Model): number {
	const l = model.tree?.ledger ?? null;
	if (model.tree?.isDiff) return model.sides.ms;
	return l !== null && l.profiles <= 2 && l.covered_ms > 0 ? Math.min(l.covered_ms, model.lived) : model.lived;
}

/** The rows of a split series, or null when it is one line. */
function splitOf(model: Model): SeriesAnswer["series"] | null {
	const rows = model.series.value?.[0].series ?? [];
	return model.state.by === "" || model.against !== null || model.series.stale || rows.length === 0 ? null : rows;
}

/** Which line is which value; a click filters by it. */
function Split({ model, theme }: { model: Model; theme: Theme }) {
	const rows = splitOf(model);
	if (rows === null) return null;
	const { by, labels } = model.state;
	const whole = rows.reduce((a, s) => a + s.total, 0);
	return (
		<span class="split">
			{rows.map((s, k) => {
				const v = Object.entries(s.labels).find(([name]) => name === by)?.[1] ?? "";
				return (
					<button key={v} class="action quiet" type="button" title="only this"
						onClick={() => go({ labels: toggleMatcher(labels, { name: by, op: "=", value: v }) })}>
						<span class="line" style={{ background: lineColour(k, theme) }} aria-hidden="true" />
						{v === "" ? <span class="dim">without</span> : <Name text={v} max={24} />}
						<span class="num dim">{percent(s.total, whole)}</span>
					</button>
				);
			})}
		</span>
	);
}

function By({ model }: { model: Model }) {
	const { by } = model.state;
	const shown = by !== "" ? by : model.by === SERVICE ? "service" : "none";
	return (
		<Popup id="by" label={`by label: ${visible(shown, 40)}`} title="the first level of the graph, and a line each: the values of a label" align="right" className="quiet small"
			text={<>by label: <span class={by === "" ? "" : "strong"}>{visible(shown, 24)}</span><Caret /></>}>
			{(close) => (
				<>
					{by !== "" && <button class="action" type="button" onClick={() => { go({ focus: [], by: "" }); close(); }}>none</button>}
					<Names query={model.query} pick={(name) => { go({ focus: [], by: name }); close(); }} />
				</>
			)}
		</Popup>
	);
}

function Sentence({ model }: { model: Model }) {
	const t = model.tree;
	if (model.against === null || t === null || !t.isDiff || model.stale) return null;
	const totals = {
		a: t.totalA, b: t.totalB, noise: model.noise, type: model.query.type, unit: t.unit,
		ms: model.sides.ms, share: model.state.share,
		names: model.state.compare === "label" || model.state.swap ? ([model.sides.a, model.sides.b] as const) : null,
	};
	const where = model.changes === null ? "" : whereSentence(model.changes, totals);
	return (
		<p class="sentence" id="sentence" title={`${totalSentence(totals)} ${where}`}>
			{totalSentence(totals)} <span class="dim">{where}</span>
		</p>
	);
}

export function Strip({ model, theme }: { model: Model; theme: Theme }) {
	const out = useRef<HTMLSpanElement>(null);
	const { range, against } = model;
	const say = (idx: number | null): void => {
		if (out.current === null) return;
		const pair = model.series.value;
		out.current.textContent = idx === null || pair === null ? "" : pointText(model, pair, idx);
	};
	const wider = (): void => {
		const half = (range.until - range.from) / 2;
		go({ from: String(Math.round(range.from - half)), until: String(Math.round(Math.min(model.now, range.until + half))) });
	};
	return (
		<section class="strip" aria-label="over time">
			<div class="strip-head">
				<Sum model={model} />
				{against === null ? <span class="dim">{typeText(model.query.type)}</span> :
					<span class="dim"><span class="dash" aria-hidden="true" /> {compareText(model.state)}</span>}
				<Sentence model={model} />
				<Split model={model} theme={theme} />
				<span class="readout num dim" ref={out} />
				<By model={model} />
				<button class="action quiet" type="button" title="twice the time" onClick={wider}>zoom out</button>
			</div>
			{model.series.error !== "" && <p class="pad bad" role="alert">{model.series.error}</p>}
			<Plot model={model} theme={theme} say={say} />
		</section>
	);
}

function pointText(model: Model, pair: [SeriesAnswer, SeriesAnswer | null], idx: number): string {
	const step = pair[0].step || model.step;
	const t = gridTimes(model.range, step)[idx];
	if (t === undefined) return "";
	const v = onGrid(pair[0].series, model.range, step, 0)[idx] ?? null;
	const text = v === null ? "no profile" : rate(v, step, model.query.type, pair[0].unit);
	return `${clockText(t * 1000, step < 60_000)} ${zoneText(t * 1000)}  ${text}`;
}
