"""One small known profile, asked for in every way; the numbers are worked out by hand.

Stacks a;b 2, a;c 3, a 1 in two services, with a label: see the flame graph below.
"""

import gzip
import json
import struct
import subprocess
import time
import urllib.parse

import pytest

from harness import CPU, need
from pprof import Builder, field

NOW_MS = int(time.time() * 1000) // 10000 * 10000 - 60000
RANGE = {"start": NOW_MS - 600000, "end": NOW_MS + 60000}
LEVELS = [["0", "6", "0", "0"], ["0", "6", "1", "1"], ["1", "2", "2", "2", "0", "3", "3", "3"]]


def known(weight=1, at_ms=NOW_MS):
    b = Builder([("cpu", "nanoseconds")])
    b.add(["b", "a"], [2 * weight], endpoint="/b").add(["c", "a"], [3 * weight], endpoint="/c").add(["a"], [weight])
    return b.gz(time_ns=at_ms * 10**6)


@pytest.fixture
def known_server(server):
    assert server.api.push(known(), name="one{region=eu}")[0] == 200
    assert server.api.push(known(100, NOW_MS - 120000), name="two{region=us}")[0] == 200
    return server


def rpc(server, method, want=200, **message):
    code, headers, body = server.api.request(
        f"/querier.v1.QuerierService/{method}",
        body=json.dumps(message).encode(),
        headers={"Content-Type": "application/json", "Connect-Protocol-Version": "1"},
    )
    assert code == want, body
    assert headers["Content-Type"] == "application/json"
    return json.loads(body)


def proto(server, method, message):
    code, headers, body = server.api.request(
        f"/querier.v1.QuerierService/{method}", body=message, headers={"Content-Type": "application/proto"}
    )
    assert code == 200, body
    assert headers["Content-Type"] == "application/proto"
    return body


def select(service="one", **more):
    return {"profileTypeID": CPU, "labelSelector": f'{{service_name="{service}"}}', **RANGE, **more}


def test_profile_types(known_server):
    want = [
        {
            "ID": CPU,
            "name": "process_cpu",
            "sampleType": "cpu",
            "sampleUnit": "nanoseconds",
            "periodType": "cpu",
            "periodUnit": "nanoseconds",
        }
    ]
    assert rpc(known_server, "ProfileTypes", **RANGE) == {"profileTypes": want}
    assert rpc(known_server, "ProfileTypes") == {"profileTypes": want}
    assert rpc(known_server, "ProfileTypes", start=1000, end=4000) == {}, "Grafana's health check"
    assert proto(known_server, "ProfileTypes", field(1, 1000) + field(2, 4000)) == b""
    assert CPU.encode() in proto(known_server, "ProfileTypes", b"")


def test_label_names_and_values(known_server):
    names = rpc(known_server, "LabelNames", matchers=["{}"], **RANGE)["names"]
    assert names == sorted(set(names))
    assert {"service_name", "region", "endpoint"} <= set(names)
    values = lambda **m: rpc(known_server, "LabelValues", **RANGE, **m).get("names", [])
    assert values(name="service_name") == ["one", "two"]
    assert values(name="service_name", matchers=['{region="eu"}']) == ["one"]
    assert values(name="service_name", matchers=['{region="eu"}', '{region="us"}']) == ["one", "two"]
    assert values(name="endpoint", matchers=['{service_name="one"}']) == ["/b", "/c"]
    assert values(name="nothing") == []
    assert b"region" in proto(known_server, "LabelNames", field(1, "{}") + field(2, RANGE["start"]) + field(3, RANGE["end"]))


def test_series_sets(known_server):
    sets = rpc(known_server, "Series", labelNames=["service_name", "region"], **RANGE)["labelsSet"]
    got = sorted(tuple((l["name"], l["value"]) for l in s["labels"]) for s in sets)
    assert got == [
        (("region", "eu"), ("service_name", "one")),
        (("region", "us"), ("service_name", "two")),
    ]
    types = rpc(known_server, "Series", labelNames=["service_name", "__profile_type__"], matchers=[], **RANGE)["labelsSet"]
    assert {l["value"] for s in types for l in s["labels"] if l["name"] == "__profile_type__"} == {CPU}


