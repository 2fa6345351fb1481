// What Refine does: the reference's five filters, from chosen functions or from the
// search, as changes of the state.

import { State, View } from "../state";
import { Option, OPTIONS } from "./state";

/** An expression that matches exactly this name. */
export const quoted = (name: string): string => "^" + name.replace(/([\\.?+*[\](){}|^$])/g, "\\$1") + "$";

/** The expression behind the choice: the names, or else what is searched for. */
export function expression(s: State, names: readonly string[]): string {
	if (names.length > 0) return names.map(quoted).join("|");
	if (s.search === "") return "";
	// The search takes any case; the reports do not.
	return s.regex ? s.search : "(?i)" + s.search.replace(/([\\.?+*[\](){}|^$])/g, "\\$1");
}

export function withOption(s: State, key: Option, value: string): Pick<State, "opt"> {
	const opt = { ...s.opt };
	if (value === "") delete opt[key];
	else opt[key] = value;
	return { opt };
}

/** Ignore and hide add to what they have; the others take its place. */
export function refine(s: State, key: Option, re: string): Partial<State> {
	const old = s.opt[key] ?? "";
	const value = (key === "i" || key === "h") && old !== "" ? `${re}|${old}` : re;
	return { ...withOption(s, key, value), focus: [] };
}

/** All of the profile again; how it is shown stays. */
export function reset(s: State): Partial<State> {
	const opt: Record<string, string> = {};
	for (const key of ["g", "unit", "n", "nf", "ef", "trim", "intel"] as const) if (s.opt[key] !== undefined) opt[key] = s.opt[key]!;
	return { opt, focus: [], search: "" };
}

/** A view; those of functions take the choice with them, as the reference's menu does.
 * Peek looks for names with their file behind them, where "$" alone would find none. */
export function toView(s: State, view: View, names: readonly string[]): Partial<State> {
	const all = ["peek", "source", "disasm"].includes(view) ? expression(s, names) : "";
	const re = view === "peek" && names.length > 0 ? names.map((n) => quoted(n).replace(/\$$/, "( |$)")).join("|") : all;
	return re === "" ? { view } : { view, focus: [], ...withOption(s, "f", re) };
}

/** A tag filter with one more value: the same key takes either, another key asks for both. */
export function withTag(old: string, key: string, filter: string, numeric: boolean): string {
	const one = `${key}=${filter}`;
	if (old === "" || numeric) return one;
	if (old.startsWith(key + "=")) return old.slice(key.length + 1).split(",").includes(filter) ? old : `${old},${filter}`;
	const pair = (k: string, v: string): string => `^${k.replace(/([\\.?+*[\](){}|^$])/g, "\\$1").replace(/,/g, ".")}:${v.replace(/^\^/, "")}`;
	const m = /^([^=,]+)=(\^[^,]*\$)$/.exec(old);
	if (m !== null) return `${pair(m[1]!, m[2]!)},${pair(key, filter)}`;
	return old.startsWith("^") && !old.includes("=") ? `${old},${pair(key, filter)}` : one;
}

/** A yes or no as addresses have it; other values as they are. */
export const truth = (v: string): string => (/^(true|yes|y|1)$/i.test(v) ? "t" : /^(false|no|n|0)$/i.test(v) ? "f" : v);

/** Whether all that can be saved is as this config has it. */
export function isCurrent(s: State, params: Readonly<Record<string, string>>): boolean {
	const sort = s.sort === "total" ? "cum" : "";
	return OPTIONS.every((k) => truth(s.opt[k] ?? "") === truth(params[k] ?? "")) && sort === (params["sort"] ?? "");
}

/** The state with a config's options, and nothing of those it does not have. */
export function withConfig(s: State, params: Readonly<Record<string, string>>): Partial<State> {
	const opt: Record<string, string> = {};
	for (const k of OPTIONS) if ((params[k] ?? "") !== "") opt[k] = params[k]!;
	return { opt, sort: params["sort"] === "cum" ? "total" : s.sort === "total" ? "self" : s.sort, focus: [] };
}
