"""everprof up: a watcher, a server that gave up its rights, an agent."""

import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

from harness import CPU, Server, wait_until

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: up as a user is tested without privileges")


def children(pid):
    text = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(p) for p in text.split()]


def status(pid):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return dict(l.split(":\t", 1) for l in lines if ":\t" in l)


def alive(pid):
    try:
        return status(pid)["State"][0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.fixture
def up(everprof, data_dir):
    s = Server(everprof, data_dir, command="up").start()
    yield s
    if s.process.poll() is None:
        s.stop(signal.SIGINT)


def of_role(up, unprivileged):
    """The server is the child that gave up everything."""
    found = [p for p in children(up.process.pid) if (int(status(p)["CapEff"], 16) == 0) == unprivileged]
    return found[0] if found else None


def test_it_prints_three_lines_and_one_url(up):
    text = wait_until("the URL is printed", lambda: up.url in up.log.read_text() and up.log.read_text())
    assert text.count("http://") == 1
    lines = text.split("\n\n")[0].splitlines()
    assert len(lines) == 3 and all(lines)
    assert up.api.get("/api/v1/status")["sees"] == lines
    assert up.api.get("/api/v1/status")["agent"]


@root_only
def test_the_server_gave_up_root_and_every_capability(up):
    pid = of_role(up, True)
    s = status(pid)
    assert "0" not in s["Uid"].split() and "0" not in s["Gid"].split()
    assert s["Groups"].strip() == ""
    for caps in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(s[caps], 16) == 0, caps
    assert s["NoNewPrivs"] == "1"
    assert up.data.stat().st_uid == int(s["Uid"].split()[0]) and up.data.stat().st_mode & 0o777 == 0o700


@root_only
def test_a_busy_process_shows_up_and_is_kept_over_a_clean_stop(up):
    spin = subprocess.Popen([sys.executable, "-c", "while True: sum(range(1000))"])
    try:
        name = wait_until(
            "the busy process is seen",
            lambda: next((n for n, s in up.api.services().items() if "python" in n and s["total"].get(CPU)), None),
            seconds=60,
        )
    finally:
        spin.kill()
        spin.wait()
    query = f'{{service_name="{name}"}}'
    before = up.api.top(query)["total"]
    pids = children(up.process.pid)
    assert up.stop(signal.SIGINT) == 0
    assert not [p for p in pids if alive(p)]
    assert "stopping" in up.log.read_text()
    up.start()
    assert up.api.top(query)["total"] >= before > 0


@root_only
def test_what_the_agent_could_not_send_waits_on_disk_for_the_next_start(up):
    spool = pathlib.Path(f"{up.data}-spool")
    waiting = lambda: [f for f in spool.rglob("*") if f.is_file()]
    wait_until("the agent's profiles arrive", lambda: up.api.services(), seconds=60)
    os.kill(of_role(up, True), signal.SIGKILL)
    assert up.process.wait(40) == 1
    assert waiting()
    assert spool.stat().st_uid == 0 and spool.stat().st_mode & 0o777 == 0o700
    up.start()
    # After failed tries the agent waits up to a minute for the next.
    wait_until("they have arrived", lambda: not waiting(), seconds=150)


def test_it_says_each_thing_once(up):
    wait_until("the URL is printed", lambda: up.url in up.log.read_text())
    wait_until("the agent runs", lambda: len(children(up.process.pid)) == 2)
    time.sleep(0.5)
    assert up.stop(signal.SIGINT) == 0
    lines = [l for l in up.log.read_text().splitlines() if l]
    assert len(set(lines)) == len(lines)
    assert sum("CPU time" in l for l in lines) == 1
    assert not any(l.count("agent:") > 1 for l in lines)
    assert lines[-1].startswith("everprof up: stopped")


@root_only
def test_an_agent_that_dies_is_started_again_and_said_so(up):
    first = wait_until("the agent runs", lambda: of_role(up, False))
    os.kill(first, signal.SIGKILL)
    second = wait_until("a new agent runs", lambda: of_role(up, False) not in (None, first) and of_role(up, False))
    assert second != first and "the agent died" in up.log.read_text()
    assert up.api.is_ready()


@root_only
def test_a_server_that_dies_ends_the_whole(up):
    wait_until("the agent runs", lambda: of_role(up, False))
    pids = children(up.process.pid)
    os.kill(of_role(up, True), signal.SIGKILL)
    assert up.process.wait(40) == 1
    assert "the server ended" in up.log.read_text()
    wait_until("both are gone", lambda: not [p for p in pids if alive(p)])


@root_only
def test_children_end_when_the_parent_is_killed(up):
    wait_until("the agent runs", lambda: of_role(up, False))
    pids = children(up.process.pid)
    up.process.kill()
    up.process.wait()
    wait_until("both are gone", lambda: not [p for p in pids if alive(p)], seconds=40)


@root_only
def test_a_folder_with_other_things_is_left_alone(everprof, data_dir):
    data_dir.mkdir()
    (data_dir / "precious").write_text("x")
    before = data_dir.stat()
    s = Server(everprof, data_dir, command="up").start(ready=False)
    assert s.process.wait(20) == 1
    assert "holds other things" in s.log.read_text()
    assert (data_dir.stat().st_uid, data_dir.stat().st_mode) == (before.st_uid, before.st_mode)


def test_a_taken_port_is_told_before_anything_starts(server, everprof, data_dir):
    s = Server(everprof, data_dir.parent / "second", command="up")
    s.port = server.port
    s.start(ready=False)
    assert s.process.wait(20) == 1
    assert f"127.0.0.1:{server.port}" in s.log.read_text() and "--listen" in s.log.read_text()


@root_only
def test_with_tokens_the_agent_has_one_and_strangers_none(everprof, data_dir, tmp_path):
    tokens = tmp_path / "tokens"
    tokens.write_text("read-token-0123456789 t read\nwrite-token-0123456789 t write\n")
    tokens.chmod(0o600)
    s = Server(everprof, data_dir, command="up", args=["--token-file", tokens]).start()
    try:
        assert s.api.request("/api/v1/services")[0] == 401
        s.api.token = "read-token-0123456789"
        spin = subprocess.Popen([sys.executable, "-c", "while True: pass"])
        try:
            wait_until("the agent pushed", lambda: s.api.services(), seconds=60)
        finally:
            spin.kill()
            spin.wait()
    finally:
        s.stop(signal.SIGINT)
