"""A pprof profile as plain data that a generator can make and a shrinker can cut.

Tables refer to each other by position.  A string with bytes that are not UTF-8 carries
them as Python does in file names (surrogateescape), so a profile is also JSON.
"""

import gzip

from pprof import _fields, _ints, field, packed, varint


def text(s):
    return s.encode("utf-8", "surrogateescape")


def empty():
    return {
        "types": [],  # [type, unit]
        "samples": [],  # {"locs": leaf first, "values", "labels": [key, string] or [key, number, unit]}
        "locations": [],  # {"address", "mapping": index or None, "lines": [function, line, column], "folded"}
        "functions": [],  # {"name", "system", "file", "start"}
        "mappings": [],  # {"start", "limit", "offset", "file", "build_id", "flags": four}
        "comments": [],
        "default": "",
        "doc_url": "",
        "drop": "",
        "keep": "",
        "time": 0,
        "duration": 0,
        "period_type": ["", ""],
        "period": 0,
        "sparse": 0,  # 0: ids count from 1; else they start there and go in steps of 7
        "packed": True,
    }


def encode(p):
    """The protobuf form, plain."""
    strings = {b"": 0}
    string = lambda s: strings.setdefault(text(s), len(strings))
    sparse = p.get("sparse", 0)
    id_of = lambda i: sparse + 7 * i if sparse else i + 1
    if p.get("packed", True):
        repeat = packed
    else:
        repeat = lambda number, values: b"".join(varint(number << 3) + varint(v) for v in values)
    value_type = lambda t: field(1, string(t[0])) + field(2, string(t[1]))

    out = [field(1, value_type(t)) for t in p["types"]]
    for s in p["samples"]:
        body = repeat(1, [id_of(l) for l in s["locs"]]) + repeat(2, s["values"])
        for label in s["labels"]:
            body += field(3, _label(label, string))
        out.append(varint(2 << 3 | 2) + varint(len(body)) + body)
    for i, m in enumerate(p["mappings"]):
        body = field(1, id_of(i)) + field(2, m["start"]) + field(3, m["limit"]) + field(4, m["offset"])
        body += field(5, string(m["file"])) + field(6, string(m["build_id"]))
        out.append(field(3, body + b"".join(field(7 + k, int(f)) for k, f in enumerate(m["flags"]))))
    for i, l in enumerate(p["locations"]):
        body = field(1, id_of(i)) + field(3, l["address"]) + field(5, int(l["folded"]))
        if l["mapping"] is not None:
            body += field(2, id_of(l["mapping"]))
        for function, line, column in l["lines"]:
            body += field(4, field(1, id_of(function)) + field(2, line) + field(3, column))
        out.append(field(4, body))
    for i, f in enumerate(p["functions"]):
        body = field(1, id_of(i)) + field(2, string(f["name"])) + field(3, string(f["system"]))
        out.append(field(5, body + field(4, string(f["file"])) + field(5, f["start"])))
    tail = field(7, string(p["drop"])) + field(8, string(p["keep"])) + field(9, p["time"])
    tail += field(10, p["duration"]) + field(11, value_type(p["period_type"])) + field(12, p["period"])
    tail += repeat(13, [string(c) for c in p["comments"]]) if p["comments"] else b""
    tail += field(14, string(p["default"])) + field(15, string(p["doc_url"]))
    out.append(tail)
    out += [varint(6 << 3 | 2) + varint(len(s)) + s for s in strings]
    return b"".join(out)


def _label(label, string):
    if len(label) == 2:
        return field(1, string(label[0])) + field(2, string(label[1]))
    return field(1, string(label[0])) + field(3, label[1]) + field(4, string(label[2]))


def gz(p):
    return gzip.compress(encode(p), 1, mtime=0)


def _signed(n):
    return n - (1 << 64) if n >= 1 << 63 else n


def decode(data):
    """The model of a profile's bytes, gzip or plain; sound ones only."""
    raw = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    top = {}
    for number, value in _fields(raw):
        top.setdefault(number, []).append(value)
    strings = [s.decode("utf-8", "surrogateescape") for s in top[6]]
    one = lambda number: top.get(number, [0])[-1]
    place = lambda number: {dict(_fields(m))[1]: i for i, m in enumerate(top.get(number, []))}
    functions, mappings, locations = place(5), place(3), place(4)

    def value_type(m):
        m = dict(_fields(m))
        return [strings[m.get(1, 0)], strings[m.get(2, 0)]]

    p = empty()
    p["types"] = [value_type(t) for t in top.get(1, [])]
    for m in map(dict, map(_fields, top.get(3, []))):
        flags = [bool(m.get(7 + k, 0)) for k in range(4)]
        p["mappings"].append(
            {"start": m.get(2, 0), "limit": m.get(3, 0), "offset": m.get(4, 0), "flags": flags,
             "file": strings[m.get(5, 0)], "build_id": strings[m.get(6, 0)]}
        )
    for f in map(dict, map(_fields, top.get(5, []))):
        names = [strings[f.get(n, 0)] for n in (2, 3, 4)]
        p["functions"].append({"name": names[0], "system": names[1], "file": names[2], "start": _signed(f.get(5, 0))})
    for raw_location in top.get(4, []):
        fields = list(_fields(raw_location))
        head = {n: v for n, v in fields if n != 4}
        lines = [dict(_fields(v)) for n, v in fields if n == 4]
        p["locations"].append(
            {"address": head.get(3, 0), "mapping": mappings.get(head.get(2, 0)), "folded": bool(head.get(5, 0)),
             "lines": [[functions[l[1]], _signed(l.get(2, 0)), _signed(l.get(3, 0))] for l in lines]}
        )
    for raw_sample in top.get(2, []):
        fields = list(_fields(raw_sample))
        labels = []
        for l in (dict(_fields(v)) for n, v in fields if n == 3):
            key = strings[l.get(1, 0)]
            labels.append([key, strings[l[2]]] if l.get(2) else [key, _signed(l.get(3, 0)), strings[l.get(4, 0)]])
        p["samples"].append(
            {"locs": [locations[i] for i in _ints([v for n, v in fields if n == 1])],
             "values": [_signed(v) for v in _ints([v for n, v in fields if n == 2])], "labels": labels}
        )
    p["comments"] = [strings[i] for i in _ints(top.get(13, []))]
    p["default"], p["doc_url"], p["drop"], p["keep"] = (strings[one(n)] for n in (14, 15, 7, 8))
    p["time"], p["duration"], p["period"] = (_signed(one(n)) for n in (9, 10, 12))
    p["period_type"] = value_type(one(11)) if 11 in top else ["", ""]
    return p


def compact(p):
    """Without what no sample refers to; for shrinking, so order is kept."""
    q = dict(p)
    keep = sorted({l for s in p["samples"] for l in s["locs"]})
    at = {old: new for new, old in enumerate(keep)}
    q["samples"] = [{**s, "locs": [at[l] for l in s["locs"]]} for s in p["samples"]]
    locations = [p["locations"][l] for l in keep]
    functions = sorted({line[0] for l in locations for line in l["lines"]})
    mappings = sorted({l["mapping"] for l in locations if l["mapping"] is not None})
    f_at = {old: new for new, old in enumerate(functions)}
    m_at = {old: new for new, old in enumerate(mappings)}
    q["locations"] = [
        {**l, "mapping": m_at.get(l["mapping"]), "lines": [[f_at[f], n, c] for f, n, c in l["lines"]]}
        for l in locations
    ]
    q["functions"] = [p["functions"][f] for f in functions]
    q["mappings"] = [p["mappings"][m] for m in mappings]
    return q
