"""./run demo: the shop is seen from inside and outside, counted once, and ends with nothing left."""

import os
import pathlib
import signal
import socket
import subprocess

import pytest

from harness import CPU, ROOT, Api, free_port, wait_until


def in_session(sid):
    """The processes of a session that still run."""
    found = []
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, session = stat.read_text().rpartition(")")[2].split()[:4]
        except OSError:
            continue
        if int(session) == sid and state not in "ZX":
            found.append(int(stat.parent.name))
    return found


class Demo:
    def __init__(self, build, data_dir):
        self.shop, port = free_port(), free_port()
        self.api = Api(f"http://127.0.0.1:{port}")
        self.log = data_dir.parent / "demo.log"
        env = {**os.environ, "EVERPROF_BUILD": str(build), "SHOP_PORT": str(self.shop)}
        env["XDG_STATE_HOME"] = str(data_dir.parent / "state")
        command = [ROOT / "examples/shop/demo", "--listen", f"127.0.0.1:{port}", "--data", data_dir]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                command,
                env=env,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                # Under nohup it would be ignored from the start, and no shell can change that.
                preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
            )

    def end(self):
        for pid in in_session(self.process.pid):
            os.kill(pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def demo(build, data_dir):
    d = Demo(build, data_dir)
    yield d
    d.end()


def test_the_shop_has_labels_and_is_counted_once(demo):
    query = '{service_name="shop"}'
    wait_until("the library's profile arrives", lambda: demo.api.is_ready() and {"endpoint", "tenant", "stage"} <= {
        l["name"] for l in demo.api.get("/api/v1/labels", type=CPU, query=query)["labels"]}, seconds=60)
    total = demo.api.top(query)
    library = demo.api.top('{service_name="shop",profiler="library"}')["total"]
    agent = demo.api.top('{service_name="shop",profiler="agent"}')["total"]
    assert library > 0
    assert max(library, agent) <= total["total"] and (not agent or total["total"] < library + agent)
    assert any("catalog_search" in r["name"] for r in total["rows"]), [(r["name"], r["self"]) for r in total["rows"][:8]]


@pytest.mark.parametrize("how", ["INT to the group", "TERM to the script", "HUP to the group", "TERM to the group"])
def test_one_signal_ends_all_of_it(demo, how):
    wait_until("it runs", demo.api.is_ready)
    sig = getattr(signal, "SIG" + how.split()[0])
    if "group" in how:
        os.killpg(demo.process.pid, sig)
    else:
        demo.process.send_signal(sig)
    assert demo.process.wait(40) == 0, demo.log.read_text()
    assert not in_session(demo.process.pid)


def test_a_taken_port_is_told_before_anything_starts(build, data_dir):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        env = {**os.environ, "EVERPROF_BUILD": str(build), "SHOP_PORT": str(s.getsockname()[1])}
        r = subprocess.run([ROOT / "examples/shop/demo", "--data", data_dir], env=env, capture_output=True, text=True, timeout=20)
    assert r.returncode == 1 and r.stdout == ""
    assert r.stderr.count("\n") == 1 and "SHOP_PORT=" in r.stderr
