"""HTTP/2 without TLS on the same port, and gRPC over it, with curl as the client."""

import json
import socket
import subprocess
import time

import pytest

from harness import CPU, need
from pprof import Builder, field


@pytest.fixture
def curl():
    path = need("curl")
    if "HTTP2" not in subprocess.run([path, "-V"], capture_output=True, text=True).stdout:
        pytest.skip("curl without HTTP/2")

    def run(url, *args, data=None):
        command = [path, "-sv", "--http2-prior-knowledge", "--max-time", "20", url, *args]
        if data is not None:
            command += ["--data-binary", "@-"]
        r = subprocess.run(command, input=data, capture_output=True)
        heads = [l[2:] for l in r.stderr.decode().splitlines() if l.startswith("< ")]
        status = int(heads[0].split()[1])
        return status, dict(l.split(": ", 1) for l in heads if ": " in l), r.stdout

    return run


def profile(value=1000):
    return Builder().add(["work", "main"], [1, value]).gz(time_ns=time.time_ns())


def test_routes_answer_as_over_http1(server, curl):
    assert curl(server.url + "/ready")[::2] == (200, b"ready\n")
    status, headers, body = curl(server.url + "/nothing", "-X", "DELETE")
    assert status in (404, 405) and headers["x-content-type-options"] == "nosniff"
    assert curl(server.url + "/ready", "-H", "Host: evil.example")[0] == 421
    assert curl(server.url + "/api/v1/services", "-H", "Origin: http://evil.example")[0] == 403


def test_a_profile_comes_in_and_a_query_goes_out(server, curl):
    assert curl(server.url + "/ingest?name=h2", data=profile())[0] == 200
    status, _, body = curl(
        server.url + "/querier.v1.QuerierService/ProfileTypes", "-H", "Content-Type: application/json", data=b"{}"
    )
    assert status == 200 and json.loads(body)["profileTypes"][0]["ID"] == CPU


def frame(message):
    return b"\0" + len(message).to_bytes(4, "big") + message


def test_grpc_push_and_query(server, curl):
    label = lambda k, v: field(1, field(1, k) + field(2, v))
    series = label("__name__", "process_cpu") + label("service_name", "grpc") + field(2, field(1, profile(77)))
    grpc = ("-H", "Content-Type: application/grpc", "-H", "te: trailers")
    status, trailers, body = curl(server.url + "/push.v1.PusherService/Push", *grpc, data=frame(field(1, series)))
    assert (status, trailers["grpc-status"], body) == (200, "0", frame(b""))
    assert server.api.top('{service_name="grpc"}')["total"] == 77
    status, trailers, body = curl(server.url + "/querier.v1.QuerierService/ProfileTypes", *grpc, data=frame(b""))
    assert trailers["grpc-status"] == "0" and CPU.encode() in body
    status, trailers, body = curl(server.url + "/push.v1.PusherService/Push", *grpc, data=frame(b""))
    assert (status, trailers["grpc-status"], trailers["grpc-message"]) == (200, "3", "no profiles received")
    assert curl(server.url + "/querier.v1.QuerierService/No", *grpc, data=frame(b""))[1]["grpc-status"] == "12"


def test_garbage_behind_the_preface_ends_the_connection_only(server):
    for tail in (b"\xff" * 1000, b"\0\0\x08\x01\x04\0\0\0\x01garbage!", b"\0\x40\x01\0\0\0\0\0\x01" + b"x" * 20000):
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as s:
            s.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + tail)
            s.shutdown(socket.SHUT_WR)
            while True:
                try:
                    if not s.recv(65536):
                        break
                except ConnectionResetError:
                    break
    assert server.api.is_ready()
