"""Golden outputs: what the reference printed, as transcripts one can read.

    === pprof -top heap.pb.gz
    (standard output)
    === status 2

A transcript belongs to the profiles of one folder.  Standard output that is not text is
there as a hash of its unpacked form; a script for standard input stands in the first line.
"""

import ast
import hashlib
import shlex

from compat.case import plain

HEAD = b"=== pprof "


def body(answer):
    """What is kept of an answer."""
    out = plain(answer.out or answer.written)
    if out and (b"\0" in out or b"\x12" in out):
        return f"binary, {len(out)} bytes, sha256 {hashlib.sha256(out).hexdigest()}\n".encode()
    return out if answer.out or not out else b"(in out.file)\n" + out


def entry(args, stdin, answer):
    """One comparison as text; ends with its status."""
    line = shlex.join(args) + (f" <<< {stdin!r}" if stdin is not None else "")
    head = HEAD + line.encode("utf-8", "surrogateescape")
    assert b"\n" not in head
    return head + b"\n" + body(answer) + b"\n=== status %d\n" % answer.status


def parse(data):
    """[(args, stdin, body, status)] of a transcript."""
    found = []
    for part in data.split(HEAD)[1:]:
        line, rest = part.split(b"\n", 1)
        line = line.decode("utf-8", "surrogateescape")
        stdin = None
        if " <<< " in line:
            line, quoted = line.rsplit(" <<< ", 1)
            stdin = ast.literal_eval(quoted)
        out, status = rest.rsplit(b"\n=== status ", 1)
        found.append((shlex.split(line), stdin, out, int(status)))
    return found
