"""Profiles by URL: what is asked, what is said, what is kept."""

import contextlib
import http.server
import os
import re
import socketserver
import ssl
import subprocess
import threading

import pytest

import pprof
from harness import need


def profile(name="main", ns=10_000_000):
    return pprof.Builder().add([name], [1, ns]).gz()


def sums(raw):
    """The columns of a -raw report, added up. (Bare profiles of several URLs do not merge:
    each URL stands for a binary of its own.)"""
    rows = re.findall(rb"^ +(-?\d+) +(-?\d+): ", raw, re.M)
    return tuple(sum(int(r[i]) for r in rows) for i in (0, 1))


class Site:
    """Answers of a server by path: bytes, or (status, headers, bytes); and what it was asked."""

    def __init__(self, answers):
        self.answers, self.asked, self.lock = answers, [], threading.Lock()
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                with site.lock:
                    site.asked.append((self.command, self.path, body))
                found = site.answers.get(self.path, (404, {}, b"no"))
                found = found(self) if callable(found) else found
                status, headers, data = found if isinstance(found, tuple) else (200, {}, found)
                self.send_response(status)
                for k, v in headers.items():
                    self.send_header(k, v)
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = answer

            def log_message(self, *_):
                pass

        self.handler = Handler

    def paths(self):
        return [path for _, path, _ in self.asked]


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 512  # many ask at once, and a full queue makes them wait a second


class UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True

    def get_request(self):
        request, _ = super().get_request()
        return request, ("unix", 0)


