"""The command line of `everprof pprof`: flags, sources, files, exit statuses, messages."""

import gzip
import os
import shutil
import subprocess

import pytest

from pprof import Builder


@pytest.fixture
def pprof(everprof, tmp_path):
    """Runs `everprof pprof` in a folder of its own, away from the user's settings."""
    folder = tmp_path / "cwd"
    folder.mkdir()

    def run(*arguments, ok=True, env=None, text=True, stdin=subprocess.DEVNULL):
        r = subprocess.run(
            [everprof, "pprof", *arguments], capture_output=True, text=text, timeout=60, cwd=folder, stdin=stdin,
            env={**os.environ, "TZ": "UTC", "HOME": str(tmp_path), "PPROF_TOOLS": "", "PPROF_BINARY_PATH": "", **(env or {})},
        )
        assert r.returncode == (0 if ok else 2), r.stderr
        return r

    run.folder = folder
    return run


@pytest.fixture
def cpu(tmp_path):
    def write(name, *stacks):
        b = Builder()
        for stack, n in stacks:
            b.add(stack, [n, n * 10_000_000])
        (tmp_path / name).write_bytes(b.gz())
        return str(tmp_path / name)

    return write


@pytest.fixture
def one(cpu):
    return cpu("one.pb.gz", (["work", "main"], 30), (["idle", "main"], 10))


def rows(text):
    """{function: (flat, cum)} of a `top`."""
    table = text.split("cum%\n", 1)[1].splitlines()
    return {line.split(None, 5)[5]: (line.split()[0], line.split()[3]) for line in table}


MISTAKES = [
    (["-top"], "no profile source specified"),
    (["-top", "-tree", "F"], "must set at most one output format"),
    (["-cum", "-flat", "-top", "F"], "conflicting options set: [cum flat]"),
    (["-top", "-normalize", "F"], "must have base profile to normalize by"),
    (["-top", "-base=F", "-diff_base=F", "F"], "-base and -diff_base flags cannot both be specified"),
    (["-top", "-http=:", "F"], "-http is not compatible with an output format on the command line"),
    (["-no_browser", "F"], "-no_browser only makes sense with -http"),
    (["-nodecount=x", "-top", "F"], 'invalid value "x" for flag -nodecount: parse error'),
    (["-focsu=x", "-top", "F"], "flag provided but not defined: -focsu; did you mean -focus?"),
    (["-top", "-sample_index=7", "F"], "sample_index 7 is outside the range [0..1]"),
    (["-top", "-sample_index=x", "F"], 'sample_index "x" must be one of: [samples cpu]'),
    (["-top", "-divide_by=0", "F"], "zero divisor specified"),
    (["-peek=nosuch", "F"], "no matches found for regexp: nosuch"),
    (["-top", "nosuch.pb"], "nosuch.pb: stat nosuch.pb: no such file or directory\nfailed to fetch any source profiles"),
    (["-top", "-base=nosuch.pb", "F"], "nosuch.pb: stat nosuch.pb: no such file or directory\nfailed to fetch any base profiles"),
    (["-top", "-output=no/dir/x", "F"], "Generating report in no/dir/x\nopen no/dir/x: no such file or directory"),
    (["-list", "F"], "-list takes an expression: -list=REGEX "),
    (["-top", "nosuch.pb", "-cum"], "flags stand before the sources: -cum is read as a file\n"),
]


@pytest.mark.parametrize("arguments, message", MISTAKES, ids=[m[1][:40] for m in MISTAKES])
def test_a_mistake_is_named_on_standard_error_and_the_status_is_2(pprof, one, arguments, message):
    r = pprof(*[a.replace("F", one) if a == "F" or a.endswith("=F") else a for a in arguments], ok=False)
    assert not r.stdout
    assert message in r.stderr


def test_flags_have_one_dash_or_two_and_values_behind_a_blank_or_an_equals(pprof, one):
    expected = pprof("-top", "-nodecount=1", one).stdout
    assert pprof("--top", "--nodecount", "1", one).stdout == expected
    assert pprof("-text", "-nodecount=0x1", "-tree=false", one).stdout == expected
    assert "Showing top 1 nodes out of 3" in expected


def test_several_sources_are_merged_and_a_broken_one_is_passed_over(pprof, cpu, one):
    two = cpu("two.pb.gz", (["work", "main"], 5))
    r = pprof("-top", one, "nosuch.pb", two)
    assert rows(r.stdout)["work"] == ("350ms", "350ms")
    assert "nosuch.pb: stat nosuch.pb: no such file or directory\n" in r.stderr
    assert "Fetched 2 source profiles out of 3\n" in r.stderr


def test_bases_are_subtracted_or_compared_and_may_be_several(pprof, cpu, one):
    base = cpu("base.pb.gz", (["work", "main"], 10), (["gone", "main"], 4))
    diff = pprof("-top", "-diff_base", base, one).stdout
    assert rows(diff)["work"] == ("200ms", "200ms") and rows(diff)["gone"] == ("-40ms", "-40ms")
    assert "of 140ms total" in diff  # of a comparison, the base is the whole
    assert "of 340ms total" in pprof("-top", "-base", base, one).stdout
    twice = pprof("-top", "-diff_base", base, "-diff_base", base, one).stdout
    assert rows(twice)["work"] == ("100ms", "100ms")
    normal = pprof("-top", "-normalize", "-diff_base", base, one).stdout
    assert rows(normal)["work"] == ("5ms", "5ms")  # 300 ms of 400 are 105 of 140


