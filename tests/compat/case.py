"""One comparison: files, a command line, and what two programs make of them."""

import gzip
import json
import os
import pathlib
import random
import re
import subprocess
import tempfile

from compat import flags, made, model

ZONES = ["UTC"] * 4 + ["America/New_York", "Asia/Kolkata"]


def make(seed, real=()):
    """The case of a seed: profiles made up or, now and then, real ones."""
    r = random.Random(seed)
    if real and r.random() < 0.25:
        file = r.choice(real)
        p = model.decode(file.read_bytes())
    else:
        p = made.profile(r)
    n = r.choice([1] * 12 + [2, 2, 3])
    files = {f"{chr(97 + i)}.pb.gz": (p if i == 0 else made.relative(r, p)) for i in range(n)}
    sources, base = list(files), []
    if r.random() < 0.15:
        files["base.pb.gz"] = made.relative(r, p)
        base = ["base.pb.gz"]
    if r.random() < 0.02:
        sources.append("absent.pb.gz")
    args, stdin = flags.command_line(r, flags.Words(p), sources, base)
    case = {"seed": seed, "args": args, "stdin": stdin, "zone": r.choice(ZONES), "files": files}
    if any(a.lstrip("-").startswith(("list", "weblist")) for a in args) or stdin:
        case["texts"] = {"src/a.c": flags.SOURCE, "src/b.c": flags.SOURCE[:400], "main.go": flags.SOURCE}
    return case


def lay_out(case, folder):
    """The files of a case in a folder."""
    for name, p in case["files"].items():
        (folder / name).write_bytes(model.gz(p))
    for name, content in case.get("texts", {}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)


class Answer:
    """What a program said: its output (a gzip one unpacked), status, complaints."""

    def __init__(self, out, status, err, written):
        self.out, self.status, self.err = unpack(out), status, err
        self.written = unpack(written)

    def key(self):
        return self.out, self.status, self.written

    def first_complaint(self):
        return self.err.split(b"\n", 1)[0]


def plain(data):
    """Output without what is meant to differ: a page's style and script, which are each
    program's own (docs/pprof-compat.md)."""
    if data.lstrip().startswith(b"<!DOCTYPE html>"):
        return re.sub(rb"(?s)<(style|script)[^>]*>.*?</\1>", b"", data)
    return data


def unpack(data):
    try:
        return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    except (OSError, EOFError):
        return data


def run(program, args, folder, stdin=None, zone="UTC", seconds=30):
    """Run a program with arguments in a folder; what it leaves there is taken away."""
    home = folder / "home"
    home.mkdir(exist_ok=True)
    env = {"PATH": os.environ["PATH"], "HOME": str(home), "TZ": zone, "PPROF_TMPDIR": str(home), "TMPDIR": str(home), "BROWSER": "true"}
    env.update({k: v for k, v in os.environ.items() if k.startswith(("ASAN_", "UBSAN_", "LSAN_", "EVERPROF_"))})
    try:
        done = subprocess.run(
            [*program, *(a.encode("utf-8", "surrogateescape") for a in args)], cwd=folder, env=env, timeout=seconds,
            input=(stdin or "").encode("utf-8", "surrogateescape"), capture_output=True, check=False,
        )
        out, status, err = done.stdout, done.returncode, done.stderr
    except subprocess.TimeoutExpired:
        out, status, err = b"", "no end", b""
    written = b""
    for left in [folder / "out.file", *folder.glob("profile0*"), *folder.glob("callgraph*")]:
        if left.exists():
            written += left.name.encode() + b"\n" + left.read_bytes() if left.name != "out.file" else left.read_bytes()
            left.unlink()
    return Answer(out, status, err, written)


class Verdict:
    """How a case went: unstable (the reference contradicts itself), same, explained
    (what is meant to differ does, and nothing else), or what differs."""

    def __init__(self, kind, theirs=None, ours=None):
        self.kind, self.theirs, self.ours = kind, theirs, ours

    def __bool__(self):
        return self.kind in ("same", "explained", "unstable")


def compare(case, reference, ours, runs=5):
    with tempfile.TemporaryDirectory(prefix="compat-") as name:
        folder = pathlib.Path(name)
        lay_out(case, folder)
        once = lambda program: run(program, case["args"], folder, case["stdin"], case["zone"])
        theirs = [once(reference)]
        mine = once(ours)
        while len(theirs) < runs and len({t.key() for t in theirs}) == 1:
            theirs.append(once(reference))
        if once(ours).key() != mine.key():
            return Verdict("varying", theirs[0], mine)
    if len({t.key() for t in theirs}) > 1:
        return Verdict("unstable", theirs[0], mine)
    return Verdict(difference(theirs[0], mine), theirs[0], mine)


def difference(theirs, mine):
    """What differs, by its name, or "same".

    A panic of the reference is no behaviour to copy: there, any status but 0 is right.
    """
    if theirs.status == 2 and b"\ngoroutine " in theirs.err and b"panic" in theirs.err:
        return "unstable" if mine.status != 0 else "panic"
    if theirs.status != mine.status:
        return "status"
    if plain(theirs.out) != plain(mine.out):
        return "output"
    if plain(theirs.written) != plain(mine.written):
        return "file"
    return "same" if (theirs.out, theirs.written) == (mine.out, mine.written) else "explained"


def save(case, folder):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "case.json").write_text(json.dumps(case, indent=1) + "\n")
    lay_out(case, folder)


def load(folder):
    return json.loads((pathlib.Path(folder) / "case.json").read_text())
