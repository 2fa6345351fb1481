"""Other programs' own test suites: what each of their tests came to, as {name: outcome}.

    python3 tests/guests/suites.py cpython [FILE…]     with and without the library, and what differs
    python3 tests/guests/suites.py redis [UNIT…]
"""

import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TYPES = "cpu,heap,mutex,block,threads"


class Missing(Exception):
    """A suite that is not installed here; says what to install."""


def closed_port():
    """A server that is not there: every process pushes, is refused, and spools."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def as_in_a_terminal():
    """A shell's job in the background ignores SIGINT, and then so do all its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def environment(folder, library):
    """As a user's, with temporary files of its own; library: preload it, everything on."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("EVERPROF", "LD_PRELOAD", "PYTHON"))}
    env["TMPDIR"] = str(folder)
    if library:
        env.update(
            LD_PRELOAD=str(library),
            EVERPROF_TYPES=TYPES,
            EVERPROF_SERVER=f"http://127.0.0.1:{closed_port()}",
            EVERPROF_LOG=f"{folder}/everprof.log",
            XDG_STATE_HOME=f"{folder}/state",
        )
    return env


class CPython:
    """Debian's python3 and libpython3.11-testsuite."""

    SHORT = ["test_select", "test_thread", "test_wait4"]
    LONG = """test_select test_thread test_fork1 test_wait4 test_faulthandler test_mmap test_signal test_threading test_threadsignals test_threading_local test_subprocess
        test_socket test_socketserver test_selectors test_poll test_epoll test_asyncio test_os test_posix
        test_io test_time test_wait3 test_pty test_ctypes test_queue test_concurrent_futures test_eintr
        test_multiprocessing_fork test_multiprocessing_spawn test_gc test_capi test_import
        test_ssl test_zlib test_mailbox test_resource test_popen test_sys test_tracemalloc
        test_context test_dbm test_decimal test_email test_http_cookies test_httpservers test_logging
        test_shutil test_tempfile test_venv test_xmlrpc""".split()  # fmt: skip
    # Sockets of virtual machines: some sandboxes take the connection and never answer.
    IGNORE = ["test.test_socket.*VSOCK*"]

    def __init__(self):
        self.python = "/usr/bin/python3"
        found = shutil.which(self.python) and subprocess.run(
            [self.python, "-c", "import test.libregrtest, test.test_select"], capture_output=True
        )
        if not found or found.returncode:
            raise Missing("Debian's libpython3.11-testsuite is not installed")

    def run(self, cases, folder, library=None, prefix=()):
        folder.mkdir(parents=True)
        report = folder / "report.xml"
        # A process a file: one that hangs or dies takes no other with it.
        command = [*prefix, self.python, "-m", "test", "-j1", "--timeout", "300", "--junit-xml", report]
        for pattern in self.IGNORE:
            command += ["-i", pattern]
        with open(folder / "output", "wb") as out:
            subprocess.run([str(c) for c in [*command, *cases]], env=environment(folder, library),
                           stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, cwd=folder, preexec_fn=as_in_a_terminal)  # fmt: skip
        outcomes = self.of_files((folder / "output").read_text(errors="replace"))
        for case in xml.etree.ElementTree.parse(report).iter("testcase") if report.exists() else ():
            bad = [c.tag for c in case if c.tag in ("failure", "error", "skipped")]
            outcomes[case.get("name")] = bad[0] if bad else "ok"
        return outcomes

    @staticmethod
    def of_files(output):
        """Of whole files: crashes and hangs are in no report."""
        said = re.findall(r"\] (test_\w+) (passed|failed|skipped|timed out|crashed|worker \w+ error)", output)
        return dict(said)

    @staticmethod
    def again(names):
        """The files of tests."""
        return sorted({m.group() for n in names if (m := re.search(r"\btest_\w+", n.removeprefix("test.")))})


