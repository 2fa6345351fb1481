"""Unwind tables as files: made once, mapped by all, never trusted blindly, never missed."""

import os
import random
import re
import shutil
import subprocess
import sys

import pytest

from pprof import Profile
from test_agent_stacks import by_tables  # noqa: F401  (a fixture)
from test_library import compiled, environment, run  # noqa: F401  (compiled is a fixture)

SHOW = "print(''.join(l for l in open('/proc/self/maps') if '.unwind' in l))"


@pytest.fixture
def python(build):
    """python(**environment): python3 under the library; the tables that it has mapped."""

    def start(cache, **more):
        env = {"EVERPROF_CACHE": cache, "EVERPROF_HTTP": "mounted", "LD_PRELOAD": build / "libeverprof.so", **more}
        p = run([sys.executable, "-S", "-c", SHOW], **env)
        assert (p.returncode, p.stderr) == (0, ""), p
        return {line.split()[5]: line.split() for line in p.stdout.splitlines() if line}

    return start


def build_id_of_libc(pid):
    path = next(line.split()[5] for line in open(f"/proc/{pid}/maps") if "libc.so" in line)
    notes = subprocess.run(["readelf", "-n", path], capture_output=True, text=True, check=True).stdout
    return re.search(r"Build ID: (\w+)", notes)[1]


def files(folder):
    return {p.name: (p.stat().st_ino, p.stat().st_mode & 0o777) for p in folder.glob("*.unwind")}


def test_the_second_process_maps_what_the_first_one_made(python, tmp_path):
    cache = tmp_path / "cache" / "tables"
    first = python(cache)
    made = files(cache)
    assert len(made) >= 4 and {mode for _, mode in made.values()} == {0o444}
    assert {os.path.basename(p) for p in first} == set(made), "its own copies are gone at once"
    second = python(cache)
    assert files(cache) == made and set(second) == set(first)
    assert {fields[1] for fields in second.values()} == {"r--p"}
    assert [p for p in cache.iterdir() if p.name.startswith(".new-")] == []


def test_without_a_folder_all_goes_on(python, compiled, tmp_path):
    plain = tmp_path / "file"
    plain.write_text("")
    for where in ("off", plain, "/proc/none", "relative"):
        assert python(where) == {}
        out = tmp_path / "cpu.pb.gz"
        assert run([compiled("spin"), 0.5], EVERPROF_OUT=out, EVERPROF_CACHE=where).returncode == 0
        assert Profile(out).ledger()["truncated"] <= 3, "stacks are whole"


def test_broken_files_are_seen_and_made_anew(python, compiled, tmp_path):
    cache, dice = tmp_path / "cache", random.Random(5)
    python(cache)
    good = {p.name: p.read_bytes() for p in cache.glob("*.unwind")}
    for turn in range(3):
        for path in cache.glob("*.unwind"):
            data = bytearray(path.read_bytes())
            if turn == 0:
                data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
            elif turn == 1:
                del data[dice.randrange(len(data)) :]
            else:
                data = b""
            path.unlink()
            path.write_bytes(data)
            path.chmod(0o444)
        assert len(python(cache)) == len(good)
        assert {p.name: p.read_bytes() for p in cache.glob("*.unwind")} == good


