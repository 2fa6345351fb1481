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


def slips(compiled, *argv, **env):  # noqa: F811
    p = run([compiled("misuse"), "slips", *argv], **env)
    assert (p.returncode, p.stderr) == (0, "")
    *said, result = p.stdout.splitlines()
    return said, result


def test_a_slip_in_the_environment_is_said_and_costs_nothing_else(compiled, tmp_path):  # noqa: F811
    env = {"EVERPROF_TYPES": "hepa, heap,block", "EVERPROF_LABELS": "shop,zone=b,", "EVERPROF_OUT": f"{tmp_path}/out/"}
    said, result = slips(compiled, **env, EVERPROF_LOG=tmp_path / "log")
    assert result == "start 0 stop 0"
    assert said == [
        'EVERPROF_LABELS: "shop" is no key=value; it is left out',
        'EVERPROF_TYPES: "hepa" is none of cpu, heap, mutex, block, threads, wall; it is left out',
    ]
    assert [line.split("]: ", 1)[1] for line in (tmp_path / "log").read_text().splitlines()] == said
    assert Profile(tmp_path / "out/heap.pb.gz").total("inuse_space") > 15 << 20
    assert (tmp_path / "out/block.pb.gz").exists() and not (tmp_path / "out/cpu.pb.gz").exists()


def test_a_slip_in_the_struct_is_an_error(compiled):  # noqa: F811
    for argv in (["hepa,heap"], ["heap", "shop"]):
        said, result = slips(compiled, *argv)
        assert result == "start -22 stop 0" and len(said) == 1, said


def test_a_log_that_cannot_be_written_is_said_elsewhere(compiled, everprof, tmp_path):  # noqa: F811
    (tmp_path / "file").write_text("")
    for log, why in ((tmp_path / "file/log", "Not a directory"), (tmp_path / "no/log", "No such file"), (tmp_path, "Is a dir")):
        said, result = slips(compiled, EVERPROF_LOG=log)
        assert result == "start 0 stop 0"
        assert len(said) == 1 and said[0].startswith(f"EVERPROF_LOG {log} can't be written: {why}"), said
        p = run([everprof, "run", "--server", "http://127.0.0.1:9", "--", "true"], EVERPROF_LOG=log, XDG_STATE_HOME=tmp_path)
        assert p.returncode == 0 and p.stderr.startswith(f"everprof run: EVERPROF_LOG {log} can't be written: {why}"), p
    assert slips(compiled, EVERPROF_LOG=tmp_path / "log") == ([], "start 0 stop 0")


def test_a_folder_that_is_none_is_said_once_with_the_reason(compiled, tmp_path):  # noqa: F811
    (tmp_path / "file").write_text("")
    for out, why in ((f"{tmp_path}/file/", "Not a directory"), (f"{tmp_path}/no/there/", "No such file or directory")):
        said, result = slips(compiled, EVERPROF_OUT=out)
        assert result == "start 0 stop -5"
        assert said == [f"EVERPROF_OUT {out} could not be written: {why}"]


@pytest.mark.parametrize("value, rc", [("1024", 0), ("64KB", 0), ("64MB", 0), ("2GB", 0), ("1TB", 0), ("2TB", -22), ("1k", -22), ("MB", -22), ("-1", -22), ("0MB", -22), ("99999999999GB", -22)])
def test_sizes_are_written_as_everywhere(compiled, value, rc):  # noqa: F811
    said, result = slips(compiled, EVERPROF_SPOOL_BYTES=value)
    assert result == f"start {rc} stop 0"
    assert len(said) == (rc != 0) and all("EVERPROF_SPOOL_BYTES is a size like" in s for s in said)
