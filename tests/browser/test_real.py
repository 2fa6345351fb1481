"""The page on a real server with what a real client sent: what it shows must be what
`go tool pprof` says of the same profiles (tests/data/browser/README.md)."""

import re
import time

import pytest
from pprof import at_time, cpu

BLOCK = "crypto/internal/fips140/sha256.blockSHANI"


@pytest.fixture
def shop(served, data):
    """A server with go-before at T+0 (5 s) and go-after at T+20 (10 s); T is in .t"""
    served.t = int(time.time()) - 120
    for file, offset in (("go-before", 0), ("go-after", 20)):
        profile = at_time((data / "browser" / f"{file}.pb.gz").read_bytes(), served.t + offset)
        status, body = served.api.push(profile, name="shop.backend{version=1.4.2}")
        assert status == 200, body
    return served


def window(t, start, end, **more):
    """A link to [T + start, T + end] seconds."""
    extra = "".join(f"&{k}={v}" for k, v in more.items())
    return f"/?live=0&from={(t + start) * 1000}&until={(t + end) * 1000}{extra}"


def test_the_first_profile_turns_the_first_page_into_the_graph(served, data, look):
    v = look(served.url).open("/")
    v.page.wait_for_selector(".first-run")
    assert all(served.url in c for c in v.page.locator(".command code").all_inner_texts())
    v.shot("real-first-run")
    profile = at_time((data / "browser" / "go-after.pb.gz").read_bytes(), time.time() - 20)
    assert served.api.push(profile, name="shop.backend")[0] == 200
    v.drawn()
    assert "shop.backend" in v.text("table.services")
    assert v.where("shop.backend") and v.where(BLOCK)
    v.click("shop.backend")
    v.drawn()
    assert v.query()["service"] == ["shop.backend"]
    assert v.where(BLOCK)


def test_shares_are_those_of_the_reference_reader(shop, look):
    v = look(shop.url).open(window(shop.t, 15, 40)).drawn()
    d = v.details()
    assert d["name"] == "everything" and d["total"].startswith("1.72 s")
    v.page.keyboard.press("2")
    v.page.wait_for_selector("table.top tbody tr")
    first = re.sub(r"\s+", " ", v.page.locator("table.top tbody tr").first.inner_text())
    assert first.startswith("580 ms 33.7 % 580 ms 33.7 % " + BLOCK)
    v.shot("real-top")
    v.page.click(f"table.top >> text={BLOCK}")
    v.drawn()
    assert "33.7 %" in v.text("#found")
    v.page.keyboard.press("n")
    v.still()
    assert v.details()["name"] == BLOCK
    v.shot("real-search")


def test_a_hover_names_package_and_file(shop, look):
    v = look(shop.url).open(window(shop.t, 15, 40)).drawn()
    assert v.hover(BLOCK)["name"] == BLOCK
    assert ".s" in v.text(".details .file") or ".go" in v.text(".details .file")
    v.shot("real-flame")


def test_labels_of_the_client_filter_the_page(shop, look):
    v = look(shop.url).open(window(shop.t, 15, 40)).drawn()
    v.page.click("#add-label")
    v.page.click(".panel >> text=controller")
    v.page.wait_for_selector(".panel .share")
    rows = [re.sub(r"\s+", " ", r) for r in v.page.locator(".panel .menu li").all_inner_texts()]
    assert rows[0].startswith("checkout 1.07 s") and rows[1].startswith("cart 460 ms") and rows[2].startswith("search 80 ms")
    v.page.click(".panel >> text=checkout")
    v.page.wait_for_selector(".chip")
    v.wait("document.querySelector('.details .kv:nth-child(2)')?.innerText.includes('1.07')")
    assert v.query()["label"] == ['controller="checkout"']
    v.shot("real-label")
    v.page.go_back()
    v.wait("document.querySelector('.details .kv:nth-child(2)')?.innerText.includes('1.72')")
    assert "label" not in v.query()


def test_the_brush_takes_one_of_two_profiles(shop, look):
    v = look(shop.url).open(window(shop.t, -60, 60)).drawn()
    assert v.details()["total"].startswith("2.44 s")
    box = v.page.locator(".u-over").bounding_box()
    y = box["y"] + box["height"] / 2
    v.page.mouse.move(box["x"] + box["width"] * (75 / 120), y)
    v.page.mouse.down()
    v.page.mouse.move(box["x"] + box["width"] * (115 / 120), y, steps=4)
    v.page.mouse.up()
    v.wait("document.querySelector('.details .kv:nth-child(2)')?.innerText.includes('1.72')")
    q = v.query()
    assert abs(int(q["from"][0]) - (shop.t + 15) * 1000) < 2000
    assert abs(int(q["until"][0]) - (shop.t + 55) * 1000) < 2000
    v.page.go_back()
    v.wait("document.querySelector('.details .kv:nth-child(2)')?.innerText.includes('2.44')")


