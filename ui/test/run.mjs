// Bundles each test with esbuild and runs them with Node's own test runner.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = path.dirname(fileURLToPath(import.meta.url));
const out = fs.mkdtempSync(path.join(os.tmpdir(), "everprof-ui-test-"));
try {
	await build({
		entryPoints: fs.readdirSync(here).filter((f) => f.endsWith(".test.ts")).map((f) => path.join(here, f)),
		bundle: true, platform: "node", format: "esm", outdir: out, outExtension: { ".js": ".mjs" },
		external: ["node:*"], logLevel: "warning",
	});
	const files = fs.readdirSync(out).map((f) => path.join(out, f));
	const r = spawnSync(process.execPath, ["--test", ...files], { stdio: "inherit" });
	process.exitCode = r.status ?? 1;
} finally {
	fs.rmSync(out, { recursive: true, force: true });
}
