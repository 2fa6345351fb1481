"""How the stacks of real programs grow: what a store's dictionary has to hold.

    bench-growth EVERPROF SERVER [SERVICE...]

Asks a running server (http://HOST:PORT) for each minute of its last hours, a service at a
time, and counts what was never seen before: at the level of addresses (build ID and
offset), of functions (name and file, inlined ones apart), and of names of physical
functions (inlined ones taken for the function they are in).  "paths" are whole stacks,
"nodes" the stacks and all of their callers: what a tree of them has to store.  Services
with few samples are left out unless they are named.

    hours=3  how far back     least=3000  samples a service must have
"""

import json
import pathlib
import sys
import time
import urllib.parse
import urllib.request
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests"))
from pprof import _fields, _ints  # noqa: E402

CPU = "process_cpu:samples:count:cpu:nanoseconds"
LEVELS = ("address", "function", "name")
MINUTE = 60_000


def get(server, path, **args):
    with urllib.request.urlopen(f"{server}{path}?{urllib.parse.urlencode(args)}", timeout=120) as r:
        return r.read()


def table(fields):
    out = {}
    for number, value in fields:
        out.setdefault(number, []).append(value)
    return out


class Names:
    """The frames of a profile, root first, at each level."""

    def __init__(self, data):
        p = table(_fields(data))
        self.strings = p.get(6, [])
        self.mappings, self.functions, self.frames = {}, {}, {}
        for m in map(lambda b: table(_fields(b)), p.get(3, [])):
            self.mappings[m[1][0]] = (m.get(2, [0])[0], m.get(4, [0])[0], self.text(m.get(6)) or self.text(m.get(5)))
        for f in map(lambda b: table(_fields(b)), p.get(5, [])):
            self.functions[f[1][0]] = (self.text(f.get(2)), self.text(f.get(4)))
        for l in map(lambda b: table(_fields(b)), p.get(4, [])):
            self.frames[l[1][0]] = self.frame(l)
        self.samples = [table(_fields(b)) for b in p.get(2, [])]

    def text(self, index):
        return self.strings[index[0]] if index else b""

    def frame(self, l):
        start, offset, module = self.mappings.get(l.get(2, [0])[0], (0, 0, b""))
        address = l.get(3, [0])[0]
        place = hash((module, address - start + offset))
        lines = [self.functions[table(_fields(b)).get(1, [0])[0]] for b in l.get(4, [])]
        if not lines:
            return ((place,), (place,), (place,))
        own = hash((module, lines[-1][0]))
        return ((place,), tuple(hash(f) for f in reversed(lines)), (own,))

    def stacks(self):
        for s in self.samples:
            ids = [i for v in s.get(1, []) for i in _ints([v])]
            count = next(iter(_ints(s.get(2, []))), 0)
            yield count, [[h for i in reversed(ids) for h in self.frames[i][k]] for k in range(3)]


class Growth:
    def __init__(self):
        self.samples = 0
        self.paths = [set(), set(), set()]
        self.nodes = [set(), set(), set()]
        self.frames = [set(), set(), set()]

    def add(self, data):
        for count, levels in Names(data).stacks():
            self.samples += count
            for k, frames in enumerate(levels):
                node = 0
                for h in frames:
                    node = hash((node, h))
                    self.nodes[k].add(node)
                self.frames[k].update(frames)
                self.paths[k].add(node)

    def counts(self):
        return [self.samples] + [n for k in range(3) for n in (len(self.paths[k]), len(self.nodes[k]), len(self.frames[k]))]


def unpack(data):
    return zlib.decompress(data, 31) if data[:2] == b"\x1f\x8b" else data


def grow(server, service, start, end):
    g, rows = Growth(), []
    query = "{service_name=%s}" % json.dumps(service)
    for minute in range(start, end, MINUTE):
        try:
            data = get(server, "/api/v1/profile", type=CPU, query=query, **{"from": minute, "until": minute + MINUTE - 1})
        except urllib.error.HTTPError:
            data = b""
        before = g.samples
        if data:
            g.add(unpack(data))
        if g.samples > before:
            rows.append((minute, g.counts()))
    return rows


def show(service, rows):
    print(f"\n{service}: {rows[-1][1][0]} samples in {len(rows)} minutes")
    print(f"{'minute':>7} {'samples':>8} |" + " |".join(f"{l + ':':>10}{'paths':>8} {'nodes':>8} {'frames':>7}" for l in LEVELS))
    first, last = rows[0][0], rows[-1][0]
    marks = [1, 2, 5, 10, 20, 30, 45, 60, 90, 120, 180]
    for k, (minute, c) in enumerate(rows):
        age = (minute - first) // MINUTE + 1
        due = [m for m in marks if m <= age]
        if not due and minute != last:
            continue
        marks = [m for m in marks if m > age]
        print(f"{age:>7} {c[0]:>8} |" + " |".join(f"{'':>10}{c[1 + 3 * i]:>8} {c[2 + 3 * i]:>8} {c[3 + 3 * i]:>7}" for i in range(3)))
    half = next((c for _, c in rows if c[0] * 2 >= rows[-1][1][0]), rows[-1][1])
    whole = rows[-1][1]
    rate = lambda i: 100 * (whole[i] - half[i]) / max(1, whole[0] - half[0])
    print("new a hundred samples in the second half: "
          + ", ".join(f"{l} {rate(1 + 3 * i):.1f} paths, {rate(2 + 3 * i):.1f} nodes" for i, l in enumerate(LEVELS)))


def main():
    given = dict(a.split("=", 1) for a in sys.argv[2:] if "=" in a and not a.startswith("http"))
    names = [a for a in sys.argv[2:] if "=" not in a or a.startswith("http")]
    if not names:
        sys.exit(__doc__)
    server, wanted = names[0], names[1:]
    end = int(time.time()) * 1000
    start = end // MINUTE * MINUTE - int(float(given.get("hours", 3)) * 60) * MINUTE
    listed = json.loads(get(server, "/api/v1/services", **{"from": start, "until": end}))["services"]
    listed.sort(key=lambda s: -s["total"].get(CPU, 0))
    for s in listed:
        if (s["name"] in wanted) if wanted else s["total"].get(CPU, 0) >= int(given.get("least", 3000)):
            rows = grow(server, s["name"], start, end)
            if rows:
                show(s["name"], rows)


if __name__ == "__main__":
    main()