def test_compare_says_what_changed_and_by_how_much(shop, look):
    t = shop.t
    link = window(t, 18, 38, compare="custom", cfrom=(t - 10) * 1000, cuntil=(t + 10) * 1000)
    v = look(shop.url).open(link).drawn()
    v.page.wait_for_selector("#sentence")
    v.wait(f"document.querySelector('#sentence').innerText.includes('Most:')")
    assert re.match(r"CPU rose from 0.04 cores to 0.09 cores \(\+139 % ± \d+\.\d %\)", v.text("#sentence"))
    assert "+0.02 cores in " + BLOCK in v.text("#sentence")
    d = v.details()
    assert d["before"].startswith("720 ms") and d["now"].startswith("1.72 s") and d["change"].startswith("+1 s")
    assert v.hover(BLOCK)["change"].startswith("+")
    v.shot("real-compare")
    v.page.click("#view-changes")
    v.page.wait_for_selector("table.changes tbody tr")
    first = re.sub(r"\s+", " ", v.page.locator("table.changes tbody tr").first.inner_text())
    assert first.startswith("+310 ms +43.1 % 270 ms 580 ms more " + BLOCK)
    v.page.go_back()
    v.drawn()
    assert v.where(BLOCK)


def test_two_like_ranges_are_unchanged_within_chance(shop, look):
    t = shop.t
    # the same 172 samples over 20 s, against the 72 samples over 8 s
    link = window(t, 18, 38, compare="custom", cfrom=(t - 1) * 1000, cuntil=(t + 7) * 1000)
    v = look(shop.url).open(link).drawn()
    v.page.wait_for_selector("#sentence")
    assert "unchanged within chance" in v.text("#sentence")


def test_hostile_names_survive_the_whole_way_as_text(served, look):
    name = "<img src=x onerror=window.hacked=1>"
    profile = cpu([([name, "main"], 300_000_000, {"evil": name}), (["__proto__", "main"], 100_000_000, {})], time.time() - 30)
    assert served.api.push(profile, name="hostile")[0] == 200
    v = look(served.url).open("/?live=0").drawn()
    assert v.hover(name)["name"] == name
    assert v.share("total") == 75.0
    assert v.hover("__proto__")["name"] == "__proto__"
    for view in ("top", "tree"):
        v.page.click(f"#view-{view}")
        v.page.wait_for_selector("table.top tbody tr, [role=treeitem]")
    assert v.page.evaluate("window.hacked") is None and v.page.locator("#app img").count() == 0


def test_what_the_first_answer_leaves_out_is_one_click_away(served, look):
    stacks = [([f"leaf{k % 200:03}", f"mid{k // 200:03}", "main"], 10_000_000 * (1 + k % 3), {}) for k in range(24_000)]
    assert served.api.push(cpu(stacks, time.time() - 30), name="wide")[0] == 200
    v = look(served.url).open("/?live=0").drawn()
    n = v.page.evaluate("document.querySelector('#flame').flame.show.tree.n")
    assert n < 24_000, "the first answer is bounded"
    v.click("mid007")
    v.wait("document.querySelector('#flame').flame.where('leaf000') !== null")
    v.wait_for("… smaller frames", there=False)
    sub = v.page.evaluate(
        "(f => f.show.tree.end[f.show.focus] - f.show.focus - 1)(document.querySelector('#flame').flame)")
    assert sub == 200, "every child is there"


def test_only_the_keyboard(shop, look):
    v = look(shop.url).open(window(shop.t, -60, 60)).drawn()
    v.page.keyboard.press("/")
    v.page.keyboard.type("blockSHANI")
    v.page.keyboard.press("Enter")
    v.still()
    assert v.details()["name"] == BLOCK and "34.8 %" in v.text("#found")
    v.page.keyboard.press("Escape")  # leaves the search
    v.page.keyboard.press("Enter")
    v.still()
    assert v.query()["focus"][-1] == BLOCK
    v.page.keyboard.press("Backspace")
    v.still()
    assert v.query()["focus"][-1] != BLOCK
    v.page.keyboard.press("Escape")
    v.page.keyboard.press("2")
    v.page.wait_for_selector("table.top tbody tr")
    assert v.query()["view"] == ["top"]
