"""A pprof reader for tests, written apart from ours: stacks, labels, values, comments."""

import gzip
import re
from collections import Counter


def _varint(data, at):
    shift = value = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _fields(data):
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        if tag & 7 == 0:
            value, at = _varint(data, at)
        elif tag & 7 == 2:
            n, at = _varint(data, at)
            value, at = data[at : at + n], at + n
        else:
            raise ValueError(f"wire type {tag & 7}")
        yield tag >> 3, value


def _numbers(value):
    if isinstance(value, int):
        return [value]
    out, at = [], 0
    while at < len(value):
        v, at = _varint(value, at)
        out.append(v)
    return out


class Sample:
    def __init__(self, stack, labels, values):
        self.stack, self.labels, self.values = stack, labels, values  # stack: names, leaf first


class Profile:
    def __init__(self, path_or_bytes):
        data = path_or_bytes if isinstance(path_or_bytes, bytes) else open(path_or_bytes, "rb").read()
        self.strings, self.samples, self.comments, self.mappings = [], [], [], []
        self.period = 0
        functions, locations, raw, comments, types, mappings = {}, {}, [], [], [], []
        for number, value in _fields(gzip.decompress(data)):
            if number == 1:
                types.append(dict(_fields(value)))
            elif number == 2:
                raw.append(list(_fields(value)))
            elif number == 3:
                mappings.append(dict(_fields(value)))
            elif number == 4:
                fields = list(_fields(value))
                loc = dict(fields)
                locations[loc[1]] = (loc.get(3, 0), [dict(_fields(v))[1] for k, v in fields if k == 4])
            elif number == 5:
                f = dict(_fields(value))
                functions[f[1]] = f.get(2, 0)
            elif number == 6:
                self.strings.append(value.decode())
            elif number == 12:
                self.period = value
            elif number == 13:
                comments += _numbers(value)
        s = self.strings
        self.types = [s[t.get(1, 0)] for t in types]
        self.comments = [s[c] for c in comments]
        self.mappings = [{"file": s[m.get(5, 0)], "build_id": s[m.get(6, 0)]} for m in mappings]
        for fields in raw:
            stack, values, labels = [], [], {}
            for number, value in fields:
                if number == 1:
                    for i in _numbers(value):
                        address, names = locations[i]
                        stack += [s[functions[n]] for n in names] or [hex(address)]
                elif number == 2:
                    values += _numbers(value)
                else:
                    label = dict(_fields(value))
                    labels[s[label[1]]] = s[label.get(2, 0)]
            self.samples.append(Sample(stack, labels, values))

    def total(self, column="cpu"):
        i = self.types.index(column)
        return sum(x.values[i] for x in self.samples)

    def by(self, key, column="cpu"):
        """Value by key(sample)."""
        i, out = self.types.index(column), Counter()
        for x in self.samples:
            out[key(x)] += x.values[i]
        return out

    def shares_by_label(self, name):
        total = self.total()
        return {k: v / total for k, v in self.by(lambda x: x.labels.get(name)).items()}

    def share_with(self, function):
        """Share of the total whose stack holds the function."""
        return self.by(lambda x: function in x.stack)[True] / self.total()

    def ledger(self):
        line = next(c for c in self.comments if c.startswith("#everprof ledger "))
        return {k: int(v) for k, v in re.findall(r"(\w+)=(\d+)", line)}
