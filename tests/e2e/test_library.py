"""libeverprof inside real programs: what it says is true, and nothing breaks."""

import math
import os
import pathlib
import re
import shutil
import socket
import subprocess
import threading
import urllib.parse

import pytest

from harness import ROOT, need
from pprof import Profile

SOURCES = pathlib.Path(__file__).parent / "library"
PARTS = {"seventy": "spin_seventy", "twenty": "spin_twenty", "ten": "spin_ten"}


def environment(**more):
    env = {k: v for k, v in os.environ.items() if not k.startswith(("EVERPROF", "LD_PRELOAD", "OTEL_"))}
    env["EVERPROF_CACHE"] = os.environ["EVERPROF_CACHE"]  # conftest.py
    env.update({k: str(v) for k, v in more.items()})
    return env


def run(argv, seconds=120, **env):
    return subprocess.run(
        [str(a) for a in argv], env=environment(**env), capture_output=True, text=True, timeout=seconds
    )


@pytest.fixture(scope="session")
def compiled(build, tmp_path_factory):
    """compiled(name, *flags): a program of tests/e2e/library, linked with the library."""
    folder = tmp_path_factory.mktemp("library")
    cc = shutil.which("cc") or need("gcc")

    def compile_one(name, *flags, linked=True):
        out = folder / (name + "".join(flags).replace("/", "_"))
        link = [f"-L{build}", "-leverprof", f"-Wl,-rpath,{build}"] if linked else []
        if not out.exists():
            subprocess.run(
                [cc, "-O2", "-g", f"-I{ROOT}/include", SOURCES / f"{name}.c", "-o", out, "-pthread", *flags, *link],
                check=True,
            )
        return out

    return compile_one


def check_split(profile, spent, cpu_ns):
    """Shares within four standard errors of a binomial, plus half a point for the
    samples between the labels; the total within 3 %."""
    n = profile.total("samples")
    by_label = profile.shares_by_label("part")
    for (label, function), ns in zip(PARTS.items(), spent):
        truth = ns / sum(spent)
        tolerance = 4 * math.sqrt(truth * (1 - truth) / n) + 0.005
        assert abs(by_label.get(label, 0) - truth) < tolerance, (label, by_label, truth)
        assert abs(profile.share_with(function) - truth) < tolerance, (function, truth)
    assert abs(profile.total() / cpu_ns - 1) < 0.03, (profile.total(), cpu_ns)


def test_known_split_by_function_and_by_label(compiled, tmp_path):
    out = tmp_path / "cpu.pb.gz"
    p = run([compiled("spin"), os.environ.get("SPIN_SECONDS", 3)], EVERPROF_OUT=out)
    assert p.returncode == 0, p.stderr
    *spent, cpu_ns = map(int, p.stdout.split())
    profile = Profile(str(out))
    for (label, function), ns in zip(PARTS.items(), spent):
        of_label, of_function = profile.shares_by_label("part").get(label, 0), profile.share_with(function)
        print(f"{function}: {ns / sum(spent):.2%} used; {of_function:.2%} by function, {of_label:.2%} by label")
    print(f"CPU time in the profile / used: {profile.total() / cpu_ns:.4f}; {profile.ledger()}")
    check_split(profile, spent, cpu_ns)
    assert profile.ledger()["lost"] == 0
    assert profile.ledger()["taken"] == profile.total("samples")
    assert profile.ledger()["truncated"] <= 3
    assert p.stderr == ""


@pytest.mark.long
def test_known_split_within_two_points_at_thirty_seconds(compiled, tmp_path):
    out = tmp_path / "cpu.pb.gz"
    p = run([compiled("spin"), 15], seconds=900, EVERPROF_OUT=out)  # on each of two threads
    assert p.returncode == 0, p.stderr
    *spent, cpu_ns = map(int, p.stdout.split())
    profile = Profile(str(out))
    by_label = profile.shares_by_label("part")
    for (label, function), ns in zip(PARTS.items(), spent):
        truth = ns / sum(spent)
        off = 100 * (by_label[label] - truth), 100 * (profile.share_with(function) - truth)
        print(f"{function}: {truth:.2%}; by label {off[0]:+.2f} points, by function {off[1]:+.2f}")
        assert max(map(abs, off)) < 2
    assert abs(profile.total() / cpu_ns - 1) < 0.01


