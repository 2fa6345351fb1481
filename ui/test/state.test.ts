import assert from "node:assert/strict";
import { test } from "node:test";
import { parseMatcher, selector, toggleMatcher, withMatchers } from "../src/selector";
import { DEFAULTS, format, parse, State } from "../src/state";
import { AUTO, compareRange, HOUR, rangeText, resolveRange, resolveTime, stepFor, WEEK } from "../src/time";

const NOW = 1_700_000_000_000;

test("the default state has an empty URL and an empty URL the default state", () => {
	assert.equal(format(DEFAULTS), "");
	assert.deepEqual(parse(""), DEFAULTS);
});

test("every part of the state survives the URL, hostile text too", () => {
	const s: State = {
		service: "<script>&=?#", type: "process_cpu:cpu:nanoseconds:cpu:nanoseconds",
		labels: [{ name: "pod", op: "=~", value: "web-.*\"\\\n" }, { name: "a.b", op: "!=", value: "" }],
		from: "now-15m", until: "1700000000000", live: false, by: "pod&", compare: "custom", cfrom: "now-3h", cuntil: "now-2h",
		clabels: [{ name: "pod", op: "=", value: "x&" }], share: true, swap: true, copies: true,
		view: "changes", search: "a+b &c", regex: true, focus: ["main", "", "__proto__", "x;y\u202e"], sort: "name", rising: true, opt: {},
	};
	assert.deepEqual(parse(format(s)), s);
});

test("nonsense in the URL falls back to defaults", () => {
	const s = parse("?from=yesterday&until=%3Cb%3E&view=nothing&compare=x&label=oops&sort=evil");
	assert.deepEqual(s, { ...DEFAULTS });
});

test("the selector quotes what could end it", () => {
	assert.equal(selector("a\"b\\", [{ name: "x", op: "!~", value: "n\nl" }]), '{service_name="a\\"b\\\\",x!~"n\\nl"}');
	assert.equal(selector("", []), "{}");
	assert.equal(parseMatcher("no matcher"), null);
});

test("a matcher toggles", () => {
	const m = { name: "a", op: "=" as const, value: "1" };
	assert.deepEqual(toggleMatcher([], m), [m]);
	assert.deepEqual(toggleMatcher([m], { ...m }), []);
});

test("matchers take the place of those on the same label", () => {
	const m = (name: string, value: string) => ({ name, op: "=" as const, value });
	assert.deepEqual(withMatchers([m("a", "1"), m("b", "2")], [m("a", "3")]), [m("b", "2"), m("a", "3")]);
});

test("relative times resolve late, absolute ones stay", () => {
	assert.equal(resolveTime("now", NOW), NOW);
	assert.equal(resolveTime("now-15m", NOW), NOW - 900_000);
	assert.equal(resolveTime("12345", NOW), 12345);
	assert.equal(resolveTime("now+1h", NOW), null);
});

test("a range is never empty or backwards", () => {
	const r = resolveRange("2000", "1000", NOW);
	assert.ok(r.from < r.until);
	assert.ok(resolveRange("5", "5", NOW).until > 5);
});

test("what a range is compared with", () => {
	const r = { from: NOW - HOUR, until: NOW };
	assert.deepEqual(compareRange(r, "prev", "", "", NOW), { from: NOW - 2 * HOUR, until: NOW - HOUR });
	assert.deepEqual(compareRange(r, "week", "", "", NOW), { from: NOW - HOUR - WEEK, until: NOW - WEEK });
	assert.equal(compareRange(r, "", "", "", NOW), null);
});

test("a step is round and gives no more points than asked", () => {
	for (const span of [60_000, HOUR, 7 * 24 * HOUR, 400 * 24 * HOUR]) {
		const step = stepFor({ from: NOW - span, until: NOW }, 150);
		assert.ok(step >= 5_000 && span / step <= 150, String(span));
	}
});

test("the range nobody chose fits what there is", () => {
	assert.deepEqual(resolveRange(AUTO, "now", NOW, 0), { from: NOW - 900_000, until: NOW });
	assert.deepEqual(resolveRange(AUTO, "now", NOW, NOW - 899_000), { from: NOW - 900_000, until: NOW });
	assert.deepEqual(resolveRange(AUTO, "now", NOW, NOW - 300_000), { from: NOW - 301_000, until: NOW });
	assert.deepEqual(resolveRange(AUTO, "now", NOW, NOW - 5_000), { from: NOW - 60_000, until: NOW });
	assert.equal(rangeText(AUTO, "now", NOW), "last 15 min");
	assert.ok(/^since \d\d:\d\d$/.test(rangeText(AUTO, "now", NOW, NOW - 300_000)));
});

test("ranges read as people say them", () => {
	assert.equal(rangeText("now-1h", "now", NOW), "last 1 h");
	assert.equal(rangeText("now-90m", "now", NOW), "last 90 min");
});
