"""/debug/pprof of the library: what it answers, to whom, and that nobody can hold it up."""

import base64
import contextlib
import gzip
import json
import os
import socket
import subprocess
import threading
import time

import pytest

from harness import need
from pprof import Profile
from test_library import compiled, environment, run  # noqa: F401  (compiled is a fixture)

TOKEN, OTHER = "correct-horse-battery-staple", "another-token-of-22-chars"


class Program:
    def __init__(self, argv, **env):
        self.process = subprocess.Popen(
            [str(a) for a in argv], env=environment(**env), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self):
        self.address = self.process.stdout.readline().strip()
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        assert self.process.wait(20) == 0

    def connect(self):
        if self.address.startswith("unix:"):
            s = socket.socket(socket.AF_UNIX)
            s.connect(self.address[5:])
        else:
            host, port = self.address.rsplit(":", 1)
            s = socket.create_connection((host.strip("[]"), int(port)))
        s.settimeout(20)
        return s

    def raw(self, request):
        with self.connect() as s:
            s.sendall(request)
            data = b""
            with contextlib.suppress(ConnectionResetError):
                while more := s.recv(65536):
                    data += more
        head, _, body = data.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        status = int(lines[0].split()[1]) if lines[0] else 0
        return status, {l.split(":", 1)[0].lower(): l.split(":", 1)[1].strip() for l in lines[1:]}, body

    def get(self, path, method="GET", body=b"", **headers):
        lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}"]
        lines += [f"{k}: {v}" for k, v in headers.items()]
        return self.raw("\r\n".join(lines).encode() + b"\r\n\r\n" + body)


@pytest.fixture(scope="module")
def program(compiled):  # noqa: F811
    with Program([compiled("server")], EVERPROF_HTTP="127.0.0.1:0") as p:
        yield p


def text(body):
    return body.decode().rstrip("\n")


# ---- what it answers ----------------------------------------------------------------------


def test_the_index_lists_profiles_for_people_and_for_programs(program):
    status, headers, body = program.get("/debug/pprof/")
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert headers["x-content-type-options"] == "nosniff"
    assert b'<a href="connections?debug=1">connections</a>' in body
    for ask in ({"path": "/debug/pprof/?format=json"}, {"path": "/debug/pprof/", "Accept": "application/json"}):
        _, headers, body = program.get(**ask)
        assert headers["content-type"] == "application/json"
        rows = {r["name"]: r for r in json.loads(body)["profiles"]}
        assert json.loads(body)["limits"] == {"profile_seconds": 60, "trace_seconds": 10}
        assert list(rows) == sorted(rows) and {"heap", "allocs", "profile", "symbol", "cmdline", "trace"} <= set(rows)
        assert rows["connections"]["count"] == 10 and rows["connections"]["href"] == "connections"
    assert program.get("/debug/pprof")[0] == 307


