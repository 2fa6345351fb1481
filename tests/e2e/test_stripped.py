"""Programs without symbols: a function is one frame, called by where it begins."""

import json
import os
import re
import subprocess

import pytest

from harness import need
from pprof import Profile

PYTHON = "/usr/bin/python3"
WORK = """
import json, time
end = time.process_time() + 1.5
while time.process_time() < end:
    json.loads(json.dumps({str(i): [i] * 3 for i in range(1000)}))
"""


def readelf(*flags):
    return subprocess.run(["readelf", "-W", *flags, PYTHON], capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def stripped():
    """The name of Debian's python3, and where in its file functions begin."""
    need("readelf")
    if not os.path.exists(PYTHON) or ".symtab" in readelf("-S"):
        pytest.skip("no stripped python3 here")
    build_id = re.search(r"Build ID: (\w+)", readelf("-n"))[1]
    if os.path.exists(f"/usr/lib/debug/.build-id/{build_id[:2]}/{build_id[2:]}.debug"):
        pytest.skip("debug symbols are installed here")
    code = next(l.split() for l in readelf("-l").splitlines() if "LOAD" in l and " R E " in l)
    offset, vaddr = int(code[1], 16), int(code[2], 16)
    starts = {int(pc, 16) for pc in re.findall(r"FDE .* pc=([0-9a-f]+)\.\.", readelf("--debug-dump=frames"))}
    return os.path.basename(os.path.realpath(PYTHON)), {s - vaddr + offset for s in starts}


def check(profile, name, starts):
    nameless, bare, total = {}, 0, 0
    for sample in profile.samples:
        leaf = sample.stack[0]
        total += sample.values[1]
        bare += sample.values[1] if leaf.startswith("0x") else 0
        for frame in sample.stack:
            if m := re.fullmatch(re.escape(name) + r"\+0x([0-9a-f]+)", frame):
                nameless[int(m[1], 16)] = frame
    assert len(nameless) > 5, "it has functions without a name"
    assert set(nameless) <= starts, [hex(x) for x in set(nameless) - starts]
    assert bare / total < 0.02, "addresses stand alone"


def test_record_shows_functions_of_a_stripped_program(everprof, stripped, tmp_path):
    doctor = subprocess.run([everprof, "doctor", "--json"], capture_output=True, text=True).stdout
    if json.loads(doctor)["sampling"] == "none":
        pytest.skip("no perf events here")
    out = tmp_path / "record.pb.gz"
    subprocess.run(
        [everprof, "record", "-F", "500", "-o", out, "--", PYTHON, "-c", WORK], check=True, capture_output=True, timeout=120
    )
    check(Profile(str(out)), *stripped)


def test_out_shows_functions_of_a_stripped_program(everprof, stripped, tmp_path):
    out = tmp_path / "out.pb.gz"
    subprocess.run(
        [everprof, "run", "--server", "http://127.0.0.1:9", "--", PYTHON, "-c", WORK],
        env={**os.environ, "EVERPROF_OUT": str(out), "XDG_STATE_HOME": str(tmp_path)},
        check=True,
        timeout=120,
    )
    check(Profile(str(out)), *stripped)