@contextlib.contextmanager
def serving(site, tls=None, unix=None):
    """Yields the authority of a running server."""
    if unix:
        server = UnixServer(str(unix), site.handler)
    else:
        server = Server(("127.0.0.1", 0), site.handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield str(unix) if unix else f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def run(everprof, tmp_path):
    """run(args…) is `everprof pprof`; saved copies go to tmp_path/saved."""

    def run(*args, program=None, env=None, code=0):
        out = subprocess.run(
            [*(program or [everprof, "pprof"]), *map(str, args)], capture_output=True, timeout=60, check=False,
            env={**os.environ, "PPROF_TMPDIR": str(tmp_path / "saved"), "HOME": str(tmp_path), "TERM": "dumb",
                 "no_proxy": "", **(env or {})})
        assert out.returncode == code, out.stderr.decode()
        return out.stdout, out.stderr.decode().splitlines()

    return run



def test_host_and_port_are_the_cpu_profile_and_a_copy_is_kept(run, tmp_path):
    with serving(Site({"/debug/pprof/profile": profile()})) as at:
        out, said = run("-raw", at)
    assert said == [
        f"Fetching profile over HTTP from http://{at}/debug/pprof/profile",
        f"Saved profile in {tmp_path}/saved/pprof.samples.cpu.001.pb.gz",
    ]
    assert b"main" in out
    again, said = run("-raw", tmp_path / "saved" / "pprof.samples.cpu.001.pb.gz")
    assert again == out and said == []


def test_copies_are_counted_and_never_overwritten(run, tmp_path):
    with serving(Site({"/heap": profile()})) as at:
        for n in ("001", "002", "003"):
            _, said = run("-raw", f"http://{at}/heap")
            assert said[-1].endswith(f"/pprof.samples.cpu.{n}.pb.gz")


def test_without_a_folder_for_copies_home_takes_them(run, tmp_path):
    with serving(Site({"/heap": profile()})) as at:
        _, said = run("-raw", f"http://{at}/heap", env={"PPROF_TMPDIR": ""})
    assert said[-1] == f"Saved profile in {tmp_path}/pprof/pprof.samples.cpu.001.pb.gz"
    (tmp_path / "file").write_text("")
    with serving(Site({"/heap": profile()})) as at:
        _, said = run("-raw", f"http://{at}/heap", env={"PPROF_TMPDIR": f"{tmp_path}/file/x"})
    assert said[1].startswith(f"Could not use temp dir {tmp_path}/file/x: mkdir ")
    assert said[-1] == f"Saved profile in {tmp_path}/pprof/pprof.samples.cpu.002.pb.gz"


def test_seconds_go_into_the_url_and_are_said(run):
    site = Site({"/debug/pprof/profile?gc=1&seconds=90": profile()})
    with serving(site) as at:
        _, said = run("-seconds=90", "-raw", f"{at}?gc=1&seconds=3")
    assert said[:2] == [
        f"Fetching profile over HTTP from http://{at}/debug/pprof/profile?gc=1&seconds=90", "Please wait... (1m30s)"]
    assert site.paths() == ["/debug/pprof/profile?gc=1&seconds=90"]


def test_a_failed_answer_is_said_with_the_words_of_a_go_server(run):
    site = Site({
        "/go": (500, {"X-Go-Pprof": "1", "Content-Type": "text/plain; charset=utf-8"}, b"cpu profiling already in use\n"),
        "/other": (503, {"Content-Type": "text/plain"}, b"secret words\n"),
    })
    with serving(site) as at:
        for path, words in (("go", "500 Internal Server Error - cpu profiling already in use"),
                            ("other", "503 Service Unavailable"), ("none", "404 Not Found")):
            _, said = run("-raw", f"http://{at}/{path}", code=2)
            assert said == [f"Fetching profile over HTTP from http://{at}/{path}",
                            f"http://{at}/{path}: server response: {words}", "failed to fetch any source profiles"]


def test_one_of_several_sources_may_fail(run, tmp_path):
    (tmp_path / "a.pb.gz").write_bytes(profile("in_file"))
    with serving(Site({"/ok": profile("on_wire")})) as at:
        out, said = run("-raw", "-symbolize=none", f"http://{at}/ok", f"http://{at}/none", tmp_path / "a.pb.gz", tmp_path / "missing")
    assert b"in_file" in out and b"on_wire" in out
    assert said[-4:] == [
        f"http://{at}/none: server response: 404 Not Found",
        f"{tmp_path}/missing: stat {tmp_path}/missing: no such file or directory",
        "Fetched 2 source profiles out of 4", f"Saved profile in {tmp_path}/saved/pprof.samples.cpu.001.pb.gz"]


def test_sources_are_asked_at_the_same_time(run):
    n = 24
    meeting = threading.Barrier(n)

    def together(_):
        meeting.wait(30)  # answers only when all of them have asked
        return profile()

    with serving(Site({f"/{i}": together for i in range(n)})) as at:
        out, _ = run("-raw", *[f"http://{at}/{i}" for i in range(n)])
    assert sums(out) == (24, 240_000_000)


def test_more_than_a_chunk_of_sources(run, tmp_path):
    n = 300
    with serving(Site({f"/{i}": profile() for i in range(n)})) as at:
        out, said = run("-raw", *[f"http://{at}/{i}" for i in range(n)])
    assert sums(out) == (300, 3_000_000_000)
    assert said[-1].startswith("Saved profile in ")


def test_a_base_by_url_is_subtracted(run):
    with serving(Site({"/now": profile(ns=30_000_000), "/then": profile(ns=10_000_000)})) as at:
        out, said = run("-raw", f"-base=http://{at}/then", f"http://{at}/now")
    assert sums(out) == (0, 20_000_000)
    assert sum(line.startswith("Fetching") for line in said) == 2


def test_redirects_are_followed(run):
    with serving(Site({"/old": (302, {"Location": "/new"}, b""), "/new": profile("moved")})) as at:
        assert b"moved" in run("-raw", f"http://{at}/old")[0]


def test_a_proxy_of_the_environment_is_used_but_not_for_loopback(run):
    proxy = Site({"http://far.example/heap": profile("by_proxy")})
    with serving(proxy) as proxied, serving(Site({"/heap": profile("near")})) as at:
        for name in ("http_proxy", "HTTP_PROXY"):
            env = {name: f"http://{proxied}"}
            assert b"by_proxy" in run("-raw", "http://far.example/heap", env=env)[0]
            assert b"near" in run("-raw", f"http://{at}/heap", env=env)[0]
    assert proxy.paths() == ["http://far.example/heap"] * 2


def test_what_is_no_profile_says_so(run):
    with serving(Site({"/page": b"<html>hello</html>"})) as at:
        _, said = run("-raw", f"http://{at}/page", code=2)
    assert said[1].startswith(f"http://{at}/page: ") and len(said[1]) > len(at) + 20
    assert said[-1] == "failed to fetch any source profiles"


def test_without_libcurl_a_url_is_refused_in_one_sentence(run, tmp_path):
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "libcurl.so.4").write_text("not a library")
    _, said = run("-raw", "http://127.0.0.1:1/heap", env={"LD_LIBRARY_PATH": str(tmp_path / "lib")}, code=2)
    assert "URLs need libcurl, and libcurl.so.4 can't be loaded; install it" in said[1]


