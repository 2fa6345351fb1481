"""`everprof diff`: what it calls a change, what it doesn't, and what it says of itself."""

import json
import re
import subprocess
import time
import urllib.parse

import pytest

from harness import ROOT
from pprof import Builder


@pytest.fixture
def make(tmp_path):
    def write(name, stacks, seconds=10, labels=None, **builder):
        b = Builder(**builder)
        for stack, n in stacks:
            b.add(stack, n if isinstance(n, list) else [n, n * 10_000_000], **(labels or {}).get(stack[0], {}))
        (tmp_path / name).write_bytes(b.gz(duration_ns=seconds * 1_000_000_000))
        return str(tmp_path / name)

    return write


@pytest.fixture
def diff(everprof):
    def run(*arguments, status=0):
        r = subprocess.run([everprof, "diff", *arguments], capture_output=True, text=True, timeout=60)
        assert r.returncode == status, r.stderr
        return r.stdout if status == 0 else r.stderr

    return run


BEFORE = [(["parse", "main"], 400), (["idle", "main"], 600)]


def test_it_says_what_grew_by_how_much_and_how_sure_that_is(make, diff):
    a = make("a.pb.gz", BEFORE)
    b = make("b.pb.gz", [(["parse", "main"], 650), (["idle", "main"], 600)])
    text = diff(a, b)
    assert text.startswith("cpu: 10s -> 12.50s, +2.50s (+25.0%); more than the sampling error of 929.69ms.\n")
    assert "2 functions changed by more than sampling explains." in text
    assert re.search(r"Grew in themselves:\n.*\n +4s +6\.50s +\+2\.50s +635\.\d+ms +\+62\.5%  parse\n", text)
    assert re.search(r"Grew with what they call:\n.*\n(.*\n)* .* main\n", text)
    assert "Values are compared as they are: both took the same time." in text
    assert "idle" not in text.split("May be chance")[0]


def test_one_sample_against_none_is_never_a_regression(make, diff):
    a = make("a.pb.gz", BEFORE)
    b = make("b.pb.gz", [*BEFORE, (["rare", "main"], 1)])
    text = diff(a, b)
    assert "No function changed by more than sampling explains." in text
    assert "1 of them only in B" in text and "New in B" not in text
    rare = next(r for r in json.loads(diff("--json", a, b))["self"] if r["name"] == "rare")
    assert rare["sure"] is False and rare["p"] == 1


def test_new_and_gone_functions_are_told_apart_from_grown_ones(make, diff):
    a = make("a.pb.gz", [*BEFORE, (["old", "main"], 80)])
    b = make("b.pb.gz", [*BEFORE, (["new", "main"], 90)])
    text = diff(a, b)
    assert re.search(r"New in B:\n.*\n +0 +900ms +\+900ms .* new  new\n", text)
    assert re.search(r"Gone in B:\n.*\n +800ms +0 +-800ms .* -100\.0%  old\n", text)


def test_two_files_are_said_to_show_sampling_error_only(make, diff):
    a = make("a.pb.gz", BEFORE)
    assert "how much one run differs from the next they don't show" in " ".join(diff(a, a).split())


def test_durations_that_differ_are_brought_together(make, diff):
    a = make("a.pb.gz", BEFORE, seconds=10)
    b = make("b.pb.gz", [(s, 2 * n) for s, n in BEFORE], seconds=20)
    text = diff(a, b)
    assert "B's values are multiplied by 0.5, to A's duration: they took different times." in text
    assert "No function changed" in text
    assert "2 functions changed" in diff("--normalize", "none", a, b) or "3 functions changed" in diff("--normalize", "none", a, b)


def test_without_durations_shares_are_compared(make, diff):
    a = make("a.pb.gz", BEFORE, seconds=0)
    b = make("b.pb.gz", [(["parse", "main"], 1300), (["idle", "main"], 1200)], seconds=0)
    text = diff(a, b)
    assert text.startswith("cpu: only shares of the total are compared.\n")
    got = json.loads(diff("--json", a, b))
    assert got["scaled_by"] == "total" and got["factor"] == pytest.approx(0.4)
    parse = next(r for r in got["self"] if r["name"] == "parse")
    assert parse["sure"] and parse["change"] == 1_200_000_000


