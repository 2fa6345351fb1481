"""The configuration file of the server: YAML, printed, read again, and its mistakes."""

import subprocess

import pytest

from harness import Server


def run(everprof, *args):
    return subprocess.run([str(a) for a in [everprof, *args]], capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("command", ["serve", "up", "agent"])
def test_what_is_printed_loads_again_equal(everprof, tmp_path, command):
    first = run(everprof, command, "--print-config")
    assert first.returncode == 0 and not first.stderr
    file = tmp_path / "everprof.yaml"
    file.write_text(first.stdout)
    again = run(everprof, command, "--config", file, "--print-config")
    assert (again.returncode, again.stdout, again.stderr) == (0, first.stdout, "")


def test_every_flag_is_a_key_with_a_comment(everprof):
    flags = [l.split("--")[1].split()[0] for l in run(everprof, "serve", "--help").stdout.splitlines()
             if l.startswith("      --")]
    lines = run(everprof, "serve", "--print-config").stdout.splitlines()
    for flag in set(flags) - {"config", "print-config"}:
        at = [i for i, l in enumerate(lines) if l.startswith(f"{flag}: ")]
        assert len(at) == 1 and lines[at[0] - 1].startswith("# "), flag


def test_a_server_runs_by_its_file_and_flags_win(everprof, data_dir, tmp_path):
    file = tmp_path / "everprof.yaml"
    file.write_text("max-body: 32KB\nlisten: 127.0.0.1:1\n")
    s = Server(everprof, data_dir, args=["--config", file]).start()
    try:
        status, body = s.api.push(b"x" * 40000)
        assert status == 413 and b"32768" in body
    finally:
        assert s.stop() == 0


def test_mistakes_end_the_start_with_one_sentence(everprof, tmp_path):
    file = tmp_path / "everprof.yaml"
    for text, words in (
        ("data: /tmp\nlisten = x\n", ["not YAML"]),
        ("listen = 127.0.0.1:4040\n", [f"{file}:1:", "listen: 127.0.0.1:4040"]),
        ("\nlisten: x\nport: 1\n", [f"{file}:3:", '"port"', "listen, data"]),
        ("workers: many\n", [f"{file}:1:", "workers wants a whole number"]),
    ):
        file.write_text(text)
        r = run(everprof, "serve", "--config", file)
        assert r.returncode == 2 and r.stderr.count("\n") == 1, r.stderr
        assert all(w in r.stderr for w in words), r.stderr
