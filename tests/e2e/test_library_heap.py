"""The heap profile of programs whose heap is known."""

import math
import subprocess

import pytest

from harness import need
from pprof import Profile
from test_library import compiled, run  # noqa: F401  (compiled is a fixture)

MEAN = 32768


def heap_of(argv, folder, build, **env):
    """What the program printed, and its heap profile."""
    preload = env.pop("LD_PRELOAD", "")
    env["LD_PRELOAD"] = f"{build / 'libeverprof.so'} {preload}".strip()
    env = {"EVERPROF_TYPES": "heap", "EVERPROF_HEAP_BYTES": MEAN, "EVERPROF_OUT": f"{folder}/", **env}
    p = run(argv, **env)
    assert (p.returncode, p.stderr) == (0, ""), p
    return p.stdout, Profile(folder / "heap.pb.gz")


def by_function(profile, function, column):
    i = profile.types.index(column)
    return sum(s.values[i] for s in profile.samples if function in s.stack)


def four_errors(n_bytes):
    """Of the estimate of a site's bytes, as a share: each sampled object of n bytes stands
    for n / p, so the variance of the sum is sum(n^2 (1 - p) / p), at most bytes * mean."""
    return 4 * math.sqrt(MEAN / n_bytes) + 0.002


def check(printed, profile):
    for line in printed.splitlines():
        name, alloc_bytes, live_bytes, alloc_objects, live_objects = line.split()
        for column, truth in (("alloc_space", int(alloc_bytes)), ("inuse_space", int(live_bytes))):
            estimate = by_function(profile, name, column)
            print(f"{name} {column}: {estimate / truth if truth else estimate:.4f} of {truth}")
            if truth:
                assert abs(estimate / truth - 1) < four_errors(truth), (name, column)
            else:
                assert estimate == 0, (name, column)
    total = profile.total("inuse_space")
    truth = sum(int(l.split()[2]) for l in printed.splitlines())
    assert abs(total / truth - 1) < four_errors(truth)


@pytest.fixture
def heap_program(compiled):
    return compiled("heap", linked=False)


def test_bytes_by_site_allocated_and_live(heap_program, build, tmp_path):
    printed, profile = heap_of([heap_program, 100], tmp_path / "out", build)
    assert profile.types == ["alloc_objects", "alloc_space", "inuse_objects", "inuse_space"]
    assert profile.period == MEAN
    check(printed, profile)
    ledger = profile.ledger()
    assert ledger["lost"] == 0 and ledger["truncated"] <= ledger["taken"] // 50


def test_objects_are_counted_as_well_as_bytes(heap_program, build, tmp_path):
    printed, profile = heap_of([heap_program, 100], tmp_path / "out", build)
    alloc_objects, live_objects = map(int, printed.split()[3:5])
    # Small objects are sampled rarely and stand for many: the spread is wide.
    assert abs(by_function(profile, "keep_small", "alloc_objects") / alloc_objects - 1) < 0.25
    assert abs(by_function(profile, "keep_small", "inuse_objects") / live_objects - 1) < 0.25


def test_live_objects_carry_their_age_and_allocations_do_not(heap_program, build, tmp_path):
    _, profile = heap_of([heap_program, 20], tmp_path / "out", build)
    inuse, alloc = profile.types.index("inuse_space"), profile.types.index("alloc_space")
    assert all(s.labels.get("age") for s in profile.samples if s.values[inuse])
    assert not any(s.labels.get("age") for s in profile.samples if s.values[alloc])


@pytest.mark.parametrize("allocator", ["libjemalloc.so.2", "libtcmalloc_minimal.so.4"])
def test_another_allocator_underneath(heap_program, build, tmp_path, allocator):
    known = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True).stdout
    path = next((l.split()[-1] for l in known.splitlines() if l.split()[:1] == [allocator]), None)
    if not path:
        pytest.skip(f"{allocator} is not installed")
    printed, profile = heap_of([heap_program, 50], tmp_path / "out", build, LD_PRELOAD=path)
    check(printed, profile)


@pytest.mark.parametrize("flags", [[], ["-no-pie", "-fno-pie"]], ids=["pie", "fixed"])
def test_every_way_to_allocate_is_seen_and_every_free(compiled, build, tmp_path, flags):
    program = compiled("allocators", *flags, linked=False)
    printed, profile = heap_of([program], tmp_path / "out", build, EVERPROF_HEAP_BYTES=1)
    truth = dict(line.split() for line in printed.splitlines())
    for way, n_bytes in truth.items():
        assert by_function(profile, f"by_{way}", "alloc_space") == int(n_bytes), way
        assert by_function(profile, f"by_{way}", "inuse_space") == 0, way


@pytest.mark.parametrize("python", ["python3", "/usr/bin/python3"])  # often two: Debian's is at a fixed place
def test_python_allocates_through_us_and_stays_itself(build, tmp_path, python):
    python = need(python)
    code = "import sys; print(sum(len(str(i)) for i in range(200000)), len([bytes(1000) for _ in range(50000)]))"
    plain = run([python, "-c", code]).stdout
    printed, profile = heap_of([python, "-c", code], tmp_path / "out", build)
    assert printed == plain
    assert profile.total("alloc_space") > 50e6
