import assert from "node:assert/strict";
import { test } from "node:test";
import { amount, textSections } from "../src/local/listing";
import { expression, isCurrent, quoted, refine, reset, toView, withConfig, withTag } from "../src/local/refine";
import { formatLocal, OPTIONS, parseLocal, question } from "../src/local/state";
import { DEFAULTS, State } from "../src/state";

const at = (url: string): State => {
	const [path, query] = url.split("?");
	return parseLocal(path!, query ?? "");
};

test("links of the reference are read, and written the same", () => {
	for (const url of [
		"/ui/flamegraph", "/ui/top?f=a%7Cb&i=x&h=y&s=z&sf=w", "/ui/peek?f=main", "/ui/source?si=alloc_space&f=x&g=lines",
		"/ui/graph?n=20&nf=0.01&ef=0.1&trim=f", "/ui/disasm?intel=t&f=%5Ex%24", "/ui/flamegraph?tf=k%3Dv&ti=a&ts=b&th=c",
	]) {
		const s = at(url);
		const again = at(formatLocal(s));
		assert.deepEqual(again, s, url);
		assert.deepEqual(new URLSearchParams(formatLocal(s).split("?")[1] ?? "").toString().split("&").sort(),
			new URLSearchParams(url.split("?")[1] ?? "").toString().split("&").sort(), url);
	}
});

test("every part of the state survives, hostile text too", () => {
	const opt = Object.fromEntries(OPTIONS.map((k) => [k, `${k} <&?#=\u202e`]));
	const s: State = { ...DEFAULTS, live: false, opt, view: "changes", type: "a&b", search: "x y+", regex: false,
		focus: ["main", "", "__proto__"], sort: "name", rising: true, share: true, swap: true };
	assert.deepEqual(at(formatLocal(s)), s);
	assert.deepEqual(at(formatLocal({ ...s, regex: true, sort: "total" })), { ...s, regex: true, sort: "total" });
});

test("the order of the table is the reports' order", () => {
	assert.equal(question(at("/ui/top?sort=cum"))["sort"], "cum");
	assert.equal(question(at("/ui/top?order=name"))["sort"], undefined);
});

test("a choice is quoted, several are alternatives, a search takes any case", () => {
	const s = at("/ui/top?find=a.b");
	assert.equal(quoted("a.(*B).c[d]"), "^a\\.\\(\\*B\\)\\.c\\[d\\]$");
	assert.equal(expression(s, ["f", "g+"]), "^f$|^g\\+$");
	assert.equal(expression(s, []), "(?i)a\\.b");
	assert.equal(expression(at("/ui/top?p=a.b"), []), "a.b");
});

test("ignore and hide add, the others take the place of what was there", () => {
	const s = at("/ui/top?f=a&i=b&h=c&s=d&sf=e");
	for (const [key, want] of [["f", "x"], ["i", "x|b"], ["h", "x|c"], ["s", "x"], ["sf", "x"]] as const)
		assert.equal(refine(s, key, "x").opt![key], want);
	assert.deepEqual(reset(at("/ui/top?f=a&g=lines&tf=x")).opt, { g: "lines" });
});

test("views of functions take the choice with them", () => {
	const s = at("/ui/flamegraph?g=lines");
	assert.deepEqual(toView(s, "source", ["a.b"]), { view: "source", focus: [], opt: { g: "lines", f: "^a\\.b$" } });
	assert.equal(toView(s, "peek", ["a.b"]).opt!["f"], "^a\\.b( |$)");
	assert.deepEqual(toView(s, "graph", ["a.b"]), { view: "graph" });
	assert.deepEqual(toView(s, "peek", []), { view: "peek" });
});

test("values of one label are either, of two labels both", () => {
	assert.equal(withTag("", "k", "^a$", false), "k=^a$");
	assert.equal(withTag("k=^a$", "k", "^b$", false), "k=^a$,^b$");
	assert.equal(withTag("k=^a$", "k", "^a$", false), "k=^a$");
	assert.equal(withTag("k=^a$", "l.m", "^b$", false), "^k:a$,^l\\.m:b$");
	assert.equal(withTag("^k:a$,^l:b$", "m", "^c$", false), "^k:a$,^l:b$,^m:c$");
	assert.equal(withTag("k=^a$", "bytes", "64bytes", true), "bytes=64bytes");
});

test("a config is current when all that it could say is so", () => {
	const s = at("/ui/top?trim=false&g=lines");
	assert.equal(isCurrent(s, { g: "lines", trim: "f" }), true);
	assert.equal(isCurrent(s, { g: "lines" }), false);
	assert.equal(isCurrent(at("/ui/top"), {}), true);
	const next = { ...s, ...withConfig(s, { f: "x", sort: "cum" }) };
	assert.deepEqual([next.opt, next.sort], [{ f: "x" }, "total"]);
});

test("a disassembly is read into rows", () => {
	const [s] = textSections([
		"Total: 10ms", "ROUTINE ======================== main.f", "      10ms       10ms (flat, cum)   100% of Total",
		"         .          .     4a1b20: MOVQ AX, BX                             ;main.f main.go:3",
		"      10ms       10ms     4a1b24: RET", ""].join("\n"));
	assert.equal(s!.name, "main.f");
	assert.deepEqual(s!.rows.map((r) => [r.at, r.flat, r.cum]), [["4a1b20", "", ""], ["4a1b24", "10ms", "10ms"]]);
	assert.equal(s!.most, 10e6);
	assert.ok(amount("2.57s") > amount("-990ms") && amount("1.5MB") > amount("900kB") && amount("12") === 12 && amount(".") === 0);
});
