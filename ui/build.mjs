// Builds the page: checks types, bundles into dist/, and, for the binary, writes the
// files of dist/ as C source (the table of src/api/assets.h) and a dependency file, so
// that ninja runs this again only when something it read has changed.
//
//   node build.mjs                         dist/ only
//   node build.mjs --c OUT.c --dep OUT.d   also for the binary
//
// Needs the network only when node_modules/ does not match package-lock.json.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const ROOT = path.dirname(fileURLToPath(import.meta.url));
const at = (...p) => path.join(ROOT, ...p);
const TYPES = {
	".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8",
	".css": "text/css; charset=utf-8", ".svg": "image/svg+xml",
};
const LIMIT = 200 * 1024;

function fail(sentence) {
	console.error("ui: " + sentence);
	process.exit(1);
}

const sha = (data, n) => createHash("sha256").update(data).digest("hex").slice(0, n);

/** Two builds may start at once, in two build folders: the second waits. */
function locked(fn) {
	const lock = at("node_modules.lock");
	for (let tries = 0; ; tries++) {
		try {
			fs.mkdirSync(lock);
			break;
		} catch (e) {
			if (e.code !== "EEXIST") throw e;
			if (tries > 1200) fail(`another build holds ${lock}; remove it if there is none`);
			Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
		}
	}
	try {
		return fn();
	} finally {
		fs.rmdirSync(lock);
	}
}

function install() {
	const want = sha(fs.readFileSync(at("package-lock.json")), 64);
	const stamp = at("node_modules", ".everprof-lock");
	const have = () => (fs.existsSync(stamp) ? fs.readFileSync(stamp, "utf8") : "");
	if (have() === want) return;
	locked(() => {
		if (have() === want) return;
		const r = spawnSync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
			{ cwd: ROOT, stdio: ["ignore", "pipe", "pipe"], encoding: "utf8" });
		if (r.error) fail(`npm could not be started (${r.error.code}); install npm, or configure with -Dui=false`);
		if (r.status !== 0) fail(`npm ci failed; the network is needed once:\n${r.stdout}${r.stderr}`);
		fs.writeFileSync(stamp, want);
	});
}

function checkTypes() {
	const r = spawnSync(process.execPath, [at("node_modules/typescript/bin/tsc"), "--noEmit", "-p", ROOT],
		{ stdio: "inherit" });
	if (r.status !== 0) fail("the types do not fit");
}

async function bundle(out) {
	const esbuild = await import("esbuild");
	const r = await esbuild.build({
		absWorkingDir: ROOT, entryPoints: ["src/main.tsx"], bundle: true, minify: true,
		format: "esm", target: "es2021", charset: "utf8", legalComments: "none",
		jsx: "automatic", jsxImportSource: "preact", outdir: out, entryNames: "app-[hash]",
		metafile: true, write: true, logLevel: "warning",
	});
	return r.metafile;
}

/** dist/ from scratch; returns its files by path, and what was read to make them. */
async function makeDist(out) {
	fs.rmSync(out, { recursive: true, force: true });
	fs.mkdirSync(out, { recursive: true });
	const meta = await bundle(out);
	const made = fs.readdirSync(out);
	const js = made.find((f) => f.endsWith(".js"));
	const css = made.find((f) => f.endsWith(".css"));
	const html = fs.readFileSync(at("src/index.html"), "utf8").replace("APP_JS", js).replace("APP_CSS", css);
	fs.writeFileSync(path.join(out, "index.html"), html);
	fs.copyFileSync(at("src/favicon.svg"), path.join(out, "favicon.svg"));
	const read = [...Object.keys(meta.inputs), "src/index.html", "src/favicon.svg", "build.mjs",
		"package-lock.json", "package.json", "tsconfig.json"];
	return { files: fs.readdirSync(out).sort(), read: read.map((f) => at(f)) };
}

function cArray(name, data) {
	const lines = [];
	for (let i = 0; i < data.length; i += 24) lines.push("\t" + [...data.subarray(i, i + 24)].join(","));
	return `static const unsigned char ${name}[] = {\n${lines.join(",\n")}\n};\n`;
}

function cSource(out, files) {
	let arrays = "", rows = "";
	files.forEach((f, i) => {
		const data = fs.readFileSync(path.join(out, f));
		const packed = gzipSync(data, { level: 9 });
		arrays += cArray(`file_${i}`, data) + cArray(`gzip_${i}`, packed);
		const url = f === "index.html" ? "/" : "/" + f;
		rows += `\t{"${url}", "${TYPES[path.extname(f)]}", file_${i}, sizeof(file_${i}), ` +
			`gzip_${i}, sizeof(gzip_${i}), "\\"${sha(data, 16)}\\""},\n`;
	});
	return "/* Made by ui/build.mjs from the files of the page. */\n#include \"api/assets.h\"\n\n" +
		`${arrays}\nconst struct ep_asset ep_assets[] = {\n${rows}};\n` +
		`const size_t ep_n_assets = sizeof(ep_assets) / sizeof(ep_assets[0]);\n`;
}

function option(name) {
	const i = process.argv.indexOf(name);
	return i < 0 ? null : process.argv[i + 1];
}

const c = option("--c");
// Each build folder has a dist of its own, so that two builds never mix.
const out = c === null ? at("dist") : path.resolve(path.dirname(c), "ui-dist");
install();
checkTypes();
const { files, read } = await makeDist(out);
const sizes = files.map((f) => gzipSync(fs.readFileSync(path.join(out, f))).length);
const whole = sizes.reduce((a, b) => a + b, 0);
if (whole > LIMIT) fail(`the page is ${whole} bytes gzipped, more than ${LIMIT}`);
if (c === null) console.log(`ui: ${out}, ${(whole / 1024).toFixed(1)} KB gzipped`);
if (c !== null) {
	fs.writeFileSync(c, cSource(out, files));
	const escape = (f) => f.replace(/[ #]/g, "\\$&");
	fs.writeFileSync(option("--dep"), `${escape(c)}: ${read.map(escape).join(" ")}\n`);
}
