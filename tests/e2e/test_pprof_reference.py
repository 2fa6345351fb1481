"""Profiles through our decoder, merge and encoder, as the reference sees them."""

import os
import subprocess

import pytest

from harness import need

SAME = [  # profiles of one type each, to merge
    ("delta_heap.1.pb.gz", "delta_heap.2.pb.gz"),
    ("heap.pb.gz", "allocs.pb.gz", "heap.delta5.pb.gz"),
    ("cpu1.pb.gz", "cloud-profiler-go-002.profile.pb.gz"),
    ("block.pb.gz", "mutex.pb.gz"),
    ("pyroscope-node-001.profile.pb.gz", "pyroscope-node-004.profile.pb.gz"),
    ("rs1.pb", "rs1.pb"),
]


@pytest.fixture(scope="module")
def rewrite(build):
    return build / "tests" / "unit" / "profile" / "pprof-rewrite"


@pytest.fixture
def raw(tmp_path):
    """What `go tool pprof -raw` prints of some profiles."""
    go = need("go")

    def run(*files):
        out = subprocess.run(
            [go, "tool", "pprof", "-symbolize=none", "-raw", *files],
            capture_output=True, text=True, timeout=120, check=False,
            # Go's cache stays, so that the tool is built once; pprof's own folders don't.
            env={**os.environ, "TZ": "UTC", "PPROF_TMPDIR": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)},
        )
        assert out.returncode == 0, out.stderr
        return out.stdout

    return run


def write(program, target, *arguments):
    with target.open("wb") as out:
        subprocess.run([program, *arguments], stdout=out, check=True, timeout=60)
    return target


def test_a_rewritten_profile_reads_the_same(rewrite, raw, data, tmp_path):
    files = [
        f for f in sorted((data / "pprof" / "real").iterdir())
        if not f.name.endswith(".raw.txt.gz")
        # Ids that do not count from 1 are renumbered; the unit test covers those.
        and "delta-heap" not in f.name and "delta-block" not in f.name and "delta-mutex" not in f.name
    ]
    assert len(files) > 20
    for file in files[::3]:  # a third: each takes the reference a fifth of a second
        ours = write(rewrite, tmp_path / "ours.pb.gz", file)
        assert raw(ours) == raw(file), file.name


@pytest.mark.parametrize("names", SAME, ids=lambda n: "+".join(x.split(".")[0] for x in n))
def test_merged_profiles_read_as_the_reference_merges_them(rewrite, raw, data, tmp_path, names):
    files = [data / "pprof" / "real" / n for n in names]
    ours = write(rewrite, tmp_path / "ours.pb.gz", "--merge", *files)
    assert raw(ours) == raw(*files)
