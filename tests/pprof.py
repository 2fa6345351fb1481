"""Just enough of the pprof format to make profiles for tests, written apart from ours."""

import collections
import gzip
import pathlib


def varint(n):
    n &= (1 << 64) - 1
    out = bytearray()
    while n >= 0x80:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value) if value else b""
    if isinstance(value, str):
        value = value.encode()
    return varint(number << 3 | 2) + varint(len(value)) + value


def packed(number, values):
    return field(number, b"".join(varint(v) for v in values))


class Builder:
    """A profile of named functions.

    b = Builder([("samples", "count"), ("cpu", "nanoseconds")])
    b.add(["leaf", "main"], [1, 10_000_000], endpoint="/search")
    b.gz()
    """

    def __init__(self, types=(("samples", "count"), ("cpu", "nanoseconds")), period=("cpu", "nanoseconds", 10_000_000)):
        self.strings = {"": 0}
        self.functions = {}
        self.samples = []
        self.types, self.period = types, period

    def string(self, s):
        return self.strings.setdefault(s, len(self.strings))

    def function(self, name):
        return self.functions.setdefault(name, len(self.functions) + 1)

    def add(self, stack, values, **labels):
        body = packed(1, [self.function(f) for f in stack]) + packed(2, values)
        for key, value in labels.items():
            body += field(3, field(1, self.string(key)) + field(2, self.string(value)))
        self.samples.append(body)
        return self

    def raw(self, time_ns=0, duration_ns=10_000_000_000, drop_frames=""):
        value_type = lambda t, u: field(1, self.string(t)) + field(2, self.string(u))
        out = b"".join(field(1, value_type(t, u)) for t, u in self.types)
        out += b"".join(field(2, s) for s in self.samples)
        for name, id_ in self.functions.items():
            out += field(4, field(1, id_) + field(4, field(1, id_)))
            out += field(5, field(1, id_) + field(2, self.string(name)) + field(3, self.string(name)))
        out += field(7, self.string(drop_frames)) + field(9, time_ns) + field(10, duration_ns)
        out += field(11, value_type(*self.period[:2])) + field(12, self.period[2])
        return out + b"".join(varint(6 << 3 | 2) + varint(len(s.encode())) + s.encode() for s in self.strings)

    def gz(self, **fields):
        return gzip.compress(self.raw(**fields), 1)


def _fields(data):
    """(number, value) of a message: ints, or bytes."""
    at = 0

    def number():
        nonlocal at
        n = shift = 0
        while True:
            b = data[at]
            at += 1
            n |= (b & 0x7F) << shift
            shift += 7
            if b < 0x80:
                return n

    while at < len(data):
        key = number()
        if key & 7 == 0:
            yield key >> 3, number()
        elif key & 7 == 2:
            n = number()
            yield key >> 3, data[at : at + n]
            at += n
        else:
            raise ValueError(f"wire type {key & 7}")


def _ints(values):
    """Repeated integers, packed or not."""
    out = []
    for v in values:
        if isinstance(v, int):
            out.append(v)
            continue
        n = shift = 0
        for b in v:
            n |= (b & 0x7F) << shift
            shift += 7
            if b < 0x80:
                out.append(n)
                n = shift = 0
    return out


Mapping = collections.namedtuple("Mapping", "file build_id")
Sample = collections.namedtuple("Sample", "stack values labels")  # stack: names, leaf first


class Profile:
    """What is in a profile, from its bytes or a file: samples of (stack, values, labels)."""

    def __init__(self, source):
        data = source if isinstance(source, bytes) else pathlib.Path(source).read_bytes()
        raw = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
        top = {}
        for number, value in _fields(raw):
            top.setdefault(number, []).append(value)
        self.strings = [s.decode() for s in top[6]]
        text = lambda i: self.strings[i]
        message = lambda m: dict(_fields(m))
        self.types = [text(message(t).get(1, 0)) for t in top.get(1, [])]
        self.comments = [text(i) for i in _ints(top.get(13, []))]
        self.period = top.get(12, [0])[0]
        self.time_ns, self.duration_ns = top.get(9, [0])[0], top.get(10, [0])[0]
        names = {f[1]: text(f.get(2, 0)) for f in map(message, top.get(5, []))}
        maps = [message(m) for m in top.get(3, [])]
        self.mappings = {m[1]: Mapping(text(m.get(5, 0)), text(m.get(6, 0))) for m in maps}
        frames = {}
        for l in top.get(4, []):
            lines = [message(v)[1] for n, v in _fields(l) if n == 4]
            head = {n: v for n, v in _fields(l) if n != 4}
            frames[head[1]] = [names[f] for f in lines] or [hex(head.get(3, 0))]
        self.samples = []
        for s in top.get(2, []):
            parts = list(_fields(s))
            stack = [f for l in _ints([v for n, v in parts if n == 1]) for f in frames[l]]
            labels = [message(v) for n, v in parts if n == 3]
            self.samples.append(
                Sample(
                    stack,
                    _ints([v for n, v in parts if n == 2]),
                    {text(l[1]): text(l[2]) if l.get(2) else l.get(3, 0) for l in labels},
                )
            )

    def total(self, column="cpu"):
        i = self.types.index(column)
        return sum(s.values[i] for s in self.samples)

    def shares_by_label(self, name):
        total = self.total()
        return {k: v / total for k, v in self.total_by(name).items()}

    def share_with(self, function):
        """Share of the total whose stack holds the function."""
        i = self.types.index("cpu")
        return sum(s.values[i] for s in self.samples if function in s.stack) / self.total()

    def total_by(self, label, column=-1):
        """Sums of a value column by a label."""
        sums = {}
        for _, values, labels in self.samples:
            key = labels.get(label)
            sums[key] = sums.get(key, 0) + values[column]
        return sums

    def ledger(self):
        line = next(c for c in self.comments if c.startswith("#everprof ledger "))
        return {k: int(v) for k, v in (p.split("=") for p in line.split()[2:])}


def at_time(profile_gz, seconds):
    """A recorded profile with another time: a second gzip member that holds only
    time_nanos is a valid file and a valid message, in which the last value wins."""
    return profile_gz + gzip.compress(field(9, int(seconds * 1e9)))


def cpu(stacks, seconds, duration=10):
    """A CPU profile of [(names leaf first, nanoseconds, {label: value})]."""
    b = Builder()
    for names, ns, labels in stacks:
        b.add(names, [ns // 10_000_000, ns], **labels)
    return b.gz(time_ns=int(seconds * 1e9), duration_ns=int(duration * 1e9))
