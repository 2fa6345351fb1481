// Shortens a function's name to a number of characters and keeps the end that tells
// functions apart: arguments go first, then template arguments, then namespaces and
// package paths from the left.  Only when the last part alone is too long is it cut.

const OPEN = "(<[{";
const CLOSE = ")>]}";

/** Removes balanced groups that begin with `open` and are not at the very start. */
function withoutGroups(name: string, open: string, put: string): string {
	const close = CLOSE[OPEN.indexOf(open)]!;
	let out = "";
	let depth = 0;
	for (let i = 0; i < name.length; i++) {
		const c = name[i]!;
		if (c === open && (depth > 0 || i > 0)) {
			// Go writes methods as (*T).f: a group that a dot follows is part of the name.
			if (depth === 0 && open === "(" && name[i + 1] === "*") {
				out += c;
				continue;
			}
			if (depth++ === 0) out += put;
			continue;
		}
		// "->" and operator> do not close anything.
		if (c === close && depth > 0 && name[i - 1] !== "-") {
			depth--;
			continue;
		}
		if (depth === 0) out += c;
	}
	return depth === 0 && out !== "" ? out : name;
}

/** Places after which a shorter name may begin: behind `::`, `/` and `.`. */
function* cuts(name: string): Generator<number> {
	for (let i = 1; i < name.length - 1; i++) {
		const c = name[i]!;
		if (c === "/" || c === "." || (c === ":" && name[i - 1] === ":")) yield i + 1;
	}
}

/** `name` in at most `max` characters; "" when nothing useful fits. */
export function trim(name: string, max: number): string {
	if (name.length <= max) return name;
	if (max < 2) return "";
	// A place in a module without names: the module says more than the address.
	if (/\+0x[0-9a-f]+$/.test(name)) {
		const own = name.replace(/^.*\//, "");
		return own.length <= max ? own : own.slice(0, max - 1) + "\u2026";
	}
	let s = name.length > 4096 ? name.slice(0, 4096) : name;
	s = withoutGroups(s, "(", "").replace(/ const$/, "").trim() || s;
	if (s.length <= max) return s;
	s = withoutGroups(s, "<", "<\u2026>");
	if (s.length <= max) return s;
	let last = 0;
	for (const at of cuts(s)) {
		last = at;
		if (s.length - at + 1 <= max) return "\u2026" + s.slice(at);
	}
	const end = s.slice(last);
	if (end.length <= max) return end;
	return end.slice(0, max - 1) + "\u2026";
}
