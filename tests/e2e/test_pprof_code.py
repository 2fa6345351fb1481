"""disasm and weblist on programs compiled here, against what the tools say of them.

Each instruction of a function gets a sample of its own, so that a wrong address, a shift
by one, or a line of a neighbour shows.
"""

import gzip
import itertools
import json
import os
import re
import shutil
import subprocess

import pytest

from compat import model
from harness import need

C = """
static inline unsigned mix(unsigned a, unsigned b)
{
	a ^= b << 5;
	return a * 2654435761u;
}

__attribute__((noinline)) unsigned hash(const unsigned *v, unsigned n)
{
	unsigned h = 1;
	for (unsigned i = 0; i < n; i++)
		h = mix(mix(h, v[i]), 7);
	return h;
}
"""
MAIN = "int main(int n, char **v) { (void)v; unsigned a[9] = {(unsigned)n}; return (int)hash(a, 9); }\n"
CXX = """
template <typename T> struct Ring {
	T items[64];
	__attribute__((noinline)) T push(unsigned at, T x)
	{
		T old = items[at % 64];
		items[at % 64] = x + old / 3;
		return old;
	}
};
Ring<long> longs;
Ring<int> ints;
int main(int n, char **) { return (int)longs.push(n, n) + ints.push(n, n); }
"""
RUST = """
#[inline(never)]
pub fn sum_up<T: Copy + Into<u64>>(v: &[T]) -> u64 {
    let mut s = 7u64;
    for x in v {
        s = s.wrapping_mul(31) ^ (*x).into();
    }
    s
}
fn main() {
    let v: Vec<u32> = std::env::args().map(|a| a.len() as u32).collect();
    println!("{}", sum_up(&v));
}
"""


def sh(*command, cwd=None):
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120, cwd=cwd).stdout


def compiled(tmp_path, compiler, flags, source, name):
    (tmp_path / name).write_text(source)
    out = tmp_path / "program"
    sh(need(compiler), *flags, name, "-o", str(out), cwd=tmp_path)
    return out


def instructions(program, symbol):
    """(address, text) of each instruction of a symbol, by objdump."""
    text = sh(need("objdump"), "-d", "--no-show-raw-insn", f"--disassemble={symbol}", str(program))
    return [(int(a, 16), t.strip()) for a, t in re.findall(r"^ *([0-9a-f]+):\t(.*)$", text, re.M)]


def symbol_like(program, word):
    return next(s for s in sh(need("nm"), str(program)).split() if word in s)


def places(program, addresses):
    """The (function, file, line) chain of each address, innermost first, by llvm-addr2line.

    GNU's does not find the inlined calls in what clang 14 writes.
    """
    out = sh(need("llvm-addr2line"), "-afie", str(program), *map(hex, addresses))
    chains = re.split(r"^0x[0-9a-f]+\n", out, flags=re.M)[1:]
    return [[place(*two) for two in zip(c.splitlines()[::2], c.splitlines()[1::2], strict=True)] for c in chains]


def place(function, where):
    file, _, line = where.partition(" ")[0].rpartition(":")
    return function, file, int(line) if line.isdigit() else 0  # "?" is line 0