def test_a_missing_range_is_an_error_with_the_known_words(known_server):
    for method in ("LabelNames", "LabelValues", "Series", "SelectSeries", "SelectMergeStacktraces", "SelectMergeProfile"):
        message = {"name": "a", "profileTypeID": CPU, "step": 15}
        e = rpc(known_server, method, want=400, **message)
        assert e["code"] == "invalid_argument" and e["message"] == "missing time range in the query", method
        e = rpc(known_server, method, want=400, start="20", end="10", **message)
        assert e["message"] == "query start time is after end time"


def test_flame_graph_levels(known_server):
    f = rpc(known_server, "SelectMergeStacktraces", **select())["flamegraph"]
    assert f == {
        "names": ["total", "a", "b", "c"],
        "levels": [{"values": v} for v in LEVELS],
        "total": "6",
        "maxSelf": "3",
    }
    assert rpc(known_server, "SelectMergeStacktraces", **select(service="none"))["flamegraph"] == {}
    for nodes, words in ((-1, "must be set"), (2**20 + 1, "is greater than allowed 1048576")):
        assert words in rpc(known_server, "SelectMergeStacktraces", want=400, **select(maxNodes=nodes))["message"]


def test_flame_graph_in_protobuf_is_the_same(known_server):
    body = proto(
        known_server,
        "SelectMergeStacktraces",
        field(1, CPU) + field(2, '{service_name="one"}') + field(3, RANGE["start"]) + field(4, RANGE["end"]),
    )
    levels = b"".join(field(2, field(1, bytes(map(int, level)))) for level in LEVELS)
    names = b"".join(field(1, n) for n in ("total", "a", "b", "c"))
    assert body == field(1, names + levels + field(3, 6) + field(4, 3))


def test_select_series_sums_per_step(known_server):
    step = 30
    m = {**select(), "labelSelector": "{}", "step": step}
    whole = rpc(known_server, "SelectSeries", **m)["series"]
    assert len(whole) == 1 and whole[0].get("labels", []) == []
    assert sorted(p["value"] for p in whole[0]["points"]) == [6, 600]
    for p in whole[0]["points"]:
        assert (int(p["timestamp"]) - RANGE["start"]) % (step * 1000) == 0
    by = rpc(known_server, "SelectSeries", **m, groupBy=["region"])["series"]
    assert [s["labels"] for s in by] == [[{"name": "region", "value": "us"}], [{"name": "region", "value": "eu"}]]
    assert len(rpc(known_server, "SelectSeries", **m, groupBy=["region"], limit=1)["series"]) == 1
    assert rpc(known_server, "SelectSeries", want=400, **{**m, "step": 0.0001})["message"] == "step must be >= 1ms"
    assert rpc(known_server, "SelectSeries", **{**m, "labelSelector": '{a="b"}'}) == {}
    body = proto(
        known_server,
        "SelectSeries",
        field(1, CPU)
        + field(2, '{service_name="one"}')
        + field(3, RANGE["start"])
        + field(4, RANGE["end"])
        + b"\x31"
        + struct.pack("<d", step),
    )
    assert struct.pack("<d", 6.0) in body


def test_select_merge_profile_in_both_forms(known_server):
    p = rpc(known_server, "SelectMergeProfile", **select())
    strings = p["stringTable"]
    assert [strings[int(t["type"])] for t in p["sampleType"]] == ["cpu"]
    assert sum(int(s["value"][0]) for s in p["sample"]) == 6
    body = proto(
        known_server,
        "SelectMergeProfile",
        field(1, CPU) + field(2, '{service_name="one"}') + field(3, RANGE["start"]) + field(4, RANGE["end"]),
    )
    assert b"process_cpu" not in body and b"nanoseconds" in body
    assert known_server.api.push(body, name="again")[0] == 200, "it is a pprof"
    assert known_server.api.top('{service_name="again"}')["total"] == 6


def test_diff(known_server):
    f = rpc(known_server, "Diff", left=select("one"), right=select("two"))["flamegraph"]
    assert f["total"] == "606" and f["leftTicks"] == "6" and f["rightTicks"] == "600"
    assert f["levels"][1]["values"] == ["0", "6", "1", "0", "600", "100", "1"]
    e = rpc(known_server, "Diff", want=400, left=select(), right={**select(), "profileTypeID": "wall:wall:a:b:c"})
    assert e["message"] == "profile types must match"


