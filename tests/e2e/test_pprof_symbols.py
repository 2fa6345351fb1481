"""Names, lines and inlined calls of programs that the test compiles, against llvm-symbolizer."""

import http.server
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import threading

import pytest

from pprof import field, packed
from harness import need

SOURCE = """
#include <algorithm>
#include <map>
#include <string>
#include <vector>
namespace app {
template <class T> struct Box { T v; template <class U> auto add(U u) const { return v + u; } };
static int helper(int x) { int s = 0; for (int i = 0; i < x; i++) s += i * x; return s; }
namespace { struct Hidden { int run(std::vector<int> &v) {
  std::sort(v.begin(), v.end(), [](int a, int b) { return a > b; });
  return v.empty() ? 0 : helper(v[0]);
} }; }
}
int main(int argc, char **) {
  std::vector<int> v;
  std::map<std::string, int> m;
  for (int i = 0; i < 1000; i++) v.push_back(i * 7919 % 1000);
  app::Hidden h;
  for (int i = 0; i < argc; i++) m[std::to_string(i)] += h.run(v);
  return (int)app::Box<double>{1.5}.add((int)m.size());
}
"""

BASE = 0x555555554000


def tool(*command, **kw):
    return subprocess.run(command, check=True, capture_output=True, text=True, **kw).stdout


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    """Folder with `gcc-4`, `gcc-5`, `clang-4`, …: one source by two compilers."""
    for name in ("g++", "clang++", "readelf", "llvm-symbolizer", "objcopy", "strip"):
        need(name)
    where = tmp_path_factory.mktemp("programs")
    (where / "a.cpp").write_text(SOURCE)
    for compiler in ("g++", "clang++"):
        for version in (4, 5):
            out = {"g++": "gcc", "clang++": "clang"}[compiler] + f"-{version}"
            tool(compiler, "-O2", f"-gdwarf-{version}", "-Wl,--build-id", "a.cpp", "-o", out, cwd=where)
    return where


def code(path):
    """(file offset, address, size) of the executable segment, and .text's range."""
    out = tool("readelf", "-lSW", path)
    segment = re.search(r"LOAD\s+(0x\w+) (0x\w+) 0x\w+ (0x\w+) 0x\w+ R E", out)
    text = re.search(r"\] \.text\s+PROGBITS\s+(\w+) \w+ (\w+)", out)
    return [int(x, 16) for x in segment.groups()], [int(x, 16) for x in text.groups()]


def addresses(path, n=200):
    _, (start, size) = code(path)
    chance = random.Random(7)
    return sorted({start + chance.randrange(size) for _ in range(n)})


def profile(program, where, asked, name=None, build_id="", base=BASE):
    """A file with one sample at each address of a program that was loaded at base."""
    (offset, start, size), _ = code(program)
    strings = ["", "samples", "count", str(name or program), build_id]
    low = base + start - start % 4096
    out = field(1, field(1, 1) + field(2, 2))
    for i in range(len(asked)):
        out += field(2, packed(1, [i + 1]) + packed(2, [1]))
    out += field(3, field(1, 1) + field(2, low) + field(3, low + size + 8192) + field(4, offset - offset % 4096)
                 + field(5, 3) + field(6, 4))
    for i, address in enumerate(asked):
        out += field(4, field(1, i + 1) + field(2, 1) + field(3, base + address))
    for s in strings:
        out += b"\x32" + bytes([len(s)]) + s.encode() if len(s) < 128 else field(6, s)
    file = where / "profile.pb"
    file.write_bytes(out)
    return file


def run(everprof, tmp_path, *args, **env):
    keep = {k: v for k, v in os.environ.items() if not k.startswith(("DEBUGINFOD", "PPROF", "XDG"))}
    return subprocess.run([everprof, "pprof", *map(str, args)], capture_output=True, text=True, timeout=120,
                          env={**keep, "HOME": str(tmp_path), **env})


LINE = re.compile(r"\s*(?:\d+: (0x\w+) M=1 ?)?(.*)$")
FRAME = re.compile(r"(.*) (\S*):(\d+):(\d+) s=(\d+)(?:\((.*)\))?$")


def frames(raw, base=BASE):
    """{address: [(function as linked, file, line, column, start line)]} of -raw."""
    found, at = {}, None
    for text in raw.split("Locations\n")[1].split("Mappings\n")[0].splitlines():
        address, rest = LINE.match(text).groups()
        if address:
            at = found.setdefault(int(address, 16) - base, [])
        if rest.strip():
            name, file, line, column, start, linked = FRAME.match(rest.strip()).groups()
            at.append((linked or name, file, int(line), int(column), int(start)))
    return found


