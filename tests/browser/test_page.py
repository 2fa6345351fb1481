"""The page in Chromium on generated data: what is shown, clicked and kept in the URL."""

import re
from urllib.parse import quote

import pytest


def number(text):
    return float(re.search(r"[\d.]+", text).group(0))


@pytest.fixture
def shop(mock, look):
    return look(mock("shop")).open().drawn()


def test_the_page_opens_on_all_services_and_a_click_opens_one(mock, look):
    v = look(mock()).open("/?live=0").drawn()
    assert "service" not in v.query()
    assert v.text("#service") == "all services" and v.text("#time") == "last 15 min"
    rows = v.page.locator("table.services tbody tr")
    first = re.sub(r"\s+", " ", rows.first.inner_text())
    assert re.match(r"checkout [\d.]+ cores [\d.]+ % now", first)
    v.page.wait_for_selector("table.services .spark path")
    assert v.hover("checkout")["name"] == "checkout"
    v.shot("all-light")
    v.click("checkout")
    v.drawn()
    assert v.query()["service"] == ["checkout"]
    assert v.where("main") and not v.where("checkout")
    v.page.go_back()
    v.wait_for("checkout")
    rows.first.click()
    v.wait_for("checkout", there=False)
    assert v.query()["service"] == ["checkout"]


def test_a_service_says_what_it_costs_and_how_whole_that_is(shop):
    assert "cores" in shop.text(".strip-head")
    assert shop.details()["name"] == "everything"
    ledger = shop.text(".ledger")
    for word in ("samples", "taken", "lost", "cut", "named", "covers 60 min"):
        assert word in ledger
    assert shop.page.locator(".ledger .bad").count() == 0
    assert shop.page.title().startswith("checkout")
    shop.shot("flame-light")


def test_two_values_of_a_label_are_compared_in_two_clicks(mock, look):
    v = look(mock()).open("/?live=0&service=checkout&by=endpoint").drawn()
    assert v.hover("/cart")["name"] == "endpoint = /cart"
    v.click("/cart")
    v.page.mouse.move(2, 2)
    v.page.click(".versus >> text=/login")
    v.page.wait_for_selector("#sentence")
    v.drawn()
    q = v.query()
    assert q["compare"] == ["label"] and q["label"] == ['endpoint="/cart"'] and q["clabel"] == ['endpoint="/login"']
    assert v.text("#sentence").startswith("/login → /cart: CPU ")
    d = v.details()
    assert "/login" in d and "/cart" in d
    v.shot("versus-light")


def test_sides_swap_and_shares_take_the_total_out(mock, look):
    v = look(mock()).open("/?live=0&service=checkout&from=now-1h&compare=day").drawn()
    d = v.details()
    assert d["change"].startswith(("+", "−"))
    v.page.keyboard.press("x")
    v.wait("location.search.includes('swap=1')")
    v.still()
    v.wait("document.querySelector('.details .kv dt')?.innerText === 'now'")
    other = v.details()
    assert (other["before"], other["now"]) == (d["before"], d["now"])
    assert other["change"][0] == {"+": "−", "−": "+"}[d["change"][0]]
    assert v.text("#sentence").startswith("now → before: CPU ")
    v.page.click("#compare")
    v.page.click("#by-share")
    v.wait("document.querySelector('#sentence')?.innerText.includes('Each as a share')")
    assert v.query()["share"] == ["1"] and v.query()["swap"] == ["1"]
    v.still()
    v.page.keyboard.press("Escape")
    d = v.details()
    assert d["before"] == d["now"]


def test_hover_shows_the_frame_at_the_right_at_once(shop):
    d = shop.hover("json_parse_value")
    assert d["name"] == "json_parse_value"
    assert d["total"].endswith("%") and d["self"].endswith("%")
    assert "src/json.c" in shop.text(".details")
    assert shop.hover("main")["name"] == "main"


def test_a_click_focuses_and_back_restores(shop):
    before = shop.where("sha256_transform")["width"]
    shop.click("sha256_transform")
    path = shop.query()["focus"]
    assert path[0] == "main" and path[-1] == "sha256_transform"
    assert shop.where("sha256_transform")["width"] > 2 * before
    assert "sha256_transform" in shop.text(".focus")
    shop.page.go_back()
    shop.still()
    assert "focus" not in shop.query()
    assert abs(shop.where("sha256_transform")["width"] - before) < 2
    shop.page.go_forward()
    shop.still()
    assert shop.query()["focus"] == path


def test_a_link_opens_the_same_view(shop, look):
    shop.click("sha256_transform")
    other = look(shop.base).open(shop.page.url[len(shop.base):]).drawn()
    other.still()
    assert other.where("sha256_transform")["width"] > 900
    assert other.details()["name"] == "sha256_transform"


