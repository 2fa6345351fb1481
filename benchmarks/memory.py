"""What the library costs a process: private memory, and CPU from exec to the end of a start.

    ./bench memory [seconds=120] [day]

Each program (benchmarks/memory.c, python3) runs bare and with the library preloaded, one after
the other; what is shown is the difference of /proc/PID/smaps_rollup at the same point. Unwind
tables come from a folder that an earlier run has filled, except where "no tables" is said.
The day is a program that makes and ends threads, allocates and frees, and changes labels as
fast as it can for so many seconds, sampled 250 times a second, with every profile type on, pushed
to a server, and asked for captures all the time.
"""

import http.server
import os
import pathlib
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

KEYS = ("Private_Dirty", "Private_Clean", "Pss")
ROUNDS = 15


def rollup(pid):
    lines = [line.split() for line in open(f"/proc/{pid}/smaps_rollup") if line.endswith("kB\n")]
    return {f[0][:-1]: int(f[1]) for f in lines}


class Bench:
    def __init__(self, build):
        self.program, self.lib = build / "benchmarks/bench-memory", build / "libeverprof.so"
        self.plugin = build / "benchmarks/plugin-memory.so"
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="bench-memory-"))
        self.bare = {k: v for k, v in os.environ.items() if not k.startswith("EVERPROF")}
        self.server = Server()

    def environment(self, cache="tables", **more):
        return {
            **self.bare, "LD_PRELOAD": str(self.lib),
            "EVERPROF_CACHE": cache if cache == "off" else str(self.folder / cache),
            "EVERPROF_SERVER": self.server.url, "XDG_STATE_HOME": str(self.folder), **more,
        }  # fmt: skip

    def memory_of(self, argv, env):
        p = subprocess.Popen(argv, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert p.stdout.readline() == "ready\n", argv
        m = rollup(p.pid)
        p.communicate("\n")
        return m

    def row(self, name, *argv, **env):
        argv = [str(a) for a in argv]
        a, b = self.memory_of(argv, self.bare), self.memory_of(argv, self.environment(**env))
        print(f"| {name} | " + " | ".join(f"{(b[k] - a[k]) / 1024:.2f}" for k in KEYS) + " |", flush=True)

    def evict_tables(self):
        """Out of the page cache, as after a boot."""
        for path in (self.folder / "tables").glob("*.unwind"):
            fd = os.open(path, os.O_RDONLY)
            os.fsync(fd)
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(fd)

    def start_of(self, argv, env, cold=False):
        """The median of CPU ms of whole runs."""
        times = []
        for _ in range(ROUNDS):
            if cold:
                self.evict_tables()
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run(argv, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        return sorted(times)[ROUNDS // 2] * 1000

    def start_row(self, name, *argv):
        if not shutil.which(argv[0]):
            return
        serve = {"EVERPROF_SERVER": "", "EVERPROF_HTTP": "mounted"}
        self.start_of(argv, self.environment(**serve))
        with_off = self.start_of(argv, {**self.environment(**serve), "EVERPROF_CACHE": "off"})
        cold = self.start_of(argv, self.environment(**serve), cold=True)
        times = self.start_of(argv, self.bare), self.start_of(argv, self.environment(**serve)), cold, with_off
        print(f"| {name} | " + " | ".join(f"{t:.1f}" for t in times) + " |", flush=True)


class Server:
    """Takes what is pushed, and counts it."""

    def __init__(self):
        bench = self
        self.n = 0

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                bench.n += 1
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()


def get(path, what):
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(str(path))
        s.sendall(f"GET /debug/pprof/{what} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        n = 0
        while data := s.recv(1 << 16):
            n += len(data)
    return n


def a_day(b, seconds):
    where = b.folder / "day.sock"
    env = b.environment(EVERPROF_HTTP=f"unix:{where}", EVERPROF_TYPES="cpu,heap,mutex,block,threads", EVERPROF_HZ="250")
    argv = [str(b.program), "day", str(seconds)]
    p = subprocess.Popen(argv, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert p.stdout.readline() == "ready\n"
    asks = ["profile?seconds=1", "heap", "threads?debug=1", "mutex", "block", "allocs?seconds=1", "threadcreate", "scopes"]
    began, seen, n = time.monotonic(), [], 0
    while p.poll() is None and time.monotonic() - began < seconds - 2:
        try:
            get(where, asks[n % len(asks)])
            n += 1
            seen.append((time.monotonic() - began, rollup(p.pid)["Private_Dirty"] / 1024))
        except OSError:
            time.sleep(0.2)
    peak = next(int(line.split()[1]) / 1024 for line in open(f"/proc/{p.pid}/status") if line.startswith("VmHWM"))
    p.wait()
    assert p.returncode == 0
    print(f"\nA day in {seconds} s: {n} captures, {b.server.n} pushes; private dirty memory, MB:\n")
    parts = 8
    for i in range(parts):
        of = [m for t, m in seen if i <= t * parts / seconds < i + 1]
        if of:
            print(f"| {i * seconds // parts} to {(i + 1) * seconds // parts} s | {min(of):.2f} | {sum(of) / len(of):.2f} | {max(of):.2f} |")
    bare = subprocess.Popen([str(b.program), "day", "20"], env=b.bare, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    time.sleep(15)
    print(f"\nBare: {rollup(bare.pid)['Private_Dirty'] / 1024:.2f}; highest resident with the library: {peak:.1f}")
    bare.wait()


def main():
    only_day = "day" in sys.argv[2:]
    seconds = next((int(a[8:]) for a in sys.argv[2:] if a.startswith("seconds=")), 120)
    b = Bench(pathlib.Path(sys.argv[1]).resolve().parent)
    if only_day:
        return a_day(b, seconds)
    show = "import sys; print('ready', flush=True); sys.stdin.readline()"
    try:
        subprocess.run([b.program, "small"], env=b.environment(), input="\n", text=True, stdout=subprocess.DEVNULL)
        print("| private memory of the library, MB | dirty | clean | its share (PSS) |\n|---|---|---|---|")
        b.row("a small program, 1 s of CPU", b.program, "small")
        b.row("the same, no tables of others", b.program, "small", cache="off")
        subprocess.run(["python3", "-c", "1"], env=b.environment())
        b.row("python3", "python3", "-c", show)
        b.row("the same, no tables of others", "python3", "-c", show, cache="off")
        b.row("16 threads, each sampled", b.program, "threads", 16)
        b.row("1,000 threads, each sampled", b.program, "threads", 1000)
        b.row("10,000 times dlopen and dlclose", b.program, "dlopen", 10000, b.plugin)
        print("\n| start and end of a process, CPU ms | bare | with the library | tables not in the page cache | no tables of others |\n|---|---|---|---|---|")
        b.start_row("true", "/bin/true")
        b.start_row("python3 -c 1", "python3", "-c", "1")
        b.start_row("clang --version", "clang", "--version")
        b.start_row("node --version", "node", "--version")
        a_day(b, seconds)
    finally:
        shutil.rmtree(b.folder, ignore_errors=True)


main()