def test_local_files_do_not_load_the_network(run, everprof, tmp_path):
    (tmp_path / "a.pb.gz").write_bytes(profile())
    _, said = run("-raw", tmp_path / "a.pb.gz", env={"LD_DEBUG": "files"})
    assert not [line for line in said if "libcurl" in line]


def test_unix_sockets(run, tmp_path):
    site = Site({"/heap?debug=0": profile("by_socket")})
    with serving(site, unix=tmp_path / "s") as at:
        out, said = run("-raw", f"unix:{at}:/heap?debug=0")
    assert b"by_socket" in out
    assert said[0] == f"Fetching profile over HTTP from unix:{at}:/heap?debug=0"


# --- TLS ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    """A CA of our own, a server's and a client's certificate by it."""
    openssl = need("openssl")
    d = tmp_path_factory.mktemp("pki")

    def run(*args):
        subprocess.run([openssl, *args], cwd=d, check=True, capture_output=True, timeout=60)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    run("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=test ca", "-days", "2")
    for name, san in (("server", "subjectAltName=IP:127.0.0.1"), ("client", "subjectAltName=DNS:client")):
        run("req", *key, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        (d / f"{name}.ext").write_text(san)
        run("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
            "-out", f"{name}.pem", "-days", "2", "-extfile", f"{name}.ext")
    return d


@contextlib.contextmanager
def tls_site(pki, wants_client):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pki / "server.pem", pki / "server.key")
    if wants_client:
        tls.load_verify_locations(pki / "ca.pem")
        tls.verify_mode = ssl.CERT_REQUIRED
    with serving(Site({"/heap": profile("by_tls")}), tls=tls) as at:
        yield at


def test_tls_wants_a_certificate_that_can_be_checked(run, pki):
    with tls_site(pki, wants_client=False) as at:
        _, said = run("-raw", f"https://{at}/heap", code=2)
        assert "certificate" in said[1]
        assert b"by_tls" in run("-raw", f"-tls_ca={pki}/ca.pem", f"https://{at}/heap")[0]
        out, said = run("-raw", f"https+insecure://{at}/heap")
        assert b"by_tls" in out
        assert said[0] == f"Fetching profile over HTTP from https+insecure://{at}/heap"


def test_tls_with_a_certificate_of_the_client(run, pki):
    with tls_site(pki, wants_client=True) as at:
        ca, cert, key = (f"-tls_ca={pki}/ca.pem", f"-tls_cert={pki}/client.pem", f"-tls_key={pki}/client.key")
        assert b"by_tls" in run("-raw", ca, cert, key, f"https://{at}/heap")[0]
        run("-raw", ca, f"https://{at}/heap", code=2)
        _, said = run("-raw", ca, cert, f"https://{at}/heap", code=2)
        assert "-tls_cert is specified, so -tls_key must also be specified" in said[1]


# --- the reference, and a real server of Go ------------------------------------------------


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """The reference itself: `go tool pprof` is a program that Go builds when asked."""
    path = tmp_path_factory.mktemp("reference") / "pprof"
    subprocess.run([need("go"), "build", "-o", path, "cmd/pprof"], check=True, cwd="/", timeout=600)
    return path


def test_the_reference_says_the_same(run, reference):
    site = Site({"/debug/pprof/profile": profile(), "/debug/pprof/profile?seconds=2": profile(),
                 "/err": (500, {"X-Go-Pprof": "1", "Content-Type": "text/plain"}, b"busy\n")})
    cases = [("{at}",), ("-seconds=2", "{at}"), ("http://{at}/err",), ("{at}", "http://{at}/err", "nofile"),
             ("nofile",), ("http://{at}/%zz",)]
    with serving(site) as at:
        for case in cases:
            args = [a.format(at=at) for a in case]
            code = 0 if "{at}" in case else 2
            ours = run("-raw", *args, code=code)
            theirs = run("-raw", *args, program=[reference], code=code)
            number = re.compile(r"\.\d{3}\.pb\.gz$")
            assert sorted(number.sub("", s) for s in ours[1]) == sorted(number.sub("", s) for s in theirs[1]), case


