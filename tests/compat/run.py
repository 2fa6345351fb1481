#!/usr/bin/env python3
"""Compare `everprof pprof` with `go tool pprof` on random profiles and command lines.

  tests/compat/run.py --cases 2000               seeds 1 to 2000: counts, and what differs
  tests/compat/run.py --cases 500 --only tree    those whose command line holds a word
  tests/compat/run.py --seed 17                  one seed, shrunk, with both outputs
  tests/compat/run.py --replay FOLDER            a saved case again

A case counts as stable when the reference gives one answer in --runs runs.  Failing cases
are shrunk and saved below --out, each with its files, to be run again by hand.
"""

import argparse
import collections
import concurrent.futures
import difflib
import os
import pathlib
import shlex
import shutil
import subprocess
import sys

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TESTS))

from compat import case as cases  # noqa: E402
from compat import shrink  # noqa: E402

REAL = TESTS / "data" / "pprof" / "real"
AREAS = {
    "source": ("list", "weblist", "disasm"),
    "graph": ("top", "text", "tree", "peek", "dot", "callgrind", "topproto"),
    "transforms": ("traces", "tags", "comments", "raw", "proto"),
}
FILTERS = ("focus", "ignore", "hide", "show", "show_from", "prune_from", "tagfocus", "tagignore", "tagshow", "taghide", "tagroot", "tagleaf")


def reference_program(folder):
    """The program behind `go tool pprof`, built once, or None without Go."""
    if os.environ.get("PPROF_REFERENCE"):
        return [os.environ["PPROF_REFERENCE"]]
    go = shutil.which("go") or shutil.which("/usr/local/go/bin/go")
    target = folder / "reference-pprof"
    if go and not target.exists():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run([go, "build", "-o", str(target), "cmd/pprof"], check=True, cwd="/")
    return [str(target)] if go else None


def real_profiles():
    return sorted(f for f in REAL.iterdir() if not f.name.endswith(".raw.txt.gz") and f.stat().st_size < 12000)


def area(case, verdict):
    """Whose case it is, by what is left of it."""
    words = [a.lstrip("-").split("=")[0] for a in case["args"] if a.startswith("-")]
    if case["stdin"] is not None or verdict.kind == "status":
        return "driver"
    if "symbolize" in words:
        return "symbols"
    if any(w in FILTERS for w in words) or len(case["files"]) > 1:
        return "transforms"
    return next((a for a, names in AREAS.items() if any(w in names for w in words)), "driver")


def show(case, verdict, out):
    """What differs, for an engineer."""
    print(f"{verdict.kind}: {shlex.join(case['args'])}", file=out)
    if case["stdin"]:
        print("  standard input: " + repr(case["stdin"]), file=out)
    theirs, ours = verdict.theirs, verdict.ours
    if theirs.status != ours.status:
        print(f"  status: {theirs.status} there, {ours.status} here", file=out)
    for name, answer in (("there", theirs), ("here", ours)):
        if answer.err and verdict.kind == "status":
            print(f"  {name}: " + answer.err.decode(errors="replace").strip()[:300].replace("\n", "\n    "), file=out)
    for a, b in ((theirs.out, ours.out), (theirs.written, ours.written)):
        if a == b or verdict.kind == "status":
            continue
        if b"\x12" in a[:200] and not a.startswith(b"//"):
            a, b = (repr(x).encode() for x in (a, b))
        lines = [x.decode(errors="backslashreplace").splitlines() for x in (a, b)]
        for line in list(difflib.unified_diff(*lines, "there", "here", lineterm="", n=2))[:40]:
            print("    " + line[:300], file=out)


def small(case, kind, reference, ours, runs):
    """The case shrunk, and its verdict."""

    def fails(candidate):
        verdict = cases.compare(candidate, reference, ours, runs=3)
        return verdict.kind == kind

    case = shrink.shrink(case, fails)
    return case, cases.compare(case, reference, ours, runs)


def report(case, verdict, options):
    case, verdict = small(case, verdict.kind, options.reference, options.ours, options.runs) if options.shrink else (case, verdict)
    folder = options.out / f"{area(case, verdict)}-{case['seed']}"
    cases.save(case, folder)
    with (folder / "difference.txt").open("w", errors="backslashreplace") as out:
        show(case, verdict, out)
    print(f"--- seed {case['seed']} ({area(case, verdict)}): tests/compat/run.py --replay {folder}")
    print((folder / "difference.txt").read_text(), end="", flush=True)


def make(seed, real, extra):
    case = cases.make(seed, real)
    return {**case, "args": [extra, *case["args"]]} if extra else case


def many(options):
    real = real_profiles()
    count, complaints, failing = collections.Counter(), [], []

    def one(seed):
        case = make(seed, real, options.extra)
        line = " ".join(case["args"]) + (case["stdin"] or "")
        if options.only and options.only not in line or options.without and options.without in line:
            return None
        return case, cases.compare(case, options.reference, options.ours, options.runs)

    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for result in pool.map(one, range(options.first, options.first + options.cases)):
            if result is None:
                continue
            case, verdict = result
            count[verdict.kind] += 1
            if verdict.kind == "same" and verdict.theirs.first_complaint() != verdict.ours.first_complaint():
                complaints.append((case["seed"], verdict))
            if not verdict and len(failing) < options.most:
                failing.append((case, verdict))
    for case, verdict in failing:
        report(case, verdict, options)
    for seed, verdict in complaints[: options.most]:
        print(f"seed {seed}: other words on standard error:\n  there: {verdict.theirs.first_complaint()!r}\n  here:  {verdict.ours.first_complaint()!r}")
    stable = sum(count.values()) - count["unstable"]
    print(f"{sum(count.values())} cases, {stable} stable, {count['same']} identical ({100 * count['same'] / max(1, stable):.2f} %); "
          + f"{count['explained']} explained; of the identical {len(complaints)} with another first line on standard error")
    print(", ".join(f"{n} {kind}" for kind, n in count.most_common()))
    return 0 if stable == count["same"] + count["explained"] else 1


def one_seed(options):
    case = cases.load(options.replay) if options.replay else make(options.seed, real_profiles(), options.extra)
    verdict = cases.compare(case, options.reference, options.ours, options.runs)
    if verdict:
        print(f"{verdict.kind}: {shlex.join(case['args'])}")
        return 0
    if options.replay:
        show(case, verdict, sys.stdout)
    else:
        report(case, verdict, options)
    return 1


def main():
    sys.stdout.reconfigure(errors="backslashreplace")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=200)
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--only", help="cases whose command line or script holds this")
    parser.add_argument("--without", help="leave out cases whose command line or script holds this")
    parser.add_argument("--replay", type=pathlib.Path)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--most", type=int, default=20, help="failing cases to shrink and print")
    parser.add_argument("--no-shrink", dest="shrink", action="store_false")
    parser.add_argument("--everprof", type=pathlib.Path, default=TESTS.parent / os.environ.get("EVERPROF_BUILD", "build") / "everprof")
    parser.add_argument("--self", action="store_true", help="the reference against itself: how often it is stable")
    parser.add_argument("--extra", help="an argument to put before all others, such as -symbolize=none")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("/tmp/everprof-compat"))
    options = parser.parse_args()
    options.reference = reference_program(options.out)
    if options.reference is None:
        sys.exit("Go is not installed: there is nothing to compare with")
    options.ours = options.reference if options.self else [str(options.everprof.resolve()), "pprof"]
    sys.exit(one_seed(options) if options.seed is not None or options.replay else many(options))


if __name__ == "__main__":
    main()
