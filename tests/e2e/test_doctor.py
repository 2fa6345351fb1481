"""everprof doctor --service: a service that is in order, and one where nothing is."""

import json
import os
import subprocess
import sys
import time

import pytest

from harness import CPU, Server, free_port, need, stop, wait_until
from pprof import Builder, field

SHOP = f"shop-{os.getpid()}"  # its processes are found by name, and another shop may be open
FLAWED_NAME = f"flawed-{os.getpid()}"
KEYS = ["wired", "labels", "propagated", "bounded", "private", "clamped", "leaks", "pgo", "whole"]


def doctor(everprof, service, url, *args):
    return subprocess.run(
        [str(everprof), "doctor", "--service", service, "--server", url, *map(str, args)],
        capture_output=True, text=True, timeout=60,
    )


def answers(everprof, service, url, *args):
    r = doctor(everprof, service, url, "--json", *args)
    assert r.stderr == "", r.stderr
    found = json.loads(r.stdout)
    assert [a["key"] for a in found["answers"]] == KEYS and found["service"] == service
    assert found["ok"] == (r.returncode == 0) == all(a["answer"] != "no" for a in found["answers"])
    assert all(a["evidence"] for a in found["answers"])
    return {a["key"]: a for a in found["answers"]}


class Shop:
    """examples/shop under its own load."""

    def __init__(self, build, server, http, **env):
        self.port = free_port()
        env = {"EVERPROF_NAME": SHOP, "EVERPROF_SERVER": server.url, "EVERPROF_HTTP": http, "EVERPROF_HZ": "1000", **env}
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("EVERPROF_", "OTEL_"))}
        self.process = subprocess.Popen(
            [build / "examples/shop/shop", "--listen", str(self.port)], env={**clean, **env}, stdout=subprocess.PIPE
        )
        assert b"http://" in self.process.stdout.readline()
        self.load = subprocess.Popen(
            [build / "examples/shop/shop-load", "--port", str(self.port), "--rate", "60"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )

    def stop(self):
        if self.load.poll() is None:
            stop(self.load)
        self.process.stdout.close()
        return stop(self.process)


@pytest.fixture(scope="module")
def shop(build, everprof, tmp_path_factory):
    """A server that knows the shop, and what starts the shop anew."""
    server = Server(everprof, tmp_path_factory.mktemp("doctor") / "data").start()
    running = []

    def start(http, **env):
        while running:
            running.pop().stop()
        running.append(Shop(build, server, http, **env))
        return server.url

    start("mounted")
    wait_until("the shop pushes", lambda: server.api.services().get(SHOP), 60)
    running.pop().stop()  # pushes what it has of the heap, too
    version = server.api.get("/api/v1/labels/version/values", type=CPU, query=f'{{service_name="{SHOP}"}}', from_="now-1h", until="now")
    # A day at work: enough to compile by.
    many = Builder().add(["search", "main"], [12_000, 12_000 * 10_000_000], endpoint="/search", pid="1", tid="7")
    status, body = server.api.push(many.gz(time_ns=int(time.time() * 1e9)), name=f'{SHOP}{{version={version["values"][0]["value"]}}}')
    assert status == 200, body
    yield start
    while running:
        running.pop().stop()
    server.stop()


def test_a_service_in_order_is_told_so_nine_times(everprof, shop):
    url = shop(f"127.0.0.1:{free_port()}")
    found = answers(everprof, SHOP, url)
    assert {k: a["answer"] for k, a in found.items()} == dict.fromkeys(KEYS, "yes"), found
    assert not [a for a in found.values() if a["do"]]
    assert "library" in found["wired"]["evidence"] and "endpoint (" in found["labels"]["evidence"]
    assert "scopes entered" in found["labels"]["evidence"] and "__other__" not in found["bounded"]["evidence"]
    assert "60 s at most" in found["clamped"]["evidence"] and "429" in found["clamped"]["evidence"]
    assert "connections_in_use" in found["leaks"]["evidence"]
    text = doctor(everprof, SHOP, url)
    assert text.returncode == 0 and "\033" not in text.stdout and text.stdout.endswith("9 yes, 0 no, 0 unknown\n")


def test_an_endpoint_with_tokens_is_private_and_tells_who_has_one(everprof, shop, tmp_path):
    tokens = tmp_path / "tokens"
    tokens.write_text("a-token-of-at-least-22-characters\n")
    url = shop(f"127.0.0.1:{free_port()}", EVERPROF_TOKEN_FILE=str(tokens))
    found = answers(everprof, SHOP, url)
    assert found["private"]["answer"] == "yes" and "401" in found["private"]["evidence"]
    assert found["clamped"]["answer"] == "unknown" and "--debug-token-file" in found["clamped"]["do"]
    assert answers(everprof, SHOP, url, "--debug-token-file", tokens)["clamped"]["answer"] == "yes"
    r = doctor(everprof, SHOP, url, "--debug-token-file", tmp_path / "none")
    assert (r.returncode, r.stdout) == (2, "") and "can't be read" in r.stderr


def test_an_endpoint_on_a_unix_socket_is_as_private_as_its_mode(everprof, shop, tmp_path):
    path = tmp_path / "shop.sock"
    url = shop(f"unix:{path}")
    wait_until("the socket", path.exists)
    found = answers(everprof, SHOP, url)
    assert (found["private"]["answer"], found["clamped"]["answer"]) == ("yes", "yes"), found
    path.chmod(0o666)
    found = answers(everprof, SHOP, url)
    assert found["private"]["answer"] == "no" and "0666" in found["private"]["evidence"]


def test_no_endpoint_is_a_private_one(everprof, shop):
    found = answers(everprof, SHOP, shop(""))
    assert found["private"]["answer"] == "yes" and "nobody can ask" in found["private"]["evidence"]


FLAWED = """
import http.server, sys, time

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"
    def do_GET(self):
        if "seconds=3600" in self.path:
            time.sleep(20)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'<a href="/debug/pprof/heap">' if "format" in self.path else b"a profile")
    def log_message(self, *args):
        pass

server = http.server.ThreadingHTTPServer(("0.0.0.0", 0), Handler)
server.daemon_threads = True
print(server.server_address[1], flush=True)
server.serve_forever()
"""


def flawed_profile(seconds_ago):
    """Most of it without labels, one thread with none, ids as values, much lost."""
    b = Builder()
    for i in range(300):
        b.add(["work", "main"], [1, 10_000_000], id=f"request-{i}", tid="7", pid="1")
    b.add(["work", "main"], [100, 1_000_000_000], id="__other__", tid="7", pid="1")
    b.add(["work", "main"], [900, 9_000_000_000], tid="8", pid="1", comm="pool-worker")
    comment = b.string("#everprof ledger asked=1500 taken=1300 lost=200 truncated=300")
    return b.raw(time_ns=int((time.time() - seconds_ago) * 1e9)) + field(13, comment)


def test_a_service_where_nothing_is_in_order_is_told_so_nine_times(everprof, server):
    program = subprocess.Popen(
        [need("python3") or sys.executable, "-c", FLAWED], env={**os.environ, "EVERPROF_NAME": FLAWED_NAME}, stdout=subprocess.PIPE
    )
    try:
        program.stdout.readline()
        status, body = server.api.push(flawed_profile(600), name=FLAWED_NAME)
        assert status == 200, body
        found = answers(everprof, FLAWED_NAME, server.url)
        assert {k: a["answer"] for k, a in found.items()} == dict.fromkeys(KEYS, "no"), found
        assert all(a["do"] for a in found.values())
        assert "pool-worker" in found["propagated"]["evidence"] and '"id"' in found["bounded"]["evidence"]
        assert "without a token" in found["private"]["evidence"] and "3600" in found["clamped"]["evidence"]
        assert "13.3 % of samples lost" in found["whole"]["evidence"]
        text = doctor(everprof, FLAWED_NAME, server.url)
        assert text.returncode == 1 and text.stdout.count("to do: ") == 9
    finally:
        program.kill()
        program.wait()
        program.stdout.close()


def test_what_nobody_knows_is_unknown_and_fails_nothing(everprof, server):
    found = answers(everprof, "nobody", server.url)
    assert found["wired"]["answer"] == "no" and "EVERPROF_SERVER" in found["wired"]["do"]
    assert {a["answer"] for k, a in found.items() if k != "wired"} == {"unknown"}
    found = answers(everprof, "nobody", f"http://127.0.0.1:{free_port()}")
    assert {a["answer"] for a in found.values()} == {"unknown"}
    assert doctor(everprof, 'a"b', server.url).returncode == 0


def test_a_server_that_asks_for_a_token_is_given_one(everprof, data_dir, tmp_path):
    tokens = tmp_path / "tokens"
    tokens.write_text("a-token-of-at-least-22-characters default admin\n")
    s = Server(everprof, data_dir, args=["--token-file", tokens]).start()
    try:
        found = answers(everprof, "nobody", s.url)
        assert found["wired"]["answer"] == "unknown" and "401" in found["wired"]["evidence"]
        assert answers(everprof, "nobody", s.url, "--server-token-file", tokens)["wired"]["answer"] == "no"
    finally:
        s.stop()
