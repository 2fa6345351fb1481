"""Requests recorded from real Pyroscope clients are taken as they are, and add up.

The recordings are weeks to years old when this runs, and a server refuses profiles
older than its longest tier, so the time inside each pprof is moved to now; nothing
else of a request changes.
"""

import collections
import gzip
import http.client
import json
import re
import time
import urllib.parse

import pytest

from pprof import field, varint

CLIENTS = {"go": "shop.backend", "node": "shop.node", "python": "shop.py", "rust": "shop.rust"}


def read_varint(b, at):
    n = shift = 0
    while True:
        n |= (b[at] & 0x7F) << shift
        at += 1
        shift += 7
        if b[at - 1] < 0x80:
            return n, at


def fields(b):
    """(number, wire, value, raw bytes) of each field of a message."""
    at = 0
    while at < len(b):
        start = at
        key, at = read_varint(b, at)
        if key & 7 == 2:
            n, at = read_varint(b, at)
            value, at = b[at : at + n], at + n
        else:
            assert key & 7 == 0
            value, at = read_varint(b, at)
        yield key >> 3, key & 7, value, b[start:at]


def with_time(pprof, now_ns):
    plain = gzip.decompress(pprof) if pprof[:2] == b"\x1f\x8b" else pprof
    out = b"".join(raw for number, _, _, raw in fields(plain) if number != 9) + field(9, now_ns)
    return gzip.compress(out, 1) if pprof[:2] == b"\x1f\x8b" else out


def message(number, content):
    return varint(number << 3 | 2) + varint(len(content)) + content


def shift_push(body, now_ns):
    """PushRequest: series 1 { labels 1, samples 2 { raw_profile 1, ID 2 } }"""
    out = b""
    for _, _, series, _ in fields(gzip.decompress(body)):
        inside = b""
        for number, _, value, raw in fields(series):
            if number == 2:
                sample = b"".join(
                    message(1, with_time(v, now_ns)) if n == 1 else r for n, _, v, r in fields(value)
                )
                raw = message(2, sample)
            inside += raw
        out += message(1, inside)
    return gzip.compress(out, 1)


def shift_multipart(body, now_ns):
    start = body.index(b"\x1f\x8b")
    end = body.index(b"\r\n--", body.rindex(b"\x1f\x8b"))
    while True:  # a delimiter look-alike inside of gzip would cut it short
        try:
            return body[:start] + with_time(body[start:end], now_ns) + body[end:]
        except (EOFError, gzip.BadGzipFile):
            end = body.index(b"\r\n--", end + 1)


class Recording:
    def __init__(self, folder):
        self.folder = folder

    def requests(self):
        for meta in sorted(self.folder.glob("*.meta.json")):
            m = json.loads(meta.read_text())
            body = (self.folder / meta.name.replace(".meta.json", ".body")).read_bytes()
            yield meta.name[:3], m, body

    def send(self, port, m, body, now_ns):
        kind = m["headers"].get("Content-Type", [""])[0]
        if m["path"].startswith("/push."):
            body = shift_push(body, now_ns)
        elif kind.startswith("multipart/"):
            body = shift_multipart(body, now_ns)
        else:
            body = with_time(body, now_ns)
        c = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        c.putrequest(m["method"], m["path"] + ("?" + m["query"] if m["query"] else ""), skip_accept_encoding=True)
        for name, values in m["headers"].items():
            for value in values if name not in ("Content-Length", "Connection") else []:
                c.putheader(name, value)
        c.putheader("Content-Length", str(len(body)))
        c.endheaders(body)
        r = c.getresponse()
        return r.status, r.read()


def samples(raw_text):
    """[(values by type, labels)] of pprof's -raw output."""
    lines = raw_text.split("Samples:\n", 1)[1].split("\nLocations", 1)[0].splitlines()
    types = [t.split("/")[0] for t in re.sub(r"\[dflt\]", "", lines[0]).split()]
    out = []
    for line in lines[1:]:
        m = re.match(r"\s*(-?\d+(?:\s+-?\d+)*):", line)
        if m and line[0] == " " and not line.startswith(" " * 16 + "  "):
            out.append((dict(zip(types, map(int, m.group(1).split()))), {}))
        else:
            out[-1][1].update(re.findall(r"(\S+?):\[([^\]]*)\]", line))
    return out


def metric(types, config):
    """The names Pyroscope gives, told from what the client says of its types."""
    shown = [config.get(t, {}).get("display-name", t) for t in types]
    if "wall" in types:
        return "wall"
    for s in shown:
        for start, name in (("mutex_", "mutex"), ("block_", "block"), ("goroutine", "goroutines")):
            if s.startswith(start):
                return name
        if s.startswith(("alloc_", "inuse_")):
            return "memory"
        if s in ("cpu", "samples"):
            return "process_cpu"
    raise AssertionError(shown)


def expected(folder, number, m):
    """(metric, samples) of each profile in a request."""
    if m["path"].startswith("/push."):
        for s in json.loads((folder / f"{number}.series.json").read_text()):
            yield dict(s["labels"])["__name__"], samples((folder / f"{s['profile']}.raw.txt").read_text())
        return
    (raw,) = folder.glob(f"{number}.*.raw.txt")
    config = folder / f"{number}.part-sample_type_config.json"
    config = json.loads(config.read_text()) if config.exists() else {}
    got = samples(raw.read_text())
    if got:
        yield metric(list(got[0][0]), config), got


@pytest.mark.parametrize("client", CLIENTS)
def test_recorded_requests_are_taken_and_add_up(server, data, client):
    folder = data / "http" / f"pyroscope-{client}"
    recording = Recording(folder)
    totals, by_label, now_ns = collections.Counter(), collections.Counter(), time.time_ns() - 10**9
    n = 0
    for number, m, body in recording.requests():
        if m["method"] != "POST" or m["path"] not in ("/ingest", "/push.v1.PusherService/Push"):
            continue
        n += 1
        status, answer = recording.send(server.port, m, body, now_ns)
        assert status == 200, f"{number}: {status} {answer}"
        for name, rows in expected(folder, number, m):
            for values, labels in rows:
                if any(v < 0 for v in values.values()):
                    continue
                for t, v in values.items():
                    totals[name, t] += v
                    for k, value in labels.items():
                        by_label[name, t, k, value] += v
    assert n >= 3
    query = f'{{service_name="{CLIENTS[client]}"}}'
    types = server.api.get("/api/v1/types", query=query)["types"]
    ids = {(t["name"], t["sample_type"]): t["id"] for t in types}
    for (name, t), total in totals.items():
        if total:
            assert server.api.top(query, type=ids[name, t])["total"] == total, (name, t)
    assert {k for k, v in totals.items() if v} == set(ids)
    check_labels(server, CLIENTS[client], ids, by_label)


def check_labels(server, service, ids, by_label):
    for (name, t, key, value), total in by_label.items():
        if key in ("controller", "tenant") and total:
            query = f'{{service_name="{service}",{key}="{value}"}}'
            assert server.api.top(query, type=ids[name, t])["total"] == total, (name, t, key, value)


def test_static_labels_of_the_go_client_are_kept_also_when_not_ascii(server, data):
    folder = data / "http" / "pyroscope-go"
    recording = Recording(folder)
    number, m, body = next(r for r in recording.requests() if r[0] == "002")
    assert recording.send(server.port, m, body, time.time_ns())[0] == 200
    values = server.api.get("/api/v1/labels/odd_value/values")["values"]
    name = urllib.parse.parse_qs(m["query"])["name"][0]
    assert [v["value"] for v in values] == [re.search(r"odd_value=([^,}]*)", name).group(1)]