def test_profile_stats_and_unknown_methods(known_server):
    stats = rpc(known_server, "GetProfileStats")
    assert stats["dataIngested"] is True and int(stats["newestProfileTime"]) == NOW_MS
    assert rpc(known_server, "Nothing", want=501)["code"] == "unimplemented"
    code, headers, _ = known_server.api.request(
        "/querier.v1.QuerierService/LabelNames", body=b"{}", headers={"Content-Type": "text/plain"}
    )
    assert code == 415 and "application/proto" in headers["Accept-Post"]
    assert rpc(known_server, "SelectMergeStacktraces", want=400, **{**select(), "labelSelector": "{a=}"})["message"]


def test_render(known_server):
    query = CPU + '{service_name="one"}'
    r = known_server.api.get("/pyroscope/render", query=query, from_=str(RANGE["start"]), until=str(RANGE["end"]))
    assert r["version"] == 1
    assert r["flamebearer"] == {
        "names": ["total", "a", "b", "c"],
        "levels": [list(map(int, v)) for v in LEVELS],
        "numTicks": 6,
        "maxSelf": 3,
    }
    assert r["metadata"] == {"format": "single", "spyName": "", "sampleRate": 10**9, "units": "samples", "name": "cpu"}
    assert r["timeline"]["durationDelta"] == 15 and sum(r["timeline"]["samples"]) == 6
    assert r["timeline"]["startTime"] == RANGE["start"] // 1000
    grouped = known_server.api.get("/pyroscope/render", query=CPU + "{}", groupBy="region")
    assert sorted(grouped["groups"]) == ["eu", "us"]
    assert sum(grouped["groups"]["us"]["samples"]) == 600
    code, _, body = known_server.api.request("/pyroscope/render")
    assert code == 400 and json.loads(body)["code"] == "invalid_argument"


def test_render_diff_and_label_values(known_server):
    r = known_server.api.get(
        "/pyroscope/render-diff",
        leftQuery=CPU + '{service_name="one"}',
        rightQuery=CPU + '{service_name="two"}',
        leftFrom="now-1h",
        leftUntil="now",
        rightFrom="now-1h",
        rightUntil="now",
    )
    assert r["metadata"]["format"] == "double" and (r["leftTicks"], r["rightTicks"]) == (6, 600)
    assert r["flamebearer"]["levels"][0] == [0, 6, 0, 0, 600, 0, 0]
    assert sorted(known_server.api.get("/pyroscope/label-values", label="region")) == ["eu", "us"]
    assert known_server.api.get("/pyroscope/label-values", label="__name__") == [CPU]


def test_our_api_services_types_labels(known_server):
    s = known_server.api.services()
    assert s["one"]["total"] == {CPU: 6} and s["one"]["types"] == [CPU] and s["one"]["profiles"] == 1
    assert s["two"]["last"] == NOW_MS - 120000
    labels = {l["name"]: l for l in known_server.api.get("/api/v1/labels", type=CPU)["labels"]}
    assert labels["endpoint"]["scope"] == "sample" and labels["region"]["scope"] == "series"
    assert labels["endpoint"]["values"] == 2
    assert not [n for n in labels if n.startswith("__")]
    values = known_server.api.get("/api/v1/labels/endpoint/values", type=CPU, query='{service_name="one"}')
    assert values == {"values": [{"value": "/c", "total": 3}, {"value": "/b", "total": 2}], "more": False}
    assert known_server.api.get("/api/v1/labels/endpoint/values", type=CPU, limit=1)["more"] is True


