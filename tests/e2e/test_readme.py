"""The README does what it says: its C program compiles, its commands run, its links lead somewhere."""

import os
import re
import shutil
import subprocess

import pytest

from harness import CPU, ROOT, wait_until
from pprof import Profile

README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```(c|sh)\n(.*?)^```$", README, re.S | re.M)
COMMANDS = [l for kind, text in BLOCKS if kind == "sh" for l in text.splitlines() if l and l[0] != "#"]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory, build):
    """A folder that looks like the root of a built checkout, with the README's program in it."""
    folder = tmp_path_factory.mktemp("checkout")
    (folder / "include").symlink_to(ROOT / "include")
    (folder / "build").symlink_to(build)
    [program] = [text for kind, text in BLOCKS if kind == "c"]
    (folder / "work.c").write_text(program)
    r = shell(folder, COMMANDS[0])
    assert r.returncode == 0 and not r.stderr
    return folder


def shell(folder, line, **env):
    env = {**os.environ, "XDG_STATE_HOME": str(folder / "state"), **env}
    return subprocess.run(line, shell=True, cwd=folder, env=env, capture_output=True, text=True, timeout=120)


def test_the_commands_are_those_tested_here():
    starts = ["cc -g work.c", "EVERPROF_SERVER=", "build/everprof run -- sqlite3", "EVERPROF_OUT=cpu.pb.gz ", "build/everprof record "]
    assert len(COMMANDS) == len(starts) and all(c.startswith(s) for c, s in zip(COMMANDS, starts))


def test_the_program_in_ten_lines_pushes_with_labels(checkout, server):
    line = COMMANDS[1]
    assert "http://127.0.0.1:4040" in line
    assert shell(checkout, line.replace("http://127.0.0.1:4040", server.url)).returncode == 0
    both = {
        label: wait_until("the profile arrives", lambda: server.api.top(f'{{service_name="work",endpoint="{label}"}}')["total"])
        for label in ("/search", "/report")
    }
    assert both["/search"] > both["/report"] > 0


def test_a_program_that_can_not_be_changed_is_pushed(checkout, server):
    if not shutil.which("sqlite3"):
        pytest.skip("sqlite3 is not installed")
    r = shell(checkout, COMMANDS[2], EVERPROF_SERVER=server.url)
    assert (r.returncode, r.stdout) == (0, "4500001500000\n")
    wait_until("the profile arrives", lambda: server.api.services().get("sqlite3", {}).get("total", {}).get(CPU))


@pytest.mark.parametrize("which", [3, 4])
def test_the_files_hold_the_program_by_name(checkout, server, which):
    out = checkout / "cpu.pb.gz"
    out.unlink(missing_ok=True)
    r = shell(checkout, COMMANDS[which], EVERPROF_SERVER=server.url)
    if "everprof doctor" in r.stderr or "perf_event" in r.stderr:
        pytest.skip("this user may not sample from outside")
    assert r.returncode == 0, r.stderr
    profile = Profile(out.read_bytes())
    assert any("main" in sample.stack for sample in profile.samples)


def test_the_reports_shown_are_those_printed(checkout, data, everprof):
    shutil.copy(data / "pprof" / "real" / "cpu1.pb.gz", checkout / "cpu.pb.gz")
    [shown] = re.findall(r"^```text\n(.*?)^```$", README, re.S | re.M)
    printed = ""
    for command in re.findall(r"^\$ (.*)$", shown, re.M):
        assert command.startswith("build/everprof pprof ")
        printed += f"$ {command}\n" + shell(checkout, command.replace("build/everprof", str(everprof)), TZ="UTC").stdout
    assert printed == shown


@pytest.mark.parametrize("line", [l.strip() for l in re.findall(r"^    (\./.*)$", README, re.M)])
def test_the_scripts_are_there(line):
    assert os.access(ROOT / line.split()[0], os.X_OK)


def test_scripts_explain_themselves():
    r = subprocess.run([ROOT / "run", "--help"], capture_output=True, text=True)
    assert r.returncode == 0 and all(word in r.stdout for word in ("./run build", "./run demo"))


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "docs/comparison.md", "docs/library.md", "docs/agent.md"])
def test_links_lead_somewhere(page):
    text = (ROOT / page).read_text()
    missing = [l for l in re.findall(r"\]\(([^)#:]+)\)", text) if not (ROOT / page).parent.joinpath(l).exists()]
    assert not missing
