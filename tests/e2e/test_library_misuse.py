"""What a program asks for by mistake, or far too often."""

import pytest

from pprof import Profile
from test_library import compiled, run  # noqa: F401  (compiled is a fixture)


def test_nothing_is_borne_everywhere(compiled):  # noqa: F811
    p = run([compiled("misuse"), "nothing"])
    assert (p.returncode, p.stderr) == (0, "")


@pytest.mark.parametrize("out", [True, False])
def test_start_and_stop_a_thousand_times_and_on_four_threads_at_once(compiled, tmp_path, out):  # noqa: F811
    """No descriptor and no thread is left."""
    env = {"EVERPROF_OUT": tmp_path / "cpu.pb.gz"} if out else {}
    p = run([compiled("misuse"), "again"], **env)
    assert (p.returncode, p.stderr) == (0, "")
    assert (tmp_path / "cpu.pb.gz").exists() == out


def test_locks_of_the_librarys_own_threads_are_in_no_profile(compiled, tmp_path):  # noqa: F811
    env = {"EVERPROF_TYPES": "cpu,heap,mutex,block", "EVERPROF_BLOCK_NS": 1, "EVERPROF_HTTP": "127.0.0.1:0"}
    p = run([compiled("misuse"), "ours"], EVERPROF_OUT=f"{tmp_path}/", **env)
    assert (p.returncode, p.stderr) == (0, "")
    for name in ("mutex", "block"):
        samples = Profile(tmp_path / f"{name}.pb.gz").samples
        assert any("write_all" in s.stack for s in samples), "the program's own are"
        assert [s.stack for s in samples if "listen_main" in s.stack] == []


@pytest.mark.parametrize("start", ["alone", "before", "after"])
def test_http_needs_nothing_else(compiled, start):  # noqa: F811
    """It served CPU only, where no server and no file was to be told."""
    p = run([compiled("http_only"), start])
    assert (p.returncode, p.stderr) == (0, "")
    names, text = p.stdout.split("\n", 1)
    wanted = {"heap", "allocs", "threads", "goroutine", "threadcreate", "scopes"}
    assert wanted | ({"mutex"} if start != "alone" else set()) <= set(names.split())
    assert "\tkeep" in text