def test_our_api_flamegraph_top_series_diff(known_server):
    q = {"type": CPU, "query": '{service_name="one"}'}
    t = known_server.api.get("/api/v1/flamegraph", **q)
    assert t["total"] == 6 and t["unit"] == "nanoseconds" and t["type"] == CPU
    names = [t["names"][i] for i in t["node"]["name"]]
    assert list(zip(names, t["node"]["depth"], t["node"]["self"], t["node"]["total"])) == [
        ("total", 0, 0, 6),
        ("a", 1, 1, 6),
        ("b", 2, 2, 2),
        ("c", 2, 3, 3),
    ]
    assert len(t["names"]) == len(t["files"]) == len(t["kinds"]) and t["kinds"][0] == "root"
    assert t["ledger"]["profiles"] == 1
    cut = known_server.api.get("/api/v1/flamegraph", **q, max_nodes=3)
    assert sum(cut["node"]["more"]) == 2
    below = known_server.api.get("/api/v1/flamegraph", **q, path_=["a", "b"])
    assert [below["names"][i] for i in below["node"]["name"]][-1] == "b"
    top = known_server.api.top('{service_name="one"}')
    assert [(r["name"], r["self"], r["total"]) for r in top["rows"]] == [("c", 3, 3), ("b", 2, 2), ("a", 1, 6)]
    assert known_server.api.top('{endpoint="/b"}')["total"] == 202
    assert known_server.api.top('{endpoint=~"/b|/c",region!="us"}')["total"] == 5
    s = known_server.api.get("/api/v1/series", type=CPU, by="region", from_=NOW_MS - 600000, until=NOW_MS + 60000, step=30000)
    assert [(r["labels"], r["total"]) for r in s["series"]] == [({"region": "us"}, 600), ({"region": "eu"}, 6)]
    assert s["step"] == 30000 and s["unit"] == "nanoseconds"
    d = known_server.api.get(
        "/api/v1/diff", type=CPU, a_query='{service_name="one"}', b_query='{service_name="two"}'
    )
    assert (d["total_a"], d["total_b"]) == (6, 600)
    assert d["node"]["self_b"][-1] == 300


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/flamegraph",
        "/api/v1/flamegraph?type=x",
        f"/api/v1/flamegraph?type={CPU}&from=yesterday",
        f"/api/v1/flamegraph?type={CPU}&from=2&until=1",
        f"/api/v1/flamegraph?type={CPU}&query=%7Ba%3D",
        f"/api/v1/flamegraph?type={CPU}&max_nodes=0",
        f"/api/v1/flamegraph?type={CPU}&max_nodes=x",
        f"/api/v1/series?type={CPU}&step=0",
        f"/api/v1/series?type={CPU}&from=0&until=now&step=1",
        f"/api/v1/top?type={CPU}&query=%7Ba%3D~%22(%22%7D",
        "/api/v1/top",
    ],
)
def test_bad_questions_get_a_sentence(server, path):
    code, _, body = server.api.request(path)
    e = json.loads(body)
    assert code == 400 and e["code"] == "invalid_argument" and len(e["error"]) > 5, body


def test_export_opens_in_go_tool_pprof(known_server, tmp_path):
    go = need("go")
    query = urllib.parse.urlencode({"type": CPU, "query": '{service_name="one"}'})
    code, headers, body = known_server.api.request(f"/api/v1/profile?{query}")
    assert code == 200 and gzip.decompress(body)
    file = tmp_path / "profile.pb.gz"
    file.write_bytes(body)
    out = subprocess.run([go, "tool", "pprof", "-top", str(file)], capture_output=True, text=True, timeout=60).stdout
    assert "Type: cpu" in out
    rows = {l.split()[-1]: l.split()[0] for l in out.splitlines() if l.endswith((" a", " b", " c"))}
    assert rows == {"c": "3ns", "b": "2ns", "a": "1ns"}


def test_large_answers_are_packed_when_asked_for(server):
    b = Builder([("cpu", "nanoseconds")])
    for i in range(500):
        b.add([f"function_number_{i}", "main"], [i + 1])
    assert server.api.push(b.gz(time_ns=time.time_ns()), name="big")[0] == 200
    path = "/api/v1/flamegraph?" + urllib.parse.urlencode({"type": CPU, "query": "{}"})
    plain = server.api.request(path)
    packed = server.api.request(path, headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in plain[1] and packed[1]["Content-Encoding"] == "gzip"
    assert json.loads(gzip.decompress(packed[2]))["node"] == json.loads(plain[2])["node"]
    assert len(packed[2]) < len(plain[2]) / 3


def test_symbols_missing_and_bad_tables(server):
    body = json.dumps({"build_ids": ["aa" * 20, "bb" * 20]}).encode()
    code, _, answer = server.api.request("/api/v1/symbols/missing", body=body)
    assert code == 200 and json.loads(answer) == {"missing": ["aa" * 20, "bb" * 20]}
    assert server.api.request("/api/v1/symbols/missing", body=b"{}")[0] == 400
    for build_id in ("aa" * 20, "..%2f..%2fx", "zz"):
        assert server.api.request(f"/api/v1/symbols/{build_id}", body=b"garbage", method="PUT")[0] == 400
