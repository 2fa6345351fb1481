// A server for working on the page without everprof: serves dist/ and answers /api/v1
// with data that is generated, but the same every time.
//
//   node dev/mock.mjs [--port 4041] [--dist DIR] [--case NAME]
//
// Cases: shop (default), huge (100,000 frames), hostile (names), empty, broken (every
// answer fails), sparse (nothing in the last hour).  `?case=` is not needed: each test
// starts a mock of its own.  Prints "listening on PORT" when it is ready.

import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import { fileURLToPath } from "node:url";

const HERE = path.dirname(fileURLToPath(import.meta.url));
const arg = (name, otherwise) => {
	const i = process.argv.indexOf(name);
	return i < 0 ? otherwise : process.argv[i + 1];
};
const DIST = path.resolve(arg("--dist", path.join(HERE, "../dist")));
const CASE = arg("--case", "shop");
const CPU = "process_cpu:cpu:nanoseconds:cpu:nanoseconds";
const ALLOC = "memory:alloc_space:bytes:space:bytes";
const HOUR = 3600_000;
const SAMPLE = 10_000_000;

/** mulberry32: the same numbers in every run. */
function random(seed) {
	return () => {
		seed = (seed + 0x6d2b79f5) | 0;
		let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
		t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
		return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
	};
}

// A stack is a list of function indexes with a weight.
const functions = [];
const known = new Map();
function fn(name, file = "", kind = "native") {
	const key = `${name}\0${file}`;
	if (!known.has(key)) {
		known.set(key, functions.length);
		functions.push({ name, file, kind });
	}
	return known.get(key);
}

function shopStacks() {
	const main = fn("main", "src/main.c"), loop = fn("event_loop", "src/loop.c");
	const handle = fn("shop::Router::handle(shop::Request const&, shop::Response&)", "src/router.cc");
	const render = fn("shop::render_template<shop::CheckoutPage>(std::string_view, shop::Context const&)", "src/template.cc");
	const query = fn("db::Pool::query(std::string_view, std::span<db::Value const>)", "src/pool.cc");
	const parse = fn("json_parse_value", "src/json.c"), hash = fn("sha256_transform", "src/sha256.c");
	const go = fn("github.com/acme/shop/cart.(*Cart).Total", "cart/cart.go");
	const gc = fn("runtime.gcBgMarkWorker", "runtime/mgc.go"), scan = fn("runtime.scanobject", "runtime/mgcmark.go");
	const sys = fn("entry_SYSCALL_64", "", "kernel"), write = fn("ksys_write", "", "kernel"), tcp = fn("tcp_sendmsg", "", "kernel"),
		xmit = fn("__dev_queue_xmit", "", "kernel");
	const unnamed = fn("libcrypto.so.3+0x1f2a40", "libcrypto.so.3", "unnamed"), jit = fn("LazyCompile:*priceFor cart.js:12", "", "jit");
	const lost = fn("stack lost", "", "lost");
	const memcpy = fn("__memmove_avx_unaligned_erms", "libc.so.6"), malloc = fn("malloc", "libc.so.6"), free = fn("cfree", "libc.so.6");
	const base = [main, loop, handle];
	const out = [
		{ s: [...base, render], w: 80, l: { endpoint: "/checkout", tenant: "acme" } },
		{ s: [...base, render, memcpy], w: 190, l: { endpoint: "/checkout", tenant: "acme" } },
		{ s: [...base, render, malloc], w: 120, l: { endpoint: "/checkout", tenant: "globex" } },
		{ s: [...base, query], w: 60, l: { endpoint: "/checkout", tenant: "acme" } },
		{ s: [...base, query, parse], w: 310, l: { endpoint: "/cart", tenant: "acme" } },
		{ s: [...base, query, parse, parse], w: 140, l: { endpoint: "/cart", tenant: "globex" } },
		{ s: [...base, query, sys, write, tcp], w: 90, l: { endpoint: "/cart", tenant: "acme" } },
		{ s: [...base, query, sys, write, tcp, xmit], w: 70, l: { endpoint: "/cart", tenant: "acme" } },
		{ s: [...base, go], w: 130, l: { endpoint: "/cart", tenant: "initech" } },
		{ s: [...base, go, jit], w: 75, l: { endpoint: "/cart", tenant: "initech" } },
		{ s: [...base, hash], w: 210, l: { endpoint: "/login", tenant: "acme" } },
		{ s: [...base, hash, unnamed], w: 95, l: { endpoint: "/login", tenant: "acme" } },
		{ s: [main, gc, scan], w: 160, l: {} },
		{ s: [main, gc], w: 25, l: {} },
		{ s: [main, loop, free], w: 14, l: { endpoint: "/health" } },
		{ s: [lost], w: 6, l: {} },
	];
	const r = random(7);
	for (let k = 0; k < 400; k++) {
		const mod = `shop::mod${k % 17}`;
		const depth = 2 + Math.floor(r() * 9);
		const s = [...base, [render, query, go, hash][k % 4]];
		for (let d = 0; d < depth; d++) s.push(fn(`${mod}::Step${(k * 7 + d * 3) % 23}::run(int)`, `src/mod${k % 17}.cc`));
		out.push({ s, w: 0.2 + r() ** 4 * 14, l: { endpoint: ["/checkout", "/cart", "/login"][k % 3], tenant: ["acme", "globex", "initech"][k % 7 % 3] } });
	}
	return out;
}

