"""What end-to-end tests are made of: a real server on a free port, and its API."""

import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
CPU = "process_cpu:cpu:nanoseconds:cpu:nanoseconds"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_until(what, holds, seconds=30.0):
    """Wait for an event (never for an amount of work): the limit is for a hang only."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = holds()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"{what}: not within {seconds} s")


def stop(process, sig=signal.SIGTERM, seconds=30):
    """End a process we started, and wait for it; returns its exit code."""
    if process.poll() is None:
        process.send_signal(sig)
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise


class Api:
    """The JSON API of a server at base, e.g. http://127.0.0.1:4040."""

    def __init__(self, base, token=None):
        self.base = base
        self.token = token

    def request(self, path, body=None, method=None, headers=None):
        """(status, headers, bytes) of one request; statuses are not exceptions."""
        head = dict(headers or {})
        if self.token:
            head["Authorization"] = f"Bearer {self.token}"
        req = urllib.request.Request(self.base + path, data=body, method=method, headers=head)
        try:
            with urllib.request.urlopen(req, timeout=60) as r:
                return r.status, r.headers, r.read()
        except urllib.error.HTTPError as e:
            return e.code, e.headers, e.read()

    def get(self, path, **params):
        query = urllib.parse.urlencode([(k.rstrip("_"), v) for k, v in params.items()], doseq=True)
        status, _, body = self.request(f"{path}?{query}" if query else path)
        assert status == 200, f"GET {path}?{query}: {status} {body[:500]!r}"
        return json.loads(body)

    def services(self, from_="now-1h", until="now"):
        return {s["name"]: s for s in self.get("/api/v1/services", from_=from_, until=until)["services"]}

    def top(self, query="{}", type=CPU, from_="now-1h", until="now", **more):
        return self.get("/api/v1/top", type=type, query=query, from_=from_, until=until, **more)

    def is_ready(self):
        try:
            return self.request("/ready")[0] == 200
        except OSError:
            return False

    def push(self, profile, name="test", **params):
        """POST a pprof to /ingest; returns (status, body)."""
        query = urllib.parse.urlencode({"name": name, **params})
        status, _, body = self.request(f"/ingest?{query}", body=profile, method="POST")
        return status, body


class Server:
    """An `everprof serve` (or another command) with its own data folder."""

    def __init__(self, everprof, data, command="serve", args=(), env=None):
        self.everprof, self.data, self.command, self.args, self.env = everprof, data, command, args, env
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.api = Api(self.url)
        self.log = data.parent / f"{data.name}.log"
        self.process = None

    def start(self, ready=True):
        command = [self.everprof, self.command, "--listen", f"127.0.0.1:{self.port}", "--data", self.data, *self.args]
        self.process = subprocess.Popen(
            [str(c) for c in command],
            stdout=open(self.log, "ab"),
            stderr=subprocess.STDOUT,
            env={**os.environ, **(self.env or {})},
        )
        if ready:
            wait_until("the server is ready", self._ready_or_dead)
        return self

    def _ready_or_dead(self):
        assert self.process.poll() is None, f"the server ended: {self.log.read_text()[-2000:]}"
        return self.api.is_ready()

    def stop(self, sig=signal.SIGTERM):
        return stop(self.process, sig)


def need(program):
    """Skip by name when a program that Debian 12 may lack is not there."""
    found = shutil.which(program) or next(
        (p for p in (f"/usr/local/go/bin/{program}",) if os.access(p, os.X_OK)), None
    )
    if not found:
        pytest.skip(f"{program} is not installed")
    return found