def test_archive_does_the_same_as_the_shared_library(build, compiled, tmp_path):
    out = tmp_path / "cpu.pb.gz"
    program = compiled("spin", str(build / "libeverprof.a"), linked=False)
    assert "libeverprof" not in run(["ldd", program]).stdout
    p = run([program, 1], EVERPROF_OUT=out)
    assert p.returncode == 0, p.stderr
    *_, cpu_ns = map(int, p.stdout.split())
    profile = Profile(str(out))
    assert abs(profile.total() / cpu_ns - 1) < 0.05
    assert set(PARTS) <= set(profile.shares_by_label("part"))


def test_a_program_static_as_a_whole_has_all_but_heap_and_is_told(build, compiled, tmp_path):
    out, log = tmp_path / "out", tmp_path / "log"
    program = compiled("spin", "-static", str(build / "libeverprof.a"), linked=False)
    assert b"INTERP" not in subprocess.run(["readelf", "-lW", program], capture_output=True, check=True).stdout
    p = run([program, 1], EVERPROF_OUT=f"{out}/", EVERPROF_LOG=log, EVERPROF_TYPES="cpu,heap,mutex,block")
    assert (p.returncode, p.stderr) == (0, "")
    *spent, cpu_ns = map(int, p.stdout.split())
    profile = Profile(out / "cpu.pb.gz")
    assert abs(profile.total() / cpu_ns - 1) < 0.05
    assert set(PARTS) <= set(profile.shares_by_label("part"))
    assert (out / "mutex.pb.gz").exists() and (out / "block.pb.gz").exists()
    assert not (out / "heap.pb.gz").exists() and "no heap profile" in log.read_text()
    # It has a life without us, too.
    assert run([program, 0.05]).returncode == 0


@pytest.mark.parametrize("linker", ["bfd", "gold", "lld"])
def test_archive_with_any_linker(build, compiled, linker):
    need({"lld": "ld.lld"}.get(linker, f"ld.{linker}"))
    program = compiled("spin", str(build / "libeverprof.a"), f"-fuse-ld={linker}", linked=False)
    assert run([program, 0.05]).returncode == 0


@pytest.mark.parametrize("kind", ["churn", "fork", "dlopen", "coroutine", "reset"])
def test_what_breaks_profilers_does_not_break_the_program(compiled, tmp_path, kind):
    out = tmp_path / "cpu.pb.gz"
    plugin = compiled("plugin", "-shared", "-fPIC", linked=False)
    p = run([compiled("torture"), kind, 2, plugin], EVERPROF_OUT=out)
    assert (p.returncode, p.stderr) == (0, ""), p
    assert p.stdout.startswith("done ")
    profile = Profile(str(out))
    # Short runs: at most some periods off, and 5 % for what is forked or born.
    cpu_ns = int(p.stdout.split()[1])
    assert abs(profile.total() - cpu_ns) < 0.05 * cpu_ns + 10 * profile.period
    if kind == "fork":
        children = [f for f in tmp_path.iterdir() if f.name.startswith("cpu.pb.gz.")]
        assert children, "children that worked write a profile of their own"
        stacks = [s.stack for f in children for s in Profile(str(f)).samples if "main" in s.stack]
        # the rest is fork() itself and the way out
        assert sum("burn" in stack for stack in stacks) >= 0.8 * len(stacks) > 0
    if kind == "dlopen":
        assert profile.share_with("library_work") > 0.5
    if kind == "coroutine":
        assert profile.share_with("co_main") > 0.1


def test_what_could_not_be_sampled_is_lost_in_the_ledger(compiled, tmp_path):
    """A thread that blocks SIGPROF uses half of the CPU time: the other half is taken,
    this one is lost, and both are all that was asked."""
    out, log = tmp_path / "cpu.pb.gz", tmp_path / "log"
    p = run([compiled("torture"), "blocks", 2], EVERPROF_OUT=out, EVERPROF_LOG=log)
    assert (p.returncode, p.stderr) == (0, ""), p
    profile = Profile(str(out))
    cpu_ns, ledger = int(p.stdout.split()[1]), profile.ledger()
    asked = cpu_ns / profile.period
    assert ledger["asked"] == ledger["taken"] + ledger["lost"]
    assert abs(ledger["asked"] - asked) < 0.03 * asked + 3, (ledger, asked)
    assert abs(ledger["lost"] - asked / 2) < 0.05 * asked + 3, (ledger, asked)
    assert "block SIGPROF" in log.read_text()


