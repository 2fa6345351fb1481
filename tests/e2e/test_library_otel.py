"""OpenTelemetry's process and thread contexts, read from another process as OTEP 4719 and
4947 say, by nothing but the ELF file, /proc and the thread's registers."""

import ctypes
import os
import platform
import re
import struct
import subprocess
import time

import pytest

from harness import need, wait_until
from pprof import _fields
from test_library import compiled, environment, run  # noqa: F401  (compiled is a fixture)

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="reads registers of x86-64")

ATTACH, DETACH, GETREGS = 16, 17, 12
FS_BASE = 21  # of struct user_regs_struct, in words


def thread_pointer(tid):
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long] * 2 + [ctypes.c_void_p] * 2
    libc.ptrace.restype = ctypes.c_long
    if libc.ptrace(ATTACH, tid, None, None) < 0:
        pytest.skip("ptrace is not allowed here")
    os.waitpid(tid, 0x40000000)  # __WALL
    regs = (ctypes.c_uint64 * 27)()
    assert libc.ptrace(GETREGS, tid, None, ctypes.cast(regs, ctypes.c_void_p)) == 0
    assert libc.ptrace(DETACH, tid, None, None) == 0
    return regs[FS_BASE]


class Reader:
    def __init__(self, pid):
        self.pid = pid
        self.memory = os.open(f"/proc/{pid}/mem", os.O_RDONLY)

    def close(self):
        os.close(self.memory)

    def read(self, at, n):
        return os.pread(self.memory, n, at)

    def word(self, at):
        return int.from_bytes(self.read(at, 8), "little")

    def mappings(self):
        for line in open(f"/proc/{self.pid}/maps"):
            fields = line.split(maxsplit=5)
            start, end = (int(x, 16) for x in fields[0].split("-"))
            yield start, end, int(fields[2], 16), fields[5].strip() if len(fields) > 5 else ""

    def process_context(self):
        """Attributes, or None: there is no valid one."""
        for start, _, _, path in self.mappings():
            if not path.startswith(("/memfd:OTEL_CTX", "[anon_shmem:OTEL_CTX", "[anon:OTEL_CTX")):
                continue
            signature, version, size, published, payload = struct.unpack("<8sIIQQ", self.read(start, 32))
            if signature != b"OTEL_CTX" or version != 2 or published == 0:
                return None
            data = self.read(payload, size)
            if self.word(start + 16) != published:
                return None
            return {"published_at_ns": published, **dict(key_value(v) for n, v in _fields(data) if n == 1)}
        return None

    def offset_of_variable(self, library):
        """Where otel_thread_ctx_v1 is, from the thread pointer: by its TLS descriptor."""
        base = next(s for s, _, offset, path in self.mappings() if offset == 0 and path == str(library))
        relocations = subprocess.run([need("readelf"), "-rW", library], check=True, capture_output=True, text=True).stdout
        (got,) = re.findall(r"^([0-9a-f]+)\s+\S+\s+R_X86_64_TLSDESC\s+\S+\s+otel_thread_ctx_v1 \+ 0$", relocations, re.M)
        offset = self.word(base + int(got, 16) + 8)
        return offset - (1 << 64) if offset >> 63 else offset

    def labels(self, at, keys):
        """Of the thread whose variable is at this address; None: it has none."""
        record = self.word(at)
        if not record:
            return None
        head = self.read(record, 28)
        assert head[:24] == bytes(24) and head[24] == 1, "no trace, and valid"
        (size,) = struct.unpack("<H", head[26:28])
        assert 28 + size <= 640
        data, i, labels = self.read(record + 28, size), 0, {}
        while i + 2 <= size and i + 2 + data[i + 1] <= size:
            value = data[i + 2 : i + 2 + data[i + 1]]
            if data[i] < len(keys):
                labels[keys[data[i]]] = value.decode()
            i += 2 + data[i + 1]
        assert i == size
        return labels


def any_value(data):
    for number, value in _fields(data):
        if number == 1:
            return value.decode()
        if number == 5:
            return [any_value(v) for n, v in _fields(value) if n == 1]


def key_value(data):
    fields = dict(_fields(data))
    return fields[1].decode(), any_value(fields[2])


