"""The agent, `record` and `doctor` on real programs, without a server of ours."""

import contextlib
import http.server
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import threading
import urllib.parse

import pytest

from harness import free_port, need, stop, wait_until
from pprof import Profile

TICKS = os.sysconf("SC_CLK_TCK")
SPIN = ["/usr/bin/python3", "-c", "while True: sum(range(1000))"]


def run(*command, **more):
    return subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=120, **more)


@pytest.fixture
def doctor(everprof):
    return json.loads(run(everprof, "doctor", "--json").stdout)


@pytest.fixture
def bpf(doctor):
    if doctor["sampling"] != "ebpf":
        pytest.skip("eBPF is not allowed here: " + doctor["sees"][0])


@pytest.fixture
def shared_dir():
    """A folder that another user can enter."""
    with tempfile.TemporaryDirectory() as d:
        os.chmod(d, 0o777)
        yield pathlib.Path(d)


@contextlib.contextmanager
def programs(**commands):
    """name=argv, running until the block ends; gzip gets noise to press."""
    started = {}
    try:
        for name, argv in commands.items():
            noise = open("/dev/urandom", "rb") if name == "gzip" else subprocess.DEVNULL
            started[name] = subprocess.Popen(
                argv, stdin=noise, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
        yield started
    finally:
        for p in started.values():
            stop(p, signal.SIGKILL)


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def shares(amounts):
    whole = sum(amounts.values())
    return {k: v / whole for k, v in amounts.items()}


def as_nobody(everprof, shared_dir, *args):
    binary = shared_dir / "everprof"
    if not binary.exists():
        shutil.copy(everprof, binary)
    os.chmod(binary, 0o755)
    return run("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", binary, *args, cwd=shared_dir)


def paranoid():
    return int(pathlib.Path("/proc/sys/kernel/perf_event_paranoid").read_text())


# -- doctor ---------------------------------------------------------------------


def test_doctor_says_three_lines(everprof):
    r = run(everprof, "doctor")
    assert r.stdout.count("\n") == 3
    assert r.returncode == (0 if "can't be sampled" not in r.stdout else 1)


def test_doctor_json_has_the_lines_and_the_facts(everprof, doctor):
    assert len(doctor["sees"]) == 3
    assert doctor["sees"][0] == run(everprof, "doctor").stdout.splitlines()[0]
    assert doctor["bpf"] == (doctor["bpf_errno"] == 0)


def test_an_unknown_flag_is_one_sentence_and_exit_2(everprof):
    for command in ("doctor", "record", "agent"):
        r = run(everprof, command, "--nope")
        assert r.returncode == 2
        assert r.stderr.count("\n") == 1 and "--nope" in r.stderr


@pytest.mark.parametrize("command", ["doctor", "record", "agent"])
def test_help_has_examples(everprof, command):
    r = run(everprof, command, "--help")
    assert r.returncode == 0 and "examples:" in r.stdout


# -- record ---------------------------------------------------------------------


def test_each_program_has_its_share_of_the_cpu(everprof, bpf, tmp_path):
    need("openssl")
    out = tmp_path / "all.pb.gz"
    with programs(
        python=SPIN, openssl=["openssl", "speed", "-seconds", "100", "sha256"], gzip=["gzip", "-9"]
    ) as started:
        pids = {name: p.pid for name, p in started.items()}
        used = lambda: {name: cpu_seconds(pid) for name, pid in pids.items()}
        before = used()
        recording = subprocess.Popen([everprof, "record", "-o", out, "-a", "-d", "10m"], stderr=subprocess.DEVNULL)
        # 3,000 samples, however busy the machine is: a share's standard error is below 1 point.
        wait_until("30 s of CPU time are used", lambda: sum(used().values()) > sum(before.values()) + 30, 400)
        assert stop(recording, signal.SIGINT) == 0
        after = used()
    p = Profile(out.read_bytes())
    by_pid = p.total_by("pid")
    got = shares({name: by_pid.get(str(pid), 0) for name, pid in pids.items()})
    true = shares({name: after[name] - before[name] for name in pids})
    for name in pids:
        assert abs(got[name] - true[name]) < 0.03, (name, got, true)
    services = {l.get("service_name") for _, _, l in p.samples}
    assert {"openssl", "gzip"} <= services
    assert any(s.startswith("python3") for s in services)
    ledger = p.ledger()
    assert ledger["taken"] == sum(v[0] for _, v, _ in p.samples)
    assert ledger["asked"] >= ledger["taken"] + ledger["lost"]
    assert p.types == ["samples", "cpu"] and p.period == 1_000_000_000 // 99


def test_a_command_is_followed_to_its_end_and_its_exit_code(everprof, doctor, tmp_path):
    if doctor["sampling"] == "none":
        pytest.skip("no perf events here")
    out = tmp_path / "cmd.pb.gz"
    script = "/usr/bin/python3 -c 'import time; e = time.process_time() + 1\nwhile time.process_time() < e: sum(range(100))'; exit 7"
    r = run(everprof, "record", "-o", out, "--", "sh", "-c", script)
    assert r.returncode == 7, r.stderr
    p = Profile(out.read_bytes())
    total = sum(v[1] for _, v, _ in p.samples)
    assert total > 400_000_000  # of the second, what ran in user code at least
    services = p.total_by("service_name")
    assert max(services, key=services.get).startswith("python3")
    assert any("PyEval" in f or "Py" in f for stack, _, _ in p.samples for f in stack)


def test_a_command_that_is_not_there(everprof, doctor, tmp_path):
    if doctor["sampling"] == "none":
        pytest.skip("no perf events here")
    r = run(everprof, "record", "-o", tmp_path / "x.pb.gz", "--", "/nonexistent")
    assert r.returncode == 127 and "No such file" in r.stderr


def test_one_process_by_its_pid(everprof, doctor, tmp_path):
    if doctor["sampling"] == "none":
        pytest.skip("no perf events here")
    out = tmp_path / "pid.pb.gz"
    with programs(python=SPIN, other=SPIN) as started:
        pid = started["python"].pid
        assert run(everprof, "record", "-o", out, "-p", pid, "-d", "1s").returncode == 0
    assert set(Profile(out.read_bytes()).total_by("pid")) == {str(pid)}


def test_without_ebpf_perf_events_see_the_machine(everprof, doctor, tmp_path):
    if not doctor["perf_cpu"]:
        pytest.skip("perf events on a CPU are not allowed")
    out = tmp_path / "perf.pb.gz"
    with programs(python=SPIN) as started:
        r = run(everprof, "record", "-o", out, "-a", "-d", "2s", "--no-bpf")
        assert r.returncode == 0
        assert str(started["python"].pid) in Profile(out.read_bytes()).total_by("pid")
    assert "perf events on every CPU" in r.stderr


@pytest.mark.skipif(os.getuid() != 0, reason="becoming another user needs root")
def test_a_plain_user_gets_its_own_processes_and_one_sentence(everprof, shared_dir):
    if paranoid() > 2:
        pytest.skip(f"kernel.perf_event_paranoid is {paranoid()}")
    nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
    with programs(own=[*nobody, *SPIN], other=SPIN) as started:
        r = as_nobody(everprof, shared_dir, "record", "-o", "own.pb.gz", "-a", "-d", "3s")
        assert r.returncode == 0, r.stderr
        seen = set(Profile((shared_dir / "own.pb.gz").read_bytes()).total_by("pid"))
        assert str(started["own"].pid) in seen and str(started["other"].pid) not in seen
    assert "your own processes" in r.stderr and "sudo" in r.stderr


def test_each_program_of_one_process_has_its_own_time(everprof, bpf, tmp_path):
    need("openssl")
    out = tmp_path / "exec.pb.gz"
    first = (
        "import os, time\ne = time.process_time() + 1.5\nwhile time.process_time() < e: sum(range(100))\n"
        "os.execvp('openssl', ['openssl', 'speed', '-seconds', '100', 'sha256'])"
    )
    with programs(both=["/usr/bin/python3", "-c", first]) as started:
        pid = str(started["both"].pid)
        exe = pathlib.Path(f"/proc/{pid}/exe")
        recording = subprocess.Popen([everprof, "record", "-o", out, "-a", "-d", "60s"], stderr=subprocess.DEVNULL)
        wait_until("the second program runs", lambda: exe.resolve().name == "openssl")
        wait_until("and is busy", lambda: cpu_seconds(pid) > 3)
        assert stop(recording, signal.SIGINT) == 0
    times = {}
    for _, values, labels in Profile(out.read_bytes()).samples:
        if labels.get("pid") == pid:
            name = labels["service_name"]
            times[name] = times.get(name, 0) + values[1]
    python = next(k for k in times if k.startswith("python3"))
    assert times[python] > 1e9 and times["openssl"] > 1e9, times


def test_a_process_whose_first_thread_has_ended_keeps_its_name(everprof, bpf, tmp_path):
    out = tmp_path / "leader.pb.gz"
    script = (
        "import ctypes, threading\ndef spin():\n  while True: sum(range(1000))\n"
        "threading.Thread(target=spin).start()\nctypes.CDLL(None).pthread_exit(None)"
    )
    with programs(headless=["/usr/bin/python3", "-c", script]) as started:
        pid = str(started["headless"].pid)
        state = lambda: pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        wait_until("its first thread has ended", lambda: state() == "Z")
        assert run(everprof, "record", "-o", out, "-a", "-d", "2s").returncode == 0
    mine = [(stack, l) for stack, _, l in Profile(out.read_bytes()).samples if l.get("pid") == pid]
    assert mine and all(l["service_name"].startswith("python3") for _, l in mine)
    assert any("Py" in f for stack, _ in mine for f in stack)


JIT = """
import ctypes, mmap, os
code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
code.write(b"\\xeb\\xfe")  # jump to itself
at = ctypes.addressof(ctypes.c_char.from_buffer(code))
with open(f"/tmp/perf-{os.getpid()}.map", "w") as f:
    f.write(f"{at:x} 10 hot loop made at run time\\n")
ctypes.CFUNCTYPE(None)(at)()
"""


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the machine code is x86-64's")
def test_code_made_at_run_time_has_the_name_of_its_perf_map(everprof, bpf, tmp_path):
    out = tmp_path / "jit.pb.gz"
    with programs(jit=["/usr/bin/python3", "-c", JIT]) as started:
        pid = started["jit"].pid
        perf_map = pathlib.Path(f"/tmp/perf-{pid}.map")
        try:
            wait_until("it runs its own code", lambda: perf_map.exists() and cpu_seconds(pid) > 0.5)
            assert run(everprof, "record", "-o", out, "-a", "-d", "2s").returncode == 0
        finally:
            perf_map.unlink(missing_ok=True)
    leaves = [stack[0] for stack, _, l in Profile(out.read_bytes()).samples if l.get("pid") == str(pid)]
    assert "hot loop made at run time" in leaves


@pytest.mark.skipif(os.getuid() != 0, reason="a PID namespace needs root")
def test_inside_a_pid_namespace_the_outside_is_one_service(everprof, bpf, tmp_path):
    out = tmp_path / "ns.pb.gz"
    inside = f"{' '.join(SPIN[:2])} '{SPIN[2]}' & echo $!; exec 3>&1; '{everprof}' record -o '{out}' -a -d 3s >&2; kill $!"
    with programs(gzip=["gzip", "-9"]) as started:
        outside = str(started["gzip"].pid)
        r = run("unshare", "--pid", "--fork", "--mount-proc", "sh", "-c", inside)
        assert r.returncode == 0, r.stderr
    p = Profile(out.read_bytes())
    services = p.total_by("service_name")
    assert services["host-other"] > 500_000_000
    assert any(s.startswith("python3") for s in services)
    by_pid = p.total_by("pid")
    assert r.stdout.strip() in by_pid and outside not in by_pid
    assert "gzip" not in services  # not even the name gets in


# -- agent ----------------------------------------------------------------------


class Sink:
    """A server that takes everything and remembers it."""

    def __init__(self, port):
        self.profiles, self.tables, sink = [], {}, self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def reply(self, answer):
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def body(self):
                return self.rfile.read(int(self.headers["Content-Length"]))

            def do_POST(self):
                body = self.body()
                url = urllib.parse.urlsplit(self.path)
                if url.path == "/api/v1/symbols/missing":
                    self.reply(json.dumps({"missing": json.loads(body)["build_ids"]}).encode())
                else:
                    name = urllib.parse.parse_qs(url.query)["name"][0]
                    sink.profiles.append((name, body))
                    self.reply(b"{}")

            def do_PUT(self):
                sink.tables[self.path.rsplit("/", 1)[1]] = self.body()
                self.reply(b'{"symbols":1}')

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def of(self, service):
        return [(n, Profile(b)) for n, b in list(self.profiles) if n.startswith(service)]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@contextlib.contextmanager
def agent(everprof, data, port, *more):
    p = subprocess.Popen(
        [everprof, "agent", "--server", f"http://127.0.0.1:{port}", "--data", data, "--interval", "1s", *more],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield p
    finally:
        if p.poll() is None:
            stop(p, signal.SIGKILL)
        p.stderr.close()


def test_agent_sends_a_profile_a_service_and_the_symbols(everprof, bpf, tmp_path):
    port = free_port()
    sink = Sink(port)
    try:
        with programs(python=SPIN) as started, agent(everprof, tmp_path / "data", port) as a:
            wait_until("the program is seen", lambda: sink.of("python3"))
            name, p = sink.of("python3")[0]
            labels = dict(kv.split("=") for kv in name[name.index("{") + 1 : -1].split(","))
            assert labels["profiler"] == "agent" and labels["host"] == os.uname().nodename
            assert str(started["python"].pid) in p.total_by("pid")
            # Native frames have no name here, but a build ID; and no address of the process.
            interpreter = {b for f, b in p.mappings.values() if "python" in f}
            assert interpreter and all(len(b) >= 16 for b in interpreter)
            wait_until("its symbols are there", lambda: interpreter & set(sink.tables))
            a.send_signal(signal.SIGINT)
            assert a.wait(20) == 0
            assert "eBPF" in a.stderr.readline()
    finally:
        sink.close()


def test_agent_gives_up_the_capabilities_it_does_not_need(everprof, bpf, tmp_path):
    port = free_port()
    sink = Sink(port)
    try:
        with agent(everprof, tmp_path / "data", port) as a:
            wait_until("it sends", lambda: sink.profiles)
            status = pathlib.Path(f"/proc/{a.pid}/status").read_text()
            bits = {l.split(":")[0]: int(l.split()[1], 16) for l in status.splitlines() if l.startswith("Cap")}
            sys_admin, net_admin, kill, setuid = 21, 12, 5, 7
            for cap in (sys_admin, net_admin, kill, setuid):
                for which in ("CapEff", "CapPrm", "CapBnd"):
                    assert not bits[which] >> cap & 1
            assert "NoNewPrivs:\t1" in status
    finally:
        sink.close()


def test_agent_keeps_profiles_while_the_server_is_away(everprof, bpf, tmp_path):
    port, data = free_port(), tmp_path / "data"
    with programs(python=SPIN) as started, agent(everprof, data, port) as a:
        wait_until("profiles wait on disk", lambda: any(f.is_file() for f in data.rglob("*")))
        sink = Sink(port)
        try:
            wait_until("they arrive", lambda: sink.of("python3"), 60)
            wait_until("the spool is empty of profiles", lambda: len(sink.of("python3")) >= 3, 60)
            assert str(started["python"].pid) in sink.of("python3")[0][1].total_by("pid")
            a.send_signal(signal.SIGINT)
            assert a.wait(20) == 0
        finally:
            sink.close()
