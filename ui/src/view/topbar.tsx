// The bar at the top: the whole query as a sentence.  Every part is a control.

import { useState } from "preact/hooks";
import { labelValues, profileAddress } from "../api";
import { typeText, typeUnit, value } from "../format";
import { useLoad } from "../load";
import { Model, preferredType } from "../model";
import { Matcher, matcherText, sameMatcher, selector } from "../selector";
import { DEFAULTS, State } from "../state";
import { go } from "../store";
import { visible } from "../text";
import { AUTO, Compare, fromInput, isRelative, PRESET_LIST, rangeText, resolveRange, toInput, zoneText } from "../time";
import { Choice } from "../theme";
import { Service } from "../types";
import { Caret, Name } from "./bits";
import { LabelPicker } from "./labels";
import { Popup } from "./popup";

function ServiceMenu({ model, close }: { model: Model; close: () => void }) {
	const [filter, setFilter] = useState("");
	const all = model.services.value ?? [];
	const low = filter.toLowerCase();
	const list = all.filter((s) => s.name.toLowerCase().includes(low));
	const pick = (s: Service): void => {
		const type = s.types.includes(model.state.type) ? model.state.type : preferredType(s.types);
		const labels = s.name === model.state.service ? model.state.labels : [];
		go({ service: s.name, type, labels, focus: [], by: model.state.service === "" ? "" : model.state.by, view: model.state.view === "services" ? "flame" : model.state.view });
		close();
	};
	return (
		<>
			<input class="filter" type="search" placeholder="find a service" aria-label="find a service"
				value={filter} onInput={(e) => setFilter(e.currentTarget.value)}
				onKeyDown={(e) => e.key === "Enter" && list[0] !== undefined && pick(list[0])} />
			<ul class="menu" aria-label="services">
				{filter === "" && (
					<li>
						<button type="button" aria-current={model.state.service === ""} onClick={() => { go({ service: "", labels: [], focus: [], by: "" }); close(); }}>
							<span>all services</span>
						</button>
					</li>
				)}
				{list.slice(0, 500).map((s) => (
					<li key={s.name}>
						<button type="button" aria-current={s.name === model.state.service} onClick={() => pick(s)}>
							<Name text={s.name} max={80} />
							<span class="num dim">{serviceWeight(s, model.state.type)}</span>
						</button>
					</li>
				))}
				{list.length === 0 && <li class="dim pad">no service of this name in {rangeText(model.state.from, model.state.until, model.now)}</li>}
			</ul>
		</>
	);
}

function serviceWeight(s: Service, type: string): string {
	const own = Object.entries(s.total).find(([k]) => k === type) ?? Object.entries(s.total)[0];
	return own === undefined ? "" : value(own[1], typeUnit(own[0]));
}

function TypeMenu({ model, close }: { model: Model; close: () => void }) {
	const all = model.services.value ?? [];
	const types = model.state.service !== "" ? (model.service?.types ?? []) : [...new Set(all.flatMap((s) => s.types))].sort();
	return (
		<ul class="menu" aria-label="profile types">
			{types.map((t) => (
				<li key={t}>
					<button type="button" aria-current={t === model.state.type} title={t}
						onClick={() => { go({ type: t, focus: [] }); close(); }}>
						<span>{visible(typeText(t))}</span>
						<span class="dim">{visible(typeUnit(t))}</span>
					</button>
				</li>
			))}
		</ul>
	);
}

function CustomRange({ from, until, zone, use }: { from: number; until: number; zone: string; use: (a: number, b: number) => void }) {
	const [a, setA] = useState(toInput(from));
	const [b, setB] = useState(toInput(until));
	const ma = fromInput(a), mb = fromInput(b);
	const good = ma !== null && mb !== null && ma < mb;
	return (
		<form class="custom" onSubmit={(e) => { e.preventDefault(); if (good) use(ma, mb); }}>
			<label>from <input type="datetime-local" step="1" value={a} onInput={(e) => setA(e.currentTarget.value)} /></label>
			<label>until <input type="datetime-local" step="1" value={b} onInput={(e) => setB(e.currentTarget.value)} /></label>
			<div class="row"><span class="dim">{zone}</span><button class="action" type="submit" disabled={!good}>use</button></div>
		</form>
	);
}

