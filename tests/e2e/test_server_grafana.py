"""The calls of Grafana's Pyroscope data source and its drilldown app, in protobuf and in JSON."""

import gzip
import json
import struct
import time
import urllib.parse

import pytest

from harness import CPU, Server
from pprof import Builder, field

SPANS = ["00f067aa0ba902b7", "1111111111111111"]
CT = {"proto": "application/proto", "json": "application/json"}


# --- a reader of protobuf, by tables of fields; written apart from ours -----------------------------


def wire(data):
    """(field, value) of a message: ints, or bytes."""
    at = 0

    def varint():
        nonlocal at
        n = shift = 0
        while True:
            b = data[at]
            at += 1
            n |= (b & 127) << shift
            shift += 7
            if b < 128:
                return n

    while at < len(data):
        key = varint()
        if key & 7 == 0:
            yield key >> 3, varint()
        elif key & 7 == 1:
            yield key >> 3, data[at : at + 8]
            at += 8
        else:
            assert key & 7 == 2, key
            n = varint()
            assert at + n <= len(data)
            yield key >> 3, data[at : at + n]
            at += n


def ints(value):
    if isinstance(value, int):
        return [value]
    out, n, shift = [], 0, 0
    for b in value:
        n |= (b & 127) << shift
        shift += 7
        if b < 128:
            out.append(n - (1 << 64) if n >> 63 else n)
            n = shift = 0
    return out


def read(data, table):
    """As JSON has it: names, lists where the table says so."""
    out = {}
    for number, value in wire(data):
        if number not in table:
            continue
        name, kind = table[number]
        many = name.endswith("[]")
        name = name.removesuffix("[]")
        if isinstance(kind, dict):
            value = [read(value, kind)]
        elif kind == "str":
            value = [value.decode()]
        elif kind == "double":
            value = list(struct.unpack(f"<{len(value) // 8}d", value))
        elif kind == "bytes":
            value = [value]
        else:
            value = ints(value)
        if many:
            out.setdefault(name, []).extend(value)
        else:
            out[name] = value[-1]
    return out


LABEL = {1: ("name", "str"), 2: ("value", "str")}
LABELS = {1: ("labels[]", LABEL)}
GRAPH = {1: ("names[]", "str"), 2: ("levels[]", {1: ("values[]", "int")}), 3: ("total", "int"), 4: ("maxSelf", "int"),
         5: ("leftTicks", "int"), 6: ("rightTicks", "int")}
NAMES = {1: ("names[]", "str")}
ANSWERS = {
    "ProfileTypes": {1: ("profileTypes[]", {1: ("ID", "str"), 2: ("name", "str"), 4: ("sampleType", "str"), 5: ("sampleUnit", "str"),
                                            6: ("periodType", "str"), 7: ("periodUnit", "str")})},
    "LabelNames": NAMES,
    "LabelValues": NAMES,
    "Series": {2: ("labelsSet[]", LABELS)},
    "SelectSeries": {1: ("series[]", {1: ("labels[]", LABEL), 2: ("points[]", {1: ("value", "double"), 2: ("timestamp", "int")})})},
    "SelectMergeStacktraces": {1: ("flamegraph", GRAPH)},
    "SelectMergeSpanProfile": {1: ("flamegraph", GRAPH)},
    "SelectHeatmap": {1: ("series[]", {1: ("labels[]", LABEL), 2: ("slots[]", {1: ("timestamp", "int"), 2: ("yMin[]", "double"),
                                                                             3: ("counts[]", "int")})})},
    "Diff": {1: ("flamegraph", GRAPH)},
    "GetProfileStats": {1: ("dataIngested", "int"), 2: ("oldestProfileTime", "int"), 3: ("newestProfileTime", "int")},
}

# name: (number, kind), as the service's definition has it
MERGE = {"profileTypeID": (1, "str"), "labelSelector": (2, "str"), "start": (3, "int"), "end": (4, "int"), "maxNodes": (5, "int"),
         "spanSelector": (11, "strs")}
