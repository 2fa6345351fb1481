"""axe-core finds nothing to object to, on any view, dark and light."""

import pathlib

import pytest

AXE = pathlib.Path(__file__).resolve().parents[2] / "ui" / "node_modules" / "axe-core" / "axe.min.js"
PATHS = {
    "all": "/?live=0",
    "by label": "/?live=0&service=checkout&by=endpoint",
    "versus": "/?live=0&service=checkout&compare=label&label=endpoint%3D%22%2Fcart%22&clabel=endpoint%3D%22%2Flogin%22",
    "flame": "/?live=0&service=checkout",
    "focus": "/?live=0&service=checkout&search=parse&focus=main&focus=event_loop",
    "compare": "/?live=0&service=checkout&compare=prev",
    "top": "/?live=0&service=checkout&view=top",
    "tree": "/?live=0&service=checkout&view=tree",
    "changes": "/?live=0&service=checkout&compare=prev&view=changes",
    "services": "/?live=0&service=checkout&view=services",
}


def objections(v):
    v.page.evaluate(AXE.read_text())
    found = v.page.evaluate("axe.run()")["violations"]
    return [(x["id"], x["nodes"][0]["html"][:200]) for x in found]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_view_is_accessible(mock, look, dark):
    base = mock()
    faults = {}
    v = look(base, dark=dark)
    for name, path in PATHS.items():
        v.open(path)
        v.page.wait_for_selector("#flame, table tbody tr, [role=treeitem]")
        v.still()
        faults[name] = objections(v)
    assert not any(faults.values()), faults


def test_open_panels_and_the_first_page_are_accessible(mock, look):
    v = look(mock()).open().drawn()
    faults = {}
    for panel in ("service", "type", "time", "compare", "share", "add-label"):
        v.page.click(f"#{panel}")
        v.page.wait_for_selector(".panel button")
        faults[panel] = objections(v)
        v.page.keyboard.press("Escape")
    first = look(mock("empty")).open("/")
    first.page.wait_for_selector(".first-run")
    faults["first run"] = objections(first)
    assert not any(faults.values()), faults