class Contexts:
    def __init__(self, program, **env):
        self.process = subprocess.Popen(
            [program], env=environment(EVERPROF_HTTP="127.0.0.1:0", EVERPROF_NAME="shop", EVERPROF_VERSION="1.2", **env),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )
        self.pid, self.changing, self.none = map(int, self.process.stdout.readline().split())
        self.reader = Reader(self.pid)

    def __enter__(self):
        return self

    def say(self, what):
        self.process.stdin.write(what)
        self.process.stdin.flush()

    def __exit__(self, *_):
        self.reader.close()
        self.process.stdin.close()
        assert self.process.wait(20) == 0


KEYS = "threadlocal.attribute_key_map"


def variable(reader, build, tid):
    library = (build / "libeverprof.so").resolve()
    return thread_pointer(tid) + reader.offset_of_variable(library)


def with_keys(reader, *keys):
    """The process context, once these keys are in it."""
    found = {}

    def holds():
        found.update(reader.process_context() or {})
        return set(keys) <= set(found.get(KEYS, []))

    wait_until(f"keys {keys} are published", holds)
    return found


def test_the_process_says_who_it_is_and_what_keys_mean(compiled):  # noqa: F811
    with Contexts(compiled("contexts")) as p:
        context = with_keys(p.reader, "endpoint", "tenant", "number")
        assert context["service.name"] == "shop" and context["service.version"] == "1.2"
        assert context["threadlocal.schema_version"] == "tlsdesc_v1_dev"
        assert abs(context["published_at_ns"] / 1e9 - time.time()) < 60
        before = context[KEYS]
        p.say(b"k")
        context = with_keys(p.reader, "late")
        assert context[KEYS][: len(before)] == before, "a key's number never changes"


def test_labels_of_each_thread_are_read_from_outside(build, compiled):  # noqa: F811
    with Contexts(compiled("contexts")) as p:
        r, keys = p.reader, with_keys(p.reader, "endpoint", "tenant", "number")[KEYS]
        main = variable(r, build, p.pid)
        assert r.labels(main, keys) == {"endpoint": "/a", "tenant": "x"}
        assert r.labels(variable(r, build, p.none), keys) is None
        p.say(b"k")
        keys = with_keys(r, "late")[KEYS]
        assert r.labels(main, keys) == {"endpoint": "/a", "tenant": "x", "late": "said so"}


def test_what_changes_all_the_time_is_one_or_the_other(build, compiled):  # noqa: F811
    with Contexts(compiled("contexts")) as p:
        r, keys = p.reader, with_keys(p.reader, "endpoint", "number")[KEYS]
        at, seen = variable(r, build, p.changing), set()
        for _ in range(20000):
            labels = r.labels(at, keys)
            assert labels in ({"endpoint": "/one", "number": "1"}, {"endpoint": "/two", "number": "2"})
            seen.add(labels["number"])
        assert seen == {"1", "2"}


def test_a_child_has_a_context_of_its_own(build, compiled):  # noqa: F811
    with Contexts(compiled("contexts")) as p:
        before = with_keys(p.reader, "endpoint")
        p.say(b"f")
        child = int(p.process.stdout.readline().split()[1])
        r = Reader(child)
        try:
            context = with_keys(r, "child")
            assert context["service.name"] == "shop" and context["published_at_ns"] > before["published_at_ns"]
            assert r.labels(variable(r, build, child), context[KEYS]) == {"child": "yes", "endpoint": "/c"}
        finally:
            r.close()
        assert "child" not in (p.reader.process_context() or {})[KEYS]


def test_it_can_be_turned_off_and_a_program_keeps_one_of_its_own(compiled, tmp_path):  # noqa: F811
    with Contexts(compiled("contexts"), EVERPROF_OTEL="0") as p:
        assert p.reader.process_context() is None
    log = tmp_path / "log"
    with Contexts(compiled("contexts", "-DOWN_CONTEXT", "-rdynamic"), EVERPROF_LOG=log) as p:
        assert p.reader.process_context() is None
    assert log.read_text().count("OpenTelemetry context of its own") == 1


def test_a_static_program_can_publish_it_too(build, compiled):  # noqa: F811
    program = compiled("contexts", str(build / "libeverprof.a"), "-Wl,--export-dynamic-symbol=otel_thread_ctx_v1", linked=False)
    symbols = run([need("readelf"), "-W", "--dyn-syms", program]).stdout
    assert re.search(r" TLS +\w+ +DEFAULT +\d+ otel_thread_ctx_v1$", symbols, re.M)
    with Contexts(program) as p:
        assert with_keys(p.reader, "endpoint")["service.name"] == "shop"
