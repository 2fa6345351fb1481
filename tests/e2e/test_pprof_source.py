"""list, weblist and disasm: golden outputs of the reference, and odd sources.

tests/data/pprof/source holds a small program with a profile of it, what objdump printed
of it (so that no tool's version matters), and what google/pprof made of all that.
"""

import gzip
import json
import os
import subprocess

import pytest

from compat import model


@pytest.fixture
def pprof(everprof, tmp_path):
    """Run everprof pprof: (exit code, standard output, standard error)."""

    def run(*arguments, cwd=tmp_path):
        done = subprocess.run(
            [everprof, "pprof", "-symbolize=none", *map(str, arguments)],
            capture_output=True, timeout=60, check=False, cwd=cwd,
            env={**os.environ, "TZ": "UTC", "PPROF_TMPDIR": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)},
        )
        return done.returncode, done.stdout.decode("utf-8", "surrogateescape"), done.stderr.decode()

    return run


@pytest.fixture
def golden(data):
    return data / "pprof" / "source"


def mix(golden):
    return golden / "mix", golden / "mix.pb.gz"


# --- as the reference wrote them ---------------------------------------------------


@pytest.mark.parametrize("name, regex", [("hash", "hash"), ("push", "Ring::push")])
def test_list_is_the_reference_s(pprof, golden, name, regex):
    # The folder does not exist; its parents are searched too.
    code, out, _ = pprof("-trim_path=/src", f"-source_path={golden}/a/b", f"-list={regex}", *mix(golden))
    assert code == 0
    assert out == (golden / f"list-{name}.txt").read_text()


@pytest.mark.parametrize("name, regex", [("hash", "hash"), ("push", "Ring::push"), ("hash", "0x11f4")])
def test_disasm_is_the_reference_s(pprof, golden, name, regex):
    code, out, err = pprof("-trim_path=/src", f"-tools={golden}/tools", f"-disasm={regex}", *mix(golden))
    assert code == 0, err
    want = (golden / f"disasm-{name}.txt").read_text()
    if regex.startswith("0x"):  # then it is named as it is linked
        want = want.replace("== mix::hash\n", "== _ZN3mix4hashEPKjj\n")
    assert out == want


@pytest.mark.parametrize("name, regex", [("hash", "hash"), ("push", "Ring::push")])
def test_the_body_of_weblist_is_the_reference_s(pprof, golden, tmp_path, name, regex):
    page = tmp_path / "page.html"
    code, _, err = pprof(
        "-trim_path=/src", f"-source_path={golden}", f"-tools={golden}/tools", f"-output={page}",
        f"-weblist={regex}", *mix(golden),
    )
    assert code == 0, err
    text = page.read_text()
    assert "<title>mix cpu</title>" in text
    assert text[text.index("<body>"):] == (golden / f"weblist-{name}.html").read_text()


# --- what is said when there is nothing to show -------------------------------------


def test_nothing_that_matches_is_an_error_in_the_reference_s_words(pprof, golden):
    tools = f"-tools={golden}/tools"
    for flag, words in [
        ("-list=nowhere", "no matches found for regexp: nowhere"),
        ("-weblist=nowhere", "no matches found for regexp: nowhere"),
        ("-disasm=nowhere", "no matches found for regexp nowhere"),
        ("-disasm=0x99999999", "no matches found for address 0x99999999"),
        ("-disasm=0x1160", "address 0x1160 found in binary, but the corresponding symbols do not have samples"),
    ]:
        code, out, err = pprof(tools, flag, *mix(golden))
        assert (code, out) == (2, ""), flag
        assert words in err, flag


