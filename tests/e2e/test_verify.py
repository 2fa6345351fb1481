"""everprof verify: known work against the profiles of it, and what it says when they lie."""

import json
import shutil
import subprocess

import pytest

from harness import ROOT, need

EXACT = {"objects of a custom profile", "sleeps that ended early", "of that, still in use"} | {
    f"scopes entered: part={p}" for p in ("heavy", "middle", "light")
}
ALWAYS = EXACT | {
    *(f"CPU by {kind}{p}" for kind in ("function: ", "label: part=") for p in ("heavy", "middle", "light")),
    "CPU by a label carried to a thread",
    "CPU time in all",
    "CPU time of a sleep",
    "waiting for a lock (block)",
    "making others wait (mutex)",
    "a leak",
    "another leak",
    "allocated and freed",
}


def verify(program, *args, seconds=120):
    return subprocess.run([str(program), "verify", *map(str, args)], capture_output=True, text=True, timeout=seconds)


@pytest.fixture
def alone(everprof, tmp_path):
    """A copy of everprof with nothing beside it."""
    shutil.copy(everprof, tmp_path / "everprof")
    return tmp_path / "everprof"


def test_this_machine_is_within_the_bounds_without_a_symbol_table(build, alone):
    subprocess.run([need("strip"), alone], check=True)
    (alone.parent / "libeverprof.so").symlink_to(build / "libeverprof.so")
    r = verify(alone, "--seconds", 4, "--json")
    assert r.stderr == ""
    found = json.loads(r.stdout)
    rows = {row["what"]: row for row in found["rows"] if not row["group"].startswith("From outside")}
    assert ALWAYS <= set(rows)
    assert not [row for row in found["rows"] if row["verdict"] == "off"]
    assert (r.returncode, found["ok"]) == (0, True)
    for what in ALWAYS:
        row = rows[what]
        assert row["verdict"] == "ok" and abs(row["error"]) <= row["bound"]
        assert row["truth"] + row["error"] == pytest.approx(row["measured"])
        assert (row["bound"] == 0) == (what in EXACT), what
    assert rows["CPU time in all"]["truth"] > 0.1e9 and rows["scopes entered: part=light"]["truth"] > 10
    # An eBPF or perf sampler is not everywhere; where it is, it has its say.
    outside = [row for row in found["rows"] if row["group"].startswith("From outside")]
    assert outside and {row["verdict"] for row in outside} <= {"ok", "unknown"}
    assert all(row["note"] for row in found["rows"])


LIES = """
#include <everprof.h>
#define EXPORT __attribute__((visibility("default")))
EXPORT int everprof_profile_remove(everprof_profile *p, const void *key)
{
	return p && key ? 0 : 0; /* forgets to */
}
EXPORT const everprof_labels *everprof_labels_derive_n(const everprof_labels *base, unsigned n, ...)
{
	return n ? base : base; /* knows no labels */
}
"""


def test_a_profiler_that_lies_is_found_out(build, alone):
    """A library that is ours but for two functions."""
    source, library = alone.parent / "lies.c", alone.parent / "libeverprof.so"
    source.write_text(LIES)
    subprocess.run(
        [need("gcc"), "-shared", "-fPIC", f"-I{ROOT}/include", source, "-o", library, "-Wl,-z,muldefs",
         "-Wl,--whole-archive", build / "libeverprof.a", "-Wl,--no-whole-archive", "-pthread"],
        check=True,
    )
    r = verify(alone, "--seconds", 6, "--json")
    assert r.stdout, r.stderr
    found = json.loads(r.stdout)
    rows = {row["what"]: row for row in found["rows"]}
    assert (r.returncode, found["ok"]) == (1, False)
    objects = rows["objects of a custom profile"]
    assert (objects["truth"], objects["measured"], objects["verdict"]) == (750, 1000, "off")
    assert rows["scopes entered: part=heavy"]["measured"] == 0
    assert all(row["verdict"] == "off" for what, row in rows.items() if "scopes" in what)
    assert rows["CPU by label: part=heavy"]["verdict"] == "off" and rows["CPU by function: heavy"]["verdict"] == "ok"
    assert rows["a leak"]["verdict"] == "ok"
    table = verify(alone, "--seconds", 2)
    assert table.returncode == 1 and " OFF\n" in table.stdout and "objects of a custom profile: exact" in table.stdout


def test_the_table_is_for_people(everprof):
    r = verify(everprof, "--seconds", 2)
    assert "\033" not in r.stdout and r.stderr == ""
    lines = r.stdout.splitlines()
    assert lines[0].startswith("everprof ") and "load" in lines[0]
    assert lines[2].split() == ["CPU", "truth", "measured", "error", "bound"]
    assert [l.split()[0] for l in lines if l and l[0] != " "][1:2] == ["CPU"]
    assert lines[-1].endswith(".") and "within their bounds" in lines[-1]


def test_what_is_missing_is_said(alone):
    r = verify(alone)
    assert (r.returncode, r.stdout) == (1, "") and "libeverprof.so is not beside everprof" in r.stderr
    assert verify(alone, "--seconds", 1).returncode == 2
    (alone.parent / "libeverprof.so").write_text("no library")
    r = verify(alone, "--seconds", 2)
    assert r.returncode == 1 and "the library was not loaded" in r.stderr
