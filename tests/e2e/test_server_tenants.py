"""Tenants: kept apart by every route, tokens made and revoked, limits, the audit log."""

import json
import os
import re
import subprocess
import threading
import time
import urllib.parse

import pytest

from harness import CPU, ROOT, Server, wait_until
from pprof import Builder, field

A, B, ANY = "token-of-tenant-a-01", "token-of-tenant-b-01", "token-of-any-tenant-1"
SECRET = "acmesecret"  # in each name, value and id of tenant A


def profile(value=1000, stack=("work", "main"), **labels):
    return Builder().add(list(stack), [1, value], **labels).gz(time_ns=time.time_ns())


def auth(token, **more):
    return {"Authorization": f"Bearer {token}", **more}


@pytest.fixture
def tokens(tmp_path):
    file = tmp_path / "tokenfile"
    file.write_text(f"{A} a\n{B} b\n{ANY}\n")
    return file


@pytest.fixture
def two(everprof, data_dir, tokens):
    s = Server(everprof, data_dir, args=["--token-file", tokens]).start()
    yield s
    assert s.stop() == 0


def push(server, token, body=None, name="app", **headers):
    return server.api.request(f"/ingest?name={name}", body or profile(), "POST", auth(token, **headers))


def total(server, token, **headers):
    query = urllib.parse.urlencode({"type": CPU, "query": "{}", "from": "now-1h", "until": "now"})
    status, _, body = server.api.request(f"/api/v1/top?{query}", headers=auth(token, **headers))
    assert status == 200, body
    return json.loads(body)["total"]


def test_profiles_of_tenants_lie_apart(two):
    assert push(two, A)[0] == push(two, B)[0] == 200
    assert push(two, ANY, **{"X-Scope-OrgID": "c"})[0] == 200
    assert push(two, ANY)[0] == 200
    assert push(two, A)[0] == 200
    assert (total(two, A), total(two, B)) == (2000, 1000)
    assert total(two, ANY) == total(two, ANY, **{"X-Scope-OrgID": "c"}) == 1000
    assert total(two, ANY, **{"X-Scope-OrgID": "a"}) == 2000
    assert total(two, ANY, **{"X-Scope-OrgID": "nobody"}) == 0
    assert {"a", "b", "c"} <= {p.name for p in (two.data / "tenants").iterdir()}
    two.stop()
    two.start()
    assert (total(two, A), total(two, B)) == (2000, 1000)


def test_a_header_can_not_leave_the_folder_or_the_token(two):
    for name in ("../x", "..", ".hidden", "a/b", "a|b", "x" * 65, "a b"):
        status, _, body = push(two, ANY, **{"X-Scope-OrgID": name})
        assert status == 400 and b"tenant's name" in body, name
        assert push(two, A, **{"X-Scope-OrgID": name})[0] == 403
    assert push(two, A, **{"X-Scope-OrgID": "b"})[0] == 403
    assert push(two, A, **{"X-Scope-OrgID": "a"})[0] == 200
    assert not (two.data.parent / "x").exists()


# --- nothing of A by any route ---------------------------------------------------------------

BUILD_ID = "ac" * 20


def routes():
    """(method, path) of every row of the server's tables."""
    rows = []
    for file in [*(ROOT / "src/api").glob("*.c"), *(ROOT / "src/ingest").glob("*.c"), *(ROOT / "src/server").glob("*.c")]:
        rows += re.findall(r'^\t\{"([A-Z|]+)", "(/[^"]*)",', file.read_text(), re.M)
    assert len(rows) > 20
    return rows


