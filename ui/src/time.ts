// Time ranges.  A range in the state is text, so that "now-1h" stays relative in a
// link; it becomes milliseconds only when something is asked of the server.

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
export const WEEK = 7 * DAY;

export interface Range {
	from: number;
	until: number;
}

const UNITS: Readonly<Record<string, number>> = {
	s: SECOND, m: MINUTE, h: HOUR, d: DAY, w: WEEK,
};

/** Milliseconds of `now`, `now-15m`, or a number; null for anything else. */
export function resolveTime(text: string, now: number): number | null {
	if (text === "now") return now;
	const rel = /^now-(\d+)([smhdw])$/.exec(text);
	if (rel !== null) return now - Number(rel[1]) * UNITS[rel[2]!]!;
	if (/^\d{1,15}$/.test(text)) return Number(text);
	return null;
}

/** The range nobody chose: the last 15 min, or since the first data when that is younger. */
export const AUTO = "auto";
export const AUTO_MS = 15 * MINUTE;
/** First data this close to the start of a range fills it. */
const YOUNG_MS = 30 * SECOND;

/** `first`: of the data of the last 15 min, or 0. */
export function autoFrom(now: number, first: number): number {
	const full = now - AUTO_MS;
	return first < full + YOUNG_MS ? full : Math.min(first - SECOND, now - MINUTE);
}

export const isRelative = (text: string): boolean => text.startsWith("now") || text === AUTO;

export function resolveRange(from: string, until: string, now: number, first = 0): Range {
	const a = from === AUTO ? autoFrom(now, first) : (resolveTime(from, now) ?? now - HOUR);
	const b = resolveTime(until, now) ?? now;
	return a < b ? { from: a, until: b } : { from: b, until: Math.max(a, b + SECOND) };
}

export type Compare = "" | "prev" | "day" | "week" | "custom" | "label";

/** The range that `r` is compared with. */
export function compareRange(
	r: Range, compare: Compare, cfrom: string, cuntil: string, now: number,
): Range | null {
	const shift = (ms: number): Range => ({ from: r.from - ms, until: r.until - ms });
	switch (compare) {
		case "": return null;
		case "label": return r;
		case "prev": return shift(r.until - r.from);
		case "day": return shift(DAY);
		case "week": return shift(WEEK);
		case "custom": return resolveRange(cfrom, cuntil, now);
	}
}

const STEPS = [
	SECOND, 2 * SECOND, 5 * SECOND, 10 * SECOND, 15 * SECOND, 30 * SECOND,
	MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE,
	HOUR, 2 * HOUR, 6 * HOUR, 12 * HOUR, DAY, WEEK,
];

/** The finest round step that gives at most `points` points, never under 5 s:
 * profiles come every 5 to 15 s, and a finer step would show that, not the load. */
export function stepFor(r: Range, points: number): number {
	const want = Math.max((r.until - r.from) / points, 5 * SECOND);
	return STEPS.find((s) => s >= want) ?? Math.ceil(want / WEEK) * WEEK;
}

/** `90 min`, `6 h`, `2 d`: a length in the unit people would say. */
export function spanText(ms: number): string {
	if (ms >= 2 * DAY) return `${round1(ms / DAY)} d`;
	if (ms >= 3 * HOUR) return `${round1(ms / HOUR)} h`;
	if (ms >= MINUTE) return `${round1(ms / MINUTE)} min`;
	return `${round1(ms / SECOND)} s`;
}

const round1 = (n: number): string => String(Math.round(n * 10) / 10);
const two = (n: number): string => String(n).padStart(2, "0");

export function clockText(ms: number, seconds = false): string {
	const d = new Date(ms);
	const hm = `${two(d.getHours())}:${two(d.getMinutes())}`;
	return seconds ? `${hm}:${two(d.getSeconds())}` : hm;
}

export function dateText(ms: number): string {
	const d = new Date(ms);
	return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`;
}

const PRESETS: Readonly<Record<string, string>> = {
	"now-5m": "last 5 min", "now-15m": "last 15 min", "now-30m": "last 30 min",
	"now-1h": "last 1 h", "now-3h": "last 3 h", "now-6h": "last 6 h", "now-12h": "last 12 h",
	"now-1d": "last 1 d", "now-24h": "last 24 h", "now-2d": "last 2 d", "now-7d": "last 7 d",
	"now-30d": "last 30 d",
};
export const PRESET_LIST: readonly string[] = [
	"now-5m", "now-15m", "now-1h", "now-3h", "now-6h", "now-24h", "now-2d", "now-7d", "now-30d",
];

/** The range as the top bar reads it. */
export function rangeText(from: string, until: string, now: number, first = 0): string {
	if (from === AUTO && until === "now") {
		const a = autoFrom(now, first);
		return now - a < AUTO_MS ? `since ${clockText(a)}` : "last 15 min";
	}
	const preset = until === "now" ? PRESETS[from] : undefined;
	if (preset !== undefined) return preset;
	const r = resolveRange(from, until, now);
	if (until === "now" && isRelative(from)) return `last ${spanText(r.until - r.from)}`;
	const seconds = r.until - r.from < 10 * MINUTE;
	const day = dateText(r.from) === dateText(now) ? "" : dateText(r.from) + " ";
	const same = dateText(r.from) === dateText(r.until);
	const end = same ? clockText(r.until, seconds) : `${dateText(r.until)} ${clockText(r.until)}`;
	return `${same ? day : dateText(r.from) + " "}${clockText(r.from, seconds)} \u2013 ${end}`;
}

/** The value of <input type=datetime-local step=1>, in local time, and back. */
export const toInput = (ms: number): string =>
	`${dateText(ms)}T${clockText(ms, true)}`;

export function fromInput(text: string): number | null {
	const ms = new Date(text).getTime();
	return Number.isFinite(ms) ? ms : null;
}

/** "UTC+2", for the reader of a clock time. */
export function zoneText(ms: number): string {
	const min = -new Date(ms).getTimezoneOffset();
	if (min === 0) return "UTC";
	const h = Math.floor(Math.abs(min) / 60);
	const m = Math.abs(min) % 60;
	return `UTC${min < 0 ? "\u2212" : "+"}${h}${m ? ":" + two(m) : ""}`;
}