function hugeStacks() {
	const r = random(11), out = [];
	const grow = (stack, budget, w) => {
		if (budget <= 1 || stack.length > 90) {
			out.push({ s: stack, w, l: {} });
			return;
		}
		const kids = Math.min(budget, 1 + Math.floor(r() * 6));
		const shares = Array.from({ length: kids }, () => r() ** 2 + 0.01);
		const sum = shares.reduce((a, b) => a + b, 0);
		shares.forEach((x) => {
			const part = x / sum;
			const f = fn(`ns${Math.floor(r() * 60)}::Class${Math.floor(r() * 400)}::method${Math.floor(r() * 9)}(int, char const*)`, `lib${Math.floor(r() * 40)}.cc`);
			grow([...stack, f], (budget - kids) * part, w * part);
		});
	};
	grow([fn("main", "main.c")], 125_000, 1e6);
	return out;
}

const HOSTILE = [
	"<script>window.hacked=1</script>", "<img src=x onerror=\"window.hacked=1\">", "\u202egnirts desrever", "a\u0000b\u0007c\nd",
	"__proto__", "constructor", "", "x".repeat(65536), "' onmouseover='window.hacked=1", "\u{1F600} emoji \u0627\u0644\u0639\u0631\u0628\u064a\u0629", "</title><b>bold",
];
const hostileStacks = () => HOSTILE.flatMap((n, k) => [
	{ s: [fn("main", "main.c"), fn(n, n)], w: 100 - k, l: { [k === 4 ? "__proto__" : "evil"]: n } },
	{ s: [fn("main", "main.c"), fn(n, n), fn(n + "2", n)], w: 50, l: { evil: n } },
]);

const stacks = CASE === "huge" ? hugeStacks() : CASE === "hostile" ? hostileStacks() : shopStacks();
const service = CASE === "hostile" ? HOSTILE[0] : "checkout";
const OTHER = CASE === "hostile" ? ["__proto__", "\u202eservice"] : ["billing", "search-indexer", "host-other"];

// --- the tree of stacks, as columns ---
function buildTree(list) {
	const root = { f: -1, self: [0, 0], total: [0, 0], kids: new Map() };
	for (const { s, w } of list) {
		let at = root;
		const add = (n) => { n.total[0] += w[0]; n.total[1] += w[1]; };
		add(root);
		for (const f of s) {
			if (!at.kids.has(f)) at.kids.set(f, { f, self: [0, 0], total: [0, 0], kids: new Map() });
			at = at.kids.get(f);
			add(at);
		}
		at.self[0] += w[0];
		at.self[1] += w[1];
	}
	return root;
}

/** The heaviest `max` nodes, whole paths only. */
function kept(root, max) {
	const all = [];
	const visit = (n) => { all.push(n); n.kids.forEach(visit); };
	visit(root);
	if (all.length <= max) return null;
	all.sort((a, b) => b.total[0] + b.total[1] - a.total[0] - a.total[1]);
	return new Set(all.slice(0, max));
}