def questions(now_ms):
    """What to ask of a route: query strings, and bodies with their types."""
    plain = {"type": CPU, "from": "now-1h", "until": "now"}
    selectors = ["{}", f'{{service_name="{SECRET}service"}}', f'{{{SECRET}label="{SECRET}value"}}', f'{{x!="{SECRET}"}}']
    lists = []
    for s in selectors:
        lists.append({**plain, "query": s, "by": "service_name", "a_query": s, "b_query": s, "a_type": CPU, "b_type": CPU,
                      "a_from": "now-1h", "b_from": "now-1h", "a_until": "now", "b_until": "now", "label": "service_name"})
    r = {"query": f"{CPU}{{}}", "from": "now-1h", "until": "now", "label": f"{SECRET}label",
         "leftQuery": f"{CPU}{{}}", "leftFrom": "now-1h", "leftUntil": "now",
         "rightQuery": f"{CPU}{{}}", "rightFrom": "now-1h", "rightUntil": "now"}
    lists += [r, {**r, "label": "service_name"}, {**r, "label": "__name__"}]
    span = {"start": now_ms - 3600_000, "end": now_ms + 1000}
    side = {**span, "profileTypeID": CPU, "labelSelector": "{}"}
    body = {**side, "matchers": [], "name": f"{SECRET}label", "labelNames": [], "groupBy": ["service_name"], "step": 60,
            "left": side, "right": side, "profileIdSelector": [], "build_ids": [BUILD_ID]}
    bodies = [json.dumps(body).encode(), json.dumps({**body, "name": "service_name"}).encode()]
    return [urllib.parse.urlencode(q) for q in lists], bodies


METHODS = ["ProfileTypes", "LabelNames", "LabelValues", "Series", "SelectSeries", "SelectMergeStacktraces", "SelectMergeProfile",
           "SelectMergeSpanProfile", "SelectHeatmap", "Diff", "GetProfileStats", "AnalyzeQuery"]


def paths(path):
    if not path.endswith("*"):
        return [path]
    tails = METHODS if "Querier" in path else [BUILD_ID, f"{SECRET}label/values", "service_name/values", SECRET, "../tenants/a/store", ""]
    return [path[:-1] + t for t in tails]


def crawl(server, token):
    """Every answer that any route gives to this token."""
    queries, bodies = questions(int(time.time() * 1000))
    for methods, pattern in routes():
        for path in paths(pattern):
            for method in methods.split("|"):
                if method in ("GET", "DELETE"):
                    for q in queries:
                        yield method, f"{path}?{q}", server.api.request(f"{path}?{q}", None, method, auth(token))
                else:
                    for body in bodies:
                        h = auth(token, **{"Content-Type": "application/json"})
                        yield method, path, server.api.request(path, body, method, h)


def fill(server):
    """Profiles, labels and symbols of tenant A, all of them with the word in it."""
    p = profile(4242, stack=(f"{SECRET}leaf", f"{SECRET}main"), **{f"{SECRET}label": f"{SECRET}value"})
    assert push(server, A, p, name=f"{SECRET}service%7B{SECRET}series%3D{SECRET}value%7D")[0] == 200
    assert push(server, B, profile(1))[0] == 200


def test_no_route_gives_a_tenant_anything_of_another(two):
    fill(two)
    own = [path for _, path, (_, _, body) in crawl(two, A) if SECRET.encode() in body]
    for needed in ("/api/v1/services", "/api/v1/labels", "/api/v1/labels/", "/api/v1/flamegraph", "/api/v1/top", "/pyroscope/render",
                   "/pyroscope/label-values", "SelectMergeStacktraces", "SelectMergeProfile", "LabelValues", "Series"):
        assert any(needed in p for p in own), f"the crawl does not find A's own data by {needed}"
    asked = 0
    for method, path, (status, headers, body) in crawl(two, B):
        asked += 1
        text = body + str(headers).encode()
        reflected = SECRET in path  # an error may say what was asked for
        if reflected or method == "POST" or method == "PUT":
            text = text.replace(f"{SECRET}label".encode(), b"").replace(f"{SECRET}service".encode(), b"")
            if status >= 400:
                continue
        assert SECRET.encode() not in text, (method, path, status, body[:300])
        assert b"4242" not in body, (method, path, body[:300])
    assert asked > 100


def test_symbols_of_a_tenant_lie_with_it_alone(two):
    table = (ROOT / "tests/data/fuzz/symtab/symbols").read_bytes()[1:]  # a seed: its first byte is the fuzzer's
    build_id = re.search(rb"[0-9a-f]{40}", table)[0].decode()
    missing = json.dumps({"build_ids": [build_id]}).encode()
    for t in (A, B):
        status, _, body = two.api.request("/api/v1/symbols/missing", missing, "POST", auth(t))
        assert json.loads(body)["missing"] == [build_id]
    assert two.api.request(f"/api/v1/symbols/{build_id}", table, "PUT", auth(A))[0] == 200
    held = [p.relative_to(two.data).parts for p in two.data.rglob(f"*{build_id[2:]}*")]
    assert held and all(p[:3] == ("tenants", "a", "symbols") for p in held)