def truth(program, asked):
    """The same by llvm-symbolizer."""
    out = tool("llvm-symbolizer", "--inlining", "-demangle=false", "--output-style=JSON", f"--obj={program}",
               input="".join(f"CODE {a:#x}\n" for a in asked))
    found = {}
    for line in out.splitlines():
        x = json.loads(line)
        known = [s for s in x["Symbol"] if s["FunctionName"] or s["FileName"]]
        found[int(x["Address"], 16)] = [(s["FunctionName"], s["FileName"], s["Line"], s["Column"], s["StartLine"])
                                        for s in known if s["FileName"]]
    return found


@pytest.mark.parametrize("name", ["gcc-4", "gcc-5", "clang-4", "clang-5"])
def test_lines_and_inlined_calls_are_those_of_llvm_symbolizer(everprof, programs, tmp_path, name):
    program = programs / name
    asked = addresses(program)
    done = run(everprof, tmp_path, "-raw", profile(program, tmp_path, asked))
    assert done.returncode == 0, done.stderr
    want, got = truth(program, asked), frames(done.stdout)
    assert sum(len(f) > 1 for f in want.values()) > 20  # there are inlined calls
    for address in asked:
        if want[address]:
            assert got[address] == want[address], hex(address)
    assert "[FN][FL][LN][IN]" in done.stdout


def stripped(programs, where):
    program = where / "stripped"
    shutil.copy(programs / "gcc-5", program)
    tool("objcopy", "--only-keep-debug", program, where / "stripped.debug")
    tool("strip", program)
    return program, where / "stripped.debug"


def lines_of(found):
    return {a: [x[1:] for x in f] for a, f in found.items()}


def check_lines(everprof, programs, tmp_path, program, **env):
    asked = addresses(programs / "gcc-5")
    done = run(everprof, tmp_path, "-raw", profile(program, tmp_path, asked), **env)
    assert done.returncode == 0, done.stderr
    want, got = lines_of(truth(programs / "gcc-5", asked)), lines_of(frames(done.stdout))
    assert {a: got[a] for a in asked if want[a]} == {a: want[a] for a in asked if want[a]}, done.stderr


def test_a_debuglink_is_followed(everprof, programs, tmp_path):
    program, debug = stripped(programs, tmp_path)
    tool("objcopy", f"--add-gnu-debuglink={debug}", program)
    check_lines(everprof, programs, tmp_path, program)
    (tmp_path / ".debug").mkdir()
    debug.rename(tmp_path / ".debug" / debug.name)
    check_lines(everprof, programs, tmp_path, program)


def build_id(program):
    return re.search(r"Build ID: (\w+)", tool("readelf", "-n", program))[1]


def test_a_debug_file_is_found_by_build_id(everprof, programs, tmp_path):
    program, debug = stripped(programs, tmp_path)
    number = build_id(program)
    folder = tmp_path / "ids" / number[:2]
    folder.mkdir(parents=True)
    debug.rename(folder / f"{number[2:]}.debug")
    check_lines(everprof, programs, tmp_path, program, PPROF_BINARY_PATH=str(tmp_path / "ids"))


def test_dwz_moves_nothing_out_of_sight(everprof, programs, tmp_path):
    need("dwz")
    for name in ("one", "two"):
        shutil.copy(programs / "gcc-4", tmp_path / name)
    tool("dwz", "-m", "common.dwz", "one", "two", cwd=tmp_path)
    assert ".gnu_debugaltlink" in tool("readelf", "-SW", tmp_path / "one")
    asked = addresses(programs / "gcc-4")
    done = run(everprof, tmp_path, "-raw", profile(tmp_path / "one", tmp_path, asked))
    want, got = truth(programs / "gcc-4", asked), frames(done.stdout)
    assert {a: got[a] for a in asked if want[a]} == {a: want[a] for a in asked if want[a]}


def test_split_dwarf_is_followed_and_missed(everprof, programs, tmp_path):
    shutil.copy(programs / "a.cpp", tmp_path / "a.cpp")
    tool("g++", "-O2", "-gdwarf-5", "-gsplit-dwarf", "-c", "a.cpp", "-o", "a.o", cwd=tmp_path)
    tool("g++", "a.o", "-o", "split", cwd=tmp_path)
    program = tmp_path / "split"
    asked = addresses(program)
    file = profile(program, tmp_path, asked)
    want, got = truth(program, asked), frames(run(everprof, tmp_path, "-raw", file).stdout)
    assert any(len(f) > 1 for f in got.values())
    assert {a: got[a] for a in asked if want[a]} == {a: want[a] for a in asked if want[a]}
    (tmp_path / "a.dwo").unlink()
    done = run(everprof, tmp_path, "-raw", file)
    assert "split debug file a.dwo not found" in done.stderr
    assert {a: f[0][2] for a, f in frames(done.stdout).items() if f} == {
        a: f[0][2] for a, f in got.items() if f}  # the lines are in the program


