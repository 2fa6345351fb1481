#!/usr/bin/env python3
"""The pictures of the README, from a running everprof with the shop under load.

    ./run demo                                        # for a quarter of an hour, then
    build-test/venv/bin/python ui/dev/pictures.py http://127.0.0.1:4040 docs/images"""

import pathlib
import sys

from playwright.sync_api import sync_playwright

PICTURES = (("flamegraph-dark", "/?service=shop&by=endpoint&live=0", "dark"),
            ("flamegraph-light", "/?service=shop&by=endpoint&live=0", "light"))
DRAWN = "document.querySelector('#flame')?.flame?.drawn.boxes > 0 && !document.querySelector('.progress.busy, .stale')"

base, folder = sys.argv[1], pathlib.Path(sys.argv[2])
with sync_playwright() as p:
    browser = p.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
    for name, path, scheme in PICTURES:
        page = browser.new_page(viewport={"width": 1440, "height": 900}, color_scheme=scheme, timezone_id="UTC")
        page.goto(base + path)
        while not page.evaluate(DRAWN):
            page.wait_for_timeout(100)
        page.wait_for_timeout(500)  # lines and zoom have come to rest
        page.screenshot(path=folder / f"{name}.png")
        page.close()
    browser.close()