def test_metrics_and_status_of_the_machine_are_not_for_one_tenant(two):
    fill(two)
    all_, own = (two.api.request("/metrics", headers=auth(t))[2].decode() for t in (ANY, B))
    assert 'tenant="a"' in all_ and "everprof_ingest_profiles_total 2" in all_
    assert 'tenant="a"' not in own and "everprof_ingest" not in own and 'everprof_tenant_bytes_total{tenant="b"}' in own
    status = json.loads(two.api.request("/api/v1/status", headers=auth(B))[2])
    assert (status["tenant"], status["host"], status["sees"]) == ("b", "", [])


# --- tokens ---------------------------------------------------------------------------------------


def admin(everprof, data, *args):
    return subprocess.run([str(a) for a in [everprof, "admin", *args, "--data", data]], capture_output=True, text=True,
                          timeout=60)


def test_tokens_are_made_listed_and_revoked_beside_the_running_server(everprof, data_dir):
    s = Server(everprof, data_dir).start()
    try:
        assert s.api.request("/api/v1/services")[0] == 200
        made = {}
        for role in ("read", "write", "admin"):
            r = admin(everprof, s.data, "token", "new", "--role", role, "--tenant", "acme", "--label", f"the {role} one")
            assert r.returncode == 0 and re.fullmatch(r"everprof_[\w-]{32}\n", r.stdout), r.stderr
            made[role] = r.stdout.strip()
        assert s.api.request("/api/v1/services")[0] == 401  # from the first token on
        may = lambda t: (s.api.request("/api/v1/services", headers=auth(t))[0], push(s, t)[0])
        assert {role: may(t) for role, t in made.items()} == {"read": (200, 403), "write": (403, 200), "admin": (200, 200)}
        shown = admin(everprof, s.data, "token", "list").stdout
        assert shown.count("acme") == 3 and "the write one" in shown and not any(t in shown for t in made.values())
        stored = b"".join(p.read_bytes() for p in s.data.iterdir() if p.is_file())
        assert not any(t.encode() in stored for t in made.values())
        ids = {l.split()[1]: l.split()[0] for l in shown.splitlines()[1:]}
        assert admin(everprof, s.data, "token", "revoke", ids["write"]).stdout == f"revoked {ids['write']}\n"
        assert may(made["write"]) == (401, 401) and may(made["read"]) == (200, 403)
        assert admin(everprof, s.data, "token", "revoke", "the read one").returncode == 0
        assert admin(everprof, s.data, "token", "revoke", ids["admin"]).returncode == 0
        assert may(made["admin"]) == (401, 401)
        assert s.api.request("/api/v1/services")[0] == 401  # the last one's end does not open the door
    finally:
        assert s.stop() == 0


def test_mistakes_of_admin_are_told(everprof, data_dir):
    data_dir.mkdir()
    for args, words in (
        (["token", "new", "--role", "king"], "--role is read, write or admin"),
        (["token", "new", "--tenant", "../x"], "tenant's name"),
        (["token", "revoke", "nope"], "there is no token"),
        (["token"], "token wants"),
        (["tokens", "new"], "it wants"),
        ([], "it wants"),
    ):
        r = admin(everprof, data_dir, *args)
        assert r.returncode == 1 and words in r.stderr and r.stderr.count("\n") == 1, r.stderr
    (data_dir / "tokens").write_text("everprof-tokens 1\nhello\n")
    r = admin(everprof, data_dir, "token", "list")
    assert r.returncode == 1 and "damaged" in r.stderr


def test_many_made_at_once_are_all_there(everprof, data_dir):
    runs = [subprocess.Popen([str(everprof), "admin", "token", "new", "--data", str(data_dir)], stdout=subprocess.PIPE)
            for _ in range(12)]
    assert all(r.wait(60) == 0 for r in runs)
    assert len(admin(everprof, data_dir, "token", "list").stdout.splitlines()) == 13


