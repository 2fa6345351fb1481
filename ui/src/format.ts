// Numbers for people: at most three figures, always with a unit.

const THIN = "\u202f";

/** At most three significant figures, without an exponent. */
export function figures(n: number): string {
	const a = Math.abs(n);
	const sign = n < 0 ? "\u2212" : "";
	if (a === 0 || !Number.isFinite(a)) return "0";
	if (a >= 100) return sign + Math.round(a).toLocaleString("en-US");
	if (a >= 10) return sign + trimZeros(a.toFixed(1));
	if (a >= 0.01) return sign + trimZeros(a.toFixed(2));
	return sign + trimZeros(a.toPrecision(1));
}

const trimZeros = (s: string): string => (s.includes(".") ? s.replace(/\.?0+$/, "") : s);

type Scale = readonly (readonly [number, string])[];
const NANOSECONDS: Scale = [
	[86400e9, "d"], [3600e9, "h"], [60e9, "min"], [1e9, "s"], [1e6, "ms"], [1e3, "\u00b5s"], [1, "ns"],
];
const BYTES: Scale = [[1e12, "TB"], [1e9, "GB"], [1e6, "MB"], [1e3, "KB"], [1, "B"]];
const COUNT: Scale = [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"], [1, ""]];

function scaled(n: number, scale: Scale): string {
	const a = Math.abs(n);
	// 0.9995 keeps 999.6 from becoming "1,000 KB".
	const hit = scale.find(([size]) => a >= size * 0.9995) ?? scale[scale.length - 1]!;
	const unit = hit[1];
	return figures(n / hit[0]) + (unit === "" ? "" : THIN + unit);
}

/** A sum in the unit of its profile type. */
export function value(n: number, unit: string): string {
	if (unit === "nanoseconds") return scaled(n, NANOSECONDS);
	if (unit === "bytes") return scaled(n, BYTES);
	if (unit === "count" || unit === "") return scaled(n, COUNT);
	return scaled(n, COUNT) + THIN + unit;
}

export function percent(part: number, whole: number): string {
	if (!(whole > 0)) return "0" + THIN + "%";
	const p = (part / whole) * 100;
	const a = Math.abs(p);
	if (a !== 0 && a < 0.01) return `<${THIN}0.01${THIN}%`;
	const sign = p < 0 ? "\u2212" : "";
	const digits = a >= 99.995 ? 0 : a >= 10 ? (a > 99.9 ? 2 : 1) : 2;
	return sign + (a === 0 ? "0" : a.toFixed(digits)) + THIN + "%";
}

export const count = (n: number): string => Math.round(n).toLocaleString("en-US");

export function signed(text: string, n: number): string {
	return n > 0 ? "+" + text : text;
}

/** How a sum over a span becomes a rate: what people call it. */
export type RateKind = "cores" | "second" | "sum";

/** Gauges (what is in use now, how many threads) are never a rate. */
export function rateKind(type: string, unit: string): RateKind {
	if (/inuse|threads|goroutine/.test(type)) return "sum";
	return unit === "nanoseconds" ? "cores" : "second";
}

/** A sum `n` over `ms` milliseconds, as a rate where that says more. */
export function rate(n: number, ms: number, type: string, unit: string): string {
	const kind = rateKind(type, unit);
	if (kind === "sum" || ms <= 0) return value(n, unit);
	if (kind === "second") return value((n / ms) * 1000, unit) + "/s";
	const cores = n / (ms * 1e6);
	const word = /^(process_)?cpu/.test(type) ? "cores" : "threads";
	return figures(cores) + THIN + word;
}

const TYPE_WORDS: readonly (readonly [RegExp, string])[] = [
	[/^(process_cpu:cpu:|cpu$)/, "CPU"],
	[/^process_cpu:samples:/, "CPU samples"],
	[/^memory:inuse_space:/, "memory in use"],
	[/^memory:inuse_objects:/, "objects in use"],
	[/^memory:alloc_space:/, "memory allocated"],
	[/^memory:alloc_objects:/, "objects allocated"],
	[/^mutex:contentions:/, "lock contentions"],
	[/^mutex:delay:/, "lock delay"],
	[/^block:contentions:/, "blocking events"],
	[/^block:delay:/, "blocking delay"],
	[/^(threads|goroutine|goroutines):/, "threads"],
	[/^wall:/, "wall time"],
	[/^off_cpu:/, "off-CPU time"],
];

/** A profile type id as people say it. */
export function typeText(id: string): string {
	for (const [re, text] of TYPE_WORDS) if (re.test(id)) return text;
	const [name, sample] = id.split(":");
	return name === sample || sample === undefined ? (name ?? id) : `${name} ${sample}`;
}

export const typeUnit = (id: string): string => id.split(":")[2] ?? "";
