"""Tasks that are open: where they began, under which labels, and nothing that ended."""

import shutil
import subprocess

import pytest

from harness import ROOT, need
from pprof import Profile
from test_library import SOURCES, compiled, run  # noqa: F401  (compiled is a fixture)
from test_library_http import Program


@pytest.fixture(scope="module")
def written(compiled, tmp_path_factory):  # noqa: F811
    folder = tmp_path_factory.mktemp("tasks")
    p = run([compiled("tasks"), folder], EVERPROF_LOG=folder / "log")
    assert (p.returncode, p.stderr) == (0, ""), p.stdout
    assert p.stdout == "1601 open\n"
    return folder


def test_open_tasks_show_where_they_began_under_which_labels_and_how_long_ago(written):
    profile = Profile(written / "tasks.pb.gz")
    assert profile.types == ["tasks"]
    counts = {}
    for s in profile.samples:
        assert s.labels["age"] in ("< 10s", "10s - 1m", "1m - 10m")
        k = (s.stack[0], s.labels["task"], s.labels.get("parent_task"), s.labels.get("shop"))
        counts[k] = counts.get(k, 0) + s.values[0]
    assert counts == {
        ("place_order", "PlaceOrder", None, "main"): 800,
        ("charge", "Charge", "PlaceOrder", "main"): 800,
        ("begin_downloads", "Download", None, None): 1,
    }
    assert profile.ledger()["lost"] == 0
    assert profile.ledger()["taken"] == 4 * 600 + 3 * 5000 + 2


def test_the_text_form_has_labels_and_age(written):
    text = (written / "tasks.txt").read_text()
    assert text.startswith("tasks profile: total 1601\n")
    assert '# labels: {"parent_task":"PlaceOrder", "shop":"main", "task":"Charge"}\n# age: ' in text


def test_an_end_that_comes_twice_is_said_once_and_ends_nothing_else(written):
    lines = [line for line in (written / "log").read_text().splitlines() if "everprof_task_end" in line]
    assert len(lines) == 1 and "most likely twice" in lines[0]


def test_guards_of_cpp_end_tasks_and_entries_when_an_exception_passes(build, tmp_path):
    cxx = shutil.which("c++") or need("g++")
    program = tmp_path / "guards"
    link = [f"-L{build}", "-leverprof", f"-Wl,-rpath,{build}"]
    subprocess.run([cxx, "-std=c++11", "-Wall", "-Wextra", "-Werror", "-O2", f"-I{ROOT}/include", SOURCES / "guards.cpp", "-o", program, *link], check=True)
    p = run([program])
    assert (p.returncode, p.stdout) == (0, "inside: 2 tasks, 1 conns\noutside: 0 tasks, 0 conns, no labels\n")


def test_before_the_first_task_the_profile_is_there_and_empty(compiled):  # noqa: F811
    with Program([compiled("threads")], EVERPROF_HTTP="127.0.0.1:0") as p:
        status, _, body = p.get("/debug/pprof/tasks")
        assert status == 200
        profile = Profile(body)
        assert (profile.types, profile.samples) == (["tasks"], [])
        assert p.get("/debug/pprof/tasks?debug=1")[2].startswith(b"tasks profile: total 0\n")