def test_a_program_that_takes_sigprof_gets_it(compiled, tmp_path):
    """From then on its CPU time is lost, and the ledger has it."""
    log = tmp_path / "log"
    p = run([compiled("torture"), "takes", 2], EVERPROF_OUT=tmp_path / "cpu.pb.gz", EVERPROF_LOG=log)
    assert (p.returncode, p.stderr) == (0, ""), p
    profile = Profile(str(tmp_path / "cpu.pb.gz"))
    asked, ledger = int(p.stdout.split()[1]) / profile.period, profile.ledger()
    assert ledger["asked"] == ledger["taken"] + ledger["lost"]
    assert abs(ledger["asked"] - asked) < 0.03 * asked + 3, (ledger, asked)
    assert abs(ledger["lost"] - asked / 2) < 0.05 * asked + 3, (ledger, asked)
    assert log.read_text().count("took SIGPROF") == 1, "when it did"
    assert "block SIGPROF" not in log.read_text()


def test_a_program_that_has_sigprof_keeps_it_and_has_all_other_profiles(compiled, tmp_path):
    log, out, socket = tmp_path / "log", tmp_path / "out", tmp_path / "socket"
    p = run([compiled("torture"), "had", 1], EVERPROF_OUT=f"{out}/", EVERPROF_LOG=log, EVERPROF_HTTP=f"unix:{socket}")
    assert (p.returncode, p.stderr) == (0, ""), p
    assert log.read_text().count("handler of its own") == 1
    profile = Profile(str(out / "cpu.pb.gz"))
    asked, ledger = int(p.stdout.split()[1]) / profile.period, profile.ledger()
    assert ledger["taken"] == 0 and abs(ledger["lost"] - asked) < 0.03 * asked + 3, (ledger, asked)
    assert Profile(str(out / "heap.pb.gz")).total("inuse_space") > 15 << 20
    assert socket.exists(), "and it listens"


@pytest.mark.parametrize("compiler", ["g++", "clang++"])
def test_cxx_scopes_end_with_an_exception(build, tmp_path, compiler):
    cxx = need(compiler)
    program = tmp_path / "scopes"
    flags = ["-std=c++11", "-Wall", "-Wextra", "-Wshadow", "-Werror", f"-I{ROOT}/include"]
    link = [f"-L{build}", "-leverprof", f"-Wl,-rpath,{build}"]
    subprocess.run([cxx, *flags, SOURCES / "scopes.cpp", "-o", program, *link], check=True)
    assert run([program]).returncode == 0


def test_run_names_whole_stacks_of_a_stripped_program(everprof, tmp_path):
    sqlite = need("sqlite3")
    out = tmp_path / "cpu.pb.gz"
    query = "with recursive c(x) as (select 1 union all select x+1 from c where x<4000000) select sum(x*x%7) from c;"
    p = run(
        [everprof, "run", "--server", "http://127.0.0.1:9", "--", sqlite, ":memory:", query],
        EVERPROF_OUT=out,
        XDG_STATE_HOME=tmp_path / "state",
    )
    assert (p.returncode, p.stderr) == (0, ""), p
    profile = Profile(str(out))
    assert profile.total("samples") > 10
    assert profile.share_with("main") > 0.9
    assert profile.share_with("sqlite3_step") > 0.9
    spooled = list((tmp_path / "state" / "everprof" / "spool").rglob("*.spool"))
    assert len(spooled) == 2, "nobody was there, so CPU and heap wait on disk"


def test_run_says_why_a_static_program_has_no_profile(everprof, tmp_path):
    (tmp_path / "static.c").write_text("int main(void) { return 3; }\n")
    subprocess.run(["cc", "-static", tmp_path / "static.c", "-o", tmp_path / "static"], check=True)
    p = run([everprof, "run", "--", tmp_path / "static"])
    assert p.returncode == 3
    assert "linked statically" in p.stderr and p.stderr.count("\n") == 1


def test_run_of_a_missing_program(everprof):
    p = run([everprof, "run", "--", "/no/such/program"])
    assert p.returncode == 127 and "No such file" in p.stderr


def test_run_keeps_exit_code_and_the_users_preload(everprof, tmp_path):
    p = run([everprof, "run", "--", "/bin/sh", "-c", "echo $LD_PRELOAD; exit 7"], LD_PRELOAD="libm.so.6")
    assert p.returncode == 7
    first, second = p.stdout.strip().split(":")
    assert "libeverprof.so" in first and second == "libm.so.6"


@pytest.mark.parametrize("name", ["shop", "shop-load"])
def test_the_shop_explains_itself_and_takes_no_unknown_flag(build, name):
    program = build / "examples" / "shop" / name
    p = run([program, "--help"], seconds=10)
    assert (p.returncode, p.stderr) == (0, "") and p.stdout.startswith(f"usage: {name} ")
    for bad in (["--no-such-flag"], ["--port", "x"], ["--listen"], ["8080"]):
        p = run([program, *bad], seconds=10)
        assert (p.returncode, p.stdout) == (2, "") and bad[0] in p.stderr and "usage:" in p.stderr