def test_values_of_a_label_can_be_compared(make, diff):
    stacks = [(["x", "main"], 100), (["y", "main"], 100)]
    label = {"x": {"endpoint": "/x"}, "y": {"endpoint": "/y"}}
    a = make("a.pb.gz", stacks, labels=label)
    b = make("b.pb.gz", [(["x", "main"], 100), (["y", "main"], 300)], labels=label)
    text = diff("--group-by", "endpoint", a, b)
    assert re.search(r"Grew:\n.*\n.* /y\n", text) and "1 value changed" in text


def test_heap_samples_weigh_what_they_stand_for(make, diff):
    types = (("alloc_objects", "count"), ("alloc_space", "bytes"), ("inuse_objects", "count"), ("inuse_space", "bytes"))
    period = ("space", "bytes", 524288)
    # One object of 64 MB is one sample; 64 MB of small ones are about 128.
    a = make("a.pb.gz", [(["big"], [1, 64 << 20, 1, 64 << 20]), (["small"], [1 << 20, 64 << 20, 1 << 20, 64 << 20])], types=types, period=period)
    b = make("b.pb.gz", [(["big"], [2, 128 << 20, 2, 128 << 20]), (["small"], [2 << 20, 128 << 20, 2 << 20, 128 << 20])], types=types, period=period)
    got = json.loads(diff("--json", a, b))
    assert got["a"]["samples_by"] == "heap" and got["a"]["samples"] == pytest.approx(129, abs=1)
    sure = {r["name"]: r["sure"] for r in got["self"]}
    assert sure == {"big": False, "small": True}


def test_without_counts_there_is_no_error_and_no_verdict(make, diff):
    types = (("wall", "nanoseconds"),)
    a = make("a.pb.gz", [(["x"], [100])], types=types, period=("", "", 0))
    b = make("b.pb.gz", [(["x"], [300])], types=types, period=("", "", 0))
    text = diff(a, b)
    assert "No sampling error can be given" in text and "sampling explains" not in text


def test_what_cannot_be_compared_is_refused_with_a_reason(make, diff):
    a = make("a.pb.gz", BEFORE)
    other = make("o.pb.gz", [(["x"], [1])], types=(("wall", "nanoseconds"),))
    assert "has values of the type cpu, and" in diff(a, other, status=2)
    assert "it wants two profiles" in diff(a, status=2)
    assert "no such file or directory" in diff(a, "nosuch.pb", status=2)
    assert "--normalize wants auto" in diff("--normalize", "x", a, a, status=2)


def test_a_range_on_a_server_is_an_input(server, make, diff):
    start = int(time.time()) - 1000
    for name, n, at in (("before", 400, start), ("after", 900, start + 100)):
        body = open(make(f"{name}.pb.gz", [(["parse", "main"], n), (["idle", "main"], 600)]), "rb").read()
        query = urllib.parse.urlencode({"name": "shop", "from": at, "until": at + 10, "format": "pprof"})
        status, _, answer = server.api.request(f"/ingest?{query}", body)
        assert status == 200, answer
    a, b = ('{service_name="shop"}@%d..%d' % (t * 1000, t * 1000 + 50_000) for t in (start, start + 100))
    got = json.loads(diff("--json", "--server", server.api.base, a, b))
    sure = {r["name"]: r["sure"] for r in got["self"]}
    assert sure["parse"] and not sure.get("idle")


def test_the_page_shows_what_is_printed(make, diff, tmp_path):
    a = make("before.pb.gz", BEFORE)
    b = make("after.pb.gz", [(["parse", "main"], 650), (["idle", "main"], 604)])
    shown = re.search(r"```\n(.*?)```", (ROOT / "docs/diff.md").read_text(), re.S)[1]
    assert shown == diff(a, b).replace(f"{tmp_path}/", "")
