"""The page's pure modules (layout, URL, names, selectors, diff) under Node's test runner."""

import pathlib
import shutil
import subprocess

UI = pathlib.Path(__file__).resolve().parents[2] / "ui"


def test_the_modules_of_the_page(dist):
    node = shutil.which("node") or shutil.which("nodejs")
    r = subprocess.run([node, "test/run.mjs"], cwd=UI, capture_output=True, text=True, timeout=120)
    assert r.returncode == 0, r.stdout[-6000:] + r.stderr[-2000:]
    assert "pass" in r.stdout


def test_the_page_is_small(dist):
    import gzip

    whole = sum(len(gzip.compress(f.read_bytes())) for f in dist.iterdir())
    assert whole < 200 * 1024


def test_the_page_has_no_inline_code_and_asks_nobody_else(dist):
    html = (dist / "index.html").read_text()
    assert "<style" not in html and "style=" not in html and "onclick" not in html
    assert html.count("<script") == html.count('<script type="module" src="/')
    assert "//" not in html.replace("<!doctype", "")


def test_the_lockfile_names_no_host():
    text = (UI / "package-lock.json").read_text()
    assert '"resolved"' not in text
    assert "registry" not in text
