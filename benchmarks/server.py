"""What a server costs: start to ready, a push until it is acknowledged, a flame graph.

    bench-server EVERPROF [profiles=1000]

Starts `everprof serve` on a free port of loopback with a folder of its own, pushes
profiles of 1,500 samples (stacks of depth 20 to 40, three labels in 50 combinations) as
/ingest takes them, and asks for them.  CPU is the server's, from /proc.  The floor of an
acknowledged push is writing and syncing the same bytes to the same disk; the floor of a
start is `everprof --version`.
"""

import http.client
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests"))
from pprof import Builder  # noqa: E402

DISTINCT, STACKS, FUNCTIONS, SETS = 20, 1500, 2000, 50
CPU = "process_cpu:cpu:nanoseconds:cpu:nanoseconds"


def typical(seed):
    chance, b = random.Random(seed), Builder()
    names = [f"example.com/shop/package{i % 90}.(*Type{i % 300}).Method{i}" for i in range(FUNCTIONS)]
    tree = random.Random(1)  # of all profiles, so that they share stacks
    stacks = [[names[tree.randrange(FUNCTIONS >> max(0, 6 - k))] for k in range(tree.randrange(20, 41))][::-1]
              for _ in range(3 * STACKS)]
    for stack in chance.sample(stacks, STACKS):
        of, n = chance.randrange(SETS), chance.randrange(1, 5)
        b.add(stack, [n, n * 10_000_000], endpoint=f"/api/{of % 10}", tenant=f"t{of // 10}", stage=f"s{of % 3}")
    return b


class Server:
    def __init__(self, everprof, data):
        self.everprof, self.data = everprof, data
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]

    def start(self):
        """Seconds from exec to the first 200 of /ready."""
        began = time.monotonic()
        self.process = subprocess.Popen(
            [self.everprof, "serve", "--listen", f"127.0.0.1:{self.port}", "--data", self.data],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while self.process.poll() is None:
            try:
                if self.get("/ready")[0] == 200:
                    return time.monotonic() - began
            except OSError:
                time.sleep(0.001)
        sys.exit("bench: the server ended")

    def get(self, path):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        c.request("GET", path)
        r = c.getresponse()
        body = r.read()
        c.close()
        return r.status, body

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)

    def cpu(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def peak_mb(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024


def push(server, bodies, n, times):
    c = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    path = "/ingest?" + urllib.parse.urlencode({"name": "shop{pod=p0}"})
    for i in range(n):
        began = time.monotonic()
        c.request("POST", path, body=bodies[i % len(bodies)])
        r = c.getresponse()
        r.read()
        if r.status != 200:
            sys.exit(f"bench: a push was answered {r.status}")
        times.append(time.monotonic() - began)


def push_by(server, bodies, n, connections):
    """(latencies, CPU seconds a profile, profiles a second)."""
    times, cpu, began = [], server.cpu(), time.monotonic()
    threads = [threading.Thread(target=push, args=(server, bodies, n // connections, times)) for _ in range(connections)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return times, (server.cpu() - cpu) / len(times), len(times) / (time.monotonic() - began)


def synced_writes(folder, bodies, n):
    times = []
    with open(folder / "floor", "wb") as f:
        for i in range(n):
            began = time.monotonic()
            f.write(bodies[i % len(bodies)])
            f.flush()
            os.fdatasync(f.fileno())
            times.append(time.monotonic() - began)
    return times


def at(times, share):
    return sorted(times)[int(len(times) * share)] * 1e3


def row(what, *cells):
    print(f"{what:<44}" + "".join(f"{c:>12}" for c in cells), flush=True)


def starts(server, rounds=9):
    times = []
    for _ in range(rounds):
        times.append(server.start())
        server.stop()
    return times


def report_starts(everprof, server, what):
    floor = []
    for _ in range(9):
        began = time.monotonic()
        subprocess.run([everprof, "--version"], stdout=subprocess.DEVNULL, check=True)
        floor.append(time.monotonic() - began)
    times = starts(server)
    row(f"start to ready, {what}", f"{at(times, .5):.1f} ms", f"{at(times, .95):.1f} ms", f"{at(floor, .5):.1f} ms",
        f"{at(times, .5) / at(floor, .5):.1f}x")


def report_pushes(server, folder, bodies, n):
    push_by(server, bodies, 50, 1)  # the dictionaries learn the stacks
    floor = synced_writes(folder, bodies, min(n, 300))
    for connections in (1, 4):
        times, cpu, rate = push_by(server, bodies, n, connections)
        row(f"push acknowledged, {connections} at a time", f"{at(times, .5):.2f} ms", f"{at(times, .95):.2f} ms",
            f"{at(floor, .5):.2f} ms", f"{at(times, .5) / at(floor, .5):.1f}x")
        row("  CPU a profile; profiles a second", f"{cpu * 1e3:.2f} ms", f"{rate:.0f} /s")


def report_flame(server):
    times = []
    query = urllib.parse.urlencode({"type": CPU, "query": '{service_name="shop"}', "from": "now-1h", "until": "now"})
    for _ in range(15):
        began = time.monotonic()
        status, body = server.get(f"/api/v1/flamegraph?{query}")
        times.append(time.monotonic() - began)
    if status != 200:
        sys.exit(f"bench: the flame graph was answered {status}")
    row("flame graph of all of it, as JSON", f"{at(times, .5):.1f} ms", f"{at(times, .95):.1f} ms")
    row("  its size; the server's most memory", f"{len(body) / 1024:.0f} KB", f"{server.peak_mb():.0f} MB")


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    everprof = sys.argv[1]
    n = int(dict(a.split("=") for a in sys.argv[2:]).get("profiles", 1000))
    folder = pathlib.Path(tempfile.mkdtemp(prefix="data-", dir=pathlib.Path(everprof).parent))
    server = Server(everprof, folder / "data")
    try:
        now = time.time_ns()
        bodies = [typical(i).gz(time_ns=now - i * 10**9) for i in range(DISTINCT)]
        print(f"profiles of {STACKS} samples, {sum(map(len, bodies)) / len(bodies) / 1024:.0f} KB packed; {2 * n} are pushed\n")
        row("", "median", "p95", "floor", "ratio")
        report_starts(everprof, server, "empty")
        server.start()
        report_pushes(server, folder, bodies, n)
        report_flame(server)
        server.stop()
        size = sum(f.stat().st_size for f in (folder / "data").rglob("*") if f.is_file())
        report_starts(everprof, server, "with what was pushed")
        row(f"on disk, a profile ({DISTINCT} that take turns)", f"{size / (2 * n + 50) / 1024:.1f} KB")
    finally:
        if server.process.poll() is None:
            server.process.kill()
        shutil.rmtree(folder)


main()
