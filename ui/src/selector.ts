// Label matchers and the selector text `{a="b",c!="d"}` of docs/api.md.

export type Op = "=" | "!=" | "=~" | "!~";

export interface Matcher {
	name: string;
	op: Op;
	value: string;
}

const quote = (s: string): string =>
	'"' + s.replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/\n/g, "\\n") + '"';

export const matcherText = (m: Matcher): string => `${m.name}${m.op}${quote(m.value)}`;

/** The selector for a service and further matchers; "{}" selects everything. */
export function selector(service: string, labels: readonly Matcher[]): string {
	const all = service === "" ? [] : [{ name: "service_name", op: "=" as Op, value: service }];
	return "{" + [...all, ...labels].map(matcherText).join(",") + "}";
}

/** The inverse of matcherText; null for what is not a matcher. */
export function parseMatcher(text: string): Matcher | null {
	const m = /^\s*([^=!~"{},\s]+)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\[^])*)"\s*$/.exec(text);
	if (m === null) return null;
	const value = m[3]!.replace(/\\([^])/g, (_, c: string) => (c === "n" ? "\n" : c));
	return { name: m[1]!, op: m[2] as Op, value };
}

/** `labels` with others in the place of those on the same names. */
export const withMatchers = (labels: readonly Matcher[], others: readonly Matcher[]): Matcher[] =>
	[...labels.filter((m) => !others.some((o) => o.name === m.name)), ...others];

export const sameMatcher = (a: Matcher, b: Matcher): boolean =>
	a.name === b.name && a.op === b.op && a.value === b.value;

/** `labels` with `m` added, or taken out when it is there already. */
export function toggleMatcher(labels: readonly Matcher[], m: Matcher): Matcher[] {
	const rest = labels.filter((x) => !sameMatcher(x, m));
	return rest.length < labels.length ? rest : [...labels, m];
}
