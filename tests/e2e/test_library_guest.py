"""The program's own behaviour is unchanged: it sees the same of itself with us as without."""

import subprocess

import pytest

from harness import need
from test_library import SOURCES, compiled, run  # noqa: F401  (compiled is a fixture)

ON = {"EVERPROF_TYPES": "cpu,heap,mutex,block", "EVERPROF_HTTP": "127.0.0.1:0", "EVERPROF_HZ": 250}


@pytest.fixture(scope="session")
def guest(tmp_path_factory):
    out = tmp_path_factory.mktemp("guest") / "guest"
    subprocess.run([need("cc"), "-O2", SOURCES / "guest.c", "-o", out, "-pthread"], check=True)
    return out


def with_us(build, tmp_path):
    return {"LD_PRELOAD": build / "libeverprof.so", "EVERPROF_OUT": f"{tmp_path}/out/", **ON}


def test_calls_errno_signals_children_and_descriptors_are_as_without(guest, build, tmp_path):
    alone = run([guest, 1])
    both = run([guest, 1], **with_us(build, tmp_path))
    assert "broken off: 0" in alone.stdout
    assert both.stdout == alone.stdout
    assert (both.returncode, both.stderr) == (alone.returncode, alone.stderr) == (42, "")
    assert {f.name.split(".")[0] for f in (tmp_path / "out").glob("*.pb.gz")} >= {"cpu", "heap", "mutex", "block"}


def calls_broken_off(command, trace, env):
    """Calls of the program that came back early, as the kernel's own tracer sees them."""
    assignments = [f"-E{k}={v}" for k, v in env.items()]  # for the program, not for strace
    p = run([need("strace"), "-f", "-qq", "-e", "signal=none", "-o", trace, *assignments, *command])
    assert p.returncode == 42, p.stderr
    lines = trace.read_text(errors="replace").splitlines()
    assert len(lines) > 100
    return [l for l in lines if "EINTR" in l or "ERESTART_RESTARTBLOCK" in l or "ERESTARTNOHAND" in l]


def test_the_tracer_sees_no_call_broken_off(guest, build, tmp_path):
    if run([need("strace"), "true"]).returncode:
        pytest.skip("strace may not trace here")
    assert calls_broken_off([guest, 1], tmp_path / "alone", {}) == []
    assert calls_broken_off([guest, 1], tmp_path / "with", with_us(build, tmp_path)) == []


@pytest.mark.parametrize("kind", ["main", "forked", "raw"])
@pytest.mark.parametrize("more", [{}, {"EVERPROF_HTTP": "127.0.0.1:0"}])
def test_our_threads_do_not_keep_a_process(compiled, build, tmp_path, kind, more):  # noqa: F811
    program = compiled("last_thread", linked=False)
    alone = run([program, kind])
    p = run([program, kind], seconds=30, LD_PRELOAD=build / "libeverprof.so", EVERPROF_OUT=f"{tmp_path}/out/", **more)
    assert (p.returncode, p.stdout, p.stderr) == (alone.returncode, alone.stdout, alone.stderr)
    assert (p.returncode, p.stdout) == (5, "") if kind == "raw" else p.returncode == 0 and "the end" in p.stdout
    assert len(list((tmp_path / "out").glob("cpu.pb.gz*"))) >= 1
