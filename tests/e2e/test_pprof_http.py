"""`everprof pprof -http`: the routes, who may ask, and what they answer."""

import gzip
import http.client
import json
import os
import re
import stat
import subprocess
import urllib.parse

import pytest

import pprof
from harness import Api, free_port, need, stop, wait_until


def shop():
    b = pprof.Builder()
    b.add(["hash", "handle", "main"], [6, 60_000_000], endpoint="/cart", tenant="a")
    b.add(["parse", "handle", "main"], [3, 30_000_000], endpoint="/pay,now", tenant="b")
    b.add(["gc", "main"], [1, 10_000_000])
    return b.gz()


def after():
    b = pprof.Builder()
    b.add(["hash", "handle", "main"], [2, 20_000_000], endpoint="/cart", tenant="a")
    b.add(["parse", "handle", "main"], [9, 90_000_000])
    return b.gz()


class Page(Api):
    """A running page."""

    def __init__(self, everprof, home, *args, host="localhost", port="", env=None):
        self.process = subprocess.Popen(
            [everprof, "pprof", f"-http={host}:{port}", "-no_browser", "-symbolize=none", *map(str, args)], stderr=subprocess.PIPE,
            text=True, env={**os.environ, "HOME": str(home), "XDG_CONFIG_HOME": str(home / "config"), **(env or {})})
        self.said = []
        for line in self.process.stderr:
            self.said.append(line.rstrip("\n"))
            if line.startswith("Serving web UI on "):
                break
        url = self.said[-1].removeprefix("Serving web UI on ")
        super().__init__(url.replace("localhost", "127.0.0.1"))
        self.url = url

    def ask(self, path, method="GET", headers=None):
        """(status, headers, body); redirects are not followed."""
        c = http.client.HTTPConnection(urllib.parse.urlsplit(self.base).netloc, timeout=60)
        c.request(method, path, headers=headers or {})
        r = c.getresponse()
        out = r.status, r.headers, r.read()
        c.close()
        return out

    def question(self, route, **params):
        return self.get(f"/api/v1/pprof/{route}", **params)


@pytest.fixture
def page(everprof, tmp_path):
    """page(args…) starts the page on shop.pb.gz, or on other files."""
    pages = []
    (tmp_path / "shop.pb.gz").write_bytes(shop())
    (tmp_path / "after.pb.gz").write_bytes(after())

    def start(*args, **more):
        pages.append(Page(everprof, tmp_path, *(args or [tmp_path / "shop.pb.gz"]), **more))
        return pages[-1]

    yield start
    for p in pages:
        stop(p.process)
        p.process.stderr.close()


def tree(t):
    """{path: (self, total)} of an answer."""
    out, path = {}, []
    n = t["node"]
    for i, depth in enumerate(n["depth"]):
        path[depth:] = [t["names"][n["name"][i]]]
        out["/".join(path)] = (n["self"][i], n["total"][i])
    return out


MS = 1_000_000


# --- the address ------------------------------------------------------------------------


def test_it_says_where_it_serves(page):
    p = page()
    assert re.fullmatch(r"http://localhost:\d+", p.url) and p.said == [f"Serving web UI on {p.url}"]
    port = free_port()
    assert page(host="", port=port, *()).url == f"http://localhost:{port}"
    assert page(host="127.0.0.1").url.startswith("http://127.0.0.1:")


@pytest.mark.parametrize("flag, words", [
    ("nothing", "could not split http address: address nothing: missing port in address"),
    ("a:b:1", "could not split http address: address a:b:1: too many colons in address"),
    ("localhost:x", 'invalid port number: strconv.Atoi: parsing "x": invalid syntax'),
])
def test_a_wrong_address_is_refused_as_the_reference_does(everprof, tmp_path, flag, words):
    (tmp_path / "a.pb.gz").write_bytes(shop())
    out = subprocess.run([everprof, "pprof", f"-http={flag}", "-no_browser", "-symbolize=none", tmp_path / "a.pb.gz"],
                         capture_output=True, text=True, timeout=60, check=False)
    assert (out.returncode, out.stderr, out.stdout) == (2, words + "\n", "")


def test_a_port_that_is_taken_is_said(page, everprof, tmp_path):
    taken = page().url.rsplit(":", 1)[1]
    out = subprocess.run([everprof, "pprof", f"-http=localhost:{taken}", "-no_browser", "-symbolize=none", tmp_path / "shop.pb.gz"],
                         capture_output=True, text=True, timeout=60, check=False)
    assert (out.returncode, out.stdout) == (2, "")
    assert taken in out.stderr and "in use" in out.stderr


