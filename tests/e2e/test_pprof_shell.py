"""The shell of `everprof pprof`: line by line what the reference says, and its comforts."""

import gzip
import os
import pty
import select
import subprocess
import time

import pytest

from harness import need


def run(command, text, tmp_path, **env):
    # No history and no saved profiles of whoever runs the tests.
    env = {**os.environ, "TZ": "UTC", "TERM": "", "HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state"), **env}
    return subprocess.run(command, input=text.encode(), capture_output=True, timeout=60, cwd=tmp_path, env=env)


@pytest.fixture
def heap(data):
    return data / "pprof" / "real" / "heap.pb.gz"


def test_a_session_is_that_of_the_reference_on_both_streams(everprof, heap, data, tmp_path):
    shell = data / "pprof" / "shell"
    r = run([everprof, "pprof", heap], (shell / "heap.in").read_text(), tmp_path)
    assert r.returncode == 0
    assert r.stdout == gzip.decompress((shell / "heap.out.gz").read_bytes())
    assert r.stderr == (shell / "heap.err").read_bytes()
    assert {f.name for f in tmp_path.iterdir()} == {"profile001.pb.gz", "raw.txt", "x.txt"}
    assert (tmp_path / "raw.txt").read_text().startswith("PeriodType: space bytes")


def test_the_recorded_session_is_still_what_the_reference_says(heap, data, tmp_path):
    shell = data / "pprof" / "shell"
    home = {k: os.environ[k] for k in ("HOME",) if k in os.environ}  # Go's cache
    r = run([need("go"), "tool", "pprof", heap], (shell / "heap.in").read_text(), tmp_path, **home)
    assert r.stdout == gzip.decompress((shell / "heap.out.gz").read_bytes())
    assert r.stderr == (shell / "heap.err").read_bytes()


def test_a_last_line_without_newline_is_run_too(everprof, heap, tmp_path):
    r = run([everprof, "pprof", heap], "sample_index=alloc_space\ntop1", tmp_path)
    assert r.stdout.startswith(b"(pprof) (pprof) Showing nodes") and r.stdout.endswith(b"(pprof) ")


def test_help_knows_every_report_and_option(everprof, heap, tmp_path):
    text = run([everprof, "pprof", heap], "help\n", tmp_path).stderr.decode()
    for name in ("top", "weblist", "nodefraction", "tagroot", "filefunctions", "group_by", "cum"):
        assert f"    {name} " in text
        one = run([everprof, "pprof", heap], f"help {name}\n", tmp_path).stderr.decode()
        assert len(one.splitlines()) > 4 and "Unknown" not in one


def test_our_own_options_are_listed_once_they_are_set(everprof, heap, tmp_path):
    before = run([everprof, "pprof", heap], "o\n", tmp_path).stderr.decode()
    after = run([everprof, "pprof", heap], "group_by=x\no\n", tmp_path).stderr.decode()
    assert "group_by" not in before and "group_by" in after


class Terminal:
    """A shell on a terminal of its own."""

    def __init__(self, command, **env):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(env)
            os.execv(command[0], [str(c) for c in command])
        self.text = b""

    def wait_for(self, what, seconds=30):
        end = time.monotonic() + seconds
        while what not in self.text and time.monotonic() < end:
            if select.select([self.fd], [], [], 0.1)[0]:
                try:
                    self.text += os.read(self.fd, 65536)
                except OSError:
                    break
        assert what in self.text, self.text
        seen, self.text = self.text, self.text.split(what, 1)[1]
        return seen

    def type(self, text):
        os.write(self.fd, text)

    def end(self):
        """What the program answers when it has ended; closing first would hang it up."""
        try:
            while os.read(self.fd, 65536):
                pass
        except OSError:
            pass
        status = os.waitpid(self.pid, 0)[1]
        os.close(self.fd)
        return os.waitstatus_to_exitcode(status)


@pytest.fixture
def terminal(everprof, heap, tmp_path):
    if not any(os.access(f"{d}/libedit.so.2", os.R_OK) for d in ("/usr/lib/x86_64-linux-gnu", "/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64")):
        pytest.skip("libedit is not installed")
    return lambda: Terminal([everprof, "pprof", heap], TERM="xterm", XDG_STATE_HOME=str(tmp_path / "state"), HOME=str(tmp_path))


def test_a_terminal_has_completion_history_and_red_errors(terminal, tmp_path):
    t = terminal()
    t.wait_for(b"(pprof) ")
    t.type(b"trac\t")
    t.wait_for(b"es ")  # what was missing of "traces"
    t.type(b"\x15traces -literalSt\t\r")  # ^U clears the line
    t.wait_for(rb"encoding/json.\(\*decodeState\).literalStore")
    t.wait_for(b"runtime.systemstack")
    t.wait_for(b"(pprof) ")
    t.type(b"nosuch\r")
    t.wait_for(b'\x1b[0;31munrecognized command: "nosuch"')
    t.wait_for(b"(pprof) ")
    t.type(b"quit\r")
    t.wait_for(b"quit")
    assert t.end() == 0
    history = (tmp_path / "state" / "everprof" / "pprof_history").read_text()
    assert "nosuch" in history and "quit" in history
    again = terminal()
    again.wait_for(b"(pprof) ")
    again.type(b"\x1b[A\x1b[A")  # up, up
    again.wait_for(b"nosuch")
    again.type(b"\x15\x04")
    assert again.end() == 0


def test_control_c_drops_the_line_and_not_the_shell(terminal):
    t = terminal()
    t.wait_for(b"(pprof) ")
    t.type(b"nonsense")
    t.wait_for(b"nonsense")
    t.type(b"\x03")
    t.wait_for(b"(pprof) ")
    t.type(b"comments\rquit\r")
    t.wait_for(b"quit")
    assert t.end() == 0
