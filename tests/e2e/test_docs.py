"""The manual pages hold what the program and the header hold."""

import re
import shutil
import subprocess

import pytest

from harness import ROOT

PAGE = (ROOT / "docs/man/everprof.1").read_text()
API_PAGE = (ROOT / "docs/man/everprof.h.3").read_text()
SHELLS = {"bash": "complete -o default -F _everprof everprof", "zsh": "#compdef everprof", "fish": "complete -c everprof"}


def plain(roff):
    return re.sub(r"\\f[A-Z]", "", roff.replace("\\-", "-"))


def section(command):
    """The text of a command in the page; `up` takes what `serve` takes, and says so."""
    m = re.search(rf"^\.SS everprof {command}\b(.*?)(?=^\.S[SH])", plain(PAGE), re.S | re.M)
    assert m, f"no section for {command}"
    return m[1] + (section("serve") if 'every flag of\n.BR "everprof serve"' in m[1] else "")


def help_of(everprof, *args):
    r = subprocess.run([everprof, *args], capture_output=True, text=True, timeout=20)
    assert r.returncode == 0 and not r.stderr
    return r.stdout


def commands(everprof):
    return re.findall(r"^  ([a-z]+)  ", help_of(everprof, "--help"), re.M)


def test_every_command_and_flag_of_help_is_in_the_manual_and_the_other_way_round(everprof):
    names = commands(everprof)
    assert len(names) >= 9
    assert sorted(re.findall(r"^\.SS everprof ([a-z]+)", PAGE, re.M)) == sorted(names)
    for name in names:
        flags = re.findall(r"^  (?:-\w, |    )--([a-z-]+)", help_of(everprof, name, "--help"), re.M)
        entries = re.findall(r"^\.TP\n\.B[RI]* (.*)", section(name), re.M)
        documented = re.findall(r"--([a-z-]+)", "\n".join(entries))
        assert sorted(flags) == sorted(documented), name
        for letter, flag in re.findall(r"^  -(\w), --([a-z-]+)", help_of(everprof, name, "--help"), re.M):
            assert re.search(rf"-{letter}\W.*--{flag}", section(name)), f"{name} -{letter}"


def test_every_flag_of_pprof_is_in_its_manual_and_the_other_way_round(everprof):
    page = (ROOT / "docs/man/everprof-pprof.1").read_text()
    flags = re.findall(r"^  -(\w+)", help_of(everprof, "pprof", "--help"), re.M)
    assert len(flags) > 80
    assert sorted(re.findall(r"^\.TP\n\.BI? \\-(\w+)", page, re.M)) == sorted(flags)
    for name in re.findall(r"^  ([A-Z_]+)  ", help_of(everprof, "pprof", "--help"), re.M):
        assert re.search(rf"^\.BR? .*{name}", page, re.M), name


def test_bash_completes_flags_with_one_dash_and_with_two(everprof):
    def complete(command, word):
        script = f'''source <("{everprof}" completion bash)
            COMP_WORDS=("{everprof}" {command} "{word}"); COMP_CWORD=2; _everprof; echo "${{COMPREPLY[@]}}"'''
        r = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=20)
        return r.stdout.split()

    assert complete("pprof", "-tagf") == ["-tagfocus"]
    assert complete("pprof", "-we") == ["-web", "-weblist"]
    assert complete("diff", "--gr") == ["--group-by"]


def test_help_fits_a_terminal_and_says_the_same_in_both_forms(everprof):
    for name in commands(everprof):
        text = help_of(everprof, name, "--help")
        assert text == help_of(everprof, "help", name)
        assert text.startswith(f"usage: everprof {name}")
        assert not [l for l in text.splitlines() if len(l) > 80 or l != l.rstrip()], name
        assert "examples:" in text or name == "version"
    assert not [l for l in help_of(everprof, "--help").splitlines() if len(l) > 80]


def test_every_variable_the_code_reads_is_documented():
    read = set()
    for f in [*(ROOT / "src").rglob("*.c"), *(ROOT / "src").rglob("*.h")]:
        read |= set(re.findall(r'(?:env|getenv|pick|read_(?:number|size)|take_variable)\((?:\w+, )?"(EVERPROF_[A-Z_]+)"', f.read_text()))
    assert len(read) >= 10 and "EVERPROF_HZ" in read
    documented = set(re.findall(r"^\.BR? (EVERPROF_[A-Z_]+)|, \" EVERPROF_", PAGE, re.M))
    documented |= set(re.findall(r'", " (EVERPROF_[A-Z_]+)', PAGE))
    assert read == documented - {""}
    library = (ROOT / "docs/library.md").read_text()
    assert not [name for name in read if name not in library]