def test_a_name_that_is_not_there_is_said(everprof, tmp_path):
    (tmp_path / "a.pb.gz").write_bytes(shop())
    out = subprocess.run([everprof, "pprof", "-http=no.such.host.invalid:", "-no_browser", "-symbolize=none", tmp_path / "a.pb.gz"],
                         capture_output=True, text=True, timeout=60, check=False)
    assert out.returncode == 2 and out.stderr.startswith("listen tcp: lookup no.such.host.invalid: ")


def test_a_browser_is_opened_on_the_flags(everprof, tmp_path):
    (tmp_path / "a.pb.gz").write_bytes(shop())
    (tmp_path / "browser").write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/opened.new\nmv {tmp_path}/opened.new {tmp_path}/opened\n')
    (tmp_path / "browser").chmod(0o755)
    p = subprocess.Popen([everprof, "pprof", "-http=localhost:", "-symbolize=none", "-focus=a b", "-lines", "-trim=false", tmp_path / "a.pb.gz"],
                         stderr=subprocess.PIPE, text=True, env={**os.environ, "BROWSER": str(tmp_path / "browser")})
    try:
        url = p.stderr.readline().split()[-1]
        opened = wait_until("the browser", lambda: (tmp_path / "opened").exists() and (tmp_path / "opened").read_text())
        assert opened.strip() == f"{url}?trim=f&f=a%20b&g=lines"
    finally:
        stop(p)
        p.stderr.close()


# --- routes -----------------------------------------------------------------------------


def test_routes_of_the_reference(page, tmp_path):
    p = page("-focus=hash", tmp_path / "shop.pb.gz")
    where = lambda path: (lambda s, h, _: (s, h["Location"]))(*p.ask(path))
    assert where("/") == (302, "/ui/flamegraph?f=hash")
    assert where("/?g=lines") == (302, "/ui/flamegraph?g=lines")
    assert where("/ui/") == (302, "/ui/flamegraph?f=hash")
    assert where("/top?f=x") == (307, "/ui/top?f=x")
    assert where("/ui/flamegraph2?f=x") == (301, "flamegraph?f=x")
    for view in ("flamegraph", "top", "graph", "peek", "source", "disasm"):
        status, headers, body = p.ask(f"/ui/{view}?f=x")
        assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
        assert "script-src 'self'" in headers["Content-Security-Policy"]
    for ref in re.findall(rb'(?:src|href)="(/[^"]+)"', body):
        assert p.ask(ref.decode())[0] == 200
    for path in ("/ui/download", "/download"):
        status, headers, body = p.ask(path)
        assert headers["Content-Disposition"] == "attachment;filename=profile.pb.gz"
        assert headers["Content-Type"] == "application/vnd.google.protobuf+gzip"
        assert b"/pay,now" in gzip.decompress(body)
    assert p.ask("/ui/saveconfig")[0] in (302, 405)
    assert p.ask("/no.js")[0] == 404


def test_only_this_machine_under_its_own_name_may_ask(page):
    p = page()
    netloc = urllib.parse.urlsplit(p.base).netloc
    for host in ("localhost", "127.0.0.1", f"localhost:{netloc.split(':')[1]}", "[::1]:80"):
        assert p.ask("/ui/top", headers={"Host": host})[0] == 200, host
    for host in ("evil.example", "127.0.0.1.evil.example", ""):
        status, _, body = p.ask("/ui/download", headers={"Host": host})
        assert (status, body) == (403, b"permission denied\n"), host
    assert p.ask("/ui/saveconfig?config=x", "POST", {"Origin": "http://evil.example"})[0] == 403
    assert p.ask("/api/v1/pprof/info", headers={"Origin": f"http://{netloc}"})[0] == 200


# --- answers ----------------------------------------------------------------------------


def test_what_the_profile_is(page):
    i = page().question("info", f="hash")
    assert [(t["name"], t["unit"], t["total"]) for t in i["types"]] == [
        ("samples", "count", 10), ("cpu", "nanoseconds", 100 * MS)]
    assert (i["column"], i["diff"], i["configs"]) == (1, "", [])
    assert "Type: cpu" in i["header"] and any("Total samples = 100ms" in line for line in i["header"])


def test_a_comparison_of_heaps_knows_the_same_errors_as_diff(page, everprof, data):
    """Objects are estimates, not samples: one sampled allocation against none is chance."""
    real = data / "pprof" / "real"
    a, b = real / "delta_heap.1.pb.gz", real / "delta_heap.2.pb.gz"
    said = json.loads(subprocess.run([everprof, "diff", "--json", "--limit=1000", a, b], check=True, capture_output=True, timeout=60).stdout)
    p = page(f"-diff_base={a}", b)
    tree = p.question("flamegraph")["tree"]
    assert [tree["ledger"]["samples"], tree["ledger_b"]["samples"]] == [round(said[s]["samples"]) for s in "ab"]
    whole = tree["total_a"] + tree["total_b"]
    assert 1.959964 * (tree["per_sample"] * whole) ** .5 == pytest.approx(said["total"]["error"], rel=1e-3)
    assert len(tree["node"]["per_sample"]) == len(tree["node"]["name"]) and min(tree["node"]["per_sample"]) > 0
    rows = {r["name"]: r for r in p.question("top")["rows"]}
    compared = [c for c in said["self"] if c["name"] in rows]
    assert len(compared) >= 5
    for c in compared:
        assert 1.959964 * sum(rows[c["name"]]["self_variance"]) ** .5 == pytest.approx(c["error"], rel=1e-3, abs=2)


