"""Just enough of the pprof format to move a recorded profile in time and to make one."""

import gzip


def varint(n):
    out = bytearray()
    n &= (1 << 64) - 1
    while n > 0x7F:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def _read(data, at):
    n = shift = 0
    while True:
        b = data[at]
        at += 1
        n |= (b & 0x7F) << shift
        shift += 7
        if b < 0x80:
            return n, at


def at_time(profile, seconds):
    """A recorded profile with another time_nanos (field 9), else unchanged."""
    data, out, at = gzip.decompress(profile), bytearray(), 0
    while at < len(data):
        start = at
        key, at = _read(data, at)
        n, at = _read(data, at)  # a length or, for wire type 0, the value
        assert key & 7 in (0, 2), "pprof has varints and lengths only"
        if key & 7 == 2:
            at += n
        if key >> 3 != 9:
            out += data[start:at]
    return gzip.compress(bytes(out) + field(9, int(seconds * 1e9)))


def cpu(stacks, seconds, duration=10):
    """A CPU profile of [(names leaf first, nanoseconds, {label: value})]."""
    strings, functions, body = [""], {}, b""

    def text(s):
        if s not in strings:
            strings.append(s)
        return strings.index(s)

    for kind, unit in (("samples", "count"), ("cpu", "nanoseconds")):
        body += field(1, field(1, text(kind)) + field(2, text(unit)))
    for names, ns, labels in stacks:
        ids = b"".join(varint(functions.setdefault(n, len(functions) + 1)) for n in names)
        sample = field(1, ids) + field(2, varint(ns // 10_000_000) + varint(ns))
        for k, v in labels.items():
            sample += field(3, field(1, text(k)) + field(2, text(v)))
        body += field(2, sample)
    index = {s: i for i, s in enumerate(strings)}
    for name, i in functions.items():
        if name not in index:
            index[name] = len(strings)
            strings.append(name)
        body += field(4, field(1, i) + field(4, field(1, i) + field(2, 1)))
        body += field(5, field(1, i) + field(2, index[name]) + field(3, index[name]))
    for s in strings:
        body += field(6, s.encode())
    body += field(9, int(seconds * 1e9)) + field(10, int(duration * 1e9))
    return gzip.compress(body + field(11, field(1, index["cpu"]) + field(2, index["nanoseconds"])) + field(12, 10_000_000))
