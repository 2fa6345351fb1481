// All services at a glance: as the page opens, above the graph of all of them, and as a
// view of its own.

import { count, percent, rate, rateKind, typeText, typeUnit, value } from "../format";
import { Model, preferredType, SERVICE } from "../model";
import { go } from "../store";
import { spanText } from "../time";
import { SeriesAnswer, Service } from "../types";
import { Bar, Message, Name } from "./bits";

const WIDTH = 400, HEIGHT = 20;
/** Younger than this a service is here: profiles come every 5 to 15 s, and travel. */
const HERE_MS = 30_000;

/** The service's own view, with what of the state fits it. */
export function openService(model: Model, s: Service): void {
	const type = s.types.includes(model.state.type) ? model.state.type : preferredType(s.types);
	go({ service: s.name, type, labels: [], focus: [], by: "", view: "flame" });
}

/** Weight over time as an outline, on a scale of its own. */
function Spark({ points, model, step }: { points: readonly [number, number][]; model: Model; step: number }) {
	const { from, until } = model.range;
	const most = points.reduce((a, [, v]) => Math.max(a, v), 1);
	const x = (t: number): number => Math.min(WIDTH, Math.max(0, ((t - from) / (until - from)) * WIDTH));
	const y = (v: number): number => HEIGHT - 1 - (v / most) * (HEIGHT - 3);
	const parts = points.map(([t, v], k) => {
		const alone = k === 0 || points[k - 1]![0] < t - step * 1.5;
		const last = points[k + 1] === undefined || points[k + 1]![0] > t + step * 1.5;
		const at = `${x(t - step / 2).toFixed(1)} ${y(v).toFixed(1)}`;
		return `${alone ? `M${x(t - step).toFixed(1)} ${HEIGHT}L${at}` : `L${at}`}${last ? `L${x(t).toFixed(1)} ${HEIGHT}` : ""}`;
	});
	return <svg class="spark" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true"><path d={parts.join("")} /></svg>;
}

const lastText = (model: Model, s: Service): string =>
	model.now - s.last < HERE_MS ? "now" : `${spanText(Math.round((model.now - s.last) / 1000) * 1000)} ago`;

const weightOf = (s: Service, type: string): number => Object.entries(s.total).find(([k]) => k === type)?.[1] ?? 0;

function Row({ model, s, type, whole, spark }: { model: Model; s: Service; type: string; whole: number; spark: preact.ComponentChildren }) {
	const own = weightOf(s, type);
	const text = rateKind(type, typeUnit(type)) === "sum" ? value(own, typeUnit(type)) : rate(own, livedOf(model, s), type, typeUnit(type));
	return (
		<tr class="goes" onClick={() => openService(model, s)}>
			<td class="name"><button class="link" type="button" title="its flame graph"><Name text={s.name} max={100} /></button></td>
			<td class="over-time">{spark}</td>
			<td class="num">{text}</td>
			<td class="num share"><Bar part={whole > 0 ? own / whole : 0} />{percent(own, whole)}</td>
			<td class={`num ${model.now - s.last < HERE_MS ? "" : "dim"}`}>{lastText(model, s)}</td>
			<td class="num dim extra">{count(s.profiles)}</td>
			<td class="dim extra">{s.types.map(typeText).join(", ")}</td>
		</tr>
	);
}

/** Since the service's first profile: a rate over time in which it was not is no rate. */
const livedOf = (model: Model, s: Service): number =>
	Math.max(5_000, model.range.until - Math.max(model.range.from, s.first > 0 ? s.first : model.range.from));

const nameIn = (r: SeriesAnswer["series"][number]): string => Object.entries(r.labels).find(([k]) => k === SERVICE)?.[1] ?? "";

export function Services({ model, compact = false }: { model: Model; compact?: boolean }) {
	const all = model.services.value;
	if (model.services.error !== "" && all === null) return <Message tone="error" title="No services"><p>{model.services.error}</p></Message>;
	if (all === null) return <div class="table-box" />;
	const type = model.state.type || preferredType(all.flatMap((s) => s.types));
	const rows = [...all].sort((a, b) => weightOf(b, type) - weightOf(a, type));
	const whole = rows.reduce((a, s) => a + weightOf(s, type), 0);
	const answer = model.sparks.value;
	const lines = new Map((answer?.series ?? []).map((r) => [nameIn(r), r.points]));
	return (
		<div class={`table-box ${compact ? "compact" : ""}`} tabIndex={0} role="region" aria-label="services">
			<table class="services">
				<thead><tr>
					<th scope="col">{count(rows.length)} {rows.length === 1 ? "service" : "services"}</th><th scope="col" class="over-time">over time</th>
					<th scope="col" class="num">{typeText(type)}</th><th scope="col" class="num share">share</th><th scope="col" class="num">seen</th>
					<th scope="col" class="num extra">profiles</th><th scope="col" class="extra">types</th>
				</tr></thead>
				<tbody>
					{rows.map((s) => (
						<Row key={s.name} model={model} s={s} type={type} whole={whole}
							spark={answer !== null && lines.has(s.name) && <Spark points={lines.get(s.name)!} model={model} step={answer.step} />} />
					))}
				</tbody>
			</table>
		</div>
	);
}