def test_search_counts_and_walks(shop):
    shop.page.keyboard.press("/")
    shop.page.keyboard.type("json_parse")
    assert re.match(r"2 of [\d,]+ frames · [\d.]+ %", shop.text("#found"))
    share = number(shop.text("#found").split("·")[1])
    shop.page.keyboard.press("Enter")
    shop.still()
    assert shop.details()["name"] == "json_parse_value"
    assert abs(shop.share() - share) < 0.02, "the outer one covers the inner one"
    shop.page.keyboard.press("Enter")
    shop.still()
    assert shop.share() < share
    shop.page.keyboard.press("Escape")
    assert shop.page.input_value("#search") == ""
    assert "search" not in shop.query()


def test_a_wrong_regular_expression_says_so(shop):
    shop.page.click(".regex")
    shop.page.fill("#search", "(")
    assert "not a regular expression" in shop.text("#found")
    shop.page.fill("#search", "^(malloc|cfree)$")
    assert shop.text("#found").startswith("2 of")
    assert shop.query()["regex"] == ["1"]


def test_wheel_zooms_about_the_pointer_and_0_goes_back(shop):
    at = shop.where("sha256_transform")
    shop.page.mouse.move(at["x"], at["y"])
    for _ in range(3):
        shop.page.mouse.wheel(0, -200)
    shop.still()
    assert shop.where("sha256_transform")["width"] > 2 * at["width"]
    assert shop.page.is_visible("text=whole width")
    shop.page.keyboard.press("0")
    shop.still()
    assert abs(shop.where("sha256_transform")["width"] - at["width"]) < 2


def test_small_frames_have_a_way_in(shop):
    assert "left out" in shop.details()
    shop.click("… smaller frames")
    assert shop.query()["focus"], "a click goes to the frame whose children were left out"
    assert any("path=" in u for u in shop.asked), "the server was asked for the subtree"
    shop.wait_for("… smaller frames", there=False)


def test_arrows_enter_and_backspace(shop):
    for key in ("ArrowDown", "ArrowDown", "ArrowDown"):
        shop.page.keyboard.press(key)
    shop.still()
    assert shop.details()["name"] == "event_loop"
    shop.page.keyboard.press("ArrowRight")
    assert shop.details()["name"] == "runtime.gcBgMarkWorker"
    shop.page.keyboard.press("ArrowLeft")
    shop.page.keyboard.press("Enter")
    shop.still()
    assert shop.query()["focus"] == ["main", "event_loop"]
    assert "event_loop: total" in shop.page.text_content("#spoken")
    shop.page.keyboard.press("Backspace")
    shop.still()
    assert shop.query()["focus"] == ["main"]


def test_a_label_filters_every_number(shop):
    whole = number(shop.text(".strip-head strong"))
    shop.page.click("#add-label")
    shop.page.click(".panel >> text=endpoint")
    shop.page.click(".panel >> text=/login")
    shop.page.wait_for_selector(".chip")
    shop.wait_for("runtime.scanobject", there=False)
    assert shop.query()["label"] == ['endpoint="/login"']
    part = number(shop.text(".strip-head strong"))
    assert 0 < part < whole
    shop.shot("label-light")
    shop.page.click(".chip button")
    shop.wait_for("runtime.scanobject")
    assert "label" not in shop.query()


def test_values_show_their_weight(shop):
    shop.page.click("#add-label")
    shop.page.click(".panel >> text=tenant")
    shop.page.wait_for_selector(".panel .share")
    shares = [number(x) for x in shop.page.locator(".panel .share").all_inner_texts()]
    assert shares == sorted(shares, reverse=True) and abs(sum(shares) - 100) < 0.5
    shop.shot("label-values-light")
    shop.page.keyboard.press("Escape")
    assert shop.page.locator(".panel").count() == 0


def test_a_label_splits_the_series_and_a_line_filters(shop):
    shop.page.click("#by")
    shop.page.click(".panel >> text=endpoint")
    shop.page.wait_for_selector(".split button")
    assert shop.query()["by"] == ["endpoint"]
    names = [re.sub(r"\s+", " ", x) for x in shop.page.locator(".split button").all_inner_texts()]
    assert any(n.startswith("/cart ") for n in names) and any(n.startswith("without") for n in names)
    assert abs(sum(number(n.split()[-2]) for n in names) - 100) < 0.1
    shop.shot("by-label-light")
    shop.page.click(".split button >> text=/cart")
    shop.page.wait_for_selector(".chip")
    assert shop.query()["label"] == ['endpoint="/cart"']


