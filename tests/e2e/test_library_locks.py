"""The mutex and block profiles of programs whose waiting is known by their own clock."""

import shutil
import subprocess

import pytest

from pprof import Profile
from test_library import SOURCES, compiled, environment, run  # noqa: F401  (compiled is a fixture)


def profiles(argv, folder, build, types="mutex,block", **env):
    p = run(argv, EVERPROF_TYPES=types, EVERPROF_OUT=f"{folder}/", LD_PRELOAD=build / "libeverprof.so", **env)
    assert (p.returncode, p.stderr) == (0, ""), p
    return p.stdout, {f.name.split(".")[0]: Profile(f) for f in folder.iterdir()}


def of(profile, function):
    """(contentions, delay) of the stacks whose function of the program's own is this."""
    rows = [s.values for s in profile.samples if function in s.stack]
    return sum(v[0] for v in rows), sum(v[1] for v in rows)


@pytest.fixture(scope="module")
def known(compiled, build, tmp_path_factory):  # noqa: F811
    printed, found = profiles([compiled("locks", linked=False)], tmp_path_factory.mktemp("locks") / "out", build)
    return {l.split()[0]: tuple(map(int, l.split()[1:])) for l in printed.splitlines()}, found


WAITERS = ["wait_for_mutex", "wait_for_rwlock", "wait_for_c11", "wait_for_cond", "wait_for_sem", "wait_at_barrier"]


@pytest.mark.parametrize("function", [*WAITERS, "wait_for_thread"])
def test_waiting_is_charged_to_the_waiter(known, function):
    truth, found = known
    assert found["block"].types == ["contentions", "delay"]
    count, delay = of(found["block"], function)
    print(f"{function}: {count} of {truth[function][0]} waits, {delay / truth[function][1]:.4f} of the time")
    assert abs(delay / truth[function][1] - 1) < 0.05
    assert abs(count - truth[function][0]) <= 2


@pytest.mark.parametrize("function", ["hold_long", "hold_short"])
def test_waiting_is_charged_to_who_held_the_lock(known, function):
    truth, found = known
    count, delay = of(found["mutex"], function)
    print(f"{function}: {count} of {truth[function][0]}, {delay / truth[function][1]:.4f} of the time")
    assert abs(delay / truth[function][1] - 1) < 0.05
    assert count == truth[function][0]


def test_conditions_and_semaphores_have_no_holder(known):
    _, found = known
    assert {f for s in found["mutex"].samples for f in s.stack} & set(WAITERS[3:6]) == set()


def test_short_waits_are_sampled_without_bias(compiled, build, tmp_path):  # noqa: F811
    """2,000 waits of some microseconds, one in 200 us of waiting."""
    printed, found = profiles([compiled("short_waits", linked=False)], tmp_path / "out", build, "block", EVERPROF_BLOCK_NS=200_000)
    n, ns = map(int, printed.split())
    count, delay = of(found["block"], "wait_shortly")
    # Of k samples the sum has a relative error of 1 / sqrt(k).
    samples = found["block"].ledger()["taken"]
    assert samples > 20
    assert abs(delay / ns - 1) < 5 / samples**0.5 + 0.05


@pytest.mark.skipif(not shutil.which("g++"), reason="needs g++")
def test_std_mutex_and_std_condition_variable(build, tmp_path):
    program = tmp_path / "waits"
    subprocess.run(["g++", "-O2", "-g", "-pthread", SOURCES / "waits.cpp", "-o", program], check=True)
    _, found = profiles([program], tmp_path / "out", build)
    assert of(found["block"], "_Z14wait_for_mutexv")[1] > 15e6
    assert of(found["block"], "_Z13wait_for_condv")[1] > 15e6
    assert of(found["mutex"], "_Z4holdv")[1] > 15e6


def test_what_they_answer_is_what_libc_answers(compiled, build, tmp_path):  # noqa: F811
    """EDEADLK, EPERM, ETIMEDOUT, robust and recursive locks: the same with us in front."""
    program = compiled("lock_answers", linked=False)
    plain = subprocess.run([program], capture_output=True, text=True, check=True, env=environment()).stdout
    printed, _ = profiles([program], tmp_path / "out", build)
    assert printed == plain and len(plain.splitlines()) > 10
