"""TLS on the server's one port: HTTP/1.1 and HTTP/2, bad files, slow clients, reload."""

import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import warnings

import pytest

from harness import CPU, Api, Server, need, stop, wait_until
from pprof import Builder, field


def make_cert(folder, name="cert", cn="localhost"):
    """A key and a certificate of its own for localhost and 127.0.0.1."""
    cert, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(
        [need("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-days", "2", "-subj", f"/CN={cn}", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
         "-keyout", key, "-out", cert],
        check=True, capture_output=True,
    )
    return cert, key


class TlsServer(Server):
    def __init__(self, everprof, data, folder, args=(), cert=None, key=None, **more):
        made = make_cert(folder)
        self.cert, self.key = cert or made[0], key or made[1]
        super().__init__(everprof, data, args=["--tls-cert", self.cert, "--tls-key", self.key, *args], **more)
        self.url = f"https://127.0.0.1:{self.port}"
        self.context = ssl.create_default_context(cafile=self.cert)
        self.api = TlsApi(self.url, self.context)


class TlsApi(Api):
    def __init__(self, base, context, token=None):
        super().__init__(base, token)
        self.context = context

    def request(self, path, body=None, method=None, headers=None):
        head = dict(headers or {})
        if self.token:
            head["Authorization"] = f"Bearer {self.token}"
        host, port = self.base.split("//")[1].split(":")
        c = http.client.HTTPSConnection(host, int(port), timeout=60, context=self.context)
        try:
            c.request(method or ("POST" if body is not None else "GET"), path, body, head)
            r = c.getresponse()
            return r.status, r.headers, r.read()
        finally:
            c.close()


@pytest.fixture
def tls(everprof, data_dir, tmp_path):
    s = TlsServer(everprof, data_dir, tmp_path).start()
    yield s
    if s.process.poll() is None:
        assert s.stop() == 0


def curl(server, path, *args, data=None):
    command = [need("curl"), "-sv", "--cacert", server.cert, "--max-time", "20", server.url + path, *args]
    if data is not None:
        command += ["--data-binary", "@-"]
    r = subprocess.run([str(c) for c in command], input=data, capture_output=True)
    heads = [l[2:].rstrip() for l in r.stderr.decode(errors="replace").splitlines() if l.startswith("< ")]
    assert heads, r.stderr.decode(errors="replace")
    return heads, r.stdout


def profile(value=1000, n=1):
    b = Builder()
    for i in range(n):
        b.add([f"work{i}", "main"], [1, value])
    return b.gz(time_ns=time.time_ns())


@pytest.mark.parametrize("version,first", [("--http1.1", "HTTP/1.1 200 OK"), ("--http2", "HTTP/2 200")])
def test_both_versions_on_one_port(tls, version, first):
    heads, _ = curl(tls, "/ingest?name=app", version, data=profile())
    assert heads[0].strip() == first
    heads, body = curl(tls, f"/api/v1/top?type={CPU}&query=%7B%7D&from=now-1h&until=now", version)
    assert heads[0].strip() == first and json.loads(body)["total"] == 1000


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
def test_large_bodies_go_both_ways(tls, version):
    b = Builder()
    for i in range(20000):
        b.add([f"f{i}" + "x" * 200, "main"], [1, 1])
    body = b.raw(time_ns=time.time_ns())
    assert len(body) > 4 << 20
    heads, _ = curl(tls, "/ingest?name=big", version, data=body)
    assert any(" 200" in h for h in heads), heads
    heads, answer = curl(tls, f"/api/v1/top?type={CPU}&query=%7B%7D&from=now-1h&until=now&limit=100000", version)
    rows = json.loads(answer)["rows"]
    assert " 200" in heads[0] and len(rows) > 20000 and len(answer) > 4 << 20


def test_grpc_over_tls(tls):
    label = lambda k, v: field(1, field(1, k) + field(2, v))
    series = label("__name__", "process_cpu") + label("service_name", "grpc") + field(2, field(1, profile(77)))
    message = field(1, series)
    frame = b"\0" + len(message).to_bytes(4, "big") + message
    heads, body = curl(tls, "/push.v1.PusherService/Push", "--http2", "-H", "Content-Type: application/grpc",
                       "-H", "te: trailers", data=frame)
    assert heads[0].strip() == "HTTP/2 200" and "grpc-status: 0" in heads, heads
    assert tls.api.top('{service_name="grpc"}')["total"] == 77


def test_many_requests_on_one_connection(tls):
    c = http.client.HTTPSConnection("127.0.0.1", tls.port, timeout=60, context=tls.context)
    for _ in range(50):
        c.request("POST", "/ingest?name=again", profile(1))
        assert c.getresponse().read() == b""
    c.close()
    assert tls.api.top('{service_name="again"}')["total"] == 50


def test_pipelined_requests_in_one_record_are_all_answered(tls):
    with socket.create_connection(("127.0.0.1", tls.port), timeout=20) as raw:
        with tls.context.wrap_socket(raw, server_hostname="localhost") as s:
            one = b"GET /ready HTTP/1.1\r\nHost: localhost\r\n\r\n"
            s.sendall(one * 200)  # more than one record, read in pieces
            got = b""
            while got.count(b"ready\n") < 200:
                more = s.recv(65536)
                assert more, got[-200:]
                got += more


def test_old_versions_are_refused_and_new_ones_taken(tls):
    for version, good in (("TLSv1_1", False), ("TLSv1_2", True), ("TLSv1_3", True)):
        context = ssl.create_default_context(cafile=tls.cert)
        context.set_ciphers("ALL:@SECLEVEL=0")
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = getattr(ssl.TLSVersion, version)
        with socket.create_connection(("127.0.0.1", tls.port), timeout=20) as raw:
            try:
                context.wrap_socket(raw, server_hostname="localhost").close()
                assert good, version
            except (ssl.SSLError, ConnectionResetError):
                assert not good, version


def test_alpn_offers_both_and_refuses_others(tls):
    for offer, want in ((["h2", "http/1.1"], "h2"), (["http/1.1"], "http/1.1"), (["spdy/3"], None)):
        context = ssl.create_default_context(cafile=tls.cert)
        context.set_alpn_protocols(offer)
        with socket.create_connection(("127.0.0.1", tls.port), timeout=20) as raw:
            try:
                with context.wrap_socket(raw, server_hostname="localhost") as s:
                    assert s.selected_alpn_protocol() == want
            except ssl.SSLError:
                assert want is None


def test_plain_http_is_told_what_the_port_speaks(tls):
    status, _, body = Api(f"http://127.0.0.1:{tls.port}").request("/ready")
    assert (status, body) == (400, b"this port speaks TLS: ask it with https://")


def test_a_slow_handshake_is_cut_off_and_others_are_served(tls):
    with socket.create_connection(("127.0.0.1", tls.port), timeout=30) as silent, socket.create_connection(
        ("127.0.0.1", tls.port), timeout=30
    ) as slow:
        slow.sendall(b"\x16\x03\x01\x02\x00\x01")  # the beginning of a ClientHello
        assert tls.api.is_ready()
        for s in (silent, slow):
            assert s.recv(100) == b""  # closed by the server, within the socket's timeout


def test_garbage_ends_the_connection_only(tls):
    for junk in (b"\x16" + b"\xff" * 4000, b"\x16\x03\x01\x00\x05hello"):
        with socket.create_connection(("127.0.0.1", tls.port), timeout=20) as s:
            try:
                s.sendall(junk)
                s.shutdown(socket.SHUT_WR)
                while s.recv(65536):
                    pass
            except OSError:
                pass  # closed already
    assert tls.api.is_ready()


def test_the_sign_in_cookie_is_secure(everprof, data_dir, tmp_path):
    tokens = tmp_path / "tokens"
    tokens.write_text("0123456789abcdef0123\n")
    s = TlsServer(everprof, data_dir, tmp_path, args=["--token-file", tokens]).start()
    try:
        status, headers, _ = s.api.request("/sign-in", b"token=0123456789abcdef0123")
        assert status == 303 and "; Secure" in headers["Set-Cookie"]
    finally:
        s.stop()


def serial(server):
    pem = ssl.get_server_certificate(("127.0.0.1", server.port))
    r = subprocess.run([need("openssl"), "x509", "-noout", "-serial"], input=pem, text=True, capture_output=True)
    return r.stdout


def test_hangup_takes_the_new_certificate_and_drops_nobody(tls, tmp_path):
    c = http.client.HTTPSConnection("127.0.0.1", tls.port, timeout=60, context=tls.context)
    c.request("GET", "/ready")
    assert c.getresponse().read() == b"ready\n"
    sock, before = c.sock, serial(tls)
    cert, key = make_cert(tmp_path, "new")
    cert.rename(tls.cert)
    key.rename(tls.key)
    tls.process.send_signal(signal.SIGHUP)
    wait_until("the new certificate is in use", lambda: serial(tls) != before)
    c.request("GET", "/ready")  # on the connection from before
    assert c.getresponse().read() == b"ready\n" and c.sock is sock
    tls.api.context = ssl.create_default_context(cafile=tls.cert)
    assert tls.api.is_ready()


def test_hangup_with_bad_files_keeps_the_old_certificate(tls):
    before = serial(tls)
    tls.key.write_text("no key\n")
    tls.process.send_signal(signal.SIGHUP)
    wait_until("the fault is logged", lambda: "the old certificate stays in use" in tls.log.read_text())
    assert str(tls.key) in tls.log.read_text()
    assert serial(tls) == before and tls.api.is_ready()


def test_pushes_go_on_through_many_reloads(tls):
    done, failures = threading.Event(), []

    def push():
        while not done.is_set():
            try:
                status, body = tls.api.push(profile(1), name="reloads")
                assert status == 200, body
            except Exception as e:  # noqa: BLE001: any is a failure
                failures.append(e)

    threads = [threading.Thread(target=push) for _ in range(2)]
    for t in threads:
        t.start()
    for i in range(1, 11):
        tls.process.send_signal(signal.SIGHUP)
        wait_until("it was read again", lambda: tls.log.read_text().count("was read again") >= i)
    done.set()
    for t in threads:
        t.join()
    assert not failures, failures[:3]


def test_files_that_can_not_be_used_are_named_and_nothing_starts(everprof, data_dir, tmp_path):
    cert, key = make_cert(tmp_path)
    _, other = make_cert(tmp_path, "other")
    junk = tmp_path / "junk.pem"
    junk.write_text("hello\n")
    locked = tmp_path / "locked.key"
    subprocess.run([need("openssl"), "ec", "-in", key, "-aes128", "-passout", "pass:x", "-out", locked],
                   check=True, capture_output=True)
    for args, words in (
        (["--tls-cert", tmp_path / "gone.pem"], ["gone.pem", "No such file"]),
        (["--tls-cert", junk, "--tls-key", key], ["junk.pem", "no certificate in PEM form"]),
        (["--tls-cert", cert, "--tls-key", junk], ["junk.pem", "no private key"]),
        (["--tls-cert", cert, "--tls-key", other], ["other.key", "belongs to the certificate"]),
        (["--tls-cert", cert, "--tls-key", locked], ["locked.key", "without a passphrase"]),
        (["--tls-cert", cert], ["no private key"]),
        (["--tls-key", key], ["--tls-cert"]),
    ):
        r = subprocess.run([str(a) for a in [everprof, "serve", "--listen", "127.0.0.1:0", "--data", data_dir, *args]],
                           capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
        assert r.returncode == 1 and r.stderr.count("\n") == 1, r.stderr
        assert all(w in r.stderr for w in words), r.stderr
        assert not data_dir.exists()


def test_cert_and_key_in_one_file(everprof, data_dir, tmp_path):
    cert, key = make_cert(tmp_path)
    both = tmp_path / "both.pem"
    both.write_bytes(cert.read_bytes() + key.read_bytes())
    s = Server(everprof, data_dir, args=["--tls-cert", both])
    s.api = TlsApi(f"https://127.0.0.1:{s.port}", ssl.create_default_context(cafile=cert))
    s.start()
    assert s.stop() == 0


def test_an_expired_certificate_is_warned_of(everprof, data_dir, tmp_path):
    cert, key = tmp_path / "old.pem", tmp_path / "old.key"
    req = subprocess.run([need("openssl"), "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                          "-nodes", "-subj", "/CN=old", "-keyout", key], check=True, capture_output=True).stdout
    subprocess.run([need("openssl"), "x509", "-req", "-signkey", key, "-days", "-1", "-out", cert],
                   input=req, check=True, capture_output=True)
    s = Server(everprof, data_dir, args=["--tls-cert", cert, "--tls-key", key])
    s.start(ready=False)
    wait_until("it is said", lambda: "has expired" in s.log.read_text())
    assert stop(s.process) == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: up samples the machine")
def test_up_with_tls_and_its_own_agent(everprof, data_dir, tmp_path):
    s = TlsServer(everprof, data_dir, tmp_path, command="up").start()
    spin = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        wait_until("the agent pushed", s.api.services, seconds=60)
        assert f"https://127.0.0.1:{s.port}" in s.log.read_text()
        before = serial(s)
        cert, key = make_cert(tmp_path, "new")
        os.chmod(key, 0o644)  # the server is an unprivileged user by now
        cert.rename(s.cert)
        key.rename(s.key)
        s.process.send_signal(signal.SIGHUP)
        wait_until("the new certificate is in use", lambda: serial(s) != before)
    finally:
        spin.kill()
        spin.wait()
        assert s.stop(signal.SIGINT) == 0
