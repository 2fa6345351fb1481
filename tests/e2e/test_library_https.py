"""Pushes over https: who is trusted, what is said when somebody is not, and what the
program notices of it."""

import base64
import contextlib
import os
import pathlib
import re
import socket
import ssl
import subprocess
import threading
import time
import urllib.parse

import pytest

from harness import need, stop, wait_until
from pprof import Profile
from test_library import compiled, environment, run  # noqa: F401 (a fixture)

CA_CONFIG = """
[ca]
default_ca = own
[own]
new_certs_dir = {folder}
database = {folder}/index
rand_serial = yes
default_md = sha256
policy = any
x509_extensions = names
[any]
commonName = supplied
[names]
subjectAltName = {names}
"""


def certificate(folder, name, names="DNS:localhost,IP:127.0.0.1", start="20200101000000Z", end="20990101000000Z"):
    """A certificate that signs itself, and is its own authority: (certificate, key)."""
    cert, key, request = (folder / f"{name}.{s}" for s in ("pem", "key", "csr"))
    (folder / "index").write_text("")
    (folder / "ca.conf").write_text(CA_CONFIG.format(folder=folder, names=names))

    def openssl(*args):
        subprocess.run([need("openssl"), *map(str, args)], check=True, capture_output=True)

    openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-subj", f"/CN={name}", "-keyout", key, "-out", request)  # fmt: skip
    openssl("ca", "-batch", "-config", folder / "ca.conf", "-selfsign", "-keyfile", key, "-in", request,
            "-startdate", start, "-enddate", end, "-out", cert, "-notext")  # fmt: skip
    return cert, key


class TlsIngest:
    """Takes pushes over TLS; counts what comes without."""

    def __init__(self, cert, key, max_version=None, status="200 OK"):
        self.pushed, self.versions, self.heads, self.faults = [], [], [], []
        self.status = status
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(cert, key)
        if max_version:
            self.context.set_ciphers("ALL:@SECLEVEL=0")
            self.context.minimum_version = ssl.TLSVersion.TLSv1
            self.context.maximum_version = max_version
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                c, _ = self.socket.accept()
                threading.Thread(target=self.one, args=[c], daemon=True).start()

    def one(self, c):
        c.settimeout(60)
        try:
            with self.context.wrap_socket(c, server_side=True) as t:
                self.converse(t)
        except (OSError, ValueError) as e:
            self.faults.append(str(e))

    def converse(self, t):
        data = b""
        while b"\r\n\r\n" not in data:
            more = t.recv(65536)
            if not more:
                return
            data += more
        head, body = data.split(b"\r\n\r\n", 1)
        head = head.decode()
        length = int(re.search(r"(?im)^content-length: (\d+)", head)[1])
        while len(body) < length:
            body += t.recv(65536)
        self.heads.append(head)
        self.versions.append(t.version())
        query = dict(urllib.parse.parse_qsl(head.split(" ")[1].split("?", 1)[1]))
        if self.status == "200 OK":
            self.pushed.append((query, Profile(body)))
        t.sendall(f"HTTP/1.1 {self.status}\r\nContent-Length: 0\r\n\r\n".encode())


@pytest.fixture
def good(tmp_path):
    return certificate(tmp_path, "good")


def settings(tmp_path, url, ca=None, **more):
    env = {
        "EVERPROF_SERVER": url,
        "EVERPROF_LOG": tmp_path / "log",
        "XDG_STATE_HOME": tmp_path / "state",
        **({"EVERPROF_SERVER_CA": ca} if ca else {}),
        **more,
    }
    return env


def spooled(tmp_path):
    return list((tmp_path / "state").rglob("*.spool"))


def log_of(tmp_path):
    log = tmp_path / "log"
    return log.read_text() if log.exists() else ""


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_trusted_server_gets_the_profiles_by_name_and_by_address(compiled, good, tmp_path, host):
    server = TlsIngest(*good)
    env = settings(tmp_path, f"https://a%40b:pass%3Aword@{host}:{server.port}/in", good[0], EVERPROF_TENANT="shop")
    p = run([compiled("spin"), 0.2], **env)
    assert (p.returncode, p.stderr, log_of(tmp_path)) == (0, "", "")
    assert {tuple(p.types) for _, p in server.pushed} >= {("samples", "cpu")} and not spooled(tmp_path)
    assert set(server.versions) == {"TLSv1.3"}
    user = base64.b64encode(b"a@b:pass:word").decode()
    for head in server.heads:
        assert head.startswith("POST /in/ingest?")
        assert f"Authorization: Basic {user}" in head and "X-Scope-OrgID: shop" in head
    assert server.faults == []