def test_the_brush_sets_the_range_and_back_takes_it_away(shop):
    box = shop.page.locator(".u-over").bounding_box()
    y = box["y"] + box["height"] / 2
    shop.page.mouse.move(box["x"] + box["width"] * 0.25, y)
    shop.page.mouse.down()
    shop.page.mouse.move(box["x"] + box["width"] * 0.5, y, steps=5)
    shop.page.mouse.up()
    shop.wait("document.querySelector('.ledger').innerText.includes('covers 15 min')")
    q = shop.query()
    span = int(q["until"][0]) - int(q["from"][0])
    assert abs(span - 15 * 60_000) < 30_000, "a quarter of an hour"
    shop.page.go_back()
    shop.wait("document.querySelector('.ledger').innerText.includes('covers 60 min')")
    assert shop.query()["from"] == ["now-1h"]


def test_a_preset_stays_relative(shop):
    shop.page.click("#time")
    shop.page.click(".panel >> text=last 15 min")
    shop.wait("document.querySelector('.ledger').innerText.includes('covers 15 min')")
    assert shop.query()["from"] == ["now-15m"] and "until" not in shop.query()


def test_compare_says_what_changed(shop):
    shop.page.click("#time")
    shop.page.click(".panel >> text=last 15 min")
    shop.page.click("#compare")
    shop.page.click(".panel >> text=yesterday")
    shop.page.wait_for_selector("#sentence")
    shop.wait("document.querySelector('#sentence').innerText.includes('json_parse_value')")
    sentence = shop.text("#sentence")
    assert re.search(r"CPU (rose|fell) from [\d.]+ cores to [\d.]+ cores \([+−][\d.]+ % ± [\d.]+ %\)", sentence)
    assert shop.query()["compare"] == ["day"]
    d = shop.hover("json_parse_value")
    assert {"before", "now", "change", "chance"} <= set(d)
    assert d["change"].startswith("+")
    shop.shot("compare-light")
    shop.page.click("#view-changes")
    first = shop.page.locator("table.changes tbody tr").first.inner_text()
    assert "json_parse_value" in first
    shop.shot("changes-light")
    shop.page.keyboard.press("c")
    shop.page.wait_for_selector("#sentence", state="detached")
    assert "compare" not in shop.query()


def test_the_top_table_sorts_and_leads_to_the_graph(shop):
    shop.page.keyboard.press("2")
    shop.page.wait_for_selector("table.top tbody tr")
    assert "json_parse_value" in shop.page.locator("table.top tbody tr").first.inner_text()
    shop.shot("top-light")
    shop.page.click("table.top th >> text=total")
    assert "main" in shop.page.locator("table.top tbody tr").first.inner_text()
    assert shop.query()["sort"] == ["total"]
    shop.page.click("table.top >> text=sha256_transform")
    shop.drawn()
    assert shop.query()["search"] == ["sha256_transform"]
    assert "view" not in shop.query()


def test_the_tree_is_the_graph_as_text(shop):
    shop.page.keyboard.press("3")
    shop.page.wait_for_selector("[role=treeitem]")
    assert shop.page.locator("[role=treeitem]").first.get_attribute("aria-expanded") == "true"
    shop.shot("tree-light")
    shop.page.locator("[role=treeitem][tabindex='0']").focus()
    shop.page.keyboard.press("ArrowDown")
    assert "main" in shop.page.locator("[role=treeitem][aria-selected=true]").inner_text()
    n = shop.page.locator("[role=treeitem]").count()
    shop.page.keyboard.press("ArrowLeft")
    assert shop.page.locator("[role=treeitem]").count() < n


def test_all_services_at_a_glance(shop):
    shop.page.keyboard.press("5")
    rows = shop.page.locator("table.services tbody tr")
    rows.first.wait_for()
    assert rows.count() == 4
    shop.shot("services-light")
    shop.page.click("table.services >> text=billing")
    shop.wait("location.search.includes('service=billing')")


def test_dark_and_light_follow_the_system_and_the_switch(mock, look):
    base = mock()
    v = look(base, dark=True).open().drawn()
    dark = v.page.evaluate("getComputedStyle(document.body).backgroundColor")
    v.shot("flame-dark")
    v.page.click("#theme")
    v.still()
    light = v.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert dark != light == "rgb(255, 255, 255)"
    v.page.reload()
    v.drawn()
    assert v.page.evaluate("getComputedStyle(document.body).backgroundColor") == light


