"""Older and foreign formats through `everprof pprof`: recorded text, and the reference itself."""

import gzip
import os
import subprocess

import pytest

from harness import ROOT, need

LEGACY = ROOT / "tests" / "data" / "legacy"
FILES = sorted(p.name for p in LEGACY.iterdir() if p.is_file())
# What the reference can't open: the recorded text is ours, checked by eye.
FOREIGN = {n for n in FILES if n.startswith(("jemalloc", "perf_", "stacks"))}


def pprof(program, mode, file, tmp_path):
    return subprocess.run(
        [*program, "-symbolize=none", mode, "-output=/dev/stdout", file],
        capture_output=True, timeout=60, check=False, cwd=LEGACY,
        env={**os.environ, "TZ": "UTC", "PPROF_TMPDIR": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)},
    )


@pytest.mark.parametrize("name", FILES)
def test_raw_is_as_recorded(everprof, tmp_path, name):
    out = pprof([everprof, "pprof"], "-raw", name, tmp_path)
    assert out.returncode == 0, out.stderr
    assert out.stdout.decode() == (LEGACY / "raw" / f"{name}.txt").read_text()


@pytest.mark.parametrize("name", sorted(set(FILES) - FOREIGN))
def test_the_reference_says_the_same(everprof, tmp_path, name):
    go = need("go")
    for mode in ("-raw", "-top"):
        ours = pprof([everprof, "pprof"], mode, name, tmp_path)
        theirs = pprof([go, "tool", "pprof"], mode, name, tmp_path)
        assert theirs.returncode == 0, theirs.stderr
        assert ours.stdout.decode() == theirs.stdout.decode()


@pytest.mark.parametrize("name", FILES)
def test_what_is_rewritten_reads_the_same(everprof, tmp_path, name):
    proto = pprof([everprof, "pprof"], "-proto", name, tmp_path)
    assert gzip.decompress(proto.stdout)
    again = tmp_path / "again.pb.gz"
    again.write_bytes(proto.stdout)
    first = pprof([everprof, "pprof"], "-top", name, tmp_path).stdout
    assert pprof([everprof, "pprof"], "-top", again, tmp_path).stdout == first


def test_a_perf_recording_is_converted_when_the_tool_is_there(everprof, tmp_path):
    recording = tmp_path / "perf.data"
    recording.write_bytes(b"PERFILE2" + bytes(100))
    alone = pprof([everprof, "pprof"], "-raw", recording, tmp_path)
    assert alone.returncode == 2
    assert b"perf script" in alone.stderr
    tool = tmp_path / "bin" / "perf_to_profile"
    tool.parent.mkdir()
    tool.write_text(f'#!/bin/sh\n[ "$1 $2 $3 $5" = "-i {recording} -o -f" ] && cp {LEGACY}/heap_v2.heap "$4"\n')
    tool.chmod(0o755)
    out = subprocess.run(
        [everprof, "pprof", "-symbolize=none", "-raw", "-output=/dev/stdout", recording],
        capture_output=True, timeout=60, check=False,
        env={**os.environ, "PATH": f"{tool.parent}:{os.environ['PATH']}", "TMPDIR": str(tmp_path),
             "PPROF_TMPDIR": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)},
    )
    assert out.returncode == 0, out.stderr
    assert out.stdout.decode() == (LEGACY / "raw" / "heap_v2.heap.txt").read_text()
    assert not list(tmp_path.glob("pprof_*"))


MALFORMED = ROOT / "tests" / "data" / "pprof" / "malformed"
VERDICTS = [line.split("\t")[:4] for line in (MALFORMED / "expected.tsv").read_text().splitlines()[1:]]


@pytest.mark.parametrize(("name", "verdict", "_samples", "said"), VERDICTS)
def test_malformed_files_get_the_references_verdict(everprof, tmp_path, name, verdict, _samples, said):
    file = MALFORMED / name
    if not file.exists():
        pytest.skip("too large to keep")
    out = pprof([everprof, "pprof"], "-raw", file, tmp_path)
    if verdict == "accept":
        assert out.returncode == 0, out.stderr
        return
    assert out.returncode == 2
    assert not out.stdout
    sentence = out.stderr.decode().splitlines()[0]
    assert sentence.startswith(f"{file}: ")
    # The same step fails, and beyond gzip with the same words first.
    step, _, reason = said.removeprefix(f"{name}: ").partition(": ")
    if step == "decompressing profile":
        reason = ""
    assert sentence.removeprefix(f"{file}: ").startswith(f"{step}: {reason}")