class Ingest:
    """A server that keeps what is pushed."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = "http://127.0.0.1:%d" % self.socket.getsockname()[1]
        self.pushed = []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                c, _ = self.socket.accept()
            except OSError:
                return
            data = b""
            while b"\r\n\r\n" not in data:
                data += c.recv(65536)
            head, body = data.split(b"\r\n\r\n", 1)
            lines = head.decode().split("\r\n")
            length = next(int(x.split(":")[1]) for x in lines if x.lower().startswith("content-length"))
            while len(body) < length:
                body += c.recv(65536)
            query = dict(urllib.parse.parse_qsl(lines[0].split(" ")[1].split("?", 1)[1]))
            self.pushed.append((query, Profile(body)))
            c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            c.close()


def test_pushes_addresses_with_build_ids_under_the_service(compiled):
    server = Ingest()
    p = run([compiled("spin"), 1], EVERPROF_SERVER=server.url, EVERPROF_NAME="my shop", EVERPROF_LABELS="zone=a,team=b c")
    assert p.returncode == 0
    server.socket.close()
    # One, and more on a machine so busy that it takes more than ten seconds.
    query, profile = max((p for p in server.pushed if p[1].types == ["samples", "cpu"]), key=lambda p: len(p[1].samples))
    assert query["name"].startswith("my_shop{version=")
    assert query["name"].endswith(",profiler=library,zone=a,team=b c}")
    assert query["spyName"] == "everprof-lib" and query["format"] == "pprof"
    assert int(query["until"]) > int(query["from"])
    assert all(f.startswith("0x") for s in profile.samples for f in s.stack), "the server names them"
    main = profile.mappings[1]
    assert main.file.endswith("/spin") and main.build_id
    assert set(PARTS) <= set(profile.shares_by_label("part"))
    assert all(s.labels["pid"].isdigit() for s in profile.samples)


def test_without_a_server_and_without_out_nothing_runs(compiled, tmp_path):
    p = run([compiled("spin"), 0.05], HOME=tmp_path)
    assert p.returncode == 0 and not list(tmp_path.iterdir())


def test_the_library_needs_libc_only_and_exports_its_api_only(build):
    need("readelf")
    library = build / "libeverprof.so"
    dynamic = run(["readelf", "-d", library]).stdout
    needed = [l.split("[")[1].split("]")[0] for l in dynamic.splitlines() if "(NEEDED)" in l]
    assert set(needed) <= {"libc.so.6", "libgcc_s.so.1", "ld-linux-x86-64.so.2"}
    symbols = [l.split() for l in run(["nm", "-D", "--defined-only", library]).stdout.splitlines()]
    exported = {name for _, kind, name in symbols if kind != "A"}
    hooks = {"pthread_create", "sigaction", "signal", "dlclose", "_exit", "_Exit"}
    hooks |= {"malloc", "free", "calloc", "realloc", "reallocarray", "aligned_alloc", "memalign"}
    hooks |= {"posix_memalign", "valloc", "pvalloc"}
    waits = re.findall(r"^(?:LOCK\(int, |WAIT\(int, |SEM\(|UNLOCK\()(\w+)", (ROOT / "src/inproc/hooks_lock.c").read_text(), re.M)
    assert len(waits) == 27
    news = set(re.findall(r'"(_Z[nd]\w+)"', (ROOT / "src/inproc/hooks_new.c").read_text()))
    news = {n for n in news if re.match(r"_Zn[wa]m|_Zd[la]Pv", n)}
    assert len(news) == 20
    hooks |= news | {"otel_thread_ctx_v1"}  # what readers outside look for
    assert {e for e in exported if not e.startswith("everprof_")} == hooks | set(waits)


def test_the_handler_imports_only_what_is_signal_safe(build, data):
    allowed = {l.strip() for l in (data / "sigsafe.txt").read_text().splitlines() if l.strip() and l[0] != "#"}
    objects = list(build.rglob("libsig.a.p/*.o"))
    assert objects
    for o in objects:
        imports = {l.split()[-1] for l in run(["nm", "-u", o]).stdout.splitlines()}
        own = {l.split()[-1] for l in run(["nm", "--defined-only", *objects]).stdout.splitlines() if l.strip()}
        assert imports - own <= allowed, o