def test_output_goes_to_a_file_that_is_emptied_first(pprof, one):
    (pprof.folder / "out").write_text("x" * 100000)
    r = pprof("-top", "-output=out", one)
    assert not r.stdout and "Generating report in out" in r.stderr
    assert (pprof.folder / "out").read_text() == pprof("-top", one).stdout


def test_binary_reports_leave_a_pipe_alone(pprof, one):
    r = pprof("-proto", one, text=False)
    assert gzip.decompress(r.stdout) and not list(pprof.folder.iterdir())


def test_standard_input_is_a_source(pprof, one):
    with open(one, "rb") as f:
        assert pprof("-top", "-", stdin=f).stdout == pprof("-top", one).stdout


def test_a_binary_as_the_first_argument_names_the_profile(pprof, everprof, one):
    assert pprof("-top", everprof, one).stdout.startswith("File: everprof\n")


def test_comments_are_added(pprof, one):
    r = pprof("-proto", "-add_comment=from the test", "-output=out.pb.gz", one)
    assert pprof("-comments", "out.pb.gz").stdout == "from the test\n"
    assert r.stderr.endswith("Generating report in out.pb.gz\n")


def test_drop_frames_are_pruned_unless_all_frames_are_asked_for(pprof, tmp_path):
    b = Builder()
    b.add(["malloc", "new", "work", "main"], [10, 100_000_000])
    (tmp_path / "p.pb.gz").write_bytes(b.gz(drop_frames="malloc|new"))
    assert rows(pprof("-top", tmp_path / "p.pb.gz").stdout) == {"work": ("100ms", "100ms"), "main": ("0", "100ms")}
    assert rows(pprof("-top", "-all_frames", tmp_path / "p.pb.gz").stdout)["malloc"] == ("100ms", "100ms")


def test_aliases_of_sample_index(pprof, data):
    heap = data / "pprof" / "real" / "heap.pb.gz"
    assert pprof("-top", "-alloc_space", heap).stdout == pprof("-top", "-sample_index=alloc_space", heap).stdout
    r = pprof("-top", "-alloc_space", "-inuse_space", heap)
    assert "Multiple value selections, ignoring -alloc_space" in r.stderr


def fake(folder, name, script):
    path = folder / name
    path.write_text("#!/bin/sh\n" + script)
    path.chmod(0o755)
    return path


def test_pictures_are_drawn_by_dot_and_an_svg_can_be_moved(pprof, one, tmp_path):
    if not shutil.which("dot"):
        pytest.skip("dot is not installed")
    svg = pprof("-svg", one).stdout
    assert '<svg width="100%" height="100%"' in svg and '<g id="viewport"' in svg
    assert svg.index("<script") < svg.index('id="graph0"') and "wheel" in svg
    assert svg.replace("\n", "").endswith("</g></g></svg>")
    assert pprof("-png", one, text=False).stdout.startswith(b"\x89PNG")


def test_without_dot_a_picture_is_refused_with_a_reason(pprof, one, tmp_path):
    r = pprof("-svg", one, ok=False, env={"PATH": str(tmp_path)})
    assert r.stderr.endswith('failed to execute dot. Is Graphviz installed? Error: exec: "dot": executable file not found in $PATH\n')
    fake(tmp_path, "dot", "exit 3")
    assert pprof("-svg", one, ok=False, env={"PATH": str(tmp_path)}).stderr.endswith("Error: exit status 3\n")


def test_viewers_get_a_file_that_is_gone_afterwards(pprof, one, tmp_path):
    tools = tmp_path / "tools"
    tools.mkdir()
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    fake(tools, "kcachegrind", f'echo "$1" > {tmp_path}/shown; /bin/cat "$1" > {tmp_path}/content')
    pprof("-kcachegrind", one, env={"PATH": str(tools), "TMPDIR": str(temporary)})
    assert (tmp_path / "shown").read_text() == f"{temporary}/pprof001.grind\n"
    assert (tmp_path / "content").read_text() == pprof("-callgrind", one).stdout
    assert not list(temporary.iterdir())
    fake(tools, "mybrowser", f'echo "$1" "$2" > {tmp_path}/shown')
    pprof("-weblist=work", one, env={"PATH": str(tools), "TMPDIR": str(temporary), "BROWSER": "mybrowser --new"})
    assert (tmp_path / "shown").read_text() == f"--new {temporary}/pprof001.html\n"
    r = pprof("-eog", one, ok=False, env={"PATH": str(tools), "TMPDIR": str(temporary)})
    assert "dot" in r.stderr  # eog comes later


def test_help_is_grouped_complete_and_fits_a_terminal(pprof, everprof):
    text = pprof("-help").stdout
    assert text == pprof("--help").stdout == pprof("-h").stdout
    assert not [line for line in text.splitlines() if len(line) > 80]
    for name in ("top", "svg", "focus", "cum", "addresses", "diff_base", "symbolize", "http", "tls_ca", "all_frames", "mean_delay"):
        assert f"  -{name}" in text
    for group in ("Formats", "Options", "Order", "Granularity", "Sources", "examples"):
        assert f"\n{group}" in text


def test_a_pipe_gets_no_colours(pprof, one):
    assert "\x1b" not in pprof("-top", one, env={"TERM": "xterm"}).stdout


def test_it_starts_without_the_libraries_of_others(everprof):
    """Not the network's, the terminal's, the C++ runtime's: they are loaded when needed."""
    needed = subprocess.run(["ldd", everprof], capture_output=True, text=True, check=True, timeout=20).stdout
    for library in ("libcurl", "libedit", "libstdc++", "libcrypto", "libssl"):
        assert library not in needed
