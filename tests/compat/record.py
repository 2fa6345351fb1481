#!/usr/bin/env python3
"""Record the golden outputs of `everprof pprof` from `go tool pprof`.

  tests/compat/record.py            all transcripts of tests/data/pprof/golden anew
  tests/compat/record.py --made     also the made-up profiles, from their seeds

Only what the reference answers the same way nine times is kept, and what shows no source
that happens to be on the machine of the recording.
"""

import argparse
import pathlib
import random
import re
import shutil
import sys
import tempfile

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TESTS))

from compat import case as cases  # noqa: E402
from compat import flags, made, model, transcript  # noqa: E402
from compat.run import reference_program  # noqa: E402

REAL = TESTS / "data" / "pprof" / "real"
GOLDEN = TESTS / "data" / "pprof" / "golden"
MADE = 24  # profiles
SOURCE_SHOWN = re.compile(rb"^ROUTINE =+ .* in (/.+)$", re.M)
MAX_BODY = 4000  # bytes of an output that is worth keeping in the tree

# Profiles with what they are good for.
PROFILES = {
    "cpu1.pb.gz": ["-tagfocus=endpoint=search", "-tagroot=endpoint", "-tagleaf=tenant"],
    "heap.pb.gz": ["-sample_index=alloc_objects", "-inuse_space", "-mean", "-tagfocus=1kb:16kb"],
    "allocs.pb.gz": ["-base=heap.pb.gz", "-diff_base=heap.pb.gz"],
    "mutex.pb.gz": ["-mean_delay", "-contentions"],
    "goroutine.pb.gz": ["-tagshow=kind", "-taghide=worker"],
    "rs1.pb": ["-tagroot=thread", "-lines"],
    "ddpprof-wall.pb.gz": ["-filefunctions"],
    "datadog-node-008.part-space.pprof.pb.gz": ["-files"],
    "pyroscope-python-001.series0-sample0.pb": ["-lines"],
    "delta_heap.2.pb.gz": ["-base=delta_heap.1.pb.gz", "-normalize -diff_base=delta_heap.1.pb.gz"],
}
EACH = [
    "-top", "-top -cum -nodecount=12", "-text -lines -nodecount=15", "-tree -nodecount=10", "-peek=main|run", "-traces", "-tags", "-raw",
    "-dot -nodecount=12", "-dot -call_tree -nodecount=8", "-callgrind", "-proto", "-topproto", "-comments",
    "-top -focus=runtime -nodecount=10", "-top -ignore=runtime -unit=ms", "-top -addresses -nodecount=10", "-top -noinlines -files",
    "-tree -hide=runtime -nodecount=6", "-top -show_from=main -relative_percentages -nodecount=8",
]


def record(folder, lines, program):
    """The transcript of command lines on files, and how many were left out."""
    out, left_out = [], 0
    for args, stdin in lines:
        case = {"files": {}, "args": args, "stdin": stdin, "zone": "UTC"}
        answers = []
        with tempfile.TemporaryDirectory() as name:
            work = pathlib.Path(name)
            lay_out(folder, work)
            for _ in range(9):
                answers.append(cases.run(program, case["args"], work, stdin))
                if answers[-1].key() != answers[0].key():
                    break
        answer = answers[0]
        fault = b"panic" in answer.err or answer.status == "no end" or transcript.HEAD in answer.out
        fault = fault or any(pathlib.Path(f.decode()).exists() for f in SOURCE_SHOWN.findall(answer.out))
        if len({a.key() for a in answers}) > 1 or fault or len(transcript.body(answer)) > MAX_BODY:
            left_out += 1
            continue
        out.append(transcript.entry(args, stdin, answer))
    return b"".join(out), left_out


def lay_out(folder, work):
    """All a command line can name: profiles, and sources to list."""
    for file in [*folder.iterdir(), *REAL.iterdir()]:
        if file.suffix in (".gz", ".pb") and not file.name.endswith(".txt.gz"):
            shutil.copy(file, work / file.name)
    (work / "src").mkdir()
    (work / "src" / "a.c").write_text(flags.SOURCE)


def random_lines(seed, p, name, n):
    r = random.Random(seed)
    w = flags.Words(p)
    for _ in range(n):
        yield flags.command_line(r, w, [name], [])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--made", action="store_true", help="make the made-up profiles anew")
    options = parser.parse_args()
    GOLDEN.mkdir(parents=True, exist_ok=True)
    program = reference_program(pathlib.Path("/tmp/everprof-compat"))
    if options.made:
        for i in range(1, MADE + 1):
            (GOLDEN / f"made-{i:02}.pb.gz").write_bytes(model.gz(made.profile(random.Random(i))))
    work = [(GOLDEN / f"{name.split('.p')[0]}.txt", name, own) for name, own in PROFILES.items()]
    for target, name, own in work:
        lines = [([*each.split(), "-symbolize=none", name], None) for each in EACH + ["-top " + o for o in own]]
        drawn = random_lines(name, model.decode((REAL / name).read_bytes()), name, 12)
        lines += [(["-symbolize=none", *args], stdin) for args, stdin in drawn]
        write(target, *record(GOLDEN, lines, program))
    for file in sorted(GOLDEN.glob("made-*.pb.gz")):
        lines = random_lines(file.name, model.decode(file.read_bytes()), file.name, 14)
        write(file.with_name(file.name.replace(".pb.gz", ".txt")), *record(GOLDEN, list(lines), program))


def write(target, text, left_out):
    target.write_bytes(text)
    print(f"{target.name}: {len(transcript.parse(text))} kept, {left_out} left out, {len(text)} bytes")


if __name__ == "__main__":
    main()