function TimeMenu({ model, close }: { model: Model; close: () => void }) {
	const s = model.state;
	return (
		<>
			<ul class="menu columns" aria-label="time range">
				{[AUTO, ...PRESET_LIST].map((p) => (
					<li key={p}>
						<button type="button" aria-current={s.from === p && s.until === "now"} title={p === AUTO ? "the last 15 min, or less when there is less" : undefined}
							onClick={() => { go({ from: p, until: "now" }); close(); }}>
							{p === AUTO ? "what fits" : rangeText(p, "now", model.now)}
						</button>
					</li>
				))}
			</ul>
			<CustomRange from={model.range.from} until={model.range.until} zone={zoneText(model.now)}
				use={(a, b) => { go({ from: String(a), until: String(b) }); close(); }} />
		</>
	);
}

export const COMPARE_TEXT: Readonly<Record<Compare, string>> = {
	"": "nothing", prev: "the time before", day: "yesterday", week: "last week", custom: "another time", label: "another label",
};

/** What it is compared with, as the bar and the strip say it. */
export const compareText = (s: State): string =>
	s.compare === "label" ? s.clabels.map((m) => visible(matcherText(m), 40)).join(", ") : COMPARE_TEXT[s.compare];

/** Values that filters stand for now, to be compared with others of their label. */
function CompareLabels({ model, close }: { model: Model; close: () => void }) {
	const m = model.state.labels.find((x) => x.op === "=");
	const rest = model.state.labels.filter((x) => x !== m);
	const query = { ...model.query, query: selector(model.state.service, rest) };
	const load = useLoad(m === undefined ? null : `versus ${query.type} ${query.query} ${m.name} ${model.range.from}`, m?.name ?? "", (s) =>
		labelValues(query, m!.name, "", 12, s));
	const values = (load.value?.values ?? []).filter((v) => v.value !== m?.value);
	if (m === undefined || values.length === 0) return null;
	return (
		<ul class="menu labels" aria-label={`compare with another ${visible(m.name, 40)}`}>
			{values.map((v) => {
				const other: Matcher = { name: m.name, op: "=", value: v.value };
				return (
					<li key={v.value}>
						<button type="button" aria-current={model.state.compare === "label" && model.state.clabels.some((c) => sameMatcher(c, other))}
							onClick={() => { go({ compare: "label", clabels: [other], focus: [] }); close(); }}><Name text={matcherText(other)} max={60} /></button>
					</li>
				);
			})}
		</ul>
	);
}

/** How the two sides stand to each other. */
function CompareWays({ model }: { model: Model }) {
	const { share, swap } = model.state;
	return (
		<div class="row ways">
			<button id="by-share" class={`switch ${share ? "on" : ""}`} type="button" role="switch" aria-checked={share}
				title="each side as a share of its own total: shows what moved when all of it moved" onClick={() => go({ share: !share })}><i aria-hidden="true" />by share</button>
			<button id="swap" class={`switch ${swap ? "on" : ""}`} type="button" role="switch" aria-checked={swap}
				title="the other way round (x)" onClick={() => go({ swap: !swap })}><i aria-hidden="true" />swap sides</button>
		</div>
	);
}

function CompareMenu({ model, close }: { model: Model; close: () => void }) {
	const s = model.state;
	const choose = (compare: Compare): void => {
		go({ compare, view: compare === "" && s.view === "changes" ? "flame" : s.view });
		close();
	};
	const c = s.compare === "custom" ? resolveRange(s.cfrom, s.cuntil, model.now) :
		{ from: 2 * model.range.from - model.range.until, until: model.range.from };
	return (
		<>
			<ul class="menu" aria-label="compare with">
				{(["", "prev", "day", "week"] as const).map((c2) => (
					<li key={c2}>
						<button type="button" aria-current={s.compare === c2} onClick={() => choose(c2)}>
							{COMPARE_TEXT[c2]}
						</button>
					</li>
				))}
			</ul>
			<CompareLabels model={model} close={close} />
			{s.compare !== "" && <CompareWays model={model} />}
			<CustomRange from={c.from} until={c.until} zone={zoneText(model.now)}
				use={(a, b) => { go({ compare: "custom", cfrom: String(a), cuntil: String(b) }); close(); }} />
		</>
	);
}

function Chip({ m, state }: { m: Matcher; state: State }) {
	const text = matcherText(m);
	return (
		<span class="chip">
			<Name text={text} max={60} />
			<button type="button" aria-label={`remove ${visible(text, 80)}`} title="remove"
				onClick={() => go({ labels: state.labels.filter((x) => x !== m) })}>{"\u00d7"}</button>
		</span>
	);
}

async function copyLink(done: (text: string) => void): Promise<void> {
	try {
		await navigator.clipboard.writeText(location.href);
		done("copied");
	} catch {
		done("copy it from the address bar");
	}
	setTimeout(() => done(""), 2000);
}

