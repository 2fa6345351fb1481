"""Stacks of the agent against what is known: which function called which, down to the start."""

import collections
import json
import os
import pathlib
import signal
import subprocess
import time

import pytest

from harness import need, stop, wait_until
from pprof import Profile

TICKS = os.sysconf("SC_CLK_TCK")

CHAIN = r"""
volatile unsigned long sink;
#define CALLED __attribute__((noinline, noclone))
CALLED void leaf(int n) { for (int i = 0; i < 20000; i++) sink += i * n; }
CALLED int f0(int n) { leaf(n); return sink; }
/* Frames of many sizes, some of a size known at run time only. */
#define F(a, b) CALLED int a(int n) { volatile char pad[16 + n % 8 * 8]; pad[0] = n; return b(n + 1) + pad[0]; }
F(f1, f0) F(f2, f1) F(f3, f2) F(f4, f3) F(f5, f4) F(f6, f5) F(f7, f6) F(f8, f7) F(f9, f8)
CALLED int again(int d, int n) { int r = d ? again(d - 1, n + 1) : f9(n); return r ^ sink; }
int main(void) { for (;;) again(20, 1); }
"""
CALLS = ["main"] + ["again"] * 21 + [f"f{i}" for i in range(9, -1, -1)] + ["leaf"]

GO = """package main
var sink int
//go:noinline
func leaf(i, n int) { for j := 0; j < 10000; j++ { sink += i * n } }
//go:noinline
func spin(n int) { for i := 0; i < 10000; i++ { leaf(i, n) }; sink++ }
//go:noinline
func middle(n int) { spin(n); sink++ }
func main() { for { middle(3) } }
"""

SHELL = "while :; do (i=0; while [ $i -lt 2000 ]; do i=$((i+1)); done); done"
SQL = (
    "with recursive c(x) as (values(1) union all select x + 1 from c limit 1000000000) "
    "select sum(x * x % 7) from c"
)


@pytest.fixture
def by_tables(everprof):
    r = subprocess.run([everprof, "doctor", "--json"], capture_output=True, text=True, timeout=120)
    doctor = json.loads(r.stdout)
    if doctor["sampling"] != "ebpf" or not doctor["by_tables"]:
        pytest.skip("stacks are not walked by tables here: " + " ".join(doctor["sees"]))


def compile_chain(folder):
    need("cc")
    (folder / "chain.c").write_text(CHAIN)
    command = ["cc", "-O2", "-fomit-frame-pointer", "-o", folder / "deepchain", folder / "chain.c"]
    subprocess.run(command, check=True, timeout=120)
    return [folder / "deepchain"]


def cpu_seconds(pid):
    """Of a process, and of its children that have ended."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(int(f) for f in fields[11:15]) / TICKS


def is_calm(pid):
    before = cpu_seconds(pid)
    time.sleep(0.5)
    return 0.02 < before and cpu_seconds(pid) - before < 0.02


def record(everprof, folder, argv, seconds=4, **popen):
    """The stacks of argv and its children, with how many samples each, root first."""
    out = folder / "stacks.pb.gz"
    recording = subprocess.Popen([everprof, "record", "-o", out, "-a", "-d", "10m"], stderr=subprocess.DEVNULL)
    wait_until("it has read the processes that are there", lambda: is_calm(recording.pid))
    p = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, **popen)
    try:
        service = wait_until_execed(p)
        wait_until("it has run", lambda: cpu_seconds(p.pid) > seconds, 200)
        assert stop(recording, signal.SIGINT) == 0
    finally:
        os.killpg(p.pid, signal.SIGKILL)
        p.wait()
    stacks = collections.Counter()
    for stack, values, labels in Profile(out.read_bytes()).samples:
        if labels.get("service_name") == service:
            stacks[tuple(reversed(stack))] += values[0]
    assert sum(stacks.values()) > 100
    return stacks


def wait_until_execed(p):
    own = os.path.realpath("/proc/self/exe")
    exe = pathlib.Path(f"/proc/{p.pid}/exe")
    wait_until("it runs", lambda: os.path.realpath(exe) != own or p.args[0] == "/usr/bin/python3")
    return os.path.basename(os.path.realpath(exe))


def share(stacks, holds):
    return sum(n for s, n in stacks.items() if holds(s)) / sum(stacks.values())


def is_whole(stack):
    return stack[0] == "_start"


def test_a_deep_chain_without_frame_pointers_is_whole_and_right(everprof, by_tables, tmp_path):
    stacks = record(everprof, tmp_path, compile_chain(tmp_path))

    def is_true(stack):
        if not is_whole(stack) or "main" not in stack:
            return False
        ours = list(stack[stack.index("main") :])
        # It may be caught on its way down the chain (its first pages are faulted in there),
        # and what the kernel did while the timer's interrupt lasted is above the leaf.
        return all(a == b for a, b in zip(ours, CALLS))

    assert share(stacks, is_true) >= 0.99, [s for s in stacks if not is_true(s)]
    assert share(stacks, lambda s: list(s[-len(CALLS) :]) == CALLS) > 0.9


@pytest.mark.parametrize(
    "argv",
    [
        ["/usr/bin/python3", "-c", "while True: sum(range(1000))"],
        ["gzip", "-9"],
        ["sqlite3", ":memory:", SQL],
    ],
    ids=["python3", "gzip", "sqlite3"],
)
def test_stacks_of_programs_of_the_system_reach_their_start(everprof, by_tables, tmp_path, argv):
    need(argv[0])
    with open("/dev/urandom", "rb") as noise:
        stacks = record(everprof, tmp_path, argv, stdin=noise)
    assert share(stacks, is_whole) >= 0.99, [s for s in stacks if not is_whole(s)]


def test_go_is_walked_by_frame_pointer_down_to_its_goroutine(everprof, by_tables, tmp_path):
    need("go")
    (tmp_path / "spin.go").write_text(GO)
    env = {**os.environ, "GOCACHE": str(tmp_path / "cache"), "GOFLAGS": "-mod=mod", "GO111MODULE": "off"}
    subprocess.run(["go", "build", "-o", "gospin", "spin.go"], cwd=tmp_path, env=env, check=True, timeout=300)
    stacks = record(everprof, tmp_path, [tmp_path / "gospin"])
    # A leaf without a frame hides its caller from a walk by frame pointers: here main.spin.
    calls = ("runtime.main", "main.main", "main.middle", "main.leaf")
    assert share(stacks, lambda s: s[1:5] == calls and s[0].startswith("runtime.goexit")) > 0.95, stacks


def test_subshells_that_live_for_a_moment_have_whole_stacks(everprof, by_tables, tmp_path):
    stacks = record(everprof, tmp_path, ["sh", "-c", SHELL])
    user = collections.Counter({s: n for s, n in stacks.items() if not s[0].startswith("entry_")})
    assert share(user, is_whole) >= 0.97, [s for s in user if not is_whole(s)]