def test_a_token_file_is_read_again_when_it_changes(two, tokens):
    assert push(two, A)[0] == 200
    tokens.write_text(f"{B} b\n")
    assert push(two, A)[0] == 401 and push(two, B)[0] == 200
    tokens.write_text("short\n")  # a mistake: what was good stays good
    assert push(two, B)[0] == 200 and push(two, A)[0] == 401
    assert "stay in force" in two.log.read_text()


def test_a_list_of_tokens_lets_a_server_listen_off_loopback(everprof, data_dir):
    assert admin(everprof, data_dir, "token", "new").returncode == 0
    s = Server(everprof, data_dir)
    s.args = ["--listen", f"0.0.0.0:{s.port}"]
    s.start()
    assert s.api.request("/api/v1/services")[0] == 401
    assert s.stop() == 0


def test_multi_tenant_without_tokens_wants_the_header(everprof, data_dir):
    s = Server(everprof, data_dir, args=["--multi-tenant"]).start()
    try:
        assert s.api.push(profile())[0] == 401
        for name in ("x", "y"):
            status, _, _ = s.api.request("/ingest?name=a", profile(), "POST", {"X-Scope-OrgID": name})
            assert status == 200
        query = urllib.parse.urlencode({"type": CPU, "query": "{}", "from": "now-1h", "until": "now"})
        assert json.loads(s.api.request(f"/api/v1/top?{query}", headers={"X-Scope-OrgID": "x"})[2])["total"] == 1000
    finally:
        assert s.stop() == 0


# --- limits ------------------------------------------------------------------------------------


def limited(everprof, data_dir, tmp_path, tokens, text):
    config = tmp_path / "everprof.yaml"
    config.write_text(text)
    return Server(everprof, data_dir, args=["--token-file", tokens, "--config", config]).start()


def connect_push(server, token, name, **labels):
    label = lambda k, v: field(1, field(1, k) + field(2, v))
    pairs = b"".join(label(k, v) for k, v in {"__name__": "process_cpu", "service_name": name, **labels}.items())
    return server.api.request("/push.v1.PusherService/Push", field(1, pairs + field(2, field(1, profile()))), "POST",
                              auth(token, **{"Content-Type": "application/proto"}))


def test_each_limit_answers_with_its_name_value_limit_and_how_to_raise_it(everprof, data_dir, tmp_path, tokens):
    s = limited(everprof, data_dir, tmp_path, tokens,
                "limits:\n  label-names: 6\ntenants:\n  a:\n    series: 2\n    label-value-size: 20\n    label-values: 4\n"
                "    profile-size: 4KB\n  b:\n    daily: 1KB\n")
    try:
        big = Builder()
        for i in range(2000):
            big.add([f"f{i}", "main"], [1, 1])
        cases = [
            (lambda: push(s, A, name="one"), 200, []),
            (lambda: push(s, A, name="two"), 200, []),
            (lambda: push(s, A, name="one"), 200, []),
            (lambda: push(s, A, name="three"), 429, ["series: 2 ", "limit is 2", "tenants: a: series:"]),
            (lambda: push(s, A, name="x" * 21), 422, ["label-value-size", "21 bytes", "limit is 20", "tenants: a:"]),
            (lambda: push(s, A, name="one%7Ba%3D1,b%3D2,c%3D3,d%3D4,e%3D5%7D"), 422, ["label-names", "limit is 6", "limits:"]),
            (lambda: push(s, A, big.gz(time_ns=time.time_ns()), name="one"), 413, ["profile-size", "4096", "tenants: a:"]),
            (lambda: connect_push(s, A, "four"), 429, ["resource_exhausted", "series: 2 ", "limit is 2"]),
            (lambda: connect_push(s, A, "y" * 21), 400, ["invalid_argument", "label-value-size"]),
            (lambda: push(s, B, profile(1, stack=[f"frame{i}{os.urandom(8).hex()}" for i in range(60)])), 200, []),
            (lambda: push(s, B), 429, ["daily: ", "limit is 1024", "00:00 UTC", "tenants: b: daily:"]),
            (lambda: push(s, ANY, name="z" * 100), 200, []),
        ]
        for i, (do, want, words) in enumerate(cases):
            status, headers, body = do()
            assert status == want, (i, status, body)
            assert all(w in body.decode() for w in words), (i, body)
            if status == 429 and "daily" in body.decode():
                assert 0 < int(headers["Retry-After"]) <= 86401
            if status >= 400:
                assert json.loads(body)["code"] and json.loads(body)["message"]
    finally:
        assert s.stop() == 0