@pytest.mark.parametrize("secret, header", [("t0ken-of-mine.x", "Bearer t0ken-of-mine.x"),
                                            ("user:pass word", "Basic " + base64.b64encode(b"user:pass").decode())])  # fmt: skip
def test_the_token_file_is_bearer_or_user_and_password(compiled, good, tmp_path, secret, header):
    server = TlsIngest(*good)
    (tmp_path / "token").write_text(secret + "\n")
    env = settings(tmp_path, f"https://localhost:{server.port}", good[0], EVERPROF_SERVER_TOKEN_FILE=tmp_path / "token")
    assert run([compiled("spin"), 0.1], **env).returncode == 0
    assert server.heads and all(f"Authorization: {header}" in h.split("\r\n") for h in server.heads)


def refused(compiled, tmp_path, server, ca, sentence):
    """Nothing but a handshake reaches the server; the profiles wait; one line says why."""
    p = run([compiled("spin"), 0.1], **settings(tmp_path, f"https://localhost:{server.port}", ca))
    assert (p.returncode, p.stderr) == (0, "")
    assert server.heads == [] and len(spooled(tmp_path)) >= 1
    (line,) = log_of(tmp_path).splitlines()
    assert re.search(sentence, line), line


def test_another_authority_is_refused(compiled, good, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    ca, _ = certificate(other, "other")
    refused(compiled, tmp_path, TlsIngest(*good), ca, "the certificate of localhost is refused: self.signed certificate")


def test_the_systems_authorities_are_asked_without_a_file(compiled, good, tmp_path):
    refused(compiled, tmp_path, TlsIngest(*good), None, "the certificate of localhost is refused: self.signed")


def test_a_certificate_for_another_host_is_refused(compiled, tmp_path):
    pair = certificate(tmp_path, "else", names="DNS:profiles.example")
    refused(compiled, tmp_path, TlsIngest(*pair), pair[0], "the certificate of localhost is refused: hostname mismatch")


def test_an_expired_certificate_is_refused(compiled, tmp_path):
    pair = certificate(tmp_path, "old", end="20210101000000Z")
    refused(compiled, tmp_path, TlsIngest(*pair), pair[0], "is refused: certificate has expired")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tls_1_1_is_not_spoken(compiled, good, tmp_path):
    server = TlsIngest(*good, max_version=ssl.TLSVersion.TLSv1_1)
    refused(compiled, tmp_path, server, good[0], "no TLS with localhost: .*version")


def test_a_file_without_certificates_is_named(compiled, good, tmp_path):
    (tmp_path / "empty").write_text("")
    refused(compiled, tmp_path, TlsIngest(*good), tmp_path / "empty", f"no certificates in {tmp_path}/empty")


def test_a_server_that_speaks_no_tls_is_named(compiled, tmp_path, good):
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        with contextlib.suppress(OSError):
            while True:
                c, _ = listener.accept()
                c.recv(100)
                c.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                c.close()

    threading.Thread(target=serve, daemon=True).start()
    env = settings(tmp_path, f"https://localhost:{listener.getsockname()[1]}", good[0])
    assert run([compiled("spin"), 0.1], **env).returncode == 0
    assert re.search("no TLS with localhost: wrong version number", log_of(tmp_path)), log_of(tmp_path)
    assert spooled(tmp_path)


def test_a_server_that_hangs_in_the_handshake_is_given_up(compiled, good, tmp_path):
    listener = socket.create_server(("127.0.0.1", 0))  # the kernel accepts, nobody answers
    env = settings(tmp_path, f"https://localhost:{listener.getsockname()[1]}", good[0])
    start = time.monotonic()
    assert run([compiled("spin"), 0.1], **env).returncode == 0
    assert time.monotonic() - start < 60
    assert "TLS handshake: the server did not answer in time" in log_of(tmp_path)
    assert spooled(tmp_path)


def test_a_server_that_leaves_at_once_kills_nobody(compiled, good, tmp_path):
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        with contextlib.suppress(OSError):
            while True:
                listener.accept()[0].close()

    threading.Thread(target=serve, daemon=True).start()
    env = settings(tmp_path, f"https://localhost:{listener.getsockname()[1]}", good[0])
    assert run([compiled("spin"), 0.1], **env).returncode == 0, "SIGPIPE would be -13"
    assert spooled(tmp_path)


def test_without_openssl_the_profiles_wait_and_it_says_so(compiled, good, tmp_path):
    (tmp_path / "libssl.so.3").write_text("")
    server = TlsIngest(*good)
    env = settings(tmp_path, f"https://localhost:{server.port}", good[0], LD_LIBRARY_PATH=tmp_path)
    p = run([compiled("spin"), 0.1], **env)
    assert (p.returncode, p.stderr) == (0, "")
    assert "https needs OpenSSL 3, and libssl.so.3 can't be loaded" in log_of(tmp_path)
    assert spooled(tmp_path) and not server.heads


def test_a_static_program_says_that_it_has_no_https(build, compiled, good, tmp_path):
    server = TlsIngest(*good)
    program = compiled("spin", "-static", str(build / "libeverprof.a"), linked=False)
    env = settings(tmp_path, f"https://127.0.0.1:{server.port}", good[0], EVERPROF_TYPES="cpu")
    assert run([program, 0.1], **env).returncode == 0
    assert "linked statically" in log_of(tmp_path) and spooled(tmp_path)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_openssl_is_loaded_for_https_only(compiled, good, tmp_path, scheme):
    """As the loader itself tells."""
    server = TlsIngest(*good)
    env = settings(tmp_path, f"{scheme}://localhost:{server.port}", good[0], LD_DEBUG="files",
                   LD_DEBUG_OUTPUT=tmp_path / "ld")  # fmt: skip
    run([compiled("spin"), 0.1], **env)
    told = "".join(f.read_text(errors="replace") for f in tmp_path.glob("ld.*"))
    assert "libeverprof" in told
    assert ("libssl.so.3" in told) == (scheme == "https")


@pytest.fixture
def own(compiled):
    if not pathlib.Path("/usr/include/openssl/ssl.h").exists():
        pytest.skip("libssl-dev is not installed")
    return compiled("own_openssl", "-lssl", "-lcrypto", "-Wno-deprecated-declarations")


@pytest.mark.parametrize("first", ["ours", "theirs"])
def test_a_program_finds_its_own_openssl_as_ever(own, good, tmp_path, first):
    (tmp_path / "openssl.cnf").write_text(
        "openssl_conf = init\n[init]\nssl_conf = all\n[all]\nsystem_default = strict\n[strict]\nMinProtocol = TLSv1.3\n"
    )
    server = TlsIngest(*good)
    env = settings(tmp_path, f"https://localhost:{server.port}", good[0], OPENSSL_CONF=tmp_path / "openssl.cnf")
    p = run([own, first], **env)
    assert (p.returncode, p.stdout, p.stderr) == (0, "as ever\n", ""), p
    if first == "ours":
        assert any(p.types == ["samples", "cpu"] for _, p in server.pushed)
    else:
        # OpenSSL was ended before the last push; the next process sends it.
        assert server.pushed or spooled(tmp_path)


def test_what_a_process_left_is_sent_by_the_next(compiled, good, tmp_path):
    server = TlsIngest(*good, status="503 Later")
    env = settings(tmp_path, f"https://localhost:{server.port}", good[0], EVERPROF_TYPES="cpu")
    assert run([compiled("spin"), 0.1], **env).returncode == 0
    assert spooled(tmp_path) and "HTTP 503" in log_of(tmp_path)
    server.status = "200 OK"
    env["EVERPROF_SERVER"] = env["EVERPROF_SERVER"].replace("//", "//u:p@")  # a new password is no new server
    assert run([compiled("spin"), 0.1], **env).returncode == 0
    assert not spooled(tmp_path) and len([1 for _, p in server.pushed if p.types == ["samples", "cpu"]]) == 2


def test_the_spool_stays_within_its_bytes(compiled, tmp_path):
    env = settings(tmp_path, "http://127.0.0.1:9", EVERPROF_TYPES="cpu", EVERPROF_SPOOL_BYTES=2500)
    for _ in range(4):
        assert run([compiled("spin"), 0.1], **env).returncode == 0
    files = spooled(tmp_path)
    assert files and sum(f.stat().st_size for f in files) <= 2500
    assert "dropped; last: " in log_of(tmp_path)


def test_the_agent_pushes_over_https_too(everprof, good, tmp_path):
    server = TlsIngest(*good)
    agent = subprocess.Popen(
        [everprof, "agent", "--no-bpf", "--no-upload", "--interval", "1s", "--data", tmp_path / "data",
         "--server", f"https://u:p@localhost:{server.port}", "--server-ca", good[0]],
        stderr=subprocess.PIPE, text=True, env=environment(),
    )  # fmt: skip
    try:
        wait_until("a profile came, or the agent ended", lambda: server.pushed or agent.poll() is not None, 60)
        if agent.poll() is not None:
            pytest.skip(f"no sampling here: {agent.stderr.read().strip()}")
    finally:
        if agent.poll() is None:
            stop(agent)
    assert all("Authorization: Basic dTpw" in h for h in server.heads)