class Redis:
    """Redis's own, from a source tree in which `make` ran: GUEST_REDIS names it."""

    SHORT = ["unit/type/list", "unit/expire"]
    LONG = """unit/auth unit/protocol unit/keyspace unit/scan unit/info unit/type/string unit/type/list
        unit/type/set unit/type/zset unit/type/hash unit/type/stream unit/sort unit/expire unit/multi
        unit/quit unit/aofrw unit/acl unit/latency-monitor integration/block-repl integration/replication
        integration/replication-4 integration/aof integration/rdb integration/psync2 unit/pubsub
        unit/slowlog unit/scripting unit/introspection unit/limits unit/bitops unit/lazyfree unit/wait
        unit/maxmemory unit/hyperloglog unit/dump unit/tracking unit/shutdown""".split()  # fmt: skip

    def __init__(self):
        self.tree = pathlib.Path(os.environ.get("GUEST_REDIS", "/nowhere"))
        if not os.access(self.tree / "src/redis-server", os.X_OK):
            raise Missing("GUEST_REDIS names no source tree of redis in which make ran")
        if not shutil.which("tclsh"):
            raise Missing("tcl is not installed")

    def run(self, cases, folder, library=None, prefix=()):
        folder.mkdir(parents=True)
        command = [*prefix, "./runtest", "--clients", "1", "--port", str(20000 + os.getpid() % 10000)]
        for case in cases:
            command += ["--single", case]
        with open(folder / "output", "wb") as out:
            subprocess.run([str(c) for c in command], env=environment(folder, library), stdin=subprocess.DEVNULL,
                           stdout=out, stderr=subprocess.STDOUT, cwd=self.tree,
                           preexec_fn=as_in_a_terminal)  # fmt: skip
        text = re.sub(r"\x1b\[[0-9;]*m", "", (folder / "output").read_text(errors="replace"))
        outcomes, counts = {}, {}
        for outcome, name in re.findall(r"^\[(ok|err|exception|ignore|skip|timeout)\]: (.*?)(?: \(\d+ ms\))?$", text, re.M):
            name = re.sub(r"0x[0-9a-f]+|\d{5,}|\d+ seconds", "N", name).split(" in tests/")[0]
            counts[name] = counts.get(name, 0) + 1
            outcomes[f"{name} #{counts[name]}"] = outcome
        outcomes["the end"] = "ok" if "\\o/ All tests passed" in text else "not all"
        return outcomes

    @staticmethod
    def again(_):
        return None  # its units are not in the names


SUITES = {"cpython": CPython, "redis": Redis}


def differing(plain, both):
    return {n: (plain.get(n), both.get(n)) for n in {*plain, *both} if plain.get(n) != both.get(n)}


def compare(suite, cases, folder, library, tries=3):
    """(outcomes without us, what differs with us).  Suites have tests that fail by chance on a
    busy machine: what differs is run again both ways, and counts if it never came out alike."""
    library = shutil.copy(library, folder)  # a build beside us may replace it meanwhile
    plain, both = suite.run(cases, folder / "plain"), suite.run(cases, folder / "with", library)
    differ = differing(plain, both)
    for i in range(1, tries):
        if not differ:
            break
        some = suite.again(differ) or cases
        again = differing(suite.run(some, folder / f"plain{i}"), suite.run(some, folder / f"with{i}", library))
        differ = {n: d for n, d in differ.items() if n in again}
    return plain, differ


def broken_off(suite, cases, folder, library=None):
    """Calls that came back early for a signal, as the kernel's own tracer counts them."""
    trace = folder.parent / f"{folder.name}.trace"
    outcomes = suite.run(cases, folder, library, ("strace", "-f", "-qq", "-e", "signal=none", "-o", trace))
    with open(trace, errors="replace") as f:
        early = [l for l in f if re.search(r"\b(EINTR|ERESTART_RESTARTBLOCK|ERESTARTNOHAND)\b", l)]
    trace.unlink()
    return outcomes, early


def main(name, *cases):
    import tempfile

    suite = SUITES[name]()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="guests-"))
    library = ROOT / os.environ.get("EVERPROF_BUILD", "build") / "libeverprof.so"
    plain, differ = compare(suite, list(cases) or suite.LONG, folder, library)
    good = sum(o in ("ok", "passed") for o in plain.values())
    print(f"{name}: {len(plain)} outcomes, {good} good; {len(differ)} differ with the library; {folder}")
    for test, (alone, both) in sorted(differ.items()):
        print(f"  {test}: {alone} alone, {both} with")
    return bool(differ)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
