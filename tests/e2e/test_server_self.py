"""What the server says of itself: /debug/pprof, its own profiles, logs, a clean stop."""

import json
import re
import signal
import socket
import subprocess
import threading
import time

import pytest

from harness import CPU, Server, wait_until
from pprof import Builder


def profile(n=300):
    b = Builder()
    for i in range(n):
        b.add([f"f{i}", "main"], [1, 1])
    return b.gz(time_ns=time.time_ns())


class Load:
    """Pushes and queries until the end of the block."""

    def __init__(self, server):
        self.server, self.done = server, threading.Event()

    def __enter__(self):
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()

    def run(self):
        body = profile()
        while not self.done.is_set():
            self.server.api.push(body)
            self.server.api.top()


def functions(everprof, tmp_path, body):
    file = tmp_path / "profile.pb.gz"
    file.write_bytes(body)
    r = subprocess.run([everprof, "pprof", "-top", "-nodecount=10000", file], capture_output=True, text=True, timeout=60)
    assert r.returncode == 0, r.stderr
    return r.stdout


def test_debug_pprof_has_the_cpu_of_workers_by_name(server, everprof, tmp_path):
    with Load(server):
        status, headers, body = server.api.request("/debug/pprof/profile?seconds=3")
    assert status == 200 and headers["Content-Type"] == "application/octet-stream"
    text = functions(everprof, tmp_path, body)
    assert "ep_guard_handle" in text and "everprof" in text.splitlines()[0]
    status, _, body = server.api.request("/debug/pprof/threads?debug=1")
    assert status == 200 and b"threads profile: total" in body
    assert server.api.request("/debug/pprof/")[0] == 200
    assert server.api.request("/debug/pprof/nothing")[0] == 404


def capture(server, seconds, answers):
    """A capture on a thread, begun when this returns: a second one is refused meanwhile."""

    def run():
        answers.append(429)
        while answers[-1] == 429:  # the question below may have come first
            try:
                answers.append(server.api.request(f"/debug/pprof/profile?seconds={seconds}")[0])
            except OSError:
                answers.append(0)

    t = threading.Thread(target=run)
    t.start()
    wait_until("a second one is refused", lambda: server.api.request("/debug/pprof/symbol")[0] == 429)
    return t


def test_a_second_capture_is_refused_and_queries_go_on(server):
    answers = []
    t = capture(server, 3, answers)
    assert server.api.request("/api/v1/services")[0] == 200
    t.join()
    assert answers[-1] == 200


def test_debug_pprof_is_for_admins_of_the_server(everprof, data_dir, tmp_path):
    tokens = tmp_path / "tokens"
    tokens.write_text("admin-of-everything-1\nadmin-of-one-tenant-1 shop admin\nread-of-everything-01 * read\n")
    s = Server(everprof, data_dir, args=["--token-file", tokens]).start()
    try:
        ask = lambda t: s.api.request("/debug/pprof/", headers={"Authorization": f"Bearer {t}"} if t else {})[0]
        assert [ask(t) for t in ("admin-of-everything-1", "admin-of-one-tenant-1", "read-of-everything-01", "")] == [200, 403, 403, 401]
        noted = [json.loads(l) for l in (s.data / "audit.log").read_text().splitlines()]
        assert any(e["action"] == "request" and "/debug/pprof/" in e["detail"] for e in noted)
    finally:
        s.stop()


def test_a_stop_does_not_wait_for_a_capture(server):
    answers = []
    t = capture(server, 50, answers)
    begun = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - begun < 25
    t.join()


@pytest.mark.parametrize("with_tokens", [False, True])
def test_its_own_profiles_are_in_its_own_store(everprof, data_dir, tmp_path, with_tokens):
    args = ["--self-profile"]
    if with_tokens:
        tokens = tmp_path / "tokens"
        tokens.write_text("admin-of-everything-1\n")
        args += ["--token-file", tokens]
    s = Server(everprof, data_dir, args=args, env={"XDG_STATE_HOME": str(tmp_path / "state")}).start()
    s.api.token = "admin-of-everything-1" if with_tokens else None
    try:
        with Load(s):
            found = wait_until("the first push", lambda: s.api.services().get("everprof"), seconds=60)
        assert found["total"][CPU] > 0
        wait_until("workers are in it", lambda: any(r["name"] == "ep_guard_handle"
                                                     for r in s.api.top('{service_name="everprof"}', limit=1000)["rows"]))
    finally:
        assert s.stop() == 0


def test_without_the_flag_nothing_of_itself_is_kept(server):
    with Load(server):
        time.sleep(0.5)
    assert set(server.api.services()) == {"test"}


def test_logs_are_json_on_request(everprof, data_dir, tmp_path):
    tokens = tmp_path / "tokens"
    tokens.write_text("admin-of-everything-1\n")
    s = Server(everprof, data_dir, args=["--log-format", "json", "--token-file", tokens]).start()
    tokens.write_text('x"\\\n')
    assert s.api.request("/api/v1/services")[0] == 401
    assert s.stop() == 0
    lines = [json.loads(l) for l in s.log.read_text().splitlines() if l.startswith("{")]
    found = [l for l in lines if "stay in force" in l["message"]]
    assert len(found) == 1 and found[0]["level"] == "error" and found[0]["name"] == "everprof serve"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", found[0]["time"])


def test_log_flags_with_other_values_are_refused(everprof):
    for args in (["--log-format", "xml"], ["--log-level", "loud"]):
        r = subprocess.run([everprof, "serve", *args], capture_output=True, text=True, timeout=60)
        assert r.returncode == 2 and "--log-format is text or json" in r.stderr


def test_a_stop_finishes_the_push_that_is_being_sent(server):
    body = profile(2000)
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as s:
        s.sendall(b"POST /ingest?name=last HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body))
        s.sendall(body[:100])
        wait_until("the server has it", lambda: server.api.is_ready())
        server.process.send_signal(signal.SIGTERM)
        with pytest.raises(OSError):
            for _ in range(100):  # no new connections from some moment on
                socket.create_connection(("127.0.0.1", server.port), timeout=30).close()
                time.sleep(0.05)
        s.sendall(body[100:])
        answer = b""
        while more := s.recv(65536):
            answer += more
        assert answer.startswith(b"HTTP/1.1 200 ") and b"onnection: close" in answer
    assert server.process.wait(30) == 0
    server.start()
    assert server.api.top('{service_name="last"}')["total"] == 2000
