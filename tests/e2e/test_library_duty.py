"""EVERPROF_DUTY: CPU is sampled so long in so long, and each profile says how long that was."""

import pathlib
import subprocess
import time
import urllib.request

import pytest

from harness import free_port, wait_until
from pprof import Profile
from test_library import Ingest, compiled, environment, run  # noqa: F401 (a fixture)


class Worker:
    """A program that works until told to end."""

    def __init__(self, program, **env):
        self.process = subprocess.Popen(
            [program], env=environment(**env), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout.readline() == "ready\n"

    def timers(self):
        """POSIX timers it has now, as the kernel tells."""
        return pathlib.Path(f"/proc/{self.process.pid}/timers").read_text().count("signal: 27/")

    def end(self):
        self.process.stdin.close()
        assert self.process.wait(60) == 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def on(w):
    wait_until("timers are there", lambda: w.timers() > 0, 60)


def off(w):
    wait_until("timers are gone", lambda: w.timers() == 0, 60)


def test_timers_come_and_go_and_each_profile_says_what_it_covers(compiled, tmp_path):
    server = Ingest()
    start = time.monotonic()
    with Worker(compiled("duty"), EVERPROF_DUTY="1s/3s", EVERPROF_SERVER=server.url, EVERPROF_OUT=f"{tmp_path}/out/",
                EVERPROF_HEAP_BYTES=1) as w:  # fmt: skip
        on(w), off(w), on(w), off(w)
        w.end()
    seconds = time.monotonic() - start
    pushed = [p for _, p in server.pushed if p.types == ["samples", "cpu"]]
    assert len(pushed) >= 2, "a profile for each time it sampled"
    covered = [p.ledger()["covered_ns"] for p in pushed]
    for profile, ns in zip(pushed, covered):
        assert profile.duration_ns == ns > 0
        # One thread can't use more than the time there was; a timer is late by a tick.
        assert profile.total() < ns * 1.1 + 50e6
    whole = Profile(tmp_path / "out" / "cpu.pb.gz")
    assert whole.ledger()["covered_ns"] == whole.duration_ns >= sum(covered)
    assert whole.duration_ns < seconds * 1e9
    assert whole.ledger()["lost"] == 0, "what is not asked for is not lost"
    heap = Profile(tmp_path / "out" / "heap.pb.gz")
    n = sum(s.values[0] for s in heap.samples if any("allocate_here" in f for f in s.stack))
    assert n == 1000, "the heap is counted all the time"


def test_a_capture_samples_between(compiled, tmp_path):
    port = free_port()
    server = Ingest()
    with Worker(compiled("duty"), EVERPROF_DUTY="1s/1h", EVERPROF_SERVER=server.url, EVERPROF_HTTP=f"127.0.0.1:{port}") as w:
        off(w)
        before = len(server.pushed)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/debug/pprof/profile?seconds=1", timeout=60) as r:
            captured = Profile(r.read())
        assert captured.total("samples") > 0
        off(w)
        w.end()
    late = [p for _, p in server.pushed[before:] if p.types == ["samples", "cpu"]]
    assert late == [], "its samples are its own"


def test_the_phase_differs_between_processes(compiled, tmp_path):
    """In a cycle of 10s/20s, 16 processes started together: neither all nor none sample at once."""
    program = compiled("duty")
    workers = [Worker(program, EVERPROF_DUTY="10s/20s", EVERPROF_SERVER="http://127.0.0.1:9", EVERPROF_TYPES="cpu",
                      XDG_STATE_HOME=tmp_path / "state") for _ in range(16)]  # fmt: skip
    try:
        sampling = [w.timers() > 0 for w in workers]
        assert 0 < sum(sampling) < 16, "one chance in 30,000 each way"
    finally:
        for w in workers:
            w.__exit__()


@pytest.mark.parametrize("value", ["10s", "60s/10s", "10/60", "100ms/1s", "1s/2d"])
def test_what_makes_no_sense_is_refused_with_a_sentence(compiled, tmp_path, value):
    p = run([compiled("spin"), 0.01], EVERPROF_DUTY=value, EVERPROF_LOG=tmp_path / "log", EVERPROF_OUT=tmp_path / "x")
    assert p.returncode == 1 and "EVERPROF_DUTY is like 10s/60s" in (tmp_path / "log").read_text()
