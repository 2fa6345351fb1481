"""Heap profiles against the truth, many times over: the estimates are unbiased, and as far off
as docs/math/heap.md says they may be.

One process is many runs: each on its own thread, under its own label.  What a run's interval is
follows from the sizes alone, so the tests have power both ways: an interval that is hit too often is
as wrong as one that is missed.
"""

import ctypes.util
import math

import pytest

from pprof import Profile
from test_library import compiled, run  # noqa: F401  (compiled is a fixture)

MEAN = 2048
RUNS = 250
KILOBYTES = 240
ALLOCATORS = ["glibc", "jemalloc", "tcmalloc_minimal"]
COLUMNS = ["alloc_objects", "alloc_space", "inuse_objects", "inuse_space"]


def preload_of(allocator, build):
    library = "" if allocator == "glibc" else ctypes.util.find_library(allocator)
    if library is None:
        pytest.skip(f"lib{allocator} is not installed")
    return f"{build / 'libeverprof.so'} {library}"


def deviations(program, folder, build, allocator):
    """{(site, column): [how many standard deviations off, one a run]}, and the estimate of
    all that is live against the truth."""
    p = run([program, RUNS, KILOBYTES], EVERPROF_TYPES="heap", EVERPROF_HEAP_BYTES=MEAN,
            EVERPROF_OUT=f"{folder}/", LD_PRELOAD=preload_of(allocator, build))  # fmt: skip
    assert (p.returncode, p.stderr) == (0, ""), p
    profile = Profile(folder / "heap.pb.gz")
    assert profile.types == COLUMNS and profile.ledger()["lost"] == 0
    sites = {l.split()[0]: tuple(map(int, l.split()[1:])) for l in p.stdout.splitlines()}
    found = {}
    for s in profile.samples:
        site = next((f for f in s.stack if f in sites), None)
        if site:
            row = found.setdefault((site, s.labels["run"]), [0] * 4)
            for i, v in enumerate(s.values):
                row[i] += v
    off, live, truth_live = {}, 0, 0
    for site, (size, n_alloc, n_live) in sites.items():
        # realloc() of `grown` counts as an object of its own.
        sizes = [size - 1, size] if site == "site_grown" else [size]
        for i, column in enumerate(COLUMNS):
            n = n_live if column.startswith("inuse") else n_alloc
            of = [size] if column.startswith("inuse") else sizes
            weight = (lambda x: x) if column.endswith("space") else (lambda x: 1)
            truth = sum(n * weight(x) for x in of)
            hit = {x: -math.expm1(-x / MEAN) for x in of}
            deviation = math.sqrt(sum(n * weight(x) ** 2 * (1 - hit[x]) / hit[x] for x in of))
            if weight(2) == 1 and deviation < 1:
                continue  # whole objects can't tell it
            rows = [found.get((site, str(r)), [0] * 4)[i] for r in range(RUNS)]
            off[site, column] = [(row - truth) / deviation for row in rows]
            if column == "inuse_space":
                live, truth_live = live + sum(rows), truth_live + truth * RUNS
    return off, live / truth_live


def outside(values):
    return sum(abs(v) > 1.96 for v in values)


def check(off, n_runs):
    """No site is biased, and 5 % of the runs are outside of their 95 % interval."""
    for key, values in sorted(off.items()):
        assert len(values) == n_runs
        bias = sum(values) / math.sqrt(n_runs)  # itself in standard deviations
        print(f"{key[0]} {key[1]}: {outside(values) / n_runs:.1%} outside, bias {bias:+.1f}")
        # Five standard deviations: by chance once in two million.
        assert abs(bias) < 5, key
        assert outside(values) <= 0.05 * n_runs + 5 * math.sqrt(0.05 * 0.95 * n_runs), key
    for column in COLUMNS:
        all_runs = [v for key, values in off.items() if key[1] == column for v in values]
        share = outside(all_runs) / len(all_runs)
        assert 0.025 < share <= 0.08, (column, share)


@pytest.fixture(scope="module")
def program(compiled):  # noqa: F811
    return compiled("heap_truth")


@pytest.mark.parametrize("allocator", ALLOCATORS)
def test_sites_are_within_their_intervals(program, build, tmp_path, allocator):
    off, live = deviations(program, tmp_path / "out", build, allocator)
    print(f"{allocator}: live heap {live:.4f} of the truth")
    assert abs(live - 1) < 0.02
    check(off, RUNS)


@pytest.mark.long
@pytest.mark.parametrize("allocator", ALLOCATORS)
def test_a_hundred_processes(program, build, tmp_path, allocator):
    pooled, worst = {}, 0
    for i in range(100):
        off, live = deviations(program, tmp_path / f"out{i}", build, allocator)
        worst = max(worst, abs(live - 1))
        for key, values in off.items():
            pooled.setdefault(key, []).extend(values)
    print(f"{allocator}: live heap at worst {worst:.4f} off the truth")
    assert worst < 0.02
    check(pooled, 100 * RUNS)
    for key, values in pooled.items():
        assert outside(values) <= 0.08 * len(values), key
