"""everprof admin backup, verify, restore: beside a running server, and of damaged files."""

import datetime
import json
import os
import subprocess
import threading
import time

import pytest

from harness import CPU, Server, wait_until
from pprof import Builder

TOKENS = "token-of-tenant-a-01 a\ntoken-of-any-tenant-1\n"


def profile(value=1, n=50):
    b = Builder()
    for i in range(n):
        b.add([f"f{i}", "main"], [1, value])
    return b.gz(time_ns=time.time_ns())


def admin(everprof, *args):
    return subprocess.run([str(a) for a in [everprof, "admin", *args]], capture_output=True, text=True, timeout=120)


def seal(server):
    """Make today's heads of yesterday: the next start seals them."""
    server.stop()
    day = (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=1)).strftime("%Y%m%d")
    for head in (server.data / "store/heads").glob("*.head"):
        head.rename(head.with_name(day + head.name[8:]))
    server.start()
    wait_until("the head is sealed", lambda: list((server.data / "store/segments").glob("????????-????.segment")))


def total(everprof, data, name="app"):
    s = Server(everprof, data).start()
    try:
        return s.api.top(f'{{service_name="{name}"}}', from_="now-1h")["total"]
    finally:
        assert s.stop() == 0


def test_a_backup_beside_a_busy_server_has_all_that_was_acknowledged_before(everprof, data_dir, tmp_path):
    s = Server(everprof, data_dir).start()
    for _ in range(5):
        assert s.api.push(profile(), name="app")[0] == 200
    seal(s)
    done, acknowledged = threading.Event(), [250]

    def push():
        while not done.is_set():
            assert s.api.push(profile(), name="app")[0] == 200
            acknowledged[0] += 50

    t = threading.Thread(target=push)
    t.start()
    try:
        found = []
        for i in range(3):
            before = acknowledged[0]
            r = admin(everprof, "backup", tmp_path / f"b{i}", "--data", s.data)
            assert r.returncode == 0, r.stderr
            found.append((i, before, acknowledged[0] + 50))  # one may be under way
    finally:
        done.set()
        t.join()
        assert s.stop() == 0
    for i, least, most in found:
        r = admin(everprof, "verify", tmp_path / f"b{i}")
        assert r.returncode == 0 and "are whole" in r.stdout, r.stderr
        r = admin(everprof, "restore", tmp_path / f"b{i}", "--data", tmp_path / f"r{i}")
        assert r.returncode == 0, r.stderr
        assert (tmp_path / f"b{i}/store/heads").is_dir()
        assert least <= total(everprof, tmp_path / f"r{i}") <= most
    assert total(everprof, s.data) == acknowledged[0]
    actions = [json.loads(l)["action"] for l in (s.data / "audit.log").read_text().splitlines()]
    assert actions.count("backup") == 3


def test_segments_take_no_room_twice_and_changes_later_do_not_reach_the_backup(everprof, data_dir, tmp_path):
    s = Server(everprof, data_dir).start()
    assert s.api.push(profile(), name="app")[0] == 200
    seal(s)
    assert admin(everprof, "backup", tmp_path / "b", "--data", s.data).returncode == 0
    segment = next((s.data / "store/segments").glob("*.segment"))
    copy = tmp_path / "b/store/segments" / segment.name
    assert copy.stat().st_ino == segment.stat().st_ino
    assert not list((tmp_path / "b").rglob("*-wal")) and not list((tmp_path / "b").rglob("LOCK"))
    log = (tmp_path / "b/audit.log").read_bytes()
    assert s.api.push(profile(), name="app")[0] == 200
    assert s.stop() == 0
    assert (tmp_path / "b/audit.log").read_bytes() == log
    assert admin(everprof, "verify", tmp_path / "b").returncode == 0


