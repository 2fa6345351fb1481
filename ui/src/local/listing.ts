// Reports as they are printed, read into rows: the source listing (HTML, of which only
// the text is taken), the disassembly, and what else has columns.

export interface Row {
	/** Line or address. */
	at: string;
	flat: string;
	cum: string;
	text: string;
	/** Machine code under a source line; inlined calls are marked. */
	below: { text: string; inlined: boolean; flat: string; cum: string }[];
}
export interface Section { name: string; file: string; head: string; rows: Row[]; most: number }

/** In the smallest unit of each family of the reference's report; each value has its own. */
const UNITS: Readonly<Record<string, number>> = {
	ns: 1, us: 1e3, ms: 1e6, s: 1e9, hrs: 3600e9,
	B: 1, kB: 2 ** 10, MB: 2 ** 20, GB: 2 ** 30, TB: 2 ** 40, PB: 2 ** 50,
	"n*GCU": 1, "u*GCU": 1e3, "m*GCU": 1e6, GCU: 1e9, "k*GCU": 1e12, "M*GCU": 1e15, "G*GCU": 1e18,
};

/** "2.57s" as a number to compare with "10ms". */
export const amount = (s: string): number => {
	const m = /^[+-]?(\d[\d.]*)(.*)$/.exec(s);
	return m === null ? 0 : parseFloat(m[1]!) * (UNITS[m[2]!] ?? 1);
};

const most = (rows: readonly Row[]): number => rows.reduce((a, r) => Math.max(a, amount(r.flat), amount(r.cum)), 0);
const blank = (s: string): string => (s === "." ? "" : s);

function below(asm: Element): Row["below"] {
	const out: Row["below"] = [];
	let inlined = false;
	let line = "";
	const end = (): void => {
		const m = /^\s*(\S+)\s+(\S+)\s+([0-9a-f]+:\s.*)$/.exec(line);
		if (m !== null && !inlined) out.push({ text: m[3]!.trimEnd(), inlined: false, flat: blank(m[1]!), cum: blank(m[2]!) });
		else if (line.trim() !== "") out.push({ text: line.trim(), inlined, flat: "", cum: "" });
		line = "";
		inlined = false;
	};
	for (const node of asm.childNodes) {
		if (node instanceof Element && node.classList.contains("inlinesrc")) inlined = true;
		const parts = (node.textContent ?? "").split("\n");
		parts.forEach((p, k) => {
			if (k > 0) end();
			line += p;
		});
	}
	end();
	return out;
}

function rowsOf(pre: Element): Row[] {
	const rows: Row[] = [];
	for (const el of pre.children) {
		const text = el.textContent ?? "";
		if (el.classList.contains("line")) rows.push({ at: text.trim(), flat: "", cum: "", text: "", below: [] });
		const last = rows[rows.length - 1];
		if (last === undefined || el.classList.contains("line")) continue;
		if (el.classList.contains("asm")) last.below = below(el);
		else {
			const m = /^\s*(\S+)\s+(\S+) {11}([\s\S]*?) ?$/.exec(text);
			last.flat = blank(m?.[1] ?? "");
			last.cum = blank(m?.[2] ?? "");
			last.text = m?.[3] ?? text.trim();
		}
	}
	return rows;
}

/** A weblist page.  Parsing makes a document that runs and loads nothing. */
export function sourceSections(html: string): Section[] {
	// Its own script and style would only meet the policy of this page.
	const bare = html.replace(/<(script|style)[^>]*>[\s\S]*?<\/\1>/g, "").replace(/<pre onClick="[^"]*">/g, "<pre>");
	const doc = new DOMParser().parseFromString(bare, "text/html");
	const out: Section[] = [];
	for (const pre of doc.querySelectorAll("pre")) {
		const p = pre.previousElementSibling;
		const h = p?.previousElementSibling;
		const rows = rowsOf(pre);
		const head = /Total:.*/.exec(pre.textContent ?? "")?.[0] ?? "";
		out.push({ name: h?.textContent ?? "", file: p?.textContent ?? "", head: head.replace(/\s+/g, " "), rows, most: most(rows) });
	}
	return out;
}

/** `list` and `disasm`: ROUTINE headings and rows of flat, cum, place, text. */
export function textSections(text: string): Section[] {
	const out: Section[] = [];
	for (const line of text.split("\n")) {
		const h = /^ROUTINE =+ (.*?)(?: in (\S.*))?$/.exec(line);
		if (h !== null) {
			out.push({ name: h[1]!, file: h[2] ?? "", head: "", rows: [], most: 0 });
			continue;
		}
		const s = out[out.length - 1];
		if (s === undefined) continue;
		const r = /^\s*(\S+)\s+(\S+)\s+([0-9a-f]+): ?(.*)$/.exec(line);
		if (r !== null) s.rows.push({ at: r[3]!, flat: blank(r[1]!), cum: blank(r[2]!), text: r[4]!, below: [] });
		else if (s.rows.length === 0) s.head += (s.head === "" ? "" : " \u00b7 ") + line.trim().replace(/\s+/g, " ");
		else if (line.trim() !== "") s.rows.push({ at: "", flat: "", cum: "", text: line, below: [] });
	}
	for (const s of out) s.most = most(s.rows);
	return out;
}