def profile(path, program, symbol, addresses, slide=0):
    """A sample of 1, 2, 3… on each address, in a process that maps the whole file."""
    p = model.empty()
    p["types"] = [["cpu", "count"]]
    p["functions"] = [{"name": symbol, "system": symbol, "file": "", "start": 0}]
    segments = re.findall(
        r"LOAD\s+(0x[0-9a-f]+) (0x[0-9a-f]+) 0x[0-9a-f]+\s+(0x[0-9a-f]+) 0x[0-9a-f]+ R E", sh(need("readelf"), "-lW", str(program))
    )
    offset, address, size = (int(x, 16) for x in segments[0])
    start = address + slide
    p["mappings"] = [
        {"start": start, "limit": start + (size + 4095) // 4096 * 4096, "offset": offset, "file": str(program), "build_id": "", "flags": [True, False, False, False]}
    ]
    for i, a in enumerate(addresses):
        p["locations"].append({"address": a + slide, "mapping": 0, "lines": [[0, 0, 0]], "folded": False})
        p["samples"].append({"locs": [i], "values": [i + 1], "labels": []})
    path.write_bytes(gzip.compress(model.encode(p)))
    return path


@pytest.fixture
def pprof(everprof, tmp_path):
    def run(*arguments):
        done = subprocess.run(
            [everprof, "pprof", "-symbolize=none", *map(str, arguments)], capture_output=True, text=True, timeout=60, cwd=tmp_path,
            env={**os.environ, "TZ": "UTC", "PPROF_TMPDIR": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path), "PPROF_BINARY_PATH": str(tmp_path / "debug")}, check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


PROGRAMS = {
    "gcc": ("gcc", ["-O2", "-g"], C + MAIN, "a.c", "hash", 0x5500_0000_0000),
    "gcc-no-pie": ("gcc", ["-O2", "-g", "-no-pie"], C + MAIN, "a.c", "hash", 0),
    "gcc-shared": ("gcc", ["-O2", "-g", "-shared", "-fPIC"], C, "a.c", "hash", 0x7F00_0000_0000),
    "clang": ("clang", ["-O2", "-g"], C + MAIN, "a.c", "hash", 0x5500_0000_0000),
    "clang-dwarf4": ("clang", ["-O1", "-gdwarf-4"], C + MAIN, "a.c", "hash", 0x5500_0000_0000),
    "g++": ("g++", ["-O2", "-g"], CXX, "a.cc", "RingIlE4push", 0x5500_0000_0000),
    "clang++": ("clang++", ["-O2", "-g"], CXX, "a.cc", "RingIiE4push", 0x5500_0000_0000),
    "rust": ("rustc", ["-O", "-g"], RUST, "a.rs", "sum_up", 0x5500_0000_0000),
}


@pytest.fixture(params=PROGRAMS)
def case(request, tmp_path):
    """(program, symbol, its instructions, a profile of it, how far the process is from the file)"""
    compiler, flags, source, name, word, slide = PROGRAMS[request.param]
    program = compiled(tmp_path, compiler, flags, source, name)
    symbol = symbol_like(program, word)
    code = instructions(program, symbol)
    assert len(code) > 5
    return program, symbol, code, profile(tmp_path / "p.pb.gz", program, symbol, [a for a, _ in code], slide), slide


def check_disasm(text, code, chains):
    doc = json.loads(text)
    (routine,) = doc["routines"]
    got = {int(i["address"], 16): i for i in routine["instructions"]}
    for n, ((address, _), chain) in enumerate(zip(code, chains, strict=True), 1):
        inst = got[address]
        assert (inst["flat"], inst["cum"]) == (n, n), hex(address)
        if chain[0][2]:  # where the compiler left line 0, tools differ
            assert (inst["file"], inst["line"]) == (os.path.basename(chain[0][1]), chain[0][2]), hex(address)
            assert [f["line"] for f in inst.get("inlined", [])] == ([c[2] for c in chain] if len(chain) > 1 else []), hex(address)
    assert routine["flat"] == sum(range(1, len(code) + 1))


def test_each_instruction_has_its_sample_and_its_lines(pprof, case):
    program, symbol, code, p, _ = case
    chains = places(program, [a for a, _ in code])
    check_disasm(pprof("-json", f"-disasm={re.escape(symbol)}", p), code, chains)


def test_lines_of_weblist_have_what_their_instructions_have(pprof, case):
    program, symbol, code, p, _ = case
    doc = json.loads(pprof("-json", f"-weblist={re.escape(symbol)}", p))
    chains = places(program, [a for a, _ in code])
    want = {}
    for n, chain in enumerate(chains, 1):
        line = chain[-1][2]
        want[line] = want.get(line, 0) + n
    got = {}
    for line in itertools.chain.from_iterable(r["lines"] for r in doc["routines"]):
        if line["flat"]:
            got[line["line"]] = got.get(line["line"], 0) + line["flat"]
            assert line["flat"] == sum(i["flat"] for i in line["instructions"])
    assert sum(got.values()) == sum(range(1, len(code) + 1))
    if 0 not in want:  # else those instructions go with a line near by
        assert got == want


def test_a_function_is_found_by_an_address_in_it(pprof, case):
    _, symbol, code, p, slide = case
    by_name = pprof(f"-disasm={re.escape(symbol)}", p)
    middle = code[len(code) // 2][0]
    assert pprof(f"-disasm={middle + slide:#x}", p) == by_name


@pytest.mark.parametrize("where", ["debuglink", "build-id"])
def test_a_stripped_program_reads_as_before(pprof, tmp_path, where):
    program = compiled(tmp_path, "gcc", ["-O2", "-g", "-Wl,--build-id"], C + MAIN, "a.c")
    code = instructions(program, "hash")
    p = profile(tmp_path / "p.pb.gz", program, "hash", [a for a, _ in code], 0x5500_0000_0000)
    chains = places(program, [a for a, _ in code])
    before = json.loads(pprof("-json", "-disasm=hash", p))
    debug = tmp_path / "program.debug"
    objcopy = need("objcopy")
    sh(objcopy, "--only-keep-debug", str(program), str(debug))
    sh(objcopy, "--strip-all", str(program))
    if where == "debuglink":
        sh(objcopy, f"--add-gnu-debuglink={debug}", str(program))
    else:
        found = re.search(r"Build ID: ([0-9a-f]+)", sh(need("readelf"), "-n", str(program)))
        folder = tmp_path / "debug" / found[1][:2]
        folder.mkdir(parents=True)
        shutil.move(debug, folder / (found[1][2:] + ".debug"))
    text = pprof("-json", "-disasm=hash", p)
    check_disasm(text, code, chains)
    after = json.loads(text)
    places_of = lambda doc: [(i["address"], i["file"], i["line"], i["function"]) for i in doc["routines"][0]["instructions"]]
    assert places_of(after) == places_of(before)
