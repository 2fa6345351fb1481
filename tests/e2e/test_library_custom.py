"""Profiles of the program's own things."""

import pytest

from pprof import Profile
from test_library import compiled, run  # noqa: F401  (compiled is a fixture)


@pytest.fixture(scope="module")
def written(compiled, tmp_path_factory):  # noqa: F811
    folder = tmp_path_factory.mktemp("custom")
    p = run([compiled("custom"), folder])
    assert (p.returncode, p.stderr) == (0, ""), p.stderr
    return folder


def test_what_is_open_shows_where_it_was_opened(written):
    profile = Profile(written / "conns.pb.gz")
    assert profile.types == ["conns"]
    counts = {}
    for s in profile.samples:
        assert s.stack[-3:] == ["__libc_start_call_main", "__libc_start_main", "_start"] or "main" in s.stack
        counts[s.stack[0], s.labels.get("peer")] = counts.get((s.stack[0], s.labels.get("peer")), 0) + s.values[0]
    assert counts == {
        ("accept_one", None): 500,
        ("dial_one", "even"): 200,
        ("dial_one", "odd"): 200,
        ("main", None): 2,  # added with skip=1 by wrapper()
    }
    assert profile.ledger()["lost"] == profile.ledger()["truncated"] == 0
    assert profile.ledger()["misused"] == 3, "one added twice, two removed that were not there"


def test_the_text_form_is_that_of_go(written):
    blocks = (written / "conns.txt").read_text().split("\n\n")
    head, first, *frames = blocks[0].split("\n")
    assert head == "conns profile: total 902"
    count, at, *addresses = first.split(" ")
    assert (count, at) == ("500", "@") and all(a.startswith("0x") for a in addresses)
    assert len(frames) == len(addresses)
    assert frames[0].split("\t")[:2] == ["#", addresses[0]]
    assert frames[0].split("\t")[2].startswith("accept_one+0x")
    assert any('# labels: {"peer":"odd"}' in b for b in blocks)
    columns = [line.expandtabs(8).find("/") for line in frames]
    assert len(set(columns)) == 1, "in columns"
