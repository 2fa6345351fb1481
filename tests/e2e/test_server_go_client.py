"""The real Go client of Pyroscope pushes here, and its tags filter."""

import subprocess

import pytest

from harness import CPU, ROOT, need


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    go = need("go")
    out = tmp_path_factory.mktemp("go") / "client"
    build = subprocess.run(
        [go, "build", "-o", str(out), "."],
        cwd=ROOT / "tests" / "clients" / "pyroscope-go",
        capture_output=True,
        text=True,
        timeout=300,
    )
    if build.returncode:
        pytest.skip(f"the Go client does not build here: {build.stderr.strip().splitlines()[-1]}")
    return out


def test_the_go_client_pushes_and_its_tags_filter(server, client):
    run = subprocess.run([str(client), server.url, "6"], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0 and "done" in run.stdout, run.stderr
    assert "error" not in run.stderr.lower(), run.stderr
    service = server.api.services()["go.client"]
    names = {t.split(":")[0] for t in service["types"]}
    assert {"process_cpu", "memory", "goroutines"} <= names
    total = lambda more: server.api.top('{service_name="go.client",region="eu-west"%s}' % more)["total"]
    checkout, search = total(',controller="checkout"'), total(',controller="search"')
    assert total("") >= 1e9
    # 75 ms to 25 ms of work, seen by a 100 Hz clock: the order is sure, the share is not.
    assert checkout > search > 0
    rows = server.api.top('{service_name="go.client",controller="checkout"}')["rows"]
    assert any(r["name"] == "main.checkout" for r in rows)
    assert not any(r["name"] == "main.search" and r["self"] > checkout / 2 for r in rows)
    values = server.api.get("/api/v1/labels/controller/values", type=CPU, query='{service_name="go.client"}')["values"]
    assert [v["value"] for v in values] == ["checkout", "search"]