REQUESTS = {
    "ProfileTypes": {"start": (1, "int"), "end": (2, "int")},
    "LabelNames": {"matchers": (1, "strs"), "start": (2, "int"), "end": (3, "int")},
    "LabelValues": {"name": (1, "str"), "matchers": (2, "strs"), "start": (3, "int"), "end": (4, "int")},
    "Series": {"matchers": (1, "strs"), "labelNames": (2, "strs"), "start": (3, "int"), "end": (4, "int")},
    "SelectSeries": {"profileTypeID": (1, "str"), "labelSelector": (2, "str"), "start": (3, "int"), "end": (4, "int"),
                     "groupBy": (5, "strs"), "step": (6, "double"), "aggregation": (7, "int"), "limit": (9, "int"), "exemplarType": (10, "int")},
    "SelectMergeStacktraces": MERGE,
    "SelectMergeSpanProfile": {"profileTypeID": (1, "str"), "labelSelector": (2, "str"), "spanSelector": (3, "strs"), "start": (4, "int"),
                               "end": (5, "int"), "maxNodes": (6, "int")},
    "SelectHeatmap": {"profileTypeID": (1, "str"), "labelSelector": (2, "str"), "start": (3, "int"), "end": (4, "int"), "step": (5, "double"),
                      "groupBy": (6, "strs"), "queryType": (7, "int"), "exemplarType": (8, "int"), "limit": (9, "int")},
    "Diff": {"left": (1, MERGE), "right": (2, MERGE)},
    "GetProfileStats": {},
}


def write(table, values):
    out = b""
    for name, value in values.items():
        number, kind = table[name]
        if isinstance(kind, dict):
            out += field(number, write(kind, value))
        elif kind == "strs":
            out += b"".join(field(number, v) for v in value)
        elif kind == "double":
            out += bytes([number << 3 | 1]) + struct.pack("<d", value)
        else:
            out += field(number, value)
    return out