def test_without_objdump_one_sentence_says_so_and_weblist_still_has_lines(pprof, golden, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    code, out, err = pprof(f"-tools={empty}", "-disasm=hash", *mix(golden))
    assert (code, out) == (2, "")
    assert err.count("cannot disasm: no objdump tool available") == 1
    page = tmp_path / "page.html"
    code, _, err = pprof(
        f"-tools={empty}", "-trim_path=/src", f"-source_path={golden}", f"-output={page}", "-weblist=hash", *mix(golden)
    )
    assert code == 0
    assert err.count("cannot disasm: no objdump tool available") == 1
    assert "<h2>mix::hash</h2>" in page.read_text()
    assert "h = twice(h, v[i]); </span>" in page.read_text()
    assert "114.23ms" in page.read_text()


# --- sources ----------------------------------------------------------------------


def profile(path, lines, name="work", file="work.c", start=0, value=10):
    """A profile with a sample on each of some lines of one function."""
    p = model.empty()
    p["types"] = [["cpu", "count"]]
    p["functions"] = [{"name": name, "system": name, "file": file, "start": start}]
    for i, line in enumerate(lines):
        p["locations"].append({"address": 0, "mapping": None, "lines": [[0, line, 0]], "folded": False})
        p["samples"].append({"locs": [i], "values": [value], "labels": []})
    path.write_bytes(gzip.compress(model.encode(p)))
    return path


def rows(out):
    """The lines of a listing as (flat, cum, number, text)."""
    found = []
    for line in out.splitlines():
        head, colon, text = line.partition(":")
        words = head.split()
        if colon and len(words) == 3 and words[2].isdigit():
            found.append((words[0], words[1], int(words[2]), text))
    return found


def test_lines_end_with_or_without_carriage_returns_and_newlines(pprof, tmp_path):
    (tmp_path / "work.c").write_bytes(b"one\r\ntwo\n\r\nfour\tx\r\r\nlast")
    code, out, _ = pprof("-list=work", profile(tmp_path / "p.pb.gz", [2, 5]))
    assert code == 0
    assert out.encode("utf-8", "surrogateescape").split(b"\n")[3:] == [
        b"         .          .      1:one",
        b"        10         10      2:two",
        b"         .          .      3:",
        b"         .          .      4:four\tx\r",
        b"        10         10      5:last",
        b"",
    ]


def test_a_listing_begins_at_the_function_or_five_lines_before_the_first_sample(pprof, tmp_path):
    (tmp_path / "work.c").write_text("".join(f"line {i}\n" for i in range(1, 101)))
    _, out, _ = pprof("-list=work", profile(tmp_path / "p.pb.gz", [40, 50]))
    assert [r[2] for r in rows(out)] == list(range(35, 56))
    _, out, _ = pprof("-list=work", profile(tmp_path / "p.pb.gz", [40, 99], start=38))
    assert [r[2] for r in rows(out)] == list(range(38, 101))
    _, out, _ = pprof("-list=work", profile(tmp_path / "p.pb.gz", [3]))
    assert [r[2] for r in rows(out)] == list(range(1, 9))


def test_a_file_of_a_million_lines(pprof, tmp_path):
    (tmp_path / "work.c").write_text("".join(f"x{i}\n" for i in range(1, 1_000_001)))
    code, out, _ = pprof("-list=work", profile(tmp_path / "p.pb.gz", [1, 1_000_000]))
    assert code == 0
    found = rows(out)
    assert len(found) == 1_000_000
    assert found[-1] == ("10", "10", 1_000_000, "x1000000")
    assert found[500_000] == (".", ".", 500_001, "x500001")


def test_a_source_that_is_not_there_is_an_error_of_its_function_alone(pprof, tmp_path):
    code, out, _ = pprof("-source_path=/nowhere", "-list=work", profile(tmp_path / "p.pb.gz", [2]))
    assert code == 0
    assert " Error: could not find file work.c on path /nowhere\n" in out
    code, out, _ = pprof("-list=work", profile(tmp_path / "p.pb.gz", [2], file="/nowhere/work.c"))
    assert code == 0
    assert " Error: open /nowhere/work.c: no such file or directory\n" in out
    code, out, said = pprof("-list=work", profile(tmp_path / "p.pb.gz", [2], file=""))
    assert (code, out) == (0, "Total: 10\nNo source information for work\n")
    assert "names without lines; -symbolize=force" in said


def test_a_function_that_begins_behind_its_samples_shows_nothing(pprof, tmp_path):
    # As the reference: nobody looks for the file then.
    code, out, _ = pprof("-list=work", profile(tmp_path / "p.pb.gz", [2], start=30))
    assert (code, out.splitlines()[1:]) == (0, [
        "ROUTINE ======================== work in work.c", "        10         10 (flat, cum)   100% of Total",
    ])


def test_a_profile_cannot_make_us_wait_for_a_device(pprof, tmp_path):
    os.mkfifo(tmp_path / "fifo.c")
    for file in ("fifo.c", "/dev/zero", "/dev/tty", "/"):
        code, out, _ = pprof("-list=work", profile(tmp_path / "p.pb.gz", [2], file=file))
        assert code == 0, file
        assert rows(out) == [], file


def test_hostile_names_and_lines_in_a_page_are_only_text(pprof, tmp_path):
    name, file = "f<script>&\"'+", "<b>&'\"+.c"
    (tmp_path / file).write_bytes(b"<script>alert('x' + \"y\")</script>\n</pre>\x00\xff\n")
    page = tmp_path / "page.html"
    code, _, err = pprof(f"-output={page}", "-weblist=.", profile(tmp_path / "p.pb.gz", [1, 2], name=name, file=file))
    assert code == 0, err
    text = page.read_bytes()
    body = text[text.index(b"<body>"):]
    assert b"<h2>f&lt;script&gt;&amp;&#34;&#39;&#43;</h2>" in body
    assert b'<p class="filename">&lt;b&gt;&amp;&#39;&#34;&#43;.c</p>' in body
    assert b"&lt;script&gt;alert(&#39;x&#39; &#43; &#34;y&#34;)&lt;/script&gt; </span>" in body
    assert b"&lt;/pre&gt;\xef\xbf\xbd\xff </span>" in body
    assert b"<script>" not in body and b"<b>" not in body


def test_lines_beyond_all_files_end_nothing(pprof, tmp_path):
    (tmp_path / "work.c").write_text("one\ntwo\n")
    big = (1 << 63) - 1
    code, out, _ = pprof("-list=work", profile(tmp_path / "p.pb.gz", [1, big, -big - 1, -3]))
    assert code == 0
    assert [r[2] for r in rows(out)] == [1, 2]
    page = tmp_path / "page.html"
    code, _, _ = pprof(f"-output={page}", "-weblist=work", tmp_path / "p.pb.gz")
    assert code == 0
    assert b"one </span>" in page.read_bytes()


# --- as data ----------------------------------------------------------------------


def test_json_of_list_has_the_lines_of_the_text(pprof, golden):
    where = ("-trim_path=/src", f"-source_path={golden}")
    _, out, _ = pprof(*where, "-list=hash", *mix(golden))
    code, text, err = pprof(*where, "-json", "-list=hash", *mix(golden))
    assert code == 0, err
    doc = json.loads(text)
    assert (doc["report"], doc["version"], doc["type"], doc["unit"]) == ("list", 1, "cpu", "nanoseconds")
    (routine,) = doc["routines"]
    assert (routine["function"], routine["file"]) == ("mix::hash", "mix.cc")
    assert [(l["line"], l["text"]) for l in routine["lines"]] == [r[2:] for r in rows(out)]
    assert sum(l["flat"] for l in routine["lines"]) == routine["flat"] > 0
    assert sum(l["cum"] for l in routine["lines"]) == routine["cum"]
    assert doc["total"] > routine["cum"]
    assert doc["total_text"] == out.split()[1]
    texts = [(l.get("flat_text", "."), l.get("cum_text", ".")) for l in routine["lines"]]
    assert texts == [r[:2] for r in rows(out)]


def test_json_of_disasm_has_the_inlined_calls(pprof, golden):
    code, text, err = pprof("-trim_path=/src", f"-tools={golden}/tools", "-json", "-disasm=hash", *mix(golden))
    assert code == 0, err
    (routine,) = json.loads(text)["routines"]
    assert routine["binary"].endswith("/mix")
    insts = routine["instructions"]
    assert insts[0]["address"] == "0x11f0"
    assert sum(i["flat"] for i in insts) == routine["flat"] > 0
    chains = [[f["function"].rpartition("mix")[2] for f in i["inlined"]] for i in insts if "inlined" in i]
    assert any(len(c) == 3 for c in chains)  # stir in twice in hash
    deep = next(i for i in insts if len(i.get("inlined", [])) == 3)
    assert [f["line"] for f in deep["inlined"]][0] == deep["line"]
    assert [f["line"] for f in deep["inlined"]][1:] == [25, 32]


def test_json_of_weblist_puts_instructions_under_lines(pprof, golden):
    code, text, err = pprof(
        "-trim_path=/src", f"-source_path={golden}", f"-tools={golden}/tools", "-json", "-weblist=hash", *mix(golden)
    )
    assert code == 0, err
    (routine,) = json.loads(text)["routines"]
    assert (routine["function"], routine["file"]) == ("mix::hash", "/src/mix.cc")
    line = next(l for l in routine["lines"] if l["line"] == 32)
    assert line["text"] == "\t\th = twice(h, v[i]);"
    assert sum(i["flat"] for i in line["instructions"]) == line["flat"] > 0
    assert {c["line"] for i in line["instructions"] for c in i.get("inlined", [])} >= {19, 25}
