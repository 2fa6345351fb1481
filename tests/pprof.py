"""Just enough of the pprof format to make profiles for tests, written apart from ours."""

import gzip


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

    def raw(self, time_ns=0, duration_ns=10_000_000_000):
        value_type = lambda t, u: field(1, self.string(t)) + field(2, self.string(u))
        out = b"".join(field(1, value_type(t, u)) for t, u in self.types)
        out += b"".join(field(2, s) for s in self.samples)
        for name, id_ in self.functions.items():
            out += field(4, field(1, id_) + field(4, field(1, id_)))
            out += field(5, field(1, id_) + field(2, self.string(name)) + field(3, self.string(name)))
        out += field(9, time_ns) + field(10, duration_ns)
        out += field(11, value_type(*self.period[:2])) + field(12, self.period[2])
        return out + b"".join(varint(6 << 3 | 2) + varint(len(s.encode())) + s.encode() for s in self.strings)

    def gz(self, **times):
        return gzip.compress(self.raw(**times), 1)
