"""Every C unit test is a test of its own, in the normal and in the sanitizer builds."""

import os
import subprocess

import pytest

from harness import ROOT

NORMAL = os.environ.get("EVERPROF_BUILD", "build-test")
SANITIZER_ENV = {
    "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0:allocator_may_return_null=1",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    "TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1",
}


def units():
    for build in (NORMAL, "build-asan", "build-tsan"):
        for binary in sorted((ROOT / build / "tests" / "unit").glob("unit-*")):
            if binary.is_file() and os.access(binary, os.X_OK):
                names = subprocess.run([binary, "--list"], capture_output=True, text=True, check=True)
                for name in names.stdout.split():
                    yield pytest.param(binary, name, id=f"{build}-{binary.name[5:]}-{name}")


@pytest.mark.parametrize("binary, name", units())
def test_unit(binary, name):
    done = subprocess.run(
        [binary, name], capture_output=True, text=True, timeout=300, env={**os.environ, **SANITIZER_ENV}
    )
    if "[  SKIPPED ]" in done.stdout + done.stderr and done.returncode == 0:
        pytest.skip(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "skipped")
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
