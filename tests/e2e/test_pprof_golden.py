"""`everprof pprof` prints what `go tool pprof` printed: recorded, so no Go is needed."""

import difflib
import pathlib

import pytest

from compat import case, record, transcript

GOLDEN = pathlib.Path(__file__).resolve().parent.parent / "data" / "pprof" / "golden"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    work = tmp_path_factory.mktemp("golden")
    record.lay_out(GOLDEN, work)
    return work


@pytest.mark.parametrize("name", sorted(f.name for f in GOLDEN.glob("*.txt")))
def test_the_output_is_that_of_the_reference(everprof, folder, name):
    recorded = transcript.parse((GOLDEN / name).read_bytes())
    assert recorded
    faults = []
    for args, stdin, wanted, status in recorded:
        answer = case.run([everprof.resolve(), "pprof"], args, folder, stdin)
        got = transcript.body(answer)
        if got != wanted or answer.status != status:
            faults.append(explain(args, stdin, wanted, got, status, answer))
    assert not faults, f"{len(faults)} of {len(recorded)}:\n" + "\n".join(faults[:3])


def explain(args, stdin, wanted, got, status, answer):
    lines = [x.decode(errors="backslashreplace").splitlines() for x in (wanted, got)]
    diff = "\n".join(list(difflib.unified_diff(*lines, "reference", "everprof", lineterm="", n=1))[:30])
    statuses = "" if status == answer.status else f"status {answer.status}, not {status}: {answer.err.decode(errors='replace')[:300]}\n"
    return f"pprof {args} {stdin or ''}\n{statuses}{diff}"
