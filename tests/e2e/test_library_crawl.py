"""Every route of /debug/pprof, asked in every way, answers what docs/debug-pprof.md says."""

import collections
import json
import re
import subprocess

import pytest

from harness import ROOT, need
from test_library import compiled  # noqa: F401  (a fixture)
from test_library_http import TOKEN, Program

COLUMNS = ["no token", "a wrong one", "a right one", "`seconds=3600`", "100 at once", "100 with `seconds=3600`"]
CUT = "cut"  # what curl calls 000


def documented():
    """{route: [answers allowed in each column]} of the table."""
    text = (ROOT / "docs/debug-pprof.md").read_text().split("## Every route\n")[1].split("\n## ")[0]
    rows = [[c.strip() for c in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]
    assert rows[0] == ["route", *COLUMNS]
    table = {}
    for routes, *cells in rows[2:]:
        for route in re.findall(r"`([^`]+)`", routes):
            table[route] = [set(re.findall(r"\d{3}|cut", c)) for c in cells]
    return table


@pytest.fixture(scope="module")
def program(compiled, tmp_path_factory):  # noqa: F811
    tokens = tmp_path_factory.mktemp("crawl") / "tokens"
    tokens.write_text(TOKEN + "\n")
    # Captures of a second at most; by default it is a minute.
    with Program([compiled("server"), "clamped"], EVERPROF_TOKEN_FILE=tokens, EVERPROF_TYPES="cpu,heap,mutex,block,threads") as p:
        yield p


def crawl(program, path, token=None, times=1):
    """{status: how often}"""
    curl = [need("curl"), "-s", "-o", "/dev/null", "-w", "%{http_code}\n", "-m", "60"]
    if token:
        curl += ["-H", f"Authorization: Bearer {token}"]
    if times > 1:
        path += ("&" if "?" in path else "?") + f"n=[1-{times}]"
        curl += ["-Z", "--parallel-immediate", "--parallel-max", str(times)]
    out = subprocess.run([*curl, f"http://{program.address}{path}"], capture_output=True, text=True, timeout=120).stdout
    return collections.Counter(CUT if s == "000" else s for s in out.split())


TABLE = documented()


def test_the_table_has_every_route(program):
    names = {r["name"] for r in json.loads(program.get("/debug/pprof/?format=json", Authorization=f"Bearer {TOKEN}")[2])["profiles"]}
    shown = {r.rsplit("/", 1)[1] for r in TABLE}
    assert names - {"connections"} <= shown and "NAME" in shown


@pytest.mark.parametrize("route", TABLE)
def test_each_way_to_ask(program, route):
    path = route.replace("NAME", "connections")
    long = f"{path}?seconds=3600"
    answers = [
        crawl(program, path),
        crawl(program, path, f"{TOKEN}x"),
        crawl(program, path, TOKEN),
        crawl(program, long, TOKEN),
        crawl(program, path, TOKEN, 100),
        crawl(program, long, TOKEN, 100),
    ]
    for column, got, allowed in zip(COLUMNS, answers, TABLE[route]):
        print(f"{route} {column}: {dict(got)}")
        assert set(got) <= allowed, column
        assert sum(got.values()) == (100 if column.startswith("100") else 1)
        assert set(got) - {CUT, "429"}, f"{column}: somebody is served"
    assert crawl(program, "/debug/pprof/", TOKEN) == {"200": 1}, "and it goes on"
