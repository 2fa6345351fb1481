"""The profile of threads: where each is, and that asking disturbs none of them."""

import re
import socket
import subprocess
import time

import pytest

from harness import ROOT, need
from pprof import Profile
from test_library import SOURCES, Ingest, compiled, environment  # noqa: F401  (compiled is a fixture)
from test_library_http import Program

FUTEX = ["futex"]
KNOWN = {  # name: the function that waits, and the calls it may wait in
    "in-mutex": ("wait_in_mutex", FUTEX),
    "in-cond": ("wait_in_cond", FUTEX),
    "in-read": ("wait_in_read", ["read"]),
    "in-nanosleep": ("wait_in_nanosleep", ["nanosleep", "clock_nanosleep"]),
    "in-poll": ("wait_in_poll", ["poll", "ppoll"]),
}


class Threads(Program):
    """Says at its end how many calls of its threads were cut short."""

    def end(self):
        self.process.stdin.close()
        assert self.process.wait(20) == 0
        return int(self.process.stdout.read().split()[1])

    def __exit__(self, *_):
        if not self.process.stdin.closed:
            assert self.end() == 0

    def profile(self, query="", name="threads"):
        status, _, body = self.get(f"/debug/pprof/{name}{query}")
        assert status == 200, body
        return Profile(body)

    def text(self, debug, query="", name="threads"):
        status, headers, body = self.get(f"/debug/pprof/{name}?debug={debug}{query}")
        assert (status, headers["content-type"]) == (200, "text/plain; charset=utf-8")
        return body.decode()


@pytest.fixture(scope="module")
def program(compiled):  # noqa: F811
    with Threads([compiled("threads")], EVERPROF_HTTP="127.0.0.1:0") as p:
        yield p


def by_name(profile):
    return {s.labels.get("comm"): s for s in profile.samples}


@pytest.mark.parametrize("name", KNOWN)
def test_a_waiting_thread_has_its_stack_its_label_and_what_it_waits_in(program, name):
    function, calls = KNOWN[name]
    s = by_name(program.profile())[name]
    assert s.values == [1]
    assert function in s.stack and s.stack.index(function) < s.stack.index("deeper") < s.stack.index("work")
    assert s.labels["job"] == name and s.labels["state"] == "waiting"
    assert s.labels["wait"] in calls and s.labels["stack"] == "whole"
    assert s.labels["tid"] != s.labels["pid"]


def test_a_running_thread_is_asked_and_answers_with_its_stack(program):
    """Not at every look: on a machine full of work it may get no CPU meanwhile."""
    for _ in range(100):
        s = by_name(program.profile())['runs "hot"']
        assert s.labels["state"] == "running" and s.labels["job"] == 'runs "hot"'
        assert (s.labels["stack"] == "none") == (s.stack == [])
        if s.stack:
            break
    assert s.labels["stack"] == "whole" and {"run_on", "deeper", "work"} <= set(s.stack)


def test_all_threads_are_there_but_ours_and_the_ledger_counts_them(program):
    profile = program.profile()
    assert profile.types == ["threads"]
    names = [s.labels.get("comm") for s in profile.samples]
    assert sorted(names) == sorted([*KNOWN, 'runs "hot"', "comes-and-goes", "threads"])
    without = sum(s.labels["stack"] == "none" for s in profile.samples)
    ledger = profile.ledger()
    assert (ledger["asked"], ledger["taken"], ledger["lost"]) == (8, 8 - without, without)


def test_no_call_is_cut_short_however_often_we_look(compiled):  # noqa: F811
    """One thread goes into a wait, and out of it, all the time: a signal that is sent to
    whoever seemed to run would hit it there."""
    with Threads([compiled("threads")], EVERPROF_HTTP="127.0.0.1:0") as p:
        for _ in range(60):
            seen = by_name(p.profile())
            assert {"come_and_go", "deeper"} <= set(seen["comes-and-goes"].stack) or (
                seen["comes-and-goes"].labels["stack"] == "none"
            )
        assert p.end() == 0


FRAMES = ["any-size", "callback", "large", "nine", "old-frames", "recursion", "sleeps"]


@pytest.mark.parametrize("flags", ["-O0", "-O1 -fno-omit-frame-pointer", "-O2 -fno-omit-frame-pointer", "-O2"])
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_who_waits_has_the_whole_stack_with_frame_pointers_too(build, tmp_path, compiler, flags):
    """The truth is what the thread itself says when it is interrupted."""
    program = tmp_path / "frames"
    link = [f"-I{ROOT}/include", f"-L{build}", "-leverprof", f"-Wl,-rpath,{build}", "-pthread"]
    subprocess.run([need(compiler), "-g", *flags.split(), SOURCES / "frames.c", "-o", program, *link], check=True)
    with Threads([program], EVERPROF_HTTP="127.0.0.1:0") as p:
        read = by_name(p.profile())
        for _ in range(100):  # who gets no CPU within the time is read like the others
            told = by_name(p.profile("?interrupt=1"))
            if all(told[n].labels["stack"] == "whole" for n in FRAMES):
                break
    for name in FRAMES:
        assert told[name].stack[-2:] == ["start_thread", "clone3"]
        if name != "sleeps":  # it goes on, after the interruption
            assert read[name].stack == told[name].stack, name
        assert read[name].labels["stack"] == "whole", (name, read[name].stack, told[name].stack)