def test_every_tenant_and_the_tokens_come_along(everprof, data_dir, tmp_path):
    file = tmp_path / "tokenfile"
    file.write_text(TOKENS)
    s = Server(everprof, data_dir, args=["--token-file", file]).start()
    made = admin(everprof, "token", "new", "--data", s.data, "--tenant", "a").stdout.strip()
    for token in TOKENS.split()[0], TOKENS.split()[-1]:
        s.api.token = token
        assert s.api.push(profile(), name="app")[0] == 200
    assert admin(everprof, "backup", tmp_path / "b", "--data", s.data).returncode == 0
    assert s.stop() == 0
    assert admin(everprof, "restore", tmp_path / "b", "--data", tmp_path / "r").returncode == 0
    again = Server(everprof, tmp_path / "r")
    again.start()
    try:
        again.api.token = made
        assert again.api.top()["total"] == 50
    finally:
        assert again.stop() == 0


@pytest.fixture
def backup(everprof, data_dir, tmp_path):
    s = Server(everprof, data_dir).start()
    assert s.api.push(profile(n=2000), name="app")[0] == 200
    seal(s)
    assert s.api.push(profile(n=2000), name="app")[0] == 200
    assert admin(everprof, "backup", tmp_path / "b", "--data", s.data).returncode == 0
    assert s.stop() == 0
    return tmp_path / "b"


def flip(file, at):
    """Another byte in a copy: the original may be linked."""
    data = bytearray(file.read_bytes())
    data[at % len(data)] ^= 0x40
    file.unlink()
    file.write_bytes(data)
    return bytes(data)


def test_a_flipped_byte_anywhere_is_found_and_not_restored(everprof, backup, tmp_path):
    files = [p for p in backup.rglob("*") if p.is_file() and p.stat().st_size]
    assert {p.suffix for p in files} >= {".head", ".segment", ".minutes", ".log", ""}
    for file in files:
        before = file.read_bytes()
        for at in (0, len(before) // 2, len(before) - 1):
            flip(file, at)
            r = admin(everprof, "verify", backup)
            assert r.returncode == 1 and (file.name in r.stderr), (file, at, r.stderr)
            target = tmp_path / f"r-{file.name}-{at}"
            r = admin(everprof, "restore", backup, "--data", target)
            assert r.returncode == 1 and file.name in r.stderr, (file, at)
            file.write_bytes(before)
    assert admin(everprof, "verify", backup).returncode == 0


def test_a_data_folder_is_verified_too_and_its_bad_file_is_named(everprof, backup, data_dir):
    r = admin(everprof, "verify", "--data", data_dir)
    assert r.returncode == 0 and "are whole" in r.stdout, r.stderr
    segment = next((data_dir / "store/segments").glob("*.segment"))
    before = segment.read_bytes()
    for at in range(0, len(before), max(1, len(before) // 20)):
        flip(segment, at)
        r = admin(everprof, "verify", data_dir)
        assert r.returncode == 1 and segment.name in r.stderr and "1 of " in r.stderr, (at, r.stderr)
        segment.write_bytes(before)
    head = next((data_dir / "store/heads").glob("*.head"))
    data = bytearray(head.read_bytes())
    data[4096:8192] = os.urandom(4096)
    head.write_bytes(data)
    r = admin(everprof, "verify", data_dir)
    assert r.returncode == 1 and head.name in r.stderr, r.stderr


def test_what_is_no_backup_or_not_empty_is_refused_with_a_sentence(everprof, backup, data_dir, tmp_path):
    (tmp_path / "empty").mkdir()
    for args, words in (
        (["backup", tmp_path / "b", "--data", data_dir], "is not empty"),
        (["restore", backup, "--data", data_dir], "is not empty"),
        (["restore", tmp_path / "empty", "--data", tmp_path / "r"], "is not a backup"),
        (["backup", tmp_path / "c", "--data", tmp_path / "nothing"], "No such file"),
        (["verify", tmp_path / "nothing"], "No such file"),
        (["backup"], "it wants"),
    ):
        r = admin(everprof, *args)
        assert r.returncode == 1 and words in r.stderr and r.stderr.count("\n") == 1, (args, r.stderr)


def test_a_manifest_that_leads_out_of_the_folder_is_refused(everprof, backup, tmp_path):
    import re

    text = (backup / "MANIFEST").read_text()
    (backup / "MANIFEST").write_text(re.sub(r"audit\.log", "../x", text))
    r = admin(everprof, "restore", backup, "--data", tmp_path / "r")
    assert r.returncode == 1 and "damaged" in r.stderr
    assert not (tmp_path / "x").exists()
