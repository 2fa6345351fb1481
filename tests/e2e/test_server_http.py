"""What strangers may do to the port: nothing but get an answer."""

import gzip
import json
import re

import socket
import time
import urllib.parse

import pytest

from harness import Server
from pprof import Builder


def talk(port, data, seconds=5, until_closed=True):
    """Send bytes, return all that comes back."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as s:
        s.sendall(data)
        got = b""
        while True:
            try:
                chunk = s.recv(65536)
            except TimeoutError:
                assert not until_closed, f"not closed; so far {got!r}"
                return got
            if not chunk:
                return got
            got += chunk


def status(answer):
    assert answer.startswith(b"HTTP/1.1 "), answer
    return int(answer[9:12])


GOOD = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"

SMUGGLING = {
    "both lengths": GOOD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": GOOD + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
    "a list of lengths": GOOD + b"Content-Length: 5, 5\r\n\r\nhello",
    "a signed length": GOOD + b"Content-Length: +5\r\n\r\nhello",
    "a hex length": GOOD + b"Content-Length: 0x5\r\n\r\nhello",
    "a huge length": GOOD + b"Content-Length: 99999999999999999999\r\n\r\n",
    "a negative length": GOOD + b"Content-Length: -1\r\n\r\n",
    "gzip, chunked": GOOD + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunked twice": GOOD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "xchunked": GOOD + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a blank before the colon": GOOD + b"Content-Length : 5\r\n\r\nhello",
    "a folded line": GOOD + b"X: a\r\n b\r\n\r\n",
    "a bare LF": b"GET /healthz HTTP/1.1\nHost: localhost\n\n",
    "a bare CR in a value": GOOD + b"X: a\rb\r\n\r\n",
    "a NUL in a value": GOOD + b"X: a\0b\r\n\r\n",
    "two hosts": GOOD + b"Host: localhost\r\n\r\n",
    "no host": b"GET /healthz HTTP/1.1\r\n\r\n",
    "an empty name": GOOD + b": x\r\n\r\n",
    "a line without a colon": GOOD + b"hello\r\n\r\n",
    "a chunk size with a sign": GOOD.replace(b"GET /healthz", b"POST /ingest")
    + b"Transfer-Encoding: chunked\r\n\r\n+5\r\nhello\r\n0\r\n\r\n",
    "a chunk longer than its size": GOOD.replace(b"GET /healthz", b"POST /ingest")
    + b"Transfer-Encoding: chunked\r\n\r\n3\r\nhello\r\n0\r\n\r\n",
    "a chunk ended by LF": GOOD.replace(b"GET /healthz", b"POST /ingest")
    + b"Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n",
    "a space in the target": b"GET /a b HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a control character in the target": b"GET /\x01 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "HTTP/9.9": b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
    "not HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
}


@pytest.mark.parametrize("name", SMUGGLING)
def test_ambiguous_requests_are_refused_and_the_connection_closed(server, name):
    follow = b"GET /ready HTTP/1.1\r\nHost: localhost\r\n\r\n"
    answer = talk(server.port, SMUGGLING[name] + follow)
    assert status(answer) in (400, 501, 505), answer
    assert len(re.findall(rb"HTTP/1.1 \d{3} ", answer)) == 1, "the bytes behind it were taken as a request"


def test_pipelined_requests_are_answered_in_order(server):
    one = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    two = b"GET /nothing/here HTTP/1.1\r\nHost: localhost\r\n\r\n"
    last = b"GET /ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    answer = talk(server.port, one + two + 50 * one + last)
    codes = [int(a[:3]) for a in answer.split(b"HTTP/1.1 ")[1:]]
    assert codes == [200, 404] + 50 * [200] + [200]
    assert answer.endswith(b"ready\n")


def test_a_flood_of_pipelined_refusals_does_not_hurt(server):
    two = b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n"
    last = b"GET /ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    answer = talk(server.port, 3000 * two + last, seconds=20)
    assert answer.count(b"HTTP/1.1 404") == 3000 and answer.endswith(b"ready\n")


def test_too_large_heads_are_refused(server):
    line = b"GET /" + 20000 * b"a" + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"
    assert status(talk(server.port, line)) == 414
    assert status(talk(server.port, GOOD + b"X: " + 40000 * b"a" + b"\r\n\r\n")) == 431
    many = b"".join(b"X-%d: a\r\n" % i for i in range(200))
    assert status(talk(server.port, GOOD + many + b"\r\n")) == 431


def profile():
    return Builder().add(["work", "main"], [1, 1000]).gz(time_ns=time.time_ns())


def push_head(length, more=b"", name=b"chunky"):
    return (
        b"POST /ingest?format=pprof&name=" + name + b" HTTP/1.1\r\nHost: localhost\r\n"
        b"Connection: close\r\n" + length + more + b"\r\n"
    )


def test_a_chunked_body_is_joined(server):
    body = profile()
    chunks = b"".join(b"%x;ext=1\r\n%s\r\n" % (len(body[i : i + 7]), body[i : i + 7]) for i in range(0, len(body), 7))
    answer = talk(server.port, push_head(b"Transfer-Encoding: chunked\r\n") + chunks + b"0\r\nTrailer: x\r\n\r\n")
    assert status(answer) == 200
    assert server.api.top('{service_name="chunky"}')["total"] == 1000


def test_expect_100_continue_is_answered_before_the_body(server):
    body = profile()
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as s:
        s.sendall(push_head(b"Content-Length: %d\r\n" % len(body), b"Expect: 100-continue\r\n"))
        assert s.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        s.sendall(body)
        assert s.recv(100).startswith(b"HTTP/1.1 200 OK\r\n")


def test_bodies_over_the_limit_are_refused_with_the_limit_and_its_setting(everprof, data_dir):
    s = Server(everprof, data_dir, args=["--max-body", "64KB", "--max-profile", "1MB"]).start()
    answer = talk(s.port, push_head(b"Content-Length: 100000\r\n") + 100000 * b"x")
    assert status(answer) == 413 and b"65536" in answer and b"--max-body" in answer
    chunked = b"".join(b"4000\r\n" + 0x4000 * b"x" + b"\r\n" for _ in range(8))
    answer = talk(s.port, push_head(b"Transfer-Encoding: chunked\r\n") + chunked)
    assert status(answer) == 413 and b"65536" in answer
    bomb = gzip.compress(bytes(16 << 20), 9)
    code, answer = s.api.push(bomb, name="bomb")
    assert code == 413 and b"1048576" in answer and b"--max-profile" in answer, answer
    code, answer = s.api.push(bomb, name="bomb", format="pprof")
    assert code == 413
    peak = next(l for l in open(f"/proc/{s.process.pid}/status") if l.startswith("VmHWM"))
    assert int(peak.split()[1]) < 64 << 10, "kB: a bomb is not unpacked"
    s.stop()


def test_a_slow_header_is_closed_and_nobody_waits_for_it(server):
    slow = []
    for _ in range(200):
        s = socket.create_connection(("127.0.0.1", server.port), timeout=30)
        s.sendall(b"GET /healthz HT")
        slow.append(s)
    start = time.monotonic()
    assert server.api.is_ready()
    assert time.monotonic() - start < 2
    for s in slow:
        assert s.recv(1000).startswith(b"HTTP/1.1 408 ")
        assert s.recv(1000) == b""
        s.close()


def get(server, path="/api/v1/services", **headers):
    head = {k.replace("_", "-"): v for k, v in headers.items()}
    return server.api.request(path, headers=head)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:4040", "[::1]:1", "a.localhost", "LOCALHOST", "127.9.9.9"])
def test_names_of_loopback_are_good_hosts(server, host):
    assert get(server, Host=host)[0] == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.1", "", "a@localhost", "[::1"]
)
@pytest.mark.parametrize("path", ["/", "/healthz", "/api/v1/services", "/ingest?name=a"])
def test_other_hosts_are_refused_on_every_route(server, host, path):
    answer = talk(server.port, f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    assert status(answer) == 421
    assert b"ccess-Control" not in answer


def test_only_our_own_page_is_a_good_origin(server):
    own = f"127.0.0.1:{server.port}"
    assert get(server, Host=own, Origin=f"http://{own}")[0] == 200
    for origin in ("http://evil.example", "null", f"http://{own}.evil.example", f"file://{own}", "http://127.0.0.1:1"):
        code, headers, body = get(server, Host=own, Origin=origin)
        assert code == 403, origin
        assert headers.get("Access-Control-Allow-Origin") is None
    code, _, _ = server.api.request("/ingest?name=a", body=profile(), headers={"Origin": "http://evil.example"})
    assert code == 403
    assert server.api.services() == {}


def test_every_answer_carries_the_security_headers(server):
    for path in ("/", "/healthz", "/api/v1/services", "/nothing", "/metrics"):
        _, h, _ = server.api.request(path)
        assert h["X-Content-Type-Options"] == "nosniff", path
        assert h["Referrer-Policy"] == "no-referrer"
        csp = h["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in csp and "unsafe" not in csp and "default-src 'none'" in csp


def test_methods_and_routes_that_are_not_there(server):
    code, headers, body = server.api.request("/ingest", method="GET")
    assert code == 405 and headers["Allow"] == "POST" and json.loads(body)["code"]
    assert server.api.request("/api/v1/services", method="POST", body=b"")[0] == 405
    assert server.api.request("/api/v2/x")[0] == 404


BAD_PUSHES = {
    "no name": ({}, b"", 400),
    "an empty name": ({"name": ""}, b"", 400),
    "an open brace": ({"name": "app{a=b"}, b"", 400),
    "a label without =": ({"name": "app{ab}"}, b"", 400),
    "a bad key": ({"name": "app{a b=c}"}, b"", 400),
    "a bad from": ({"name": "app", "from": "yesterday"}, b"", 400),
    "a bad until": ({"name": "app", "until": "123"}, b"", 400),
    "no protobuf": ({"name": "app", "format": "pprof"}, b"\xff\xff\xff\xff", 422),
    "a cut gzip": ({"name": "app", "format": "pprof"}, profile()[:40], 422),
    "a cut pprof": ({"name": "app", "format": "pprof"}, Builder().add(["a"], [1, 2]).raw()[:-3], 422),
    "jfr": ({"name": "app", "format": "jfr"}, b"FLR\0", 415),
    "speedscope": ({"name": "app", "format": "speedscope"}, b"{}", 415),
    "folded text": ({"name": "app"}, b"a;b;c 1\n", 415),
    "lines": ({"name": "app", "format": "lines"}, b"a;b;c\n", 415),
    "a dash in a type": ({"name": "app"}, Builder([("a-b", "count")]).add(["a"], [1]).gz(time_ns=time.time_ns()), 422),
    "next week": ({"name": "app"}, Builder().add(["a"], [1, 2]).gz(time_ns=time.time_ns() + 7 * 86400 * 10**9), 422),
    "2001": ({"name": "app"}, Builder().add(["a"], [1, 2]).gz(time_ns=10**18), 422),
    "a long value": ({"name": "app{a=" + 3000 * "x" + "}"}, profile(), 400),
}


@pytest.mark.parametrize("name", BAD_PUSHES)
def test_bad_pushes_get_their_status_and_a_sentence(server, name):
    params, body, want = BAD_PUSHES[name]
    code, _, answer = server.api.request("/ingest?" + urllib.parse.urlencode(params), body=body, method="POST")
    assert code == want, answer
    assert json.loads(answer)["message"], answer
    assert server.api.services(from_="now-7d", until="now") == {}


def test_bad_forms_get_a_sentence(server):
    def form(content_type, body):
        return server.api.request("/ingest?name=app", body=body, method="POST", headers={"Content-Type": content_type})

    part = b'--b\r\nContent-Disposition: form-data; name="profile"\r\n\r\n' + profile() + b"\r\n"
    assert form("multipart/form-data; boundary=b", part + b"--b--\r\n")[0] == 200
    config = b'--b\r\nContent-Disposition: form-data; name="sample_type_config"\r\n\r\n{]\r\n'
    prev = b'--b\r\nContent-Disposition: form-data; name="prev_profile"\r\n\r\nx\r\n'
    for content_type, body in (
        ("multipart/form-data", part + b"--b--\r\n"),
        ("multipart/form-data; boundary=c", part + b"--b--\r\n"),
        ("multipart/form-data; boundary=b", part),
        ("multipart/form-data; boundary=b", b"--b--\r\n"),
        ("multipart/form-data; boundary=b", config + part + b"--b--\r\n"),
        ("multipart/form-data; boundary=b", prev + part + b"--b--\r\n"),
    ):
        code, _, answer = form(content_type, body)
        assert code == 422 and json.loads(answer)["message"], (content_type, answer)


def test_an_empty_profile_is_taken(server):
    assert server.api.push(b"", name="app")[0] == 200
    assert server.api.push(Builder().gz(), name="app")[0] == 200


TOKENS = "# comment\n\nadmin-token-0123456789\nread-token-0123456789 shop read\nwrite-token-0123456789 shop write\n"


@pytest.fixture
def guarded(everprof, data_dir, tmp_path):
    file = tmp_path / "tokens"
    file.write_text(TOKENS)
    s = Server(everprof, data_dir, args=["--token-file", file]).start()
    yield s
    s.stop()


def basic(token):
    import base64

    return "Basic " + base64.b64encode(b"anyone:" + token.encode()).decode()


@pytest.mark.parametrize(
    "header, read, push",
    [
        (None, 401, 401),
        ("Bearer admin-token-0123456789", 200, 200),
        ("bearer admin-token-0123456789", 200, 200),
        ("Bearer admin-token-012345678", 401, 401),
        ("Bearer admin-token-01234567890", 401, 401),
        ("Bearer ", 401, 401),
        (basic("admin-token-0123456789"), 200, 200),
        (basic("nope"), 401, 401),
        ("Basic !!!", 401, 401),
        ("Bearer read-token-0123456789", 200, 403),
        ("Bearer write-token-0123456789", 403, 200),
    ],
)
def test_tokens(guarded, header, read, push):
    h = {"Authorization": header} if header else {}
    assert guarded.api.request("/api/v1/services", headers=h)[0] == read
    assert guarded.api.request("/metrics", headers=h)[0] == read
    assert guarded.api.request("/ingest?name=a", body=profile(), headers=h)[0] == push
    assert guarded.api.request("/healthz", headers=h)[0] == 200
    assert guarded.api.request("/ready", headers=h)[0] == 200


def test_a_token_of_one_tenant_does_not_open_another(guarded):
    h = {"Authorization": "Bearer read-token-0123456789"}
    assert guarded.api.request("/api/v1/services", headers={**h, "X-Scope-OrgID": "shop"})[0] == 200
    assert guarded.api.request("/api/v1/services", headers={**h, "X-Scope-OrgID": "other"})[0] == 403


def test_the_page_shows_a_sign_in_form_that_sets_a_cookie(guarded):
    code, _, page = guarded.api.request("/")
    assert code == 401 and b'<form method="post" action="/sign-in"' in page
    assert guarded.api.request("/sign-in", body=b"token=wrong", method="POST")[0] == 401
    form = b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 28\r\n\r\ntoken=admin-token-0123456789"
    answer = talk(guarded.port, form).decode()
    assert status(answer.encode()) == 303
    cookie = next(l for l in answer.splitlines() if l.startswith("Set-Cookie: "))
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie
    pair = cookie.split(": ")[1].split(";")[0]
    assert guarded.api.request("/api/v1/services", headers={"Cookie": f"x=1; {pair}"})[0] == 200
    assert guarded.api.request("/", headers={"Cookie": pair})[0] == 200


def test_off_loopback_a_token_file_is_needed(everprof, data_dir):
    s = Server(everprof, data_dir)
    s.args = ["--listen", f"0.0.0.0:{s.port}"]
    s.start(ready=False)
    assert s.process.wait(10) == 1
    assert "--token-file" in s.log.read_text()


def test_a_taken_port_is_named_and_the_way_out(server, everprof, data_dir):
    other = Server(everprof, data_dir.parent / "other")
    other.port = server.port
    other.start(ready=False)
    assert other.process.wait(10) == 1
    text = other.log.read_text()
    assert f"127.0.0.1:{server.port}" in text and "--listen" in text
    assert not (data_dir.parent / "other").exists(), "nothing was touched before the port was taken"


def test_stop_finishes_and_the_next_start_has_the_history(server):
    assert server.api.push(profile(), name="kept")[0] == 200
    assert server.stop() == 0
    server.start()
    assert server.api.top('{service_name="kept"}')["total"] == 1000


def test_the_files_of_the_page_are_packed_once_and_not_sent_twice(server):
    _, _, page = server.api.request("/")
    files = re.findall(rb'(?:src|href)="(/[^"]+)"', page)
    if b"without its web page" in page:
        pytest.skip("built without the page")
    assert len(files) >= 3
    for path in ["/", *(f.decode() for f in files)]:
        code, plain, body = server.api.request(path)
        assert code == 200 and "Content-Encoding" not in plain and plain["Vary"] == "Accept-Encoding", path
        code, packed, zipped = server.api.request(path, headers={"Accept-Encoding": "br, gzip"})
        assert code == 200 and packed["Content-Encoding"] == "gzip" and gzip.decompress(zipped) == body, path
        assert len(zipped) < len(body) and packed["ETag"] == plain["ETag"]
        for known in (plain["ETag"], f'"other", {plain["ETag"]}', plain["ETag"].removeprefix("W/")):
            code, head, rest = server.api.request(path, headers={"If-None-Match": known, "Accept-Encoding": "gzip"})
            assert (code, rest) == (304, b"") and head["ETag"] == plain["ETag"] and head["Vary"], path
        assert server.api.request(path, headers={"If-None-Match": '"other"'})[0] == 200
