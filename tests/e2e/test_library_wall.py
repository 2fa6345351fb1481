"""Where threads spend their time, running or waiting, and that looking disturbs none."""

import math

import pytest

from pprof import Profile
from test_library import Ingest, compiled  # noqa: F401  (compiled is a fixture)
from test_library_threads import KNOWN, Threads


def of_thread(profile, name):
    return [s for s in profile.samples if s.labels.get("comm") == name]


def seconds_of(samples):
    return sum(s.values[0] for s in samples) / 1e9


@pytest.fixture(scope="module")
def program(compiled):  # noqa: F811
    with Threads([compiled("threads")], EVERPROF_HTTP="127.0.0.1:0") as p:
        yield p


def test_who_waits_all_the_time_has_all_the_time_where_it_waits(program):
    profile = program.profile("?seconds=4", name="wall")
    assert profile.types == ["wall"] and profile.period == 100_000_000
    for name, (function, calls) in KNOWN.items():
        samples = of_thread(profile, name)
        for s in samples:
            assert function in s.stack and s.stack.index(function) < s.stack.index("deeper"), s.stack
            assert (s.labels["state"], s.labels["stack"], s.labels["job"]) == ("waiting", "whole", name)
            assert s.labels["wait"] in calls
        assert 3.8 < seconds_of(samples) < 6, name
    ledger = profile.ledger()
    assert ledger["lost"] == 0 and ledger["asked"] == ledger["taken"]


def test_who_runs_has_its_cpu_time_and_its_wait_for_a_cpu(program):
    profile = program.profile("?seconds=6", name="wall")
    samples = of_thread(profile, 'runs "hot"')
    assert {s.labels["state"] for s in samples} <= {"running", "runnable", "waiting"}
    running = [s for s in samples if s.labels["state"] == "running"]
    assert {"run_on", "deeper", "work"} <= set(running[0].stack)
    assert 4.5 < seconds_of(samples) < 8, [(s.labels["state"], s.values) for s in samples]


def test_it_is_off_between_requests_and_nobody_was_woken(compiled):  # noqa: F811
    with Threads([compiled("threads")], EVERPROF_HTTP="127.0.0.1:0") as p:
        first = p.profile("?seconds=1", name="wall")
        again = p.profile("?seconds=1", name="wall")
        for profile in (first, again):
            assert 0.8 < seconds_of(of_thread(profile, "in-read")) < 2.5
        assert b"wall" in p.get("/debug/pprof/?format=json")[2]
        assert p.end() == 0


def test_only_threads_of_these_names(compiled):  # noqa: F811
    with Threads([compiled("threads")], EVERPROF_HTTP="127.0.0.1:0", EVERPROF_WALL="in-p*,in-mutex") as p:
        names = {s.labels["comm"] for s in p.profile("?seconds=2", name="wall").samples}
        assert names == {"in-poll", "in-mutex"}


def test_many_threads_are_estimated_from_a_few_at_a_time(compiled):  # noqa: F811
    """Of 400, eight at a time are looked at; the estimate of how long all waited has the
    error of looks at random."""
    with Threads([compiled("threads"), 400], EVERPROF_HTTP="127.0.0.1:0") as p:
        profile = p.profile("?seconds=4", name="wall")
        idle = [s for s in profile.samples if "wait_in_pause" in s.stack]
        share = 400 / 408
        looks = 8 * 40 / 2
        assert abs(seconds_of(idle) / (4 * 400) - 1) < 4 * math.sqrt((1 - share) / share / looks) + 0.3


def test_it_is_pushed_and_written_when_it_is_asked_for(compiled, tmp_path):  # noqa: F811
    server, out = Ingest(), tmp_path / "out"
    env = {"EVERPROF_HTTP": "127.0.0.1:0", "EVERPROF_SERVER": server.url, "EVERPROF_OUT": f"{out}/"}
    with Threads([compiled("threads")], EVERPROF_TYPES="wall", **env) as p:
        p.profile("?seconds=1", name="wall")
    server.socket.close()
    pushed = [p for _, p in server.pushed if p.types == ["wall"]]
    assert pushed and seconds_of(of_thread(pushed[-1], "in-read")) > 0.9
    written = Profile(out / "wall.pb.gz")
    assert seconds_of(of_thread(written, "in-read")) > 0.9
    assert not [p for _, p in server.pushed if p.types == ["samples", "cpu"]], "nobody asked for CPU"
