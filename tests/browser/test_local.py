"""The page on one file, `everprof pprof -http`, in Chromium."""

import json
import os
import re
import subprocess
from urllib.parse import parse_qs, unquote, urlparse

import pytest

import pprof
from harness import need, stop

VIEWS = ("flamegraph", "top", "tree", "graph", "peek?f=Checkout", "source?f=Checkout", "disasm?f=Checkout")


@pytest.fixture
def local(everprof, look, tmp_path):
    """local(files…) opens the page on them; with its process in .process."""
    started = []

    def start(*files, path="/", dark=False, errors=False, size=(1440, 900), settle=True):
        p = subprocess.Popen(
            [everprof, "pprof", "-http=localhost:", "-no_browser", *map(str, files)], stderr=subprocess.PIPE, text=True,
            env={**os.environ, "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "config")})
        started.append(p)
        base = next(line.split()[-1] for line in p.stderr if line.startswith("Serving web UI on "))
        v = look(base, dark=dark, errors=errors, size=size).open(path)
        v.process = p
        if settle:
            v.page.wait_for_selector("#total")
            v.wait("!document.querySelector('.progress.busy, .stale, .loading')")
        return v

    yield start
    for p in started:
        stop(p)
        p.stderr.close()


@pytest.fixture
def before(data):
    return data / "browser" / "go-before.pb.gz"


@pytest.fixture
def after(data):
    return data / "browser" / "go-after.pb.gz"


def query(v):
    return {k: x[0] for k, x in parse_qs(urlparse(v.page.url).query, keep_blank_values=True).items()}


def path(v):
    return urlparse(v.page.url).path


def settled(v):
    v.wait("!document.querySelector('.progress.busy, .stale, .loading')")
    v.page.evaluate("new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))")


def test_it_opens_on_the_flame_graph(local, before):
    v = local(before).drawn()
    assert path(v) == "/ui/flamegraph"
    assert v.text("#about") == "pyro" and v.text("#total") == "720 ms"
    d = v.hover("goclients/work.Hash")
    assert d["total"].startswith("270 ms")
    assert "72 samples" in v.text(".ledger")
    v.shot("local-flame-light")


def test_about_has_the_header_of_reports(local, before):
    v = local(before).drawn()
    v.page.click("#about")
    assert "Type: cpu" in v.text(".about") and "Total samples = 720ms (14.38%)" in v.text(".about")


def test_a_click_zooms_and_back_returns(local, before):
    v = local(before).drawn()
    v.click("goclients/work.Cart")
    assert parse_qs(urlparse(v.page.url).query)["z"][-1] == "goclients/work.Cart"
    assert v.where("goclients/work.Checkout") is None
    v.page.go_back()
    v.wait_for("goclients/work.Checkout")


@pytest.mark.parametrize("key, option, gone", [("f", "f", "goclients/work.Checkout"), ("i", "i", "goclients/work.Cart"),
                                               ("r", "sf", "runtime.main")])
def test_keys_refine_by_the_chosen_frame(local, before, key, option, gone):
    v = local(before).drawn()
    v.click("goclients/work.Cart")
    v.page.keyboard.press(key)
    v.wait(f"location.search.includes('{option}=')")
    settled(v)
    assert query(v)[option] == "^goclients/work\\.Cart$"
    v.drawn()
    assert v.where(gone) is None
    assert v.page.locator(".filter-chip").count() == 1
    v.page.click(".filter-chip button")
    v.wait_for(gone)


def test_rows_of_the_table_refine(local, before):
    v = local(before, path="/ui/top")
    assert v.text("table.top tbody tr:first-child").startswith("270 ms 37.5 % 37.5 % 270 ms 37.5 %")
    v.page.click("table.top tbody tr:nth-child(1)")
    v.page.click("table.top tbody tr:nth-child(3)")
    assert v.text("#refine") == "refine 2 functions"
    v.page.click("#refine")
    v.page.click("#refine-i")
    settled(v)
    assert query(v)["i"] == ("^crypto/internal/fips140/sha256\\.blockSHANI$|"
                             "^compress/flate\\.\\(\\*compressor\\)\\.findMatch$")
    assert v.text("#total").startswith("410 ms · 56.9 % of 720 ms")
    v.shot("local-top-light")
    v.page.click("table.top tbody tr:nth-child(1)")
    v.page.click("#refine")
    v.page.click("#refine-i")
    settled(v)
    assert query(v)["i"].endswith("findMatch$") and query(v)["i"].count("|") == 2  # ignore adds
    v.page.click("#refine")
    v.page.click("#refine-reset")
    settled(v)
    assert query(v) == {} and v.text("#total") == "720 ms"


def test_a_search_refines_too(local, before):
    v = local(before, path="/ui/flamegraph?p=Ca.t").drawn()
    assert v.page.input_value("#search") == "Ca.t" and "of" in v.text("#found")
    v.page.click("#refine")
    v.page.click("#refine-f")
    settled(v)
    assert query(v)["f"] == "Ca.t"


def test_sample_types_switch(local, before):
    v = local(before).drawn()
    v.page.click("#type")
    v.page.click(".panel >> text=samples")
    settled(v)
    assert query(v)["si"] == "samples" and v.text("#total").startswith("72")
    assert v.text("#type") == "samples"


def test_labels_filter_and_split(local, before):
    v = local(before).drawn()
    v.page.click("#tags")
    v.page.click(".panel button:has-text('controller')")
    assert [re.sub(r"\s+", " ", t) for t in v.page.locator(".values li").all_inner_texts()][0].startswith("checkout 68.8 %")
    v.page.click(".values button:has-text('cart')")
    settled(v)
    assert query(v)["tf"] == "controller=^cart$" and v.text("#total").startswith("170 ms")
    v.page.click("#tags")
    v.page.click(".panel button:has-text('stage')")
    v.page.click(".values button:has-text('sort')")
    settled(v)
    assert query(v)["tf"] == "^controller:cart$,^stage:sort$" and v.text("#total").startswith("50 ms")
    v.page.click(".filter-chip button")
    settled(v)
    v.page.click("#tags")
    v.page.click(".panel button:has-text('controller')")
    v.page.click("text=split by it")
    settled(v)
    v.wait_for("checkout")
    assert query(v) == {"tagroot": "controller"}


def test_config_sets_granularity_and_is_saved(local, before, tmp_path):
    v = local(before).drawn()
    v.page.click("#config")
    v.page.select_option("#granularity", "lines")
    settled(v)
    assert query(v) == {"g": "lines"}
    v.page.fill("#config-name", "by <b>line</b>")
    v.page.click("text=save as")
    v.page.wait_for_selector(".saved [aria-current=true] >> text=by <b>line</b>")
    v.page.click(".saved >> text=Default")
    settled(v)
    assert query(v) == {}
    v.page.click(".saved >> text=by <b>line</b>")
    settled(v)
    assert query(v) == {"g": "lines"}
    saved = json.loads((tmp_path / "config" / "pprof" / "settings.json").read_text())["configs"]
    assert [(c["name"], c["granularity"]) for c in saved] == [("by <b>line</b>", "lines")]
    v.shot("local-config-light")
    v.page.click("[aria-label='delete by <b>line</b>']")
    v.wait("document.querySelectorAll('.saved li').length === 1")
    assert json.loads((tmp_path / "config" / "pprof" / "settings.json").read_text()) == {"configs": []}


def test_a_link_opens_the_same_view(local, before):
    v = local(before, path="/ui/flamegraph?f=Checkout&i=findMatch&tf=tenant%3Dtenant-2&si=samples&g=files&find=sha").drawn()
    total, url = v.text("#total"), v.page.url
    chips = v.page.locator(".filter-chip").all_inner_texts()
    assert len(chips) == 3
    v.page.reload()
    v.drawn()
    assert (v.text("#total"), v.page.url, v.page.locator(".filter-chip").all_inner_texts()) == (total, url, chips)
    v.page.click("#view-top")
    settled(v)
    assert path(v) == "/ui/top" and query(v)["f"] == "Checkout" and query(v)["si"] == "samples"


def test_the_graph_is_drawn_and_its_nodes_can_be_chosen(local, before):
    need("dot")
    v = local(before, path="/ui/graph")
    v.page.wait_for_selector(".dot svg g.node")
    v.shot("local-graph-light")
    v.page.click(".dot g.node:has-text('blockSHANI')")
    v.page.wait_for_selector("g.node.picked")
    assert v.text("#refine").endswith("crypto/internal/fips140/sha256.blockSHANI")
    v.page.click("#view-peek")
    settled(v)
    assert query(v)["f"] == "^crypto/internal/fips140/sha256\\.blockSHANI( |$)"
    assert "sha256.blockSHANI" in v.text(".report .own")


def test_without_graphviz_the_page_says_so(local, before, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    v = local(before, path="/ui/graph", errors=True)
    assert "may need to install graphviz" in v.text(".message.error")


def test_source_has_lines_and_their_cost(local, tmp_path):
    (tmp_path / "a.c").write_text("".join(f"line {i} <b>&amp;</b>\n" for i in range(1, 30)))
    file = tmp_path / "p.pb"
    s = {"": 0}
    st = lambda t: s.setdefault(t, len(s))
    body = pprof.field(1, pprof.field(1, st("cpu")) + pprof.field(2, st("nanoseconds")))
    body += pprof.field(2, pprof.packed(1, [1]) + pprof.packed(2, [7]))
    body += pprof.field(4, pprof.field(1, 1) + pprof.field(4, pprof.field(1, 1) + pprof.field(2, 12)))
    body += pprof.field(5, pprof.field(1, 1) + pprof.field(2, st("work<b>")) + pprof.field(4, st(str(tmp_path / "a.c"))))
    body += b"".join(pprof.varint(6 << 3 | 2) + pprof.varint(len(x.encode())) + x.encode() for x in s)
    file.write_bytes(body)
    v = local(file, path="/ui/source?f=work")
    row = v.page.locator(".listing tr.heat3")
    assert re.sub(r"\s+", " ", row.inner_text()).strip() == "7ns 7ns 12 line 12 <b>&amp;</b>"
    assert v.text(".listing h2") == "work<b>"


def test_a_function_is_chosen_where_none_is(local, before):
    v = local(before, path="/ui/peek")
    v.page.click(".choose button:has-text('blockSHANI')")
    settled(v)
    assert "blockSHANI" in query(v)["f"] and v.page.locator(".report").count() == 1


def test_two_profiles_are_compared(local, before, after):
    v = local(f"-diff_base={before}", after).drawn()
    assert v.text("#total") == "720 ms → 1.72 s"
    assert v.text("#sentence").startswith("base → this: CPU rose from 720 ms to 1.72 s")
    assert "sampling error only" in v.text(".ledger")
    v.shot("local-diff-light")
    v.page.keyboard.press("x")
    v.wait("location.search.includes('swap=1')")
    settled(v)
    assert v.text("#sentence").startswith("this → base: CPU fell from 1.72 s to 720 ms")
    v.page.click("#view-changes")
    settled(v)
    assert "blockSHANI" in v.text("table tbody tr:first-child") and v.page.locator("table tbody tr").count() < 10
    v.page.click(".filters >> text=all")
    assert v.page.locator("table tbody tr").count() > 20
    v.page.click("#view-top")
    settled(v)
    first = v.text("table.top tbody tr:first-child")
    assert first.startswith("−310 ms") and v.page.locator("tbody tr:first-child td.less").count() == 2
    one = v.page.locator("tbody tr:has(td:first-child:text-is('+10 ms'))")
    assert one.count() > 0 and one.locator("td:first-child.dim").count() == one.count()  # one sample is chance


def test_filters_that_leave_nothing_say_so(local, before):
    v = local(before, path="/ui/flamegraph?f=nobody")
    assert "Focus expression matched no samples" in v.text(".message")
    v.page.click(".message button")
    v.drawn()
    assert query(v) == {}


def test_a_wrong_expression_says_so(local, before):
    v = local(before, path="/ui/flamegraph?f=%28", errors=True, settle=False)
    v.page.wait_for_selector(".message.error")
    assert "parsing focus regexp" in v.text(".message.error")


HOSTILE = ["<script>alert(1)</script>", "\u202eevil", "a\x01b", "__proto__", "x" * 20_000, "\"><img src=x onerror=alert(1)>"]


@pytest.mark.parametrize("view", ["flamegraph", "top", "tree", "graph", "peek?f=.", "tags"])
def test_hostile_names_are_text(local, tmp_path, view):
    b = pprof.Builder()
    for name in HOSTILE:
        b.add([name, "main"], [1, 10_000_000], **{"label": name[:2000]})
    (tmp_path / "h.pb.gz").write_bytes(b.gz())
    v = local(tmp_path / "h.pb.gz", path="/ui/flamegraph" if view == "tags" else f"/ui/{view}")
    if view == "tags":
        v.page.click("#tags")
        v.page.click(".panel button:has-text('label')")
    settled(v)
    assert v.page.locator("#app script, #app img").count() == 0


@pytest.mark.parametrize("dark", [False, True])
def test_every_view_is_accessible(local, before, dark):
    axe = __import__("test_access")
    for view in VIEWS:
        v = local(before, path=f"/ui/{view}", dark=dark, errors=True)
        settled(v)
        assert axe.objections(v) == [], view
        v.shot(f"local-{re.split('[?]', view)[0]}-{'dark' if dark else 'light'}")


def test_a_phone_sees_everything(local, before):
    v = local(before, size=(390, 844)).drawn()
    assert v.page.evaluate("document.documentElement.scrollWidth") <= 390
    v.shot("local-phone")


def test_only_the_keyboard(local, before):
    v = local(before).drawn()
    v.page.keyboard.press("/")
    v.page.keyboard.type("work.Cart")
    v.page.keyboard.press("Enter")
    v.page.keyboard.press("Escape")
    v.page.evaluate("document.activeElement.blur()")
    v.page.keyboard.press("2")
    settled(v)
    assert path(v) == "/ui/top"
    v.page.keyboard.press("?")
    assert "focus, ignore, hide" in unquote(v.text("dialog"))
