"""Which clock strikes: work in step with the kernel's tick, work in the kernel, and what a
program may do to the clock.  Shares are compared with the program's own measure."""

import ctypes
import math
import os

import pytest

from pprof import Profile
from test_library import compiled, run  # noqa: F401  (compiled is a fixture)


def may_use_perf_events():
    """The kernel's own answer, on the plain way: a task clock of the calling thread."""
    attr = ctypes.create_string_buffer(112)
    attr[0:16] = (1).to_bytes(4, "little") + (112).to_bytes(4, "little") + (1).to_bytes(8, "little")
    attr[40:48] = (1 << 5 | 1 << 6).to_bytes(8, "little")  # neither kernel nor hypervisor
    fd = ctypes.CDLL(None, use_errno=True).syscall(298, attr, 0, -1, -1, 0)
    if fd >= 0:
        os.close(fd)
    return fd >= 0


allowed = pytest.mark.skipif(not may_use_perf_events(), reason="perf events are refused here")


@pytest.fixture
def phase(compiled, tmp_path):  # noqa: F811
    def one(seconds, what="", **env):
        out, log = tmp_path / "cpu.pb.gz", tmp_path / "log"
        p = run([compiled("phase"), seconds, what], EVERPROF_OUT=out, EVERPROF_LOG=log, EVERPROF_TYPES="cpu", **env)
        assert (p.returncode, p.stderr) == (0, ""), p
        return Profile(str(out)), [int(n) for n in p.stdout.split()], log.read_text() if log.exists() else ""

    return one


def tolerance(share, n, more):
    return 4 * math.sqrt(share * (1 - share) / n) + more


@allowed
def test_work_in_step_with_the_tick_is_seen_where_it_is(phase):
    profile, (first, second, _), log = phase(4, EVERPROF_CLOCK="perf")
    truth, n = first / (first + second), profile.total("samples")
    seen = profile.share_with("first_half") / (profile.share_with("first_half") + profile.share_with("second_half"))
    assert abs(seen - truth) < tolerance(truth, n, 0.02), (seen, truth, n)
    # The time to go to sleep and to wake up is in neither.
    assert 0.97 < profile.total() / (first + second) < 1.25
    assert log == ""


@allowed
def test_work_in_the_kernel_is_charged_to_its_call(phase):
    profile, (kernel, user, _), _ = phase(5, "kernel", EVERPROF_CLOCK="perf")
    truth, n = kernel / (kernel + user), profile.total("samples")
    seen = profile.share_with("read_on")
    assert abs(seen - truth) < tolerance(truth, n, 0.04), (seen, truth, n)
    assert abs(profile.total() / (kernel + user) - 1) < 0.05


@allowed
def test_no_call_is_cut_short_by_it(phase):
    profile, (_, _, early), _ = phase(3, "naps", EVERPROF_CLOCK="perf", EVERPROF_HZ=1000)
    assert profile.total("samples") > 100
    assert early == 0


def test_a_refusal_is_said_once_and_timers_go_on(phase):
    profile, (first, second, _), log = phase(2, "refused", EVERPROF_CLOCK="perf")
    assert log.count("perf events are refused (Operation not permitted") == 1
    assert log.count("\n") <= 2
    ledger = profile.ledger()
    assert abs(ledger["asked"] * profile.period / (first + second) - 1) < 0.3


@allowed
def test_a_thread_that_its_timer_misses_is_given_an_event(phase):
    """The program deletes the timers: nothing else misses a thread for sure.  What was not
    seen until it ends is charged to its start routine."""
    with_timers_only, *_ = phase(2, "deletes", EVERPROF_CLOCK="timer")
    assert with_timers_only.share_with("first_half") < 0.2
    profile, (spent, _, _), _ = phase(6, "deletes")
    assert profile.share_with("first_half") > 0.5
    assert abs(profile.total() / spent - 1) < 0.1


@allowed
def test_a_program_that_closes_all_descriptors_loses_no_time(phase):
    profile, (spent, _, _), _ = phase(3, "closes", EVERPROF_CLOCK="perf")
    assert abs(profile.total() / spent - 1) < 0.1
    assert profile.share_with("first_half") > 0.9


@allowed
def test_a_child_has_none_of_its_parents_events(phase):
    profile, (spent, _, _), _ = phase(2, "child", EVERPROF_CLOCK="perf")
    assert abs(profile.total() / spent - 1) < 0.1


def test_another_word_for_the_clock_is_refused(compiled, tmp_path):  # noqa: F811
    log = tmp_path / "log"
    assert run([compiled("phase"), 0.1], EVERPROF_CLOCK="sundial", EVERPROF_LOG=log).returncode == 1
    assert "EVERPROF_CLOCK is auto, timer or perf" in log.read_text()