def test_profiles_are_gzipped_pprof_or_text(program):
    status, headers, body = program.get("/debug/pprof/heap")
    assert (status, headers["content-type"]) == (200, "application/octet-stream")
    assert headers["content-disposition"] == 'attachment; filename="heap"'
    heap = Profile(body)
    held = sum(s.values[3] for s in heap.samples if "hold_memory" in s.stack)
    assert 0.5 * 20e6 < held < 1.6 * 20e6
    status, headers, body = program.get("/debug/pprof/connections?debug=1")
    assert (status, headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert body.startswith(b"connections profile: total 10\n10 @ 0x") and b"open_connections+0x" in body


def test_the_text_of_the_heap_is_read_by_the_reference_with_the_same_totals(program, tmp_path):
    go = need("go")
    (tmp_path / "heap.txt").write_bytes(program.get("/debug/pprof/heap?debug=1")[2])
    (tmp_path / "heap.pb.gz").write_bytes(program.get("/debug/pprof/heap")[2])
    totals = []
    for name in ("heap.txt", "heap.pb.gz"):
        for column in ("inuse_space", "alloc_objects"):
            out = subprocess.run(
                [go, "tool", "pprof", "-symbolize=none", "-top", "-unit=b", f"-sample_index={column}", tmp_path / name],
                capture_output=True, text=True, check=True,
            ).stdout  # fmt: skip
            totals.append(next(l for l in out.splitlines() if l.startswith("Showing nodes")).split()[-2])
    assert totals[:2] == totals[2:]


def test_a_cpu_capture_has_the_labels_and_the_time_it_was_asked_for(program):
    status, headers, body = program.get("/debug/pprof/profile?seconds=1")
    assert (status, headers["content-disposition"]) == (200, 'attachment; filename="profile"')
    cpu = Profile(body)
    assert cpu.share_with("burn") > 0.9 and cpu.shares_by_label("part").get("burning", 0) > 0.9
    assert 1e9 <= cpu.duration_ns < 5e9
    assert cpu.total() <= cpu.duration_ns * 1.1


def test_the_reference_and_our_own_command_fetch_it(program, everprof, tmp_path):
    for command in ([everprof, "pprof"], [need("go"), "tool", "pprof"]):
        p = subprocess.run(
            [*map(str, command), "-top", "-seconds=1", f"http://{program.address}/debug/pprof/profile"],
            capture_output=True, text=True, env={**os.environ, "PPROF_TMPDIR": str(tmp_path)}, timeout=60,
        )  # fmt: skip
        assert p.returncode == 0, p.stderr
        assert "burn" in p.stdout


def test_a_difference_holds_what_came_in_between(program):
    status, headers, body = program.get("/debug/pprof/allocs?seconds=1")
    assert (status, headers["content-disposition"]) == (200, 'attachment; filename="allocs-delta"')
    delta = Profile(body)
    assert not any("hold_memory" in s.stack for s in delta.samples), "that was before"
    assert 1e9 <= delta.duration_ns < 5e9


def test_addresses_get_their_names(program):
    address = next(
        line.split("\t")[1]
        for line in program.get("/debug/pprof/connections?debug=1")[2].decode().splitlines()
        if "open_connections" in line
    )
    for status, _, body in (
        program.get(f"/debug/pprof/symbol?{address}+0x1"),
        program.get("/debug/pprof/symbol", "POST", f"0x1+{address}".encode()),
    ):
        assert (status, text(body)) == (200, f"num_symbols: 1\n{address} open_connections")
    assert text(program.get("/debug/pprof/symbol")[2]) == "num_symbols: 1"


ANSWERS = [
    # method, path, status, text
    ("GET", "/debug/pprof/nothing", 404, "Unknown profile"),
    ("GET", "/debug/pprof/mutex", 404, "Unknown profile: it is on with mutex,block in EVERPROF_TYPES"),
    ("GET", "/debug/pprof/heap?seconds=x", 400, 'invalid value for "seconds" - must be a positive integer'),
    ("GET", "/debug/pprof/heap?seconds=-1", 400, 'invalid value for "seconds" - must be a positive integer'),
    ("GET", "/debug/pprof/heap?seconds=1&debug=1", 400, "seconds and debug params are incompatible"),
    ("GET", "/debug/pprof/connections?seconds=1", 400, '"seconds" parameter is not supported for this profile type'),
    ("POST", "/debug/pprof/heap", 405, "Method Not Allowed"),
    ("DELETE", "/debug/pprof/", 405, "Method Not Allowed"),
    ("GET", "/debug/pprof/trace?seconds=1", 501, "execution traces are not there yet"),
    ("GET", "/debug/pprof/cmdline", 403, "the command line is not shown; EVERPROF_HTTP_CMDLINE=1 allows it"),
    ("GET", "/elsewhere", 404, "profiles are at /debug/pprof/"),
    ("GET", "/debug/pprof/../../etc/passwd", 404, "Unknown profile"),
]


@pytest.mark.parametrize("method, path, status, sentence", ANSWERS)
def test_mistakes_get_their_sentence(program, method, path, status, sentence):
    got, headers, body = program.get(path, method)
    assert (got, text(body)) == (status, sentence)
    assert headers["content-type"] == "text/plain; charset=utf-8"
    assert headers["x-content-type-options"] == "nosniff"


def test_head_has_the_length_and_no_body(program):
    status, headers, body = program.get("/debug/pprof/", "HEAD")
    assert (status, body) == (200, b"") and int(headers["content-length"]) > 1000


# ---- to whom ---------------------------------------------------------------------------------


def test_a_page_that_resolves_to_loopback_is_refused(program):
    status, _, body = program.raw(b"GET /debug/pprof/ HTTP/1.1\r\nHost: evil.example:6060\r\n\r\n")
    assert (status, text(body)) == (403, "this Host is not this machine")


@pytest.mark.parametrize("where", ["0.0.0.0:0", "[::]:0", "192.0.2.1:6060"])
def test_other_addresses_need_tokens(compiled, tmp_path, where):  # noqa: F811
    log = tmp_path / "log"
    p = run([compiled("server")], EVERPROF_HTTP=where, EVERPROF_LOG=log)
    assert p.returncode == 1
    assert f"{where} is not this machine alone; name tokens in EVERPROF_TOKEN_FILE" in log.read_text()


def test_tokens_as_bearer_or_basic_and_they_rotate(compiled, tmp_path):  # noqa: F811
    tokens = tmp_path / "tokens"
    tokens.write_text(f"# rotated monthly\n{TOKEN} alice\n")
    with Program([compiled("server")], EVERPROF_HTTP="127.0.0.1:0", EVERPROF_TOKEN_FILE=tokens) as p:
        basic = base64.b64encode(f"anybody:{TOKEN}".encode()).decode()
        assert p.get("/debug/pprof/", Authorization=f"Bearer {TOKEN}")[0] == 200
        assert p.get("/debug/pprof/", Authorization=f"Basic {basic}")[0] == 200
        for wrong in ({}, {"Authorization": "Bearer wrong-but-long-enough-to-be-one"}, {"Authorization": f"Bearer {TOKEN}x"},
                      {"Authorization": "Basic !!!"}, {"Authorization": "Bearer "}):  # fmt: skip
            status, headers, _ = p.get("/debug/pprof/heap", **wrong)
            assert status == 401 and "Bearer" in headers["www-authenticate"]
        tokens.write_text(f"{OTHER}\n{TOKEN}\n")
        assert p.get("/debug/pprof/", Authorization=f"Bearer {OTHER}")[0] == 200
        assert p.get("/debug/pprof/", Authorization=f"Bearer {TOKEN}")[0] == 200
        tokens.write_text(f"{OTHER}\n")
        assert p.get("/debug/pprof/", Authorization=f"Bearer {TOKEN}")[0] == 401
        tokens.write_text("short\n")
        assert p.get("/debug/pprof/", Authorization=f"Bearer {OTHER}")[0] == 200, "a bad file changes nothing"
        assert p.get("/debug/pprof/", Authorization="Bearer short")[0] == 401


def test_a_short_token_is_refused_at_the_start(compiled, tmp_path):  # noqa: F811
    (tmp_path / "tokens").write_text("too-short\n")
    p = run([compiled("server")], EVERPROF_HTTP="127.0.0.1:0", EVERPROF_TOKEN_FILE=tmp_path / "tokens",
            EVERPROF_LOG=tmp_path / "log")  # fmt: skip
    assert p.returncode == 1 and "fewer than 22 characters" in (tmp_path / "log").read_text()


def test_a_unix_socket_is_its_owners_alone(compiled, tmp_path):  # noqa: F811
    path = tmp_path / "pprof.sock"
    with Program([compiled("server")], EVERPROF_HTTP=f"unix:{path}") as p:
        assert path.stat().st_mode & 0o777 == 0o600
        assert p.get("/debug/pprof/")[0] == 200
    with Program([compiled("server")], EVERPROF_HTTP=f"unix:{path}") as p:
        assert p.get("/debug/pprof/")[0] == 200, "what the last one left is no obstacle"


def test_mounted_in_the_programs_own_server(compiled, tmp_path):  # noqa: F811
    (tmp_path / "tokens").write_text(TOKEN + "\n")
    lines = {
        "127.0.0.1 - GET /debug/pprof/ -": "200",
        "127.0.0.1 - GET /internal/debug/pprof/heap -": "200",
        "127.0.0.1 - GET /heap debug=1": "200",
        "127.0.0.1 - GET /nothing -": "404",
        "10.0.0.1 - GET /heap -": "403",
        "- - GET /heap -": "403",
        f"10.0.0.1 {TOKEN} GET /heap -": "403",
    }
    p = run_lines(compiled("server"), lines, EVERPROF_HTTP="mounted")
    assert [l.split()[0] for l in p] == list(lines.values())
    lines = {
        "127.0.0.1 - GET /heap -": "401",
        f"10.0.0.1 {TOKEN} GET /heap -": "200",
        f"- {TOKEN} GET /heap -": "200",
        f"- {TOKEN}x GET /heap -": "401",
    }
    p = run_lines(compiled("server"), lines, EVERPROF_TOKEN_FILE=tmp_path / "tokens", EVERPROF_HTTP="mounted")
    assert [l.split()[0] for l in p] == list(lines.values())


def test_captures_are_no_longer_than_the_environment_says(compiled):  # noqa: F811
    lines = ["127.0.0.1 - GET /profile seconds=30", "127.0.0.1 - GET /cmdline -"]
    begin = time.monotonic()
    env = {"EVERPROF_HTTP_MAX_SECONDS": 1, "EVERPROF_HTTP_CMDLINE": 1, "EVERPROF_HTTP": "mounted"}
    answers = run_lines(compiled("server"), lines, **env)
    assert [a.split()[0] for a in answers] == ["200", "200"] and time.monotonic() - begin < 20
    with Program([compiled("server")], EVERPROF_HTTP="127.0.0.1:0", EVERPROF_HTTP_MAX_SECONDS=7) as p:
        assert json.loads(p.get("/debug/pprof/?format=json")[2])["limits"]["profile_seconds"] == 7


def run_lines(program, lines, **env):
    p = subprocess.run([program, "mounted"], input="".join(l + "\n" for l in lines), env=environment(**env),
                       capture_output=True, text=True, timeout=60)  # fmt: skip
    assert p.returncode == 0, p.stderr
    return p.stdout.splitlines()


# ---- nobody can hold it up -----------------------------------------------------------------------


def test_one_capture_at_a_time_and_the_others_are_told_at_once(program):
    answers = []

    def capture():
        answers.append(program.get("/debug/pprof/profile?seconds=2")[:2])

    threads = [threading.Thread(target=capture) for _ in range(8)]
    for t in threads:
        t.start()
    assert program.get("/debug/pprof/connections")[0] == 200, "what needs no time is answered meanwhile"
    for t in threads:
        t.join()
    assert sorted(s for s, _ in answers) == [200] + [429] * 7
    assert all(int(h["retry-after"]) > 0 for s, h in answers if s == 429)


def test_a_client_that_leaves_frees_the_capture(program):
    with program.connect() as s:
        s.sendall(b"GET /debug/pprof/profile?seconds=60 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        time.sleep(0.3)
    for _ in range(50):
        status = program.get("/debug/pprof/profile?seconds=1")[0]
        if status == 200:
            return
        time.sleep(0.1)
    assert status == 200


def test_seconds_are_clamped(compiled):  # noqa: F811
    with Program([compiled("server"), "clamped"]) as p:
        status, _, body = p.get("/debug/pprof/profile?seconds=3600")
    assert status == 200 and 1e9 <= Profile(body).duration_ns < 20e9


@pytest.mark.long
def test_an_hour_is_a_minute(program):
    status, _, body = program.get("/debug/pprof/profile?seconds=3600")
    assert status == 200 and 59e9 < Profile(body).duration_ns < 75e9


GARBAGE = [
    (b"\x00\x01\x02\r\n\r\n", 400),
    (b"GET\r\n\r\n", 400),
    (b"GET / HTTP/3.0\r\n\r\n", 505),
    (b"GET relative HTTP/1.1\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
    (b"POST /debug/pprof/symbol HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", 413),
    (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 3000, 431),
]


@pytest.mark.parametrize("request_, status", GARBAGE)
def test_garbage_is_refused_and_the_next_one_is_served(program, request_, status):
    assert program.raw(request_)[0] == status
    assert program.get("/debug/pprof/?format=json")[0] == 200


def test_idle_clients_are_cut_off_and_the_others_get_through(program):
    idle = [program.connect() for _ in range(40)]  # more than there are places
    for s in idle[:20]:
        s.sendall(b"GET /debug/pprof/ HTTP/1.1\r\nX: ")
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with contextlib.suppress(ConnectionError):
            if program.get("/debug/pprof/?format=json")[0] == 200:
                break
        time.sleep(0.2)
    else:
        pytest.fail("nobody was served for 30 seconds")
    for s in idle:
        s.close()


def test_a_request_that_drips_in_has_a_deadline_as_a_whole(program):
    """Slow loris: each byte is in time, the request is not."""
    drips = [program.connect() for _ in range(30)]
    for s in drips:
        s.sendall(b"GET /debug/pprof/ HTTP/1.1\r\nX: ")
    end = time.monotonic() + 60  # for a hang only
    while drips and time.monotonic() < end:
        for s in drips[:]:
            s.settimeout(0.01)
            try:
                s.sendall(b"y")
                over = s.recv(1000) == b""
            except TimeoutError:
                over = False
            except ConnectionError:
                over = True
            if over:
                drips.remove(s)
                s.close()
        time.sleep(0.1)
    assert not drips
    assert program.get("/debug/pprof/?format=json")[0] == 200


def test_the_command_line_where_it_is_allowed(compiled):  # noqa: F811
    with Program([compiled("server")], EVERPROF_HTTP="127.0.0.1:0", EVERPROF_HTTP_CMDLINE=1) as p:
        assert p.get("/debug/pprof/cmdline")[2].decode().endswith("/server")


def test_a_second_process_goes_on_without_and_says_so(compiled, tmp_path, program):  # noqa: F811
    with Program([compiled("server")], EVERPROF_HTTP=program.address, EVERPROF_LOG=tmp_path / "log") as p:
        assert p.address == "none"
    assert f"{program.address} is taken; this process goes on without /debug/pprof" in (tmp_path / "log").read_text()