def plain(value, is_json=False):
    """Numbers as numbers: JSON has int64 as text; what is 0 or empty is left out in both."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items() if v not in (0, "", [], {}, None, False, "0")}
    if isinstance(value, list):
        return [plain(v) for v in value]
    if isinstance(value, str) and (value.lstrip("-").isdigit() and len(value) < 20):
        return int(value)
    return value if not isinstance(value, bool) else int(value)


def call(server, method, values, codec, headers=None):
    body = json.dumps(values).encode() if codec == "json" else write(REQUESTS[method], values)
    head = {"Content-Type": CT[codec], "Connect-Protocol-Version": "1", "Accept-Encoding": "gzip", **(headers or {})}
    status, headers, answer = server.api.request(f"/querier.v1.QuerierService/{method}", body, "POST", head)
    if headers.get("Content-Encoding") == "gzip":
        answer = gzip.decompress(answer)
    return status, headers, answer


def ask(server, method, values):
    """Both codecs; they must agree."""
    found = {}
    for codec in CT:
        status, headers, answer = call(server, method, values, codec)
        assert status == 200 and headers["Content-Type"] == CT[codec], (method, codec, answer)
        found[codec] = plain(json.loads(answer) if codec == "json" else read(answer, ANSWERS[method]))
    assert found["json"] == found["proto"], method
    return found["json"]


# --- the data ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shop(everprof, tmp_path_factory):
    """Two services, ten profiles each, of two spans and several weights."""
    s = Server(everprof, tmp_path_factory.mktemp("grafana") / "data").start()
    now = time.time_ns() // 15_000_000_000 * 15_000_000_000
    for i in range(10):
        for service in ("cart", "pay"):
            b = Builder()
            b.add(["read", "handle", "main"], [1, 1000 * (i + 1)], span_id=SPANS[0])
            b.add(["write", "handle", "main"], [1, 500], span_id=SPANS[1])
            b.add(["idle", "main"], [1, 7])
            body = b.gz(time_ns=now - (10 - i) * 15_000_000_000)
            assert s.api.push(body, name=f"{service}%7Bregion%3Deu%7D".replace("%7B", "{").replace("%3D", "=").replace("%7D", "}"))[0] == 200
    s.now_ms = now // 1_000_000
    s.range = {"start": s.now_ms - 200_000, "end": s.now_ms}
    yield s
    assert s.stop() == 0


def query(shop, selector="{}", **more):
    return {"profileTypeID": CPU, "labelSelector": selector, **shop.range, **more}


CART = 10 * 507 + 1000 * 55


def test_save_and_test_asks_for_types_of_1970(shop):
    assert ask(shop, "ProfileTypes", {"start": 1000, "end": 4000}) == {}
    assert call(shop, "ProfileTypes", {"start": 1000, "end": 4000}, "proto")[2] == b""
    assert CPU in [t["ID"] for t in ask(shop, "ProfileTypes", {})["profileTypes"]]


def test_the_menu_of_types_has_names_and_units(shop):
    types = ask(shop, "ProfileTypes", shop.range)["profileTypes"]
    assert [t["ID"] for t in types] == sorted(t["ID"] for t in types)
    cpu = next(t for t in types if t["ID"] == CPU)
    assert cpu == {"ID": CPU, "name": "process_cpu", "sampleType": "cpu", "sampleUnit": "nanoseconds", "periodType": "cpu",
                   "periodUnit": "nanoseconds"}
    assert all(t["ID"].count(":") >= 3 for t in types)


def test_completion_of_labels(shop):
    names = ask(shop, "LabelNames", {"matchers": ['{service_name="cart"}'], **shop.range})["names"]
    assert {"region", "service_name", "span_id"} <= set(names) and names == sorted(names)
    assert ask(shop, "LabelValues", {"name": "service_name", "matchers": ["{}"], **shop.range})["names"] == ["cart", "pay"]
    assert ask(shop, "LabelValues", {"name": "service_name", "matchers": ['{region="us"}'], **shop.range}) == {}


def test_metrics_panel(shop):
    series = ask(shop, "SelectSeries", query(shop, step=15, groupBy=["service_name"], limit=1, exemplarType=1))["series"]
    assert len(series) == 1 and [l["name"] for l in series[0]["labels"]] == ["service_name"]
    points = series[0]["points"]
    times = [p["timestamp"] for p in points]
    assert times == sorted(times) and all((t - shop.range["start"]) % 15000 == 0 for t in times)
    assert sum(p["value"] for p in points) == CART
    one = ask(shop, "SelectSeries", query(shop, step=15))["series"]
    assert len(one) == 1 and "labels" not in one[0] and sum(p["value"] for p in one[0]["points"]) == 2 * CART


def test_profile_panel(shop):
    g = ask(shop, "SelectMergeStacktraces", query(shop, '{service_name="cart"}', maxNodes=100))["flamegraph"]
    assert g["names"][0] == "total" and g["total"] == CART and g["names"][g["levels"][0]["values"][0]] == "total"
    for above, level in zip(g["levels"], g["levels"][1:]):  # each bar lies within one above
        def bars(values):
            x, out = 0, []
            for i in range(0, len(values), 4):
                x += values[i]
                out.append((x, x + values[i + 1]))
                x += values[i + 1]
            return out
        assert all(any(a <= x and y <= b for a, b in bars(above["values"])) for x, y in bars(level["values"]))


def test_an_empty_range_is_an_empty_success(shop):
    old = {"start": 1000, "end": 4000}
    for method, more in (("SelectSeries", {"step": 15}), ("SelectMergeStacktraces", {}), ("SelectHeatmap", {"step": 15}),
                         ("SelectMergeSpanProfile", {"spanSelector": SPANS})):
        found = ask(shop, method, {"profileTypeID": CPU, "labelSelector": "{}", **old, **more})
        assert not found.get("series") and not found.get("flamegraph", {}).get("total"), method


def test_span_profiles(shop):
    one = ask(shop, "SelectMergeSpanProfile", query(shop, '{service_name="cart"}', spanSelector=[SPANS[1]]))["flamegraph"]
    assert one["total"] == 5000 and set(one["names"]) == {"total", "main", "handle", "write"}
    both = ask(shop, "SelectMergeSpanProfile", query(shop, "", spanSelector=SPANS))["flamegraph"]
    assert both["total"] == 2 * (CART - 70)
    same = ask(shop, "SelectMergeStacktraces", query(shop, '{service_name="cart",}', spanSelector=[SPANS[1]]))["flamegraph"]
    assert same == one
    status, _, body = call(shop, "SelectMergeSpanProfile", query(shop, spanSelector=['x"}']), "json")
    assert status == 400 and b"16 hex digits" in body


def test_heatmap_of_profiles_and_of_spans(shop):
    rows = ask(shop, "SelectHeatmap", query(shop, '{service_name="cart"}', step=15, queryType=1, exemplarType=1))["series"]
    assert len(rows) == 1 and "labels" not in rows[0]
    slots = rows[0]["slots"]
    assert len(slots) == 10 and all(len(s["yMin"]) == len(s["counts"]) == 20 for s in slots)
    assert sum(sum(s["counts"]) for s in slots) == 10
    low, high = 1507, 10507
    assert slots[0]["yMin"] == pytest.approx([low + k * (high - low) / 20 for k in range(20)])
    assert slots[0]["counts"][0] == 1 and slots[-1]["counts"][19] == 1
    by = ask(shop, "SelectHeatmap", query(shop, step=15, groupBy=["service_name"], queryType=1))["series"]
    assert sorted(r["labels"][0]["value"] for r in by) == ["cart", "pay"]
    spans = ask(shop, "SelectHeatmap", query(shop, '{service_name="cart"}', step=15, queryType=2))["series"]
    assert sum(sum(s["counts"]) for s in spans[0]["slots"]) == 20
    assert spans[0]["slots"][0]["yMin"][0] == 500


def test_drilldown(shop):
    sets = ask(shop, "Series", {"matchers": [], "labelNames": ["service_name", "__profile_type__"], **shop.range})["labelsSet"]
    assert {"cart", "pay"} == {l["value"] for s in sets for l in s["labels"] if l["name"] == "service_name"}
    assert ask(shop, "GetProfileStats", {})["dataIngested"] == 1
    side = query(shop, '{service_name="cart"}')
    d = ask(shop, "Diff", {"left": side, "right": query(shop, '{service_name="pay"}')})["flamegraph"]
    assert d["leftTicks"] == d["rightTicks"] == CART and d["total"] == 2 * CART
    params = urllib.parse.urlencode({"leftQuery": CPU + "{}", "leftFrom": shop.range["start"], "leftUntil": shop.range["end"],
                                     "rightQuery": CPU + "{}", "rightFrom": shop.range["start"], "rightUntil": shop.range["end"]})
    status, _, body = shop.api.request(f"/pyroscope/render-diff?{params}")
    assert status == 200 and json.loads(body)["leftTicks"] == 2 * CART


def test_errors_are_connect_errors_that_people_can_read(shop):
    for values, words in (({"profileTypeID": CPU, "labelSelector": "{", **shop.range}, ""),
                          ({"profileTypeID": CPU, "labelSelector": "{}"}, "missing time range"),
                          ({"profileTypeID": CPU, "labelSelector": "{}", "start": 5, "end": 4}, "after end time")):
        for codec in CT:
            status, headers, body = call(shop, "SelectMergeStacktraces", values, codec)
            error = json.loads(body)
            assert status == 400 and error["code"] == "invalid_argument" and words in error["message"]
            assert headers["Content-Type"] == "application/json"


# --- limits of a query ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "limit, code, http",
    [("query-time: 1ns", "deadline_exceeded", 504), ("query-bytes: 1", "resource_exhausted", 429), ("query-nodes: 2", "resource_exhausted", 429)],
)
def test_a_query_past_a_limit_says_what_was_reached_and_which_setting_to_change(everprof, data_dir, tmp_path, limit, code, http):
    config = tmp_path / "everprof.yaml"
    config.write_text(f"limits:\n  {limit}\n")
    s = Server(everprof, data_dir, args=["--config", config]).start()
    try:
        for i in range(5):
            b = Builder()
            for k in range(50):
                b.add([f"f{i}-{k}", "main"], [1, 10])
            assert s.api.push(b.gz(time_ns=time.time_ns()))[0] == 200
        now = int(time.time() * 1000)
        values = {"profileTypeID": CPU, "labelSelector": "{}", "start": now - 100_000, "end": now + 1000}
        name, most = limit.split(": ")
        for codec in CT:
            status, _, body = call(s, "SelectMergeStacktraces", values, codec)
            error = json.loads(body)
            assert (status, error["code"]) == (http, code), error
            assert error["message"].startswith(f"{name}: reached ") and "the limit is" in error["message"]
            assert f"tenants: anonymous: {name}:" in error["message"]
        query = urllib.parse.urlencode({"type": CPU, "query": "{}", "from": "now-1h", "until": "now"})
        status, _, body = s.api.request(f"/api/v1/flamegraph?{query}")
        assert status in (504, 422) and f"{name}: reached".encode() in body
        assert s.api.request("/ready")[0] == 200
        assert s.api.push(Builder().add(["x"], [1, 1]).gz(time_ns=time.time_ns()))[0] == 200
    finally:
        assert s.stop() == 0