def test_another_build_is_passed_over_and_said(everprof, programs, tmp_path):
    folder = tmp_path / "bin"
    folder.mkdir()
    shutil.copy(programs / "gcc-4", folder / "prog")
    asked = addresses(programs / "gcc-5", 5)
    file = profile(programs / "gcc-5", tmp_path, asked, name="/gone/prog", build_id=build_id(programs / "gcc-5"))
    done = run(everprof, tmp_path, "-raw", file, PPROF_BINARY_PATH=str(folder))
    ids = f"{build_id(programs / 'gcc-5')} != {build_id(programs / 'gcc-4')}"
    assert f"Ignoring local file {folder}/prog: build-id mismatch ({ids})" in done.stderr
    assert "Local symbolization failed for prog (build ID" in done.stderr
    shutil.copy(programs / "gcc-5", folder / "prog")
    done = run(everprof, tmp_path, "-raw", file, PPROF_BINARY_PATH=str(folder))
    assert f" {folder}/prog {build_id(programs / 'gcc-5')} [FN][FL][LN][IN]" in done.stdout


def test_modes_of_demangling(everprof, programs, tmp_path):
    program = programs / "gcc-5"
    asked = addresses(program)
    file = profile(program, tmp_path, asked)
    names = {mode: run(everprof, tmp_path, "-traces", f"-symbolize=demangle={mode}", file).stdout
             for mode in ("none", "full", "templates", "default")}
    linked = set(re.findall(r"_ZN\w+", names["none"]))
    assert len(linked) > 20
    assert not any(re.search(r"_ZN\w+", names[mode]) for mode in ("default", "templates", "full"))
    assert "std::vector::" in names["default"] and "std::allocator<int>" not in names["default"]
    assert "std::vector<int, std::allocator<int> >::" in names["templates"]
    assert "(unsigned long)" in names["full"] and "(unsigned long)" not in names["templates"]


def test_fastlocal_knows_names_only_and_none_nothing(everprof, programs, tmp_path):
    program = programs / "gcc-5"
    file = profile(program, tmp_path, addresses(program, 20))
    fast = run(everprof, tmp_path, "-raw", "-symbolize=fastlocal", file).stdout
    assert "main :0:0 s=0" in fast and "[FN][IN]" in fast
    assert all(not f for f in frames(run(everprof, tmp_path, "-raw", "-symbolize=none", file).stdout).values())


class Debuginfod(http.server.BaseHTTPRequestHandler):
    files, asked = {}, []

    def do_GET(self):
        self.asked.append(self.path)
        body = self.files.get(self.path)
        self.send_response(200 if body else 404)
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, *_):
        pass


@pytest.fixture
def debuginfod():
    Debuginfod.files, Debuginfod.asked = {}, []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Debuginfod)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_debuginfod_is_asked_once(everprof, programs, tmp_path, debuginfod):
    program, debug = stripped(programs, tmp_path)
    page = f"/buildid/{build_id(program)}/debuginfo"
    Debuginfod.files[page] = debug.read_bytes()
    debug.unlink()
    env = {"DEBUGINFOD_URLS": debuginfod, "DEBUGINFOD_CACHE_PATH": str(tmp_path / "cache")}
    check_lines(everprof, programs, tmp_path, program, **env)
    assert Debuginfod.asked == [page]
    assert (tmp_path / "cache" / build_id(program) / "debuginfo").exists()
    check_lines(everprof, programs, tmp_path, program, **env)
    assert Debuginfod.asked == [page]  # it was kept


GO = """package main

import "os"

//go:noinline
func outer(n int) int { return inner(n) + 1 }
func inner(n int) int { return n*n ^ 7 }

func main() { os.Exit(outer(len(os.Args)) & 1) }
"""


def test_a_stripped_go_program_is_named_by_its_own_table(everprof, tmp_path):
    go = need("go")
    (tmp_path / "a.go").write_text(GO)
    env = {**os.environ, "GOCACHE": os.environ.get("GOCACHE", str(pathlib.Path.home() / ".cache/go-build"))}
    for out, flags in (("full", "-w=0"), ("stripped", "-s -w")):
        tool(go, "build", f"-ldflags={flags}", "-o", out, "a.go", cwd=tmp_path, env=env)
    start = int(re.search(r"^(\w+) . main\.outer$", tool("nm", tmp_path / "full"), re.M)[1], 16)
    for out in ("full", "stripped"):
        file = profile(tmp_path / out, tmp_path, [start], base=0)
        found = frames(run(everprof, tmp_path, "-raw", file).stdout, base=0)[start]
        assert found[-1][0] == "main.outer" and found[-1][1].endswith("/a.go") and found[-1][2] == 6
        assert found[-1][4] == 6