def test_many_that_start_at_once_share_in_the_end(build, tmp_path):
    cache = tmp_path / "cache"
    env = environment(EVERPROF_CACHE=cache, EVERPROF_HTTP="mounted", LD_PRELOAD=build / "libeverprof.so")
    crowd = [
        subprocess.Popen([sys.executable, "-S", "-c", SHOW], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(12)
    ]
    seen = [p.communicate(timeout=120) for p in crowd]
    assert all(p.returncode == 0 for p in crowd) and all(err == b"" for _, err in seen)
    # The inode is in the fifth column: one file a table, whoever was first.
    inodes = [{line.split()[4] for line in out.decode().splitlines() if line} for out, _ in seen]
    assert all(i == inodes[0] for i in inodes) and len(inodes[0]) == len(files(cache))


def test_a_process_that_is_killed_at_its_start_leaves_nothing_broken(python, build, tmp_path):
    cache, dice = tmp_path / "cache", random.Random(7)
    env = environment(EVERPROF_CACHE=cache, EVERPROF_HTTP="mounted", LD_PRELOAD=build / "libeverprof.so")
    for _ in range(25):
        shutil.rmtree(cache, ignore_errors=True)
        p = subprocess.Popen([sys.executable, "-S", "-c", SHOW], env=env, stdout=subprocess.DEVNULL)
        try:
            p.wait(dice.uniform(0.002, 0.06))
        except subprocess.TimeoutExpired:
            p.kill()
            p.wait()
        before = files(cache)
        assert len(python(cache)) >= 4
        assert before.items() <= files(cache).items(), "what had a name was whole"


def test_a_cache_that_goes_while_it_is_used_is_not_missed(compiled, tmp_path):
    cache, out = tmp_path / "cache", tmp_path / "cpu.pb.gz"
    assert run([compiled("spin"), 0.1], EVERPROF_OUT=out, EVERPROF_CACHE=cache).returncode == 0
    p = subprocess.Popen(
        [compiled("spin"), "2"], env=environment(EVERPROF_OUT=out, EVERPROF_CACHE=cache), stdout=subprocess.DEVNULL
    )
    while ".unwind" not in open(f"/proc/{p.pid}/maps").read():
        assert p.poll() is None
    shutil.rmtree(cache)
    assert p.wait(60) == 0
    assert Profile(out).ledger()["truncated"] <= 3


@pytest.mark.skipif(os.getuid() != 0, reason="needs two users")
def test_a_user_reads_what_root_made_and_writes_only_his_own(build, tmp_path):
    for p in [tmp_path, *tmp_path.parents][:-2]:
        p.chmod(p.stat().st_mode | 0o055)
    lib = tmp_path / "libeverprof.so"
    shutil.copy(build / "libeverprof.so", lib)  # the build's folder may be closed to others
    cache, home = tmp_path / "cache", tmp_path / "home"
    home.mkdir()
    os.chown(home, 65534, 65534)

    def tables_of(uid, **more):
        p = subprocess.run(
            ["/bin/cat", "/proc/self/maps"], capture_output=True, text=True, timeout=60, user=uid, group=uid,
            extra_groups=[], cwd="/", env=environment(EVERPROF_HTTP="mounted", LD_PRELOAD=lib, **more),
        )  # fmt: skip
        assert (p.returncode, p.stderr) == (0, "")
        return {line.split()[5] for line in p.stdout.splitlines() if ".unwind" in line}

    made = tables_of(0, EVERPROF_CACHE=cache)
    before = files(cache)
    assert tables_of(65534, EVERPROF_CACHE=cache) == made and files(cache) == before
    # A folder of another user counts for nobody, not even for root.
    os.chown(cache, 65534, 65534)
    assert tables_of(0, EVERPROF_CACHE=cache) == set()
    own = tables_of(65534, EVERPROF_CACHE=home / "mine")
    assert own and {(home / "mine").stat().st_uid, *(p.stat().st_uid for p in (home / "mine").iterdir())} == {65534}
    assert tables_of(0, EVERPROF_CACHE=home / "mine") == set()


def test_the_agent_fills_and_uses_the_same_files(by_tables, everprof, python, tmp_path):
    cache = tmp_path / "cache"
    command = [everprof, "record", "-a", "-d", "1s", "-o", tmp_path / "all.pb.gz"]
    busy = subprocess.Popen(["sh", "-c", "while :; do :; done"])
    libc = []
    try:
        # Who uses a file first may end before it is known whose files it sees.
        for _ in range(5):
            p = run(command, EVERPROF_CACHE=cache)
            assert p.returncode == 0, p.stderr
            made = files(cache)
            libc = [name for name in made if name.startswith(build_id_of_libc(busy.pid))]
            if libc:
                break
    finally:
        busy.kill()
        busy.wait()
    assert libc, made
    mapped = {os.path.basename(path) for path in python(cache)}
    assert set(libc) <= mapped
    assert made.items() <= files(cache).items()