/** A link is for others: relative times are made absolute only if the reader wants so. */
function ShareMenu({ model, close }: { model: Model; close: () => void }) {
	const [said, say] = useState("");
	const pinned = (): void => {
		const { from, until } = model.range;
		const pin: Partial<State> = { from: String(Math.round(from)), until: String(Math.round(until)) };
		if (model.against !== null) {
			pin.compare = "custom";
			pin.cfrom = String(Math.round(model.against.from));
			pin.cuntil = String(Math.round(model.against.until));
		}
		go(pin);
	};
	return (
		<ul class="menu" aria-label="share">
			<li><button type="button" onClick={() => void copyLink(say)}>copy link <span class="dim">{said}</span></button></li>
			{isRelative(model.state.until) &&
				<li><button type="button" onClick={() => { pinned(); void copyLink(say); }}>copy link to this very time</button></li>}
			<li><a href={profileAddress(model.query)} download="profile.pb.gz" onClick={close}>download as pprof</a></li>
		</ul>
	);
}

/** Service, type, labels, time, against what. */
function Sentence({ model }: { model: Model }) {
	const s = model.state;
	const relative = isRelative(s.until);
	const time = s.from === AUTO ? rangeText(s.from, s.until, model.now, model.range.from) : rangeText(s.from, s.until, model.now);
	return (
		<>
			<Popup id="service" label={`service: ${s.service === "" ? "all services" : visible(s.service, 80)}`} title="service"
				text={<>{s.service === "" ? <span class="strong">all services</span> : <Name text={s.service} max={40} class="strong" />}<Caret /></>}>
				{(close) => <ServiceMenu model={model} close={close} />}
			</Popup>
			<Popup id="type" label={`profile type: ${visible(typeText(s.type), 80)}`} title="profile type"
				text={<>{s.type === "" ? <span class="dim">type</span> : visible(typeText(s.type), 40)}<Caret /></>}>
				{(close) => <TypeMenu model={model} close={close} />}
			</Popup>
			<div class="chips">
				{s.labels.map((m) => <Chip key={matcherText(m)} m={m} state={s} />)}
				<Popup id="add-label" label="add a label filter" title="filter by a label" className="quiet" text="+ label">
					{(close) => <LabelPicker model={model} close={close} />}
				</Popup>
			</div>
			<Popup id="time" label={`time: ${time}`} title="time range" align="right"
				text={<><span class="num">{time}</span><Caret /></>}>
				{(close) => <TimeMenu model={model} close={close} />}
			</Popup>
			<button id="live" class={`control live ${s.live && relative ? "on" : ""}`} type="button" aria-pressed={s.live && relative}
				disabled={!relative} title={relative ? "shows what comes in by itself" : "a range that ends at a fixed time does not change"}
				onClick={() => go({ live: !s.live }, true)}>
				<span class="dot" aria-hidden="true" />live
			</button>
			<Popup id="compare" label={s.compare === "" ? "compare" : `vs ${compareText(s)}`} title="compare with another time (c)" align="right"
				className={s.compare === "" ? "" : "accent"}
				text={<>{s.compare === "" ? "compare" : `vs ${compareText(s)}`}{s.share ? " by share" : ""}{s.swap ? ", swapped" : ""}<Caret /></>}>
				{(close) => <CompareMenu model={model} close={close} />}
			</Popup>
			<Popup id="share" label="share" title="link and download" align="right" text="share">
				{(close) => <ShareMenu model={model} close={close} />}
			</Popup>
		</>
	);
}

interface Props {
	model: Model;
	choice: Choice;
	dark: boolean;
	nextTheme: () => void;
	help: () => void;
}

export function TopBar({ model, dark, nextTheme, help }: Props) {
	return (
		<header class="topbar">
			{!model.empty && <h1 class="spoken">everprof: {model.state.service === "" ? "all services" : visible(model.state.service, 80)}, {typeText(model.state.type)}</h1>}
			<a class="brand" href="/" title="everprof: start over"
				onClick={(e) => { if (!e.ctrlKey && !e.metaKey) { e.preventDefault(); go({ ...DEFAULTS, live: model.state.live }); } }}>
				<span class="logo" aria-hidden="true"><i /><i /><i /></span>everprof
			</a>
			{model.empty ? <div class="chips" /> : <Sentence model={model} />}
			<button id="theme" class="control icon" type="button" onClick={nextTheme}
				title={dark ? "light colours" : "dark colours"} aria-label={dark ? "light colours" : "dark colours"}>
				<svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true"><circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" stroke-width="1.5" /><path d="M8 2a6 6 0 0 1 0 12z" fill="currentColor" /></svg>
			</button>
			<button id="help" class="control icon" type="button" onClick={help} title="keys (?)" aria-label="keys">?</button>
		</header>
	);
}
