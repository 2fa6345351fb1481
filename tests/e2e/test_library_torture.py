"""What programs do that breaks profilers, with every kind of profile on, and somebody who asks
/debug/pprof for all of them meanwhile: the program runs as it does without us, nothing hangs, and
each loss is in a ledger.

No verdict here depends on how fast anything was: seconds say how long to go on, and the limit
on a run is for hangs alone.
"""

import ctypes.util
import itertools
import os
import socket
import subprocess
import threading

import pytest

from harness import ROOT, need
from pprof import Profile
from test_library import SOURCES, run

SECONDS = 0.5
ALL_SECONDS = float(os.environ.get("TORTURE_SECONDS", 3600))  # of ./test long
HANG = 120
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


ROUTES = ["threads?debug=2", "heap", "profile?seconds=1", "block?debug=1", "scopes", "threadcreate", "mutex?seconds=1"]


class Asker:
    """Asks for one profile after the other until the program has ended."""

    def __init__(self, path):
        self.path, self.over, self.n_answers = str(path), threading.Event(), 0
        self.thread = threading.Thread(target=self.ask)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def ask(self):
        for route in itertools.cycle(ROUTES):
            if self.over.wait(0.02):
                return
            try:
                with socket.socket(socket.AF_UNIX) as s:
                    s.settimeout(30)
                    s.connect(self.path)
                    s.sendall(f"GET /debug/pprof/{route} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
                    while s.recv(65536):
                        self.n_answers += 1
            except OSError:
                pass  # not there yet, there no more, or a child that has none


def run_one(program, kind, plugin, tmp_path, out, seconds, preload, env):
    return run(
        [program, kind, seconds, plugin],
        seconds=20 * seconds + HANG,  # six threads on a CPU of a busy machine
        EVERPROF_TYPES=",".join(sorted(TYPES | {"threads"})),
        EVERPROF_HTTP=f"unix:{tmp_path}/s",
        EVERPROF_HEAP_BYTES=16384,
        EVERPROF_BLOCK_NS=1000,
        EVERPROF_OUT=f"{out}/",
        EVERPROF_LOG=tmp_path / "log",
        LD_PRELOAD=" ".join(map(str, preload)),
        **env,
    )


def torture(program, kind, plugin, build, tmp_path, how, seconds, **env):
    """Run one, and look at every file it and its children left."""
    out = tmp_path / "out"
    preload = [build / "libeverprof.so"] if how == "preloaded" else []
    preload += env.pop("preload", [])
    with Asker(tmp_path / "s") as asker:
        p = run_one(program, kind, plugin, tmp_path, out, seconds, preload, env)
    print(f"{asker.n_answers} pieces of answers")
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
    check(program, kind, tortured, plugin, build, tmp_path, how, ALL_SECONDS / len(CASES))


@pytest.mark.parametrize("allocator", ["jemalloc", "tcmalloc_minimal"])
@pytest.mark.parametrize("program,kind", [("torture_life", "churn"), ("torture_process", "fork"), ("torture_throw", "throw")])
def test_over_another_allocator(tortured, plugin, build, tmp_path, program, kind, allocator):
    library = ctypes.util.find_library(allocator)
    if not library:
        pytest.skip(f"lib{allocator} is not installed")
    program = tortured(program, "preloaded")
    assert torture(program, kind, plugin, build, tmp_path, "preloaded", SECONDS, preload=[library]) >= TYPES