function columns(root, max, diff, path) {
	const names = ["total"], files = [""], kinds = ["root"], index = new Map([[-1, 0]]);
	const node = { name: [], depth: [], self: [], total: [], more: [] };
	if (diff) Object.assign(node, { self_b: [], total_b: [] });
	const keep = kept(path.length ? subtree(root, path) ?? root : root, max);
	const id = (f) => {
		if (!index.has(f)) {
			index.set(f, names.length);
			names.push(functions[f].name);
			files.push(functions[f].file);
			kinds.push(functions[f].kind);
		}
		return index.get(f);
	};
	const visit = (n, depth, way) => {
		const kids = [...n.kids.values()].sort((a, b) => (functions[a.f].name < functions[b.f].name ? -1 : 1));
		const shown = way.length ? kids.filter((k) => functions[k.f].name === way[0]) : keep === null ? kids : kids.filter((k) => keep.has(k));
		const left = way.length ? 0 : kids.filter((k) => !shown.includes(k)).reduce((a, k) => a + k.total[0], 0);
		node.name.push(id(n.f));
		node.depth.push(depth);
		node.self.push(Math.round(n.self[0]));
		node.total.push(Math.round(n.total[0]));
		node.more.push(Math.round(left));
		if (diff) {
			node.self_b.push(Math.round(n.self[1]));
			node.total_b.push(Math.round(n.total[1]));
		}
		shown.forEach((k) => visit(k, depth + 1, way.slice(1)));
	};
	visit(root, 0, path);
	return { names, files, kinds, node };
}

function subtree(root, path) {
	for (const name of path) root = [...root.kids.values()].find((k) => functions[k.f].name === name);
	return root;
}

// --- queries ---
function when(text, otherwise, now) {
	if (!text) return otherwise;
	const m = /^now(?:-(\d+)([smhdw]))?$/.exec(text);
	if (m) return now - (m[1] ? Number(m[1]) * { s: 1e3, m: 6e4, h: 36e5, d: 864e5, w: 6048e5 }[m[2]] : 0);
	return Number(text);
}

