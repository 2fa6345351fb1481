"""The main job, as its user sees it: `everprof up` on a real machine with real programs."""

import contextlib
import os
import pathlib
import signal
import subprocess
import time

import pytest

from harness import Server, stop, need, wait_until

GO_PROGRAM = """package main
func main() { x := uint64(1); for { for i := 0; i < 1000; i++ { x ^= x << 13; x ^= x >> 7; x ^= x << 17 }; if x == 0 { return } } }
"""

needs_root = pytest.mark.skipif(os.getuid() != 0, reason="sampling other processes needs root")


@contextlib.contextmanager
def running(**commands):
    """Programs that run until the block ends: name=argv."""
    started = {}
    try:
        for name, argv in commands.items():
            started[name] = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        yield started
    finally:
        for p in started.values():
            stop(p, signal.SIGKILL)


@pytest.fixture
def up(everprof, data_dir):
    s = Server(everprof, data_dir, command="up").start()
    yield s
    if s.process.poll() is None:
        s.stop(signal.SIGINT)


def go_binary(tmp_path):
    go = need("go")
    (tmp_path / "gospin.go").write_text(GO_PROGRAM)
    subprocess.run([go, "build", "-o", tmp_path / "gospin", tmp_path / "gospin.go"], check=True, cwd=tmp_path)
    return tmp_path / "gospin"


def busy_programs(tmp_path, with_go):
    programs = {
        "python": ["/usr/bin/python3", "-c", "while True: sum(range(1000))"],
        "openssl": ["openssl", "speed", "-seconds", "100", "sha256"],
        "gzip": ["gzip", "-9"],
    }
    if with_go:
        programs["gospin"] = [go_binary(tmp_path)]
    return programs


def reap(process):
    """Kill a process and return all the CPU seconds it ever used."""
    process.kill()
    _, _, usage = os.wait4(process.pid, 0)
    process.returncode = -signal.SIGKILL
    return usage.ru_utime + usage.ru_stime


@needs_root
@pytest.mark.parametrize("with_go", [False, True], ids=["debian", "with-go"])
def test_each_process_appears_by_name_with_its_share_of_the_cpu(up, tmp_path, with_go):
    programs = busy_programs(tmp_path, with_go)
    wait_until("the agent sends", lambda: up.api.services())
    with open("/dev/urandom", "rb") as noise:
        started = {
            name: subprocess.Popen(argv, stdin=noise, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for name, argv in programs.items()
        }
        time.sleep(1)
        names = {n: pathlib.Path(os.readlink(f"/proc/{p.pid}/exe")).name for n, p in started.items()}
        # about 4,000 samples on two CPUs: one standard error of a share is below 1 point
        time.sleep(20)
        truth = {name: reap(p) for name, p in started.items()}
    end = time.time()
    wait_until("the end is stored", lambda: max(s["last"] for s in up.api.services().values()) / 1000 > end)
    seen = {
        n: up.api.top(query=f'{{service_name="{names[n]}",pid="{p.pid}"}}')["total"] / 1e9
        for n, p in started.items()
    }
    for n in seen:
        got, want = seen[n] / sum(seen.values()), truth[n] / sum(truth.values())
        assert abs(got - want) <= 0.03, f"{n}: {got:.3f} of the samples, {want:.3f} of the CPU: {seen} {truth}"


@needs_root
def test_history_is_there_after_a_restart(up):
    with running(python=["/usr/bin/python3", "-c", "while True: sum(range(1000))"]) as started:
        name = pathlib.Path(os.readlink(f"/proc/{started['python'].pid}/exe")).name
        wait_until("python is seen", lambda: name in up.api.services())
    assert up.stop(signal.SIGINT) == 0
    log = up.log.read_text()
    assert "error" not in log.lower(), log
    up.start()
    until = int(time.time() * 1000)
    assert up.api.top(query=f'{{service_name="{name}"}}', until=until)["total"] > 0


@needs_root
def test_a_process_that_pushes_itself_is_counted_once(up, build, tmp_path):
    shop = build / "examples" / "shop" / "shop"
    load = build / "examples" / "shop" / "shop-load"
    port = str(up.port + 1 if up.port < 65000 else up.port - 1)
    env = {**os.environ, "EVERPROF_NAME": "shop", "EVERPROF_SERVER": up.url}
    server = subprocess.Popen([shop, "--listen", port], stdout=subprocess.DEVNULL, env=env)
    customers = subprocess.Popen([load, "--port", port, "--rate", "1500"], stdout=subprocess.DEVNULL)
    try:
        both = '{service_name="shop",profiler=~"agent|library"}'
        profilers = lambda: {
            v["value"]
            for v in up.api.get(
                "/api/v1/labels/profiler/values",
                type="process_cpu:cpu:nanoseconds:cpu:nanoseconds",
                query=both, from_="now-1h", until="now", copies="1",
            )["values"]
        }
        wait_until("both profilers see the shop", lambda: profilers() == {"agent", "library"}, 60)
        time.sleep(20)
    finally:
        stop(customers)
        stop(server)
    wait_until("the last profile is stored", lambda: up.api.top(query='{service_name="shop",endpoint="/search"}')["total"])
    time.sleep(6)
    whole = up.api.top(query='{service_name="shop"}')["total"]
    library = up.api.top(query='{service_name="shop",profiler="library"}')["total"]
    agent = up.api.top(query='{service_name="shop",profiler="agent"}', copies="1")["total"]
    assert agent > 0 and library > 0
    assert whole < 1.25 * library, f"counted twice: all {whole}, library {library}, agent {agent}"


def test_up_without_rights_says_so_once_and_goes_on(everprof, tmp_path):
    if os.getuid() != 0:
        pytest.skip("needs root to give up rights")
    for p in [tmp_path, *tmp_path.parents]:
        if str(p).startswith("/tmp/"):
            p.chmod(0o777)
    data = tmp_path / "data"
    wrapper = tmp_path / "as-nobody"
    wrapper.write_text(f'#!/bin/sh\nexec setpriv --reuid=65534 --regid=65534 --clear-groups {everprof} "$@"\n')
    wrapper.chmod(0o755)
    s = Server(wrapper, data, command="up").start()
    try:
        spin = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "/usr/bin/python3", "-c",
                "while True: sum(range(1000))"]
        with running(python=spin) as started:
            exe = f"/proc/{started['python'].pid}/exe"
            name = wait_until("python runs", lambda: (n := pathlib.Path(os.readlink(exe)).name) != "setpriv" and n)
            wait_until("its own process is seen", lambda: name in s.api.services(), 60)
    finally:
        s.stop(signal.SIGINT)