def test_the_api_page_has_every_function_and_field_of_the_header():
    header = re.sub(r"/\*.*?\*/", "", (ROOT / "include/everprof.h").read_text(), flags=re.S)
    functions = set(re.findall(r"\b(everprof_\w+[a-z])\(", header))
    macros = set(re.findall(r"#define (EVERPROF_[A-Z]+)\(", header)) | set(re.findall(r"#define (everprof_\w+[a-z])\(", header))
    fields = re.findall(r"[ *](\w+);", re.search(r"struct everprof_config \{(.*?)\n\}", header, re.S)[1])
    assert len(functions) >= 8 and {"EVERPROF_LABELS", "EVERPROF_WITH"} <= macros and "hz" in fields
    text = plain(API_PAGE)
    missing = [n for n in functions | macros | set(fields) if not re.search(rf"\b{n}\b", text)]
    assert not missing


@pytest.mark.parametrize("page", ["everprof.1", "everprof-pprof.1", "everprof.h.3"])
def test_the_pages_are_formatted_without_a_warning(page):
    if not shutil.which("groff"):
        pytest.skip("groff is not installed")
    r = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-z", ROOT / "docs/man" / page], capture_output=True, text=True)
    assert (r.returncode, r.stderr) == (0, "")
    heads = re.findall(r"^\.SH (.*)", (ROOT / "docs/man" / page).read_text(), re.M)
    assert {"NAME", "SYNOPSIS", "EXAMPLES"} <= set(heads)


@pytest.mark.parametrize("shell", SHELLS)
def test_completions_are_complete_and_read_by_their_shell(everprof, shell, tmp_path):
    script = help_of(everprof, "completion", shell)
    assert SHELLS[shell] in script
    assert all(re.search(rf"\b{name}\b", script) for name in commands(everprof))
    if shutil.which(shell):
        file = tmp_path / "script"
        file.write_text(script)
        check = {"bash": ["bash", "-n"], "zsh": ["zsh", "-n"], "fish": ["fish", "-n"]}[shell]
        assert subprocess.run([*check, file]).returncode == 0


@pytest.mark.parametrize(
    "args, code, sentence",
    [
        ([], 2, "usage:"),
        (["nope"], 2, 'there is no command "nope"'),
        (["help", "nope"], 2, 'there is no command "nope"'),
        (["serve", "--nope"], 2, 'there is no flag "--nope"'),
        (["serve", "argument"], 2, 'takes no argument, and got "argument"'),
        (["serve", "--workers", "0"], 2, "--workers is 1 to 64"),
        (["up", "--max-body", "0"], 2, "more than 0"),
        (["serve", "--config", "/nonexistent"], 2, "can't be read"),
        (["serve", "--listen", "0.0.0.0:0", "--data", "/nonexistent"], 1, "--token-file"),
        (["record", "-o", "/nonexistent/file", "-a"], 1, "/nonexistent/file can't be written"),
        (["record", "-a"], 2, "-o FILE"),
        (["completion"], 2, "bash, zsh, fish"),
        (["run"], 2, "no command"),
    ],
)
def test_a_mistake_is_one_sentence_and_a_code(everprof, args, code, sentence):
    r = subprocess.run([everprof, *args], capture_output=True, text=True, timeout=20)
    assert r.returncode == code and sentence in r.stderr and r.stdout == ""
    assert not args or r.stderr.count("\n") == 1


def test_a_failed_recording_leaves_no_empty_file_and_an_old_one_alone(everprof, tmp_path):
    old, new = tmp_path / "old.pb.gz", tmp_path / "new.pb.gz"
    old.write_bytes(b"a profile")
    for out in (old, new):
        r = subprocess.run([everprof, "record", "-o", out, "--", "/nonexistent"], capture_output=True, timeout=20)
        assert r.returncode in (1, 127)
    assert old.read_bytes() == b"a profile" and not new.exists()