def test_values_of_a_label_are_bounded(everprof, data_dir, tmp_path, tokens):
    s = limited(everprof, data_dir, tmp_path, tokens, "limits:\n  label-values: 3\n")
    try:
        status = [push(s, A, name=f"app%7Bpod%3Dp{i}%7D")[0] for i in (0, 1, 2, 3, 1)]
        assert status == [200, 200, 200, 429, 200]
        assert push(s, B, name="app%7Bpod%3Dp9%7D")[0] == 200
    finally:
        assert s.stop() == 0


def test_a_noisy_tenant_gets_its_own_429s_only(everprof, data_dir, tmp_path, tokens):
    s = limited(everprof, data_dir, tmp_path, tokens, "tenants:\n  a:\n    rate: 1KB\n    burst: 4KB\n")
    done, counts, lock = threading.Event(), {A: {}, B: {}}, threading.Lock()

    def go(token):
        while not done.is_set():
            status = push(s, token)[0]
            with lock:
                counts[token][status] = counts[token].get(status, 0) + 1

    threads = [threading.Thread(target=go, args=(t,)) for t in (A, A, A, A, B)]
    try:
        for t in threads:
            t.start()
        wait_until("the noisy one is refused often, and the other served", lambda: counts[A].get(429, 0) > 200
                   and counts[B].get(200, 0) > 50)
        done.set()
        for t in threads:
            t.join()
        assert set(counts[B]) == {200} and set(counts[A]) <= {200, 429}
        status, headers, body = push(s, A)
        if status == 429:
            assert b"rate: " in body and b"1024 bytes/s" in body and int(headers["Retry-After"]) >= 1
        assert total(s, B) == 1000 * counts[B][200]
        assert f'everprof_tenant_refused_total{{tenant="a"}} ' in s.api.request("/metrics", headers=auth(ANY))[2].decode()
    finally:
        done.set()
        assert s.stop() == 0


# --- the audit log --------------------------------------------------------------------------------


def test_the_audit_log_has_sign_ins_tokens_refusals_start_and_stop(everprof, data_dir, tokens):
    s = Server(everprof, data_dir, args=["--token-file", tokens]).start()
    s.api.request("/sign-in", b"token=" + A.encode(), "POST")
    s.api.request("/sign-in", b"token=wrong-wrong-wrong-1", "POST")
    push(s, "not-a-token-of-ours-1")
    push(s, A, **{"X-Scope-OrgID": "b"})
    assert admin(everprof, s.data, "token", "new", "--tenant", "acme", "--role", "read", "--label", 'quo"te').returncode == 0
    assert admin(everprof, s.data, "token", "revoke", 'quo"te').returncode == 0
    assert s.stop() == 0
    file = s.data / "audit.log"
    assert file.stat().st_mode & 0o777 == 0o600
    events = [json.loads(l) for l in file.read_text().splitlines()]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", e["time"]) for e in events)
    seen = [(e["action"], e["ok"], e.get("tenant")) for e in events]
    assert seen == [("start", True, None), ("sign-in", True, "a"), ("sign-in", False, None), ("refused", False, None),
                    ("refused", False, None), ("token-new", True, "acme"), ("token-revoke", True, "acme"), ("stop", True, None)]
    assert events[1]["peer"] == "127.0.0.1" and len(events[1]["token"]) == 8
    assert "quo\"te" in events[5]["detail"] and not any(t in file.read_text() for t in (A, B, ANY))


def test_a_flood_of_wrong_tokens_does_not_fill_the_audit_log(two):
    start = time.monotonic()
    for _ in range(300):
        push(two, "not-a-token-of-ours-1")
    seconds = time.monotonic() - start
    lines = (two.data / "audit.log").read_text().count('"refused"')
    assert 1 <= lines <= 10 * (seconds + 2)