@pytest.mark.parametrize("view", ["top", "tree", "changes", "services"])
def test_views_in_the_dark(mock, look, view):
    v = look(mock(), dark=True).open(f"/?live=0&compare=prev&view={view}")
    v.page.wait_for_selector("table tbody tr, [role=treeitem]")
    v.still()
    v.shot(f"{view}-dark")


def test_compare_in_the_dark(mock, look):
    v = look(mock(), dark=True).open("/?live=0&compare=prev").drawn()
    v.page.wait_for_selector("#sentence")
    v.shot("compare-dark")


def test_live_asks_again_by_itself_and_keeps_the_view(mock, look):
    v = look(mock())
    v.page.clock.install()
    v.open("/").drawn()
    v.click("sha256_transform")
    width = v.where("sha256_transform")["width"]
    with v.page.expect_response(lambda r: "/flamegraph" in r.url):
        v.page.clock.run_for(11_000)
    v.still()
    assert abs(v.where("sha256_transform")["width"] - width) < 2


def test_keys_are_listed(shop):
    shop.page.keyboard.press("?")
    assert "next, previous match" in shop.text("dialog")
    shop.shot("keys-light")
    shop.page.keyboard.press("Escape")
    shop.page.wait_for_selector("dialog", state="detached")


HOSTILE = "<script>window.hacked=1</script>"


@pytest.mark.parametrize("view", ["flame", "top", "tree", "changes", "services"])
def test_hostile_names_are_text(mock, look, view):
    v = look(mock("hostile")).open(f"/?live=0&compare=prev&view={view}")
    v.page.wait_for_selector("#flame, table tbody tr, [role=treeitem]")
    v.still()
    v.page.click("#service")
    assert v.page.locator(f".panel >> text={HOSTILE}").count() >= 1
    v.page.keyboard.press("Escape")
    v.page.click("#add-label")
    v.page.click(".panel >> text=evil")
    v.page.wait_for_selector(".panel .share")
    v.shot(f"hostile-{view}")
    v.page.click(f".panel >> text={HOSTILE}")
    v.page.wait_for_selector(".chip")
    v.still()
    assert v.page.evaluate("window.hacked") is None
    assert v.page.locator("#app script, #app img, #app b").count() == 0
    assert v.query()["label"] == [f'evil="{HOSTILE}"']


def test_hostile_frames_can_be_read(mock, look):
    v = look(mock("hostile")).open(f"/?live=0&service={quote(HOSTILE)}").drawn()
    assert v.hover("")["name"] == "(no name)"
    assert v.hover("__proto__")["name"] == "__proto__"
    assert "‹U+202E›" in v.hover("\u202egnirts desrever")["name"]
    v.click(HOSTILE)
    assert v.query()["focus"][-1] == HOSTILE
    assert v.details()["name"] == HOSTILE


def test_an_empty_server_shows_how_to_begin(mock, look):
    v = look(mock("empty")).open("/")
    v.page.wait_for_selector(".first-run")
    commands = v.page.locator(".command code").all_inner_texts()
    assert len(commands) >= 4 and all(v.base in c for c in commands)
    v.page.wait_for_selector("text=What this server sees")
    v.shot("first-run-light")


def test_a_failing_server_is_said_in_words(mock, look):
    v = look(mock("broken"), errors=True).open()
    v.page.wait_for_selector(".message.error")
    assert "the store cannot be read: disk full" in v.text(".message.error")
    assert "no samples" in v.text(".ledger")
    v.shot("error-light")


def test_a_range_without_profiles_offers_the_last_ones(mock, look):
    v = look(mock("sparse")).open()
    v.page.wait_for_selector(".message")
    assert "No CPU profiles here" in v.text(".message")
    v.page.click(".message >> text=the last ones")
    v.drawn()
    assert v.where("main")


def test_a_phone_sees_everything(mock, look):
    v = look(mock(), size=(390, 844)).open().drawn()
    assert v.page.evaluate("document.documentElement.scrollWidth") <= 390
    v.shot("phone-light")


def test_a_hundred_thousand_frames_cost_pixels_not_frames(mock, look):
    v = look(mock("huge")).open().drawn()
    n = v.page.evaluate("document.querySelector('#flame').flame.show.tree.n")
    assert n > 100_000
    drawn = v.page.evaluate("document.querySelector('#flame').flame.drawn.boxes")
    rows = v.page.evaluate("Math.ceil(document.querySelector('#flame').flame.view.height / 20)")
    width = v.page.evaluate("document.querySelector('#flame').flame.view.width")
    assert drawn <= rows * width
    v.shot("huge-light")
    at = v.where("main")
    v.page.mouse.move(at["x"], at["y"])
    for _ in range(10):
        v.page.mouse.wheel(0, -240)
    v.still()
    assert v.page.is_visible("text=whole width")
