"""Fixtures of the browser tests: Debian's Chromium, the page on a mock, on a real server."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import time

import pytest
from playwright.sync_api import sync_playwright

from harness import ROOT, Server

CHROMIUM = "/usr/bin/chromium"


class View:
    """The page as its reader sees it, and what went wrong behind it."""

    def __init__(self, page, base, shots):
        self.page, self.base, self.shots = page, base, shots
        self.errors, self.foreign, self.asked = [], [], []
        page.on("pageerror", lambda e: self.errors.append(str(e)))
        page.on("console", lambda m: m.type == "error" and self.errors.append(m.text))
        page.on("request", lambda r: (self.asked if r.url.startswith(base) else self.foreign).append(r.url))

    def open(self, path="/?live=0&service=checkout&from=now-1h"):
        self.page.goto(self.base + path)
        return self

    def wait(self, holds, seconds=20):
        """Wait until a JavaScript expression holds. (Playwright's own wait_for_function
        needs eval, which the page's Content-Security-Policy forbids.)"""
        end = time.monotonic() + seconds
        while not self.page.evaluate(holds):
            assert time.monotonic() < end, f"not within {seconds} s: {holds}"
            self.page.wait_for_timeout(30)

    def drawn(self):
        """Wait until the graph is on the canvas."""
        self.wait("document.querySelector('#flame')?.flame?.drawn.boxes > 0")
        self.still()
        return self

    def still(self):
        """Wait until no request runs, the graph shows the focus of the URL, and no zoom moves."""
        self.wait("""(f => !document.querySelector('.progress.busy, .stale') && (!f || f.motion === null &&
            (!f.show || (p => f.show.tree.depth[f.show.focus] === p.getAll('focus').length + p.getAll('z').length)(new URLSearchParams(location.search))))
            )(document.querySelector('#flame')?.flame)""")
        self.page.evaluate("new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))")

    def where(self, name):
        """Page pixels of the widest visible frame of this name, or None."""
        return self.page.evaluate("n => document.querySelector('#flame').flame.where(n)", name)

    def wait_for(self, name, there=True):
        """Wait until a frame of this name is in sight, or is not, in an answer that is
        the newest."""
        self.wait(f"""(f => f && !document.querySelector('.stale') &&
            (f.where({json.dumps(name)}) !== null) === {json.dumps(there)})(document.querySelector('#flame')?.flame)""")
        self.still()

    def hover(self, name):
        at = self.where(name)
        assert at, f"no frame {name!r} in sight"
        self.page.mouse.move(at["x"], at["y"])
        self.page.evaluate("new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))")
        return self.details()

    def click(self, name):
        at = self.where(name)
        assert at, f"no frame {name!r} in sight"
        self.page.mouse.click(at["x"], at["y"])
        self.still()

    def details(self):
        """The panel at the right as {row: text}, with the name under "name"."""
        rows = self.page.evaluate(
            """() => [['name', document.querySelector('#frame-name')?.textContent ?? ''],
               ...[...document.querySelectorAll('.details .kv')].map(r => [r.children[0].textContent, r.children[1].innerText])]""")
        return {k: re.sub(r"\s+", " ", v).strip() for k, v in rows}

    def share(self, row="total"):
        """The percentage in a row of the details, as a number."""
        m = re.search(r"([\d.]+)\s*%", self.details()[row])
        return float(m.group(1))

    def text(self, selector):
        return re.sub(r"\s+", " ", self.page.inner_text(selector)).strip()

    def query(self):
        """The state in the URL: {key: [values]}."""
        from urllib.parse import parse_qs, urlparse

        return parse_qs(urlparse(self.page.url).query, keep_blank_values=True)

    def shot(self, name):
        if self.shots:
            self.page.mouse.move(2, 2)
            self.page.screenshot(path=self.shots / f"{name}.png")


@pytest.fixture(scope="session")
def shots():
    """Where pictures go: the folder EVERPROF_SCREENSHOTS, else nowhere."""
    folder = os.environ.get("EVERPROF_SCREENSHOTS")
    if not folder:
        return None
    path = pathlib.Path(folder)
    path.mkdir(parents=True, exist_ok=True)
    return path


@pytest.fixture(scope="session")
def chromium():
    if not os.access(CHROMIUM, os.X_OK):
        pytest.fail(f"{CHROMIUM} is missing: apt-get install chromium")
    with sync_playwright() as p:
        b = p.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield b
        b.close()


@pytest.fixture
def look(chromium, shots):
    """look(base, dark=False, size=…) opens a View; at the end nothing may have gone wrong."""
    contexts, views = [], []

    def make(base, dark=False, size=(1440, 900), errors=False):
        c = chromium.new_context(
            viewport={"width": size[0], "height": size[1]}, color_scheme="dark" if dark else "light",
            timezone_id="UTC", locale="en-GB")
        c.set_default_timeout(20_000)
        contexts.append(c)
        v = View(c.new_page(), base, shots)
        v.errors_expected = errors
        views.append(v)
        return v

    yield make
    for c in contexts:
        c.close()
    for v in views:
        assert v.foreign == [], "the page asked elsewhere"
        assert v.errors_expected or v.errors == [], "the page had errors"


@pytest.fixture(scope="session")
def dist(build):
    """The files of the page as they are in the binary."""
    path = build / "ui" / "ui-dist"
    assert (path / "index.html").exists(), f"{path}: build with -Dui=true first"
    return path


@contextlib.contextmanager
def running_mock(dist, case):
    node = shutil.which("node") or shutil.which("nodejs")
    p = subprocess.Popen(
        [node, str(ROOT / "ui" / "dev" / "mock.mjs"), "--port", "0", "--dist", str(dist), "--case", case],
        stdout=subprocess.PIPE, text=True)
    try:
        yield "http://127.0.0.1:" + p.stdout.readline().split()[-1]
    finally:
        p.terminate()
        p.wait(10)


@pytest.fixture
def mock(dist):
    """mock(case) starts a server with generated data and returns its address."""
    with contextlib.ExitStack() as stack:
        yield lambda case="shop": stack.enter_context(running_mock(dist, case))


@pytest.fixture
def served(everprof, tmp_path):
    """A real, empty `everprof serve`."""
    s = Server(everprof, tmp_path / "data").start()
    yield s
    if s.process.poll() is None:
        s.stop()
