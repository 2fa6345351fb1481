#!/usr/bin/env python3
"""Frame times of pan and zoom at 100,000 frames, in headless Chromium (software).

    ninja -C build && python3 ui/dev/measure.py build/ui/ui-dist

Each step changes the window and draws it, and reads a pixel back, so that the drawing
is done when the clock stops."""

import pathlib
import subprocess
import sys

from playwright.sync_api import sync_playwright

HERE = pathlib.Path(__file__).resolve().parent
STEPS = """() => {
  const f = document.querySelector('#flame').flame, out = {};
  const run = (name, n, step) => {
    const ms = [];
    for (let k = 0; k < n; k++) { step(k); ms.push(f.measure()); }
    ms.sort((a, b) => a - b);
    out[name] = {median: ms[n >> 1], p99: ms[Math.floor(n * 0.99)], max: ms[n - 1], boxes: f.drawn.boxes, texts: f.drawn.texts};
  };
  run('whole', 60, () => {});
  run('zoom in', 120, () => f.zoom(1 / 1.05, f.view.width * 0.4));
  run('pan', 120, (k) => f.pan(k % 2 ? 37 : -31));
  run('zoom out', 120, () => f.zoom(1.05));
  out.frames = f.show.tree.n;
  return out;
}"""

# What the reader sees: the time between animation frames while the wheel turns.
RAF = """() => new Promise(done => {
  const f = document.querySelector('#flame').flame, t = [];
  let n = 0;
  const tick = (now) => {
    t.push(now);
    if (n++ < 150) { n < 75 ? f.zoom(1 / 1.05, 500) : f.pan(n % 2 ? 25 : -20); requestAnimationFrame(tick); return; }
    const d = t.slice(1).map((x, k) => x - t[k]).sort((a, b) => a - b);
    done({median: d[d.length >> 1], p95: d[Math.floor(d.length * 0.95)], max: d[d.length - 1]});
  };
  requestAnimationFrame(tick);
})"""

mock = subprocess.Popen(["node", str(HERE / "mock.mjs"), "--port", "0", "--dist", sys.argv[1], "--case", "huge"],
                        stdout=subprocess.PIPE, text=True)
try:
    port = mock.stdout.readline().split()[-1]
    with sync_playwright() as p:
        b = p.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = b.new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"http://127.0.0.1:{port}/?live=0")
        while not page.evaluate("document.querySelector('#flame')?.flame?.drawn.boxes > 0"):
            page.wait_for_timeout(50)
        for name, row in page.evaluate(STEPS).items():
            print(name, row if isinstance(row, int) else {k: round(v, 2) for k, v in row.items()})
        page.evaluate("document.querySelector('#flame').flame.reset()")
        page.wait_for_timeout(400)
        print("between animation frames", {k: round(v, 2) for k, v in page.evaluate(RAF).items()})
        b.close()
finally:
    mock.terminate()
    mock.wait()
