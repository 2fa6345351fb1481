"""Fuzz targets: their seeds under the sanitizers, and a minute of search between them."""

import os
import shutil
import subprocess

import pytest

from harness import ROOT

TARGETS = sorted(p.stem[5:] for p in (ROOT / "fuzz").glob("fuzz_*.c"))


@pytest.mark.parametrize("name", TARGETS)
def test_seeds(name):
    binary = ROOT / "build-asan" / "fuzz" / f"fuzz-{name}"
    if not binary.exists():
        pytest.skip("build-asan is not built")
    seeds = ROOT / "tests" / "data" / "fuzz" / name
    done = subprocess.run([binary, seeds], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]


def test_a_minute_of_fuzzing_finds_nothing():
    if not shutil.which("clang"):
        pytest.skip("clang is not installed")
    seconds = os.environ.get("EVERPROF_FUZZ_SECONDS", "60")
    done = subprocess.run([ROOT / "fuzz" / "run", seconds], capture_output=True, text=True, timeout=1800)
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
