"""What programs do that breaks profilers, with every kind of profile on: the program runs as
it does without us, nothing hangs, and each loss is in a ledger.

No verdict here depends on how fast anything was: seconds say how long to go on, and the limit
on a run is for hangs alone.
"""

import ctypes.util
import subprocess

import pytest

from harness import ROOT, need
from pprof import Profile
from test_library import SOURCES, run

SECONDS = 0.5
HANG = 90
TYPES = {"cpu", "heap", "mutex", "block"}
HOW = ["shared", "static", "preloaded", "whole"]  # whole: libc is static too
PROGRAMS = {
    "torture_signals": ["storm", "altstack"],
    "torture_process": ["fork", "spawn", "seccomp", "setuid"],
    "torture_life": ["churn", "early", "exit"],
    "torture_throw": ["throw"],
}
CASES = [
    (program, kind, how)
    for program, kinds in PROGRAMS.items()
    for kind in kinds
    for how in HOW
    if (kind, how) != ("throw", "whole")  # it opens libraries
]


@pytest.fixture(scope="session")
def tortured(build, tmp_path_factory):
    """tortured(name, how): a program of torture_*, linked that way."""
    folder = tmp_path_factory.mktemp("torture")
    link = {
        "shared": [f"-L{build}", "-leverprof", f"-Wl,-rpath,{build}"],
        "static": [build / "libeverprof.a"],
        "preloaded": [],
        "whole": ["-static", build / "libeverprof.a"],
    }

    def program(name, how):
        out = folder / f"{name}-{how}"
        source = next(SOURCES.glob(f"{name}.c*"))
        compiler = need("c++" if source.suffix == ".cpp" else "cc")
        if not out.exists():
            flags = ["-O2", "-g", f"-I{ROOT}/include", "-pthread"]
            # A static libc warns that getaddrinfo() will load libraries.
            subprocess.run([compiler, *flags, source, "-o", out, *link[how]], check=True, capture_output=True)
        return out

    return program


@pytest.fixture(scope="session")
def plugin(tmp_path_factory):
    out = tmp_path_factory.mktemp("torture") / "plugin.so"
    subprocess.run([need("cc"), "-O2", "-shared", "-fPIC", SOURCES / "plugin.c", "-o", out], check=True)
    return out


def torture(program, kind, plugin, build, tmp_path, how, seconds, **env):
    """Run one, and look at every file it and its children left."""
    out = tmp_path / "out"
    preload = [build / "libeverprof.so"] if how == "preloaded" else []
    preload += env.pop("preload", [])
    p = run(
        [program, kind, seconds, plugin],
        seconds=seconds + HANG,
        EVERPROF_TYPES=",".join(sorted(TYPES)),
        EVERPROF_HTTP="127.0.0.1:0",
        EVERPROF_HEAP_BYTES=16384,
        EVERPROF_BLOCK_NS=1000,
        EVERPROF_OUT=f"{out}/",
        EVERPROF_LOG=tmp_path / "log",
        LD_PRELOAD=" ".join(map(str, preload)),
        **env,
    )
    if p.returncode == 77:
        pytest.skip("needs to be root")
    log = tmp_path / "log"
    assert (p.returncode, p.stderr) == (0, ""), (p, log.exists() and log.read_text())
    assert p.stdout.endswith("done\n")
    files = [f for f in out.glob("*") if not f.name.startswith(".")]
    for f in files:
        ledger = Profile(f).ledger()
        assert ledger["asked"] == ledger["taken"] + ledger["lost"], (f, ledger)
    return {f.name.split(".")[0] for f in files if f.name.count(".") == 2}


def check(program, kind, tortured, plugin, build, tmp_path, how, seconds):
    written = torture(tortured(program, how), kind, plugin, build, tmp_path, how, seconds)
    if kind not in ("seccomp", "setuid", "spawn"):  # there it may not be able to write
        assert written >= (TYPES - {"heap"} if how == "whole" else TYPES)


@pytest.mark.parametrize("program,kind,how", CASES)
def test_every_profile_is_on_and_nothing_breaks(tortured, plugin, build, tmp_path, program, kind, how):
    check(program, kind, tortured, plugin, build, tmp_path, how, SECONDS)


@pytest.mark.long
@pytest.mark.parametrize("program,kind,how", CASES)
def test_for_an_hour_in_all(tortured, plugin, build, tmp_path, program, kind, how):
    check(program, kind, tortured, plugin, build, tmp_path, how, 3600 / len(CASES))


@pytest.mark.parametrize("allocator", ["jemalloc", "tcmalloc_minimal"])
@pytest.mark.parametrize("program,kind", [("torture_life", "churn"), ("torture_process", "fork"), ("torture_throw", "throw")])
def test_over_another_allocator(tortured, plugin, build, tmp_path, program, kind, allocator):
    library = ctypes.util.find_library(allocator)
    if not library:
        pytest.skip(f"lib{allocator} is not installed")
    program = tortured(program, "preloaded")
    assert torture(program, kind, plugin, build, tmp_path, "preloaded", SECONDS, preload=[library]) >= TYPES