def test_interrupting_gives_whole_stacks_and_cuts_sleeps_short_as_is_said(compiled):  # noqa: F811
    """Without frame pointers known, code that counts by them ends a stack early."""
    program = compiled("threads", "-O0")
    with Threads([program], EVERPROF_HTTP="127.0.0.1:0") as p:
        before = by_name(p.profile())
        assert all(KNOWN[n][0] in before[n].stack for n in KNOWN)
        after = by_name(p.profile("?interrupt=1"))
        for _ in range(100):  # who gets no CPU within the time is read like the others
            if all(after[n].labels["stack"] == "whole" for n in KNOWN):
                break
            after = by_name(p.profile("?interrupt=1"))
        for name, (function, calls) in KNOWN.items():
            assert after[name].labels["stack"] == "whole", name
            assert {function, "deeper", "work"} <= set(after[name].stack)
        assert after["in-read"].labels["wait"] == "read"
        assert p.end() >= 2  # nanosleep and poll


def test_groups_come_first_in_the_text(compiled):  # noqa: F811
    with Threads([compiled("threads"), 20], EVERPROF_HTTP="127.0.0.1:0") as p:
        lines = p.text(1).splitlines()
        assert lines[0] == "threads profile: total 28"
        assert re.fullmatch(r"20 @( 0x[0-9a-f]+)+", lines[1])
        assert lines[2] == "# state: waiting in pause, stack: whole"
        assert any(re.match(r"#\t0x[0-9a-f]+\twait_in_pause\+0x", l) for l in lines[3:8])
        counts = [int(l.split()[0]) for l in lines if re.match(r"\d+ @", l)]
        assert counts == sorted(counts, reverse=True) and sum(counts) == 28
        assert '# labels: {"job":"in-poll"}' in lines
        assert p.text(1, name="goroutine").startswith("goroutine profile: total 28\n20 @")


def test_the_long_text_has_a_block_for_each_thread(program):
    blocks = program.text(2).strip().split("\n\n")
    assert len(blocks) == 8
    head = re.compile(r'thread (\d+) "([^"]*)" \[(running|waiting in [a-z0-9_ ]+), CPU (\d+\.\d\d)s, stack (\w+)\]:')
    seen = {m[2]: (m, b) for b in blocks if (m := head.match(b))}
    assert len(seen) == 8
    match, block = seen["in-read"]
    assert match[3] == "waiting in read" and float(match[4]) < 0.5
    lines = block.splitlines()
    assert lines[1] == '# labels: {"job":"in-read"}'
    assert any(re.match(r"wait_in_read\+0x", l) for l in lines[2::2])
    assert all(re.match(r"\t/.* 0x[0-9a-f]+$", l) for l in lines[3::2])
    assert seen["runs ?hot?"][0][3] == "running"


def test_it_is_served_as_goroutine_too_and_the_difference_of_two_looks(program):
    assert len(program.profile(name="goroutine").samples) == 8
    delta = program.profile("?seconds=1")
    stood = {n for n in KNOWN if by_name(delta).get(n)}
    assert not stood, "who has not moved is in neither"


def test_who_made_threads_is_counted(program):
    made = program.profile(name="threadcreate")
    assert made.types == ["threadcreate"]
    assert [(s.values, s.stack[:2]) for s in made.samples] == [([7], ["start_threads", "main"])]
    assert program.text(1, name="threadcreate").startswith("threadcreate profile: total 7\n7 @ 0x")


def test_many_threads_are_counted_to_the_last(compiled):  # noqa: F811
    with Threads([compiled("threads"), 600], EVERPROF_HTTP="127.0.0.1:0") as p:
        for _ in range(2):
            profile = p.profile()
            assert profile.total("threads") == 608
            assert sum("wait_in_pause" in s.stack for s in profile.samples) == 600


def test_threads_that_end_meanwhile_do_no_harm(compiled, tmp_path):  # noqa: F811
    path = tmp_path / "socket"
    with subprocess.Popen(
        [compiled("torture"), "churn", "2"], env=environment(EVERPROF_HTTP=f"unix:{path}"), stdout=subprocess.PIPE, text=True
    ) as p:
        looks = 0
        while p.poll() is None:
            try:
                with socket.socket(socket.AF_UNIX) as s:
                    s.connect(str(path))
                    s.sendall(b"GET /debug/pprof/threads?debug=2 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                    answer = b""
                    while more := s.recv(65536):
                        answer += more
                    looks += answer.startswith(b"HTTP/1.1 200")
            except OSError:
                time.sleep(0.01)
        assert p.returncode == 0 and p.stdout.read().startswith("done ")
    assert looks > 0


def test_a_file_of_it_is_written_at_the_end(compiled, tmp_path):  # noqa: F811
    out = tmp_path / "out"
    with Threads([compiled("threads")], EVERPROF_HTTP="127.0.0.1:0", EVERPROF_TYPES="threads", EVERPROF_OUT=f"{out}/"):
        pass
    assert set(KNOWN) <= set(by_name(Profile(out / "threads.pb.gz")))


def test_it_is_pushed_when_it_is_asked_for_with_the_ids_of_a_few(compiled):  # noqa: F811
    server = Ingest()
    common = {"EVERPROF_HTTP": "127.0.0.1:0", "EVERPROF_SERVER": server.url}
    for types in ("cpu", "threads"):
        with Threads([compiled("threads"), 100], EVERPROF_TYPES=types, **common):
            pass
    server.socket.close()
    (_, profile), = [p for p in server.pushed if p[1].types == ["threads"]]
    assert profile.total("threads") == 108
    ids = [s.labels["tid"] for s in profile.samples if "tid" in s.labels]
    assert len(ids) == len(set(ids)) == 64
