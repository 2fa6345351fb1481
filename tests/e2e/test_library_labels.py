"""Label scopes: how often they were entered, and for how long; labels across threads."""

import pytest

from pprof import Profile
from test_library import compiled, run  # noqa: F401  (compiled is a fixture)


def by_set(profile):
    """{"k=v,l=w": (entered, nanoseconds)}"""
    rows = {}
    for s in profile.samples:
        own = {k: v for k, v in s.labels.items() if k not in ("pid", "tid", "comm")}
        name = ",".join(f"{k}={v}" for k, v in sorted(own.items()))
        assert name not in rows, "one row a set"
        assert s.stack == [name.replace(",", ", ")], "tools without labels show the set too"
        rows[name] = tuple(s.values)
    return rows


@pytest.fixture(scope="module")
def entered(compiled, tmp_path_factory):  # noqa: F811
    folder = tmp_path_factory.mktemp("entered")
    p = run([compiled("entered"), folder / "truth", folder / "child.pb.gz"], EVERPROF_OUT=f"{folder}/%p/")
    assert (p.returncode, p.stderr) == (0, ""), p.stderr
    return folder


def truth_of(folder):
    lines = [line.split() for line in (folder / "truth").read_text().splitlines()]
    return {name: (int(n), int(ns)) for name, n, ns in lines}


def of_the_parent(folder):
    profiles = [Profile(f) for f in folder.glob("*/scopes.pb.gz")]
    return next(p for p in profiles if "form=long" in by_set(p))


def test_every_scope_is_counted_once(entered):
    profile = of_the_parent(entered)
    assert profile.types == ["entered", "time"]
    rows, truth = by_set(profile), truth_of(entered)
    assert {name: r[0] for name, r in rows.items()} == {name: n for name, (n, _) in truth.items()}
    assert profile.ledger()["taken"] == sum(n for n, _ in truth.values())


def test_long_scopes_take_what_a_clock_around_them_says(entered):
    rows, truth = by_set(of_the_parent(entered)), truth_of(entered)
    for name in ("form=long", "form=long,step=inner"):
        # The clock is around the scope, so it can only show more.
        assert truth[name][1] * 0.9 <= rows[name][1] <= truth[name][1] * 1.001, name
    assert rows["form=long"][1] > rows["form=long,step=inner"][1] * 2, "scopes within are included"


def test_a_child_counts_its_own_scopes_only(entered):
    assert {k: v[0] for k, v in by_set(Profile(entered / "child.pb.gz")).items()} == {"form=child": 77}


def test_threads_inherit_labels_when_asked_to(compiled, tmp_path):  # noqa: F811
    program = compiled("inherit")
    out = {"EVERPROF_OUT": tmp_path / "cpu.pb.gz"}
    assert run([program], **out).stdout.split("\n")[:2] == ["plain none", "ours mine"]
    p = run([program], EVERPROF_LABELS_INHERIT=1, **out)
    assert p.stdout.split("\n")[:2] == ["plain mine", "ours mine"]
    assert run([program], EVERPROF_LABELS_INHERIT=1).stdout.startswith("plain mine"), "without a server too"


def test_the_example_of_a_pool_carries_labels_through_its_queue(build, tmp_path):
    p = run([build / "examples/pool/pool", 900], EVERPROF_OUT=f"{tmp_path}/out/", EVERPROF_TYPES="heap")
    assert (p.returncode, p.stdout) == (0, "900 of 900 jobs ran under their labels\n"), p.stderr
    rows = by_set(Profile(tmp_path / "out/scopes.pb.gz"))
    # Entered by the one who queues and by the worker.
    assert {k: v[0] for k, v in rows.items()} == {f"endpoint={e}": 600 for e in ("/cart", "/search", "/checkout")}


def test_what_is_heavy_gets_in_through_a_flood_of_ids(compiled, tmp_path):  # noqa: F811
    log = tmp_path / "log"
    p = run([compiled("flood")], EVERPROF_OUT=f"{tmp_path}/out/", EVERPROF_TYPES="heap", EVERPROF_LOG=log)
    assert p.returncode == 0, p.stderr
    assert len(log.read_text().splitlines()) == 1 and 'label "request" has more than 256 values' in log.read_text()
    scopes = Profile(tmp_path / "out/scopes.pb.gz")
    rows = {name.removeprefix("request="): n for name, (n, _) in by_set(scopes).items()}
    assert scopes.ledger()["folded"] > 0
    assert rows["__other__"] > sum(n for name, n in rows.items() if name.startswith("id-"))
    assert {f"endpoint-{e}" for e in range(10)} <= rows.keys()