def test_the_flame_graph_is_the_stacks(page):
    p = page()
    a = p.question("flamegraph")
    assert a["whole"] == 100 * MS
    assert tree(a["tree"]) == {
        "total": (0, 100 * MS), "total/main": (0, 100 * MS), "total/main/gc": (10 * MS, 10 * MS),
        "total/main/handle": (0, 90 * MS), "total/main/handle/hash": (60 * MS, 60 * MS),
        "total/main/handle/parse": (30 * MS, 30 * MS)}
    assert tree(p.question("flamegraph", si="samples")["tree"])["total"] == (0, 10)


def test_a_graph_that_is_cut_says_what_is_missing_and_gives_it_when_asked(page):
    p = page()
    t = p.question("flamegraph", max_nodes=3)["tree"]
    assert list(tree(t)) == ["total", "total/main", "total/main/handle"]
    assert t["node"]["more"] == [0, 10 * MS, 90 * MS]
    t = p.question("flamegraph", path_=["main", "handle"])["tree"]
    assert tree(t)["total/main/handle/hash"] == (60 * MS, 60 * MS) and "total/main/gc" not in tree(t)


def test_refine_has_the_parameters_of_the_reference(page):
    p = page()
    names = lambda **q: sorted(set(tree(p.question("flamegraph", **q)["tree"])) - {"total"})
    assert names(f="hash") == ["total/main", "total/main/handle", "total/main/handle/hash"]
    assert names(i="handle") == ["total/main", "total/main/gc"]
    assert "total/main/hash" in names(h="^handle$")
    assert names(s="hash|parse") == ["total/hash", "total/parse"]
    assert names(sf="handle") == ["total/handle", "total/handle/hash", "total/handle/parse"]
    assert names(tf="endpoint=/cart") == names(f="hash")
    assert names(ti="endpoint=/cart") == ["total/main", "total/main/gc", "total/main/handle", "total/main/handle/parse"]
    assert "total/a/main" in names(tagroot="tenant")
    a = p.question("flamegraph", f="nothing")
    assert "Focus expression matched no samples" in a["notes"]


def test_a_wrong_option_is_a_400_with_the_sentence_of_the_reference(page):
    p = page()
    for query, words in (("f=%28", "parsing focus regexp"), ("g=x", 'invalid "granularity" value "x"'),
                         ("n=x", 'strconv.Atoi: parsing "x": invalid syntax'), ("trim=maybe", "illegal value")):
        status, _, body = p.ask(f"/api/v1/pprof/flamegraph?{query}")
        assert status == 400 and words in json.loads(body)["error"], body


def test_the_table_counts_recursion_once(page, tmp_path):
    (tmp_path / "r.pb.gz").write_bytes(pprof.Builder().add(["f", "g", "f", "main"], [1, 10]).gz())
    t = page(tmp_path / "r.pb.gz").question("top")
    assert [(r["name"], r["self"], r["total"]) for r in t["rows"]] == [("f", 10, 10), ("g", 0, 10), ("main", 0, 10)]
    assert (t["total"], t["count"]) == (10, 3)


def test_labels_come_with_the_filter_that_finds_them(page):
    p = page()
    tags = {t["name"]: t for t in p.question("tags")["tags"]}
    assert [(v["value"], v["total"]) for v in tags["endpoint"]["values"]] == [("/cart", 60 * MS), ("/pay,now", 30 * MS)]
    for v in tags["endpoint"]["values"]:
        t = tree(p.question("flamegraph", tf="endpoint=" + v["filter"])["tree"])
        assert t["total"][1] == v["total"], v


def test_two_profiles_have_two_sides(page, tmp_path):
    p = page("-diff_base=" + str(tmp_path / "shop.pb.gz"), tmp_path / "after.pb.gz")
    assert p.question("info")["diff"] == "compare"
    t = p.question("flamegraph")["tree"]
    assert (t["total_a"], t["total_b"]) == (100 * MS, 110 * MS)
    n = t["node"]
    i = [k for k, x in enumerate(n["name"]) if t["names"][x] == "parse"][0]
    assert (n["self"][i], n["self_b"][i]) == (30 * MS, 90 * MS)
    row = {r["name"]: r for r in p.question("top")["rows"]}["hash"]
    assert (row["self"], row["self_b"], row["total"], row["total_b"]) == (60 * MS, 20 * MS, 60 * MS, 20 * MS)