function matchers(query) {
	const out = [];
	for (const m of (query ?? "").matchAll(/([^{,=!~"\s]+)(=~|!~|!=|=)"((?:[^"\\]|\\.)*)"/g))
		out.push({ name: m[1], op: m[2], value: m[3].replace(/\\n/g, "\n").replace(/\\(.)/g, "$1") });
	return out;
}

function selects(list, labels) {
	return list.every(({ name, op, value }) => {
		const own = name === "service_name" ? service : Object.hasOwn(labels, name) ? labels[name] : "";
		if (op === "=") return own === value;
		if (op === "!=") return own !== value;
		const hit = new RegExp(`^(?:${value})$`).test(own);
		return op === "=~" ? hit : !hit;
	});
}

/** Load over time: a day's wave, and parsing that got slower half an hour ago. */
const wave = (ms) => 1 + 0.35 * Math.sin(ms / 1.7e6) + 0.15 * Math.sin(ms / 2.3e5);
const start = Date.now();
const slower = (name, ms) => (name === "json_parse_value" && ms > start - 1800_000 ? 1.9 : name === "sha256_transform" && ms > start - 1800_000 ? 0.7 : 1);

function integral(from, until, name) {
	const n = Math.max(1, Math.min(400, Math.round((until - from) / 15_000)));
	let sum = 0;
	for (let k = 0; k < n; k++) {
		const t = from + ((k + 0.5) * (until - from)) / n;
		if (CASE === "sparse" && t > start - 3 * HOUR) continue;
		sum += wave(t) * slower(name, t);
	}
	return (sum / n) * ((until - from) / 1000);
}

function weighted(query, ranges) {
	const list = matchers(query);
	const cache = new Map();
	const factor = (name, r) => {
		const key = name === "json_parse_value" || name === "sha256_transform" ? name : "";
		const k = `${key} ${r[0]} ${r[1]}`;
		if (!cache.has(k)) cache.set(k, integral(r[0], r[1], key));
		return cache.get(k);
	};
	const quantum = (x) => Math.round(x / SAMPLE) * SAMPLE;
	return stacks.filter((x) => selects(list, x.l)).map((x) => {
		const leaf = functions[x.s[x.s.length - 1]].name;
		const w = ranges.map((r) => (CASE === "huge" ? x.w * 1e6 : quantum(x.w * 8.5e5 * factor(leaf, r))));
		return { s: x.s, l: x.l, w: [w[0], w[1] ?? 0] };
	}).filter((x) => x.w[0] + x.w[1] > 0);
}

const valueOf = (labels, name) => (name === "service_name" ? service : Object.hasOwn(labels, name) ? labels[name] : "");

const labelIds = new Map();

/** A first frame for the value of a label. */
function grouped(list, by) {
	if (!by) return list;
	const id = (v) => {
		const key = JSON.stringify([by, v]);
		if (!labelIds.has(key)) labelIds.set(key, functions.push({ name: v, file: by, kind: "label" }) - 1);
		return labelIds.get(key);
	};
	return list.map((x) => ({ ...x, s: [id(valueOf(x.l, by)), ...x.s] }));
}

const sum = (list, k = 0) => list.reduce((a, x) => a + x.w[k], 0);
const ledger = (whole, from, until) => ({
	profiles: Math.round((until - from) / 15_000), samples: Math.round(whole / SAMPLE), asked: Math.round(whole / SAMPLE * 1.0003),
	taken: Math.round(whole / SAMPLE), lost: Math.round(whole / SAMPLE / 5000), truncated: Math.round(whole / SAMPLE / 9000),
	unsymbolised: Math.round(whole * 0.021), covered_ms: until - from, span_ms: until - from,
});

/** Both sides: other times of one query, or other labels of one time. */
function sidesOf(p, a, b) {
	if (p.get("a_query") === p.get("b_query")) return weighted(p.get("b_query"), [a, b]);
	return [...weighted(p.get("a_query"), [a]).map((x) => ({ ...x, w: [x.w[0], 0] })), ...weighted(p.get("b_query"), [b]).map((x) => ({ ...x, w: [0, x.w[0]] }))];
}

const routes = {
	services(p, now) {
		if (CASE === "empty") return { services: [] };
		const from = when(p.get("from"), now - HOUR, now), until = when(p.get("until"), now, now);
		if (CASE === "sparse" && from > now - 3 * HOUR) return { services: [] };
		const w = sum(weighted("", [[from, until]]));
		const of = (name, k) => ({ name, types: k === 0 ? [CPU, ALLOC] : [CPU], total: k === 0 ? { [CPU]: w, [ALLOC]: w / 9 } : { [CPU]: w / (k * 3) },
			profiles: Math.round((until - from) / 15_000), first: CASE === "sparse" ? now - 4 * HOUR : from, last: CASE === "sparse" ? now - 3 * HOUR : now - 2000 * k });
		return { services: [of(service, 0), ...OTHER.map((n, k) => of(n, k + 1))].sort((a, b) => (a.name < b.name ? -1 : 1)) };
	},
	types: () => ({ types: [CPU, ALLOC].map((id) => { const [name, st, su, pt, pu] = id.split(":"); return { id, name, sample_type: st, sample_unit: su, period_type: pt, period_unit: pu }; }) }),
	labels(p) {
		const list = weighted(p.get("query"), [[0, HOUR]]), names = new Map();
		for (const x of list) for (const [k, v] of Object.entries(x.l)) names.set(k, (names.get(k) ?? new Set()).add(v));
		return { labels: [...names].map(([name, v]) => ({ name, values: v.size, scope: "sample" })) };
	},
	values(p, now, name) {
		const from = when(p.get("from"), now - HOUR, now), until = when(p.get("until"), now, now), sums = new Map();
		for (const x of weighted(p.get("query"), [[from, until]]))
			if (Object.hasOwn(x.l, name) && x.l[name].startsWith(p.get("prefix") ?? "")) sums.set(x.l[name], (sums.get(x.l[name]) ?? 0) + x.w[0]);
		const all = [...sums].map(([value, total]) => ({ value, total })).sort((a, b) => b.total - a.total);
		const limit = Number(p.get("limit") ?? 100);
		return { values: all.slice(0, limit), more: all.length > limit };
	},
	series(p, now) {
		const from = when(p.get("from"), now - HOUR, now), until = when(p.get("until"), now, now), step = Number(p.get("step") ?? 15_000);
		const by = p.get("by"), lines = new Map();
		for (let t = Math.ceil(from / step) * step; t <= until; t += step) {
			if (CASE === "sparse" && t > start - 3 * HOUR) continue;
			for (const x of weighted(p.get("query"), [[t - step, t]])) {
				const v = by ? valueOf(x.l, by) : "";
				if (!lines.has(v)) lines.set(v, new Map());
				lines.get(v).set(t, (lines.get(v).get(t) ?? 0) + x.w[0]);
			}
		}
		const series = [...lines].map(([v, m]) => ({ labels: by ? { [by]: v } : {}, total: [...m.values()].reduce((a, x) => a + x, 0), points: [...m] }));
		return { step, unit: unitOf(p), series: series.sort((a, b) => b.total - a.total).slice(0, Number(p.get("limit") ?? 10)) };
	},
	flamegraph(p, now) {
		const from = when(p.get("from"), now - HOUR, now), until = when(p.get("until"), now, now);
		const list = grouped(weighted(p.get("query"), [[from, until]]), p.get("by")), whole = sum(list);
		const max = CASE === "huge" ? Math.max(120_000, Number(p.get("max_nodes") ?? 16384)) : CASE === "shop" ? (p.getAll("path").length ? 16384 : 500) : 16384;
		return { unit: unitOf(p), total: Math.round(whole), type: p.get("type"), ...columns(buildTree(list), max, false, p.getAll("path")), ledger: ledger(whole, from, until) };
	},
	diff(p, now) {
		const a = [when(p.get("a_from"), 0, now), when(p.get("a_until"), 0, now)], b = [when(p.get("b_from"), 0, now), when(p.get("b_until"), 0, now)];
		const list = grouped(sidesOf(p, a, b), p.get("by")), ta = sum(list, 0), tb = sum(list, 1);
		return { unit: unitOf(p), total: Math.round(ta), total_a: Math.round(ta), total_b: Math.round(tb), type: p.get("type"), ...columns(buildTree(list), 16384, true, []), ledger: ledger(ta + tb, b[0], b[1]) };
	},
	top(p, now) {
		const from = when(p.get("from"), now - HOUR, now), until = when(p.get("until"), now, now);
		const list = weighted(p.get("query"), [[from, until]]), rows = new Map();
		for (const x of list) {
			const row = (f) => { if (!rows.has(f)) rows.set(f, { name: functions[f].name, file: functions[f].file, self: 0, total: 0 }); return rows.get(f); };
			row(x.s[x.s.length - 1]).self += x.w[0];
			for (const f of new Set(x.s)) row(f).total += x.w[0];
		}
		const search = (p.get("search") ?? "").toLowerCase();
		const all = [...rows.values()].filter((r) => r.name.toLowerCase().includes(search)).sort((a, b) => b.self - a.self);
		return { unit: unitOf(p), total: Math.round(sum(list)), rows: all.slice(0, Number(p.get("limit") ?? 200)), count: all.length };
	},
	status: () => ({ version: "mock", uptime_s: 60, host: "mock", sees: ["kernel 6.18: eBPF allowed", "16 CPUs, 311 processes", "all capabilities"], agent: null }),
};
const unitOf = (p) => (p.get("type") ?? CPU).split(":")[2];

const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };
const CSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

function answer(req, res) {
	const url = new URL(req.url, "http://x");
	if (url.pathname.startsWith("/api/v1/")) {
		const [route, name, tail] = url.pathname.slice(8).split("/");
		const json = (status, body) => { res.writeHead(status, { "Content-Type": "application/json" }); res.end(JSON.stringify(body)); };
		if (CASE === "broken" && route !== "services") return json(503, { error: "the store cannot be read: disk full", code: "unavailable" });
		const run = tail === "values" ? (p, now) => routes.values(p, now, decodeURIComponent(name)) : routes[route];
		if (!run) return json(404, { error: `no route ${url.pathname}`, code: "not_found" });
		return json(200, run(url.searchParams, Date.now()));
	}
	const file = path.join(DIST, url.pathname === "/" ? "index.html" : path.basename(url.pathname));
	if (!fs.existsSync(file)) return res.writeHead(404).end();
	res.writeHead(200, { "Content-Type": TYPES[path.extname(file)], "Content-Security-Policy": CSP, "X-Content-Type-Options": "nosniff" });
	res.end(fs.readFileSync(file));
}

const server = http.createServer((req, res) => {
	try {
		answer(req, res);
	} catch (e) {
		res.writeHead(500, { "Content-Type": "application/json" }).end(JSON.stringify({ error: `mock: ${e.message}`, code: "internal" }));
	}
});
server.listen(Number(arg("--port", "4041")), "127.0.0.1", () => console.log(`listening on ${server.address().port}`));
