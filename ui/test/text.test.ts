import assert from "node:assert/strict";
import { test } from "node:test";
import { figures, percent, rate, typeText, value } from "../src/format";
import { visible } from "../src/text";
import { trim } from "../src/trim";

test("a name that fits is left alone", () => {
	assert.equal(trim("main", 4), "main");
});

test("arguments go before anything else", () => {
	assert.equal(trim("db::Pool::query(std::string_view, int)", 20), "db::Pool::query");
	assert.equal(trim("A::f(B) const", 6), "A::f");
});

test("template arguments go next, namespaces after them", () => {
	assert.equal(trim("shop::render<shop::Page<int>>(x)", 18), "shop::render<\u2026>");
	assert.equal(trim("one::two::three::four()", 12), "\u2026three::four");
});

test("a Go method keeps its receiver and loses its path", () => {
	assert.equal(trim("github.com/acme/shop/cart.(*Cart).Total", 22), "\u2026cart.(*Cart).Total");
});

test("no useful room gives no text, and no text is ever too long", () => {
	assert.equal(trim("abcdef", 1), "");
	for (const name of ["a".repeat(70000), "x<".repeat(3000), "operator<<(a, b)", "std::operator->(x)", "((((", "::::", "....."])
		for (const max of [0, 1, 2, 3, 7, 20, 200]) assert.ok(trim(name, max).length <= Math.max(max, 0), `${name.slice(0, 20)} ${max}`);
});

test("control characters, direction marks and nothing become readable", () => {
	assert.equal(visible("a\u0000b\n"), "a\u2400b\u240a");
	assert.equal(visible("\u202egnp"), "\u2039U+202E\u203agnp");
	assert.equal(visible(""), "(no name)");
	assert.equal(visible("x".repeat(50), 10).length, 11);
});

test("numbers have at most three figures and a unit", () => {
	assert.equal(figures(1.916), "1.92");
	assert.equal(figures(19.16), "19.2");
	assert.equal(figures(123456), "123,456");
	assert.equal(value(1.5e9, "nanoseconds"), "1.5\u202fs");
	assert.equal(value(312e6, "bytes"), "312\u202fMB");
	assert.equal(value(999_999, "bytes"), "1\u202fMB");
	assert.equal(percent(1, 3), "33.3\u202f%");
	assert.equal(percent(0, 0), "0\u202f%");
	assert.equal(percent(1, 1e9), "<\u202f0.01\u202f%");
});

test("CPU is cores, allocation is per second, memory in use is a plain sum", () => {
	assert.equal(rate(120e9, 60_000, "process_cpu:cpu:nanoseconds:cpu:nanoseconds", "nanoseconds"), "2\u202fcores");
	assert.equal(rate(60e6, 60_000, "memory:alloc_space:bytes:space:bytes", "bytes"), "1\u202fMB/s");
	assert.equal(rate(60e6, 60_000, "memory:inuse_space:bytes:space:bytes", "bytes"), "60\u202fMB");
	assert.equal(typeText("process_cpu:cpu:nanoseconds:cpu:nanoseconds"), "CPU");
	assert.equal(typeText("open_connections:open_connections:count::"), "open_connections");
});