GO_SERVER = """
package main

import (
	"fmt"
	"net"
	"net/http"
	_ "net/http/pprof"
)

func spin() { for i := 0; ; i++ { _ = fmt.Sprint(i) } }

func main() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil { panic(err) }
	go spin()
	fmt.Println(l.Addr())
	panic(http.Serve(l, nil))
}
"""


def test_a_real_server_of_go(run, tmp_path):
    go = need("go")
    (tmp_path / "main.go").write_text(GO_SERVER)
    subprocess.run([go, "build", "-o", tmp_path / "server", tmp_path / "main.go"], check=True, timeout=300,
                   capture_output=True)
    server = subprocess.Popen([tmp_path / "server"], stdout=subprocess.PIPE, text=True)
    try:
        at = server.stdout.readline().strip()
        out, said = run("-seconds=1", "-raw", at)
        assert b"main.spin" in out
        assert said[1] == "Please wait... (1s)"
        for kind in ("heap", "allocs", "goroutine", "block", "mutex", "threadcreate"):
            out, _ = run("-raw", f"http://{at}/debug/pprof/{kind}")
            assert out.startswith(b"PeriodType: ")
        _, said = run("-raw", f"http://{at}/debug/pprof/nothing", code=2)
        assert "server response: 404 Not Found - Unknown profile" in said[1]
    finally:
        server.kill()
        server.wait()


# --- names from the server ------------------------------------------------------------


def addresses(*stacks):
    """A CPU profile of bare addresses in one mapping."""
    s = {"": 0}
    st = lambda t: s.setdefault(t, len(s))
    known = sorted({a for stack in stacks for a in stack})
    body = pprof.field(1, pprof.field(1, st("cpu")) + pprof.field(2, st("nanoseconds")))
    for stack in stacks:
        body += pprof.field(2, pprof.packed(1, [known.index(a) + 1 for a in stack]) + pprof.packed(2, [1]))
    body += pprof.field(3, pprof.field(1, 1) + pprof.field(2, 0x1000) + pprof.field(3, 0x9000) + pprof.field(5, st("/no/such/binary")))
    for i, a in enumerate(known):
        body += pprof.field(4, pprof.field(1, i + 1) + pprof.field(2, 1) + pprof.field(3, a))
    return body + b"".join(pprof.varint(6 << 3 | 2) + pprof.varint(len(x.encode())) + x.encode() for x in s)


@pytest.mark.parametrize("source, symbols", [
    ("/pprof/heap", "/pprof/symbol"), ("/debug/pprof/heap", "/debug/pprof/symbol"), ("/a/b/profilez", "/a/b/symbolz"),
])
def test_addresses_are_named_by_the_server_they_came_from(run, source, symbols):
    site = Site({source: addresses([0x2000, 0x3000]), symbols: b"num_symbols: 1\n0x2000 leaf\n0x3000\tmain\n"})
    with serving(site) as at:
        out, _ = run("-traces", f"http://{at}{source}")
        assert site.asked[-1][:2] == ("POST", symbols)
        assert sorted(site.asked[-1][2].split(b"+")) == [b"0x2000", b"0x3000"]
        assert re.search(rb"1ns +leaf\n +main", out), out
        out, _ = run("-traces", "-symbolize=none", f"http://{at}{source}")
        assert b"leaf" not in out
    assert len(site.asked) == 3


def test_a_server_without_names_ends_it_as_the_reference_does(run, reference):
    with serving(Site({"/pprof/heap": addresses([0x2000])})) as at:
        for program in (None, [reference]):
            _, said = run("-traces", f"http://{at}/pprof/heap", program=program, code=2)
            assert said[-1] == f"http post http://{at}/pprof/symbol: server response: 404 Not Found"