def test_a_base_that_is_subtracted_leaves_the_difference(page, tmp_path):
    p = page("-base=" + str(tmp_path / "shop.pb.gz"), tmp_path / "after.pb.gz")
    assert p.question("info")["diff"] == "net"


# --- reports ----------------------------------------------------------------------------


@pytest.mark.parametrize("kind, flag", [("text", "-text"), ("tree", "-tree"), ("traces", "-traces"), ("tags", "-tags"),
                                        ("raw", "-raw"), ("dot", "-dot")])
def test_a_report_is_what_the_command_line_prints(page, everprof, tmp_path, kind, flag):
    text = page().question("report", kind=kind)["text"]
    out = subprocess.run([everprof, "pprof", flag, tmp_path / "shop.pb.gz"], capture_output=True, text=True, timeout=60, check=True)
    assert text == out.stdout


def test_peek_is_by_line(page, everprof, tmp_path):
    text = page().question("report", kind="peek", f="hash")["text"]
    out = subprocess.run([everprof, "pprof", "-peek=hash", "-focus=hash", "-lines", tmp_path / "shop.pb.gz"],
                         capture_output=True, text=True, timeout=60, check=True)
    assert text == out.stdout


def test_the_graph_is_drawn_or_says_what_is_missing(page, tmp_path):
    need("dot")
    svg = page().question("report", kind="graph")["text"]
    assert "<svg" in svg and "hash" in svg and "Type: cpu" not in svg
    (tmp_path / "empty").mkdir()
    status, _, body = page(tmp_path / "shop.pb.gz", env={"PATH": str(tmp_path / "empty")}).ask("/api/v1/pprof/report?kind=graph")
    assert (status, json.loads(body)["error"]) == (501, "Could not execute dot; may need to install graphviz.")


def test_a_report_that_cannot_be_made_is_a_400(page):
    p = page()
    assert p.ask("/api/v1/pprof/report?kind=peek&f=nobody")[0] == 400
    assert p.ask("/api/v1/pprof/report?kind=nothing")[0] == 400


# --- saved configs ----------------------------------------------------------------------


def settings(tmp_path):
    return tmp_path / "config" / "pprof" / "settings.json"


def test_configs_are_saved_changed_and_deleted(page, tmp_path):
    p = page()
    assert p.ask("/ui/saveconfig?config=one%3Ctwo&f=hash&g=lines&trim=f&n=5&si=samples&sort=cum", "POST")[0] == 200
    assert p.question("info")["configs"] == [
        {"name": "one<two", "params": {"f": "hash", "g": "lines", "trim": "f", "n": "5", "sort": "cum"}}]
    assert json.loads(settings(tmp_path).read_text()) == {"configs": [{
        "name": "one<two", "unit": "minimum", "sort": "cum", "nodecount": 5, "nodefraction": 0.005,
        "edgefraction": 0.001, "focus": "hash", "granularity": "lines"}]}
    assert stat.S_IMODE(settings(tmp_path).parent.stat().st_mode) == 0o700
    assert p.ask("/ui/saveconfig?config=one%3Ctwo", "POST")[0] == 200
    assert p.question("info")["configs"] == [{"name": "one<two", "params": {}}]
    status, _, body = p.ask("/ui/deleteconfig?config=none", "DELETE")
    assert status == 400 and json.loads(body)["error"] == "config none not found"
    assert p.ask("/ui/deleteconfig?config=one%3Ctwo", "DELETE")[0] == 200
    assert p.question("info")["configs"] == []
    status, _, body = p.ask("/ui/saveconfig?f=x", "POST")
    assert status == 400 and json.loads(body)["error"] == "invalid config name"


def test_settings_of_the_reference_are_read(page, tmp_path):
    settings(tmp_path).parent.mkdir(parents=True)
    settings(tmp_path).write_text(json.dumps({"configs": [
        {"name": "ref", "call_tree": True, "unit": "minimum", "sort": "flat", "nodecount": -1, "nodefraction": 0.01,
         "edgefraction": 0.001, "trim": True, "hide": "^runtime\\."}]}))
    assert page().question("info")["configs"] == [{"name": "ref", "params": {"calltree": "t", "nf": "0.01", "h": "^runtime\\."}}]


def test_settings_that_cannot_be_read_are_left_alone(page, tmp_path):
    settings(tmp_path).parent.mkdir(parents=True)
    settings(tmp_path).write_text("{broken")
    p = page()
    assert "could not parse settings" in p.question("info")["configs_error"]
    assert p.ask("/ui/saveconfig?config=x", "POST")[0] == 400
    assert settings(tmp_path).read_text() == "{broken"
