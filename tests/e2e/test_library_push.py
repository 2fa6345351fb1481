"""All that the library profiles arrives whole: on our server, and on a real Pyroscope."""

import json
import os
import shutil
import subprocess
import urllib.parse
import urllib.request

import pytest

from harness import free_port, stop, wait_until
from pprof import Profile
from test_library import compiled, run  # noqa: F401 (a fixture)

TYPES = {
    "process_cpu:samples:count:cpu:nanoseconds": ("cpu", "samples"),
    "process_cpu:cpu:nanoseconds:cpu:nanoseconds": ("cpu", "cpu"),
    "memory:alloc_objects:count:space:bytes": ("heap", "alloc_objects"),
    "memory:alloc_space:bytes:space:bytes": ("heap", "alloc_space"),
    "memory:inuse_objects:count:space:bytes": ("heap", "inuse_objects"),
    "memory:inuse_space:bytes:space:bytes": ("heap", "inuse_space"),
    "mutex:contentions:count:contentions:count": ("mutex", "contentions"),
    "mutex:delay:nanoseconds:contentions:count": ("mutex", "delay"),
    "block:contentions:count:contentions:count": ("block", "contentions"),
    "block:delay:nanoseconds:contentions:count": ("block", "delay"),
    "threads:threads:count:threads:count": ("threads", "threads"),
    "things:things:count:things:count": ("things", "things"),
}


def render(url, type, selector="{}"):
    """The answer of Pyroscope's oldest query, which ours has too."""
    query = urllib.parse.urlencode({"query": type + selector, "from": "now-1h", "until": "now"})
    with urllib.request.urlopen(f"{url}/pyroscope/render?{query}", timeout=60) as r:
        return json.load(r)["flamebearer"]


def push_everything(compiled, url, tmp_path, **more):
    p = run([compiled("everything")], EVERPROF_SERVER=url, EVERPROF_OUT=f"{tmp_path}/out/", EVERPROF_HEAP_BYTES=1024,
            EVERPROF_TYPES="cpu,heap,mutex,block,threads", EVERPROF_NAME="all.of-it", EVERPROF_LABELS="zone=a b",
            EVERPROF_LOG=tmp_path / "log", XDG_STATE_HOME=tmp_path / "state", **more)  # fmt: skip
    assert (p.returncode, p.stderr) == (0, "")
    assert not (tmp_path / "log").exists(), (tmp_path / "log").read_text()


def check_all(url, tmp_path):
    """What a query says of each type is what the program's own files say."""
    for type, (file, value) in TYPES.items():
        truth = Profile(tmp_path / "out" / f"{file}.pb.gz").total(value)
        assert truth > 0, type
        assert render(url, type, '{service_name="all.of-it",zone="a b"}')["numTicks"] == truth, type
    cpu = Profile(tmp_path / "out" / "cpu.pb.gz")
    for endpoint in ("checkout", "search"):
        truth = sum(s.values[0] for s in cpu.samples if s.labels.get("endpoint") == endpoint)
        found = render(url, "process_cpu:samples:count:cpu:nanoseconds", '{endpoint="%s"}' % endpoint)
        assert found["numTicks"] == truth > 0
        assert "work" in found["names"] and "holds" not in found["names"]


def test_all_types_arrive_and_goroutines_are_threads(compiled, server, tmp_path):
    push_everything(compiled, server.url, tmp_path)
    n = sum(1 for _ in TYPES)
    wait_until("all types are there", lambda: n <= len(server.api.services().get("all.of-it", {"types": []})["types"]))
    wait_until("names are there", lambda: "work" in render(server.url, "process_cpu:cpu:nanoseconds:cpu:nanoseconds")["names"])
    check_all(server.url, tmp_path)
    threads = render(server.url, "threads:threads:count:threads:count")
    for go in ("goroutine:goroutine:count:goroutine:count", "goroutines:goroutine:count:goroutine:count"):
        assert render(server.url, go)["numTicks"] == threads["numTicks"] > 0


@pytest.fixture
def pyroscope(tmp_path):
    """A Pyroscope of its own, if one is installed, on loopback only."""
    program = os.environ.get("EVERPROF_PYROSCOPE") or shutil.which("pyroscope")
    if not program:
        pytest.skip("pyroscope is not installed (EVERPROF_PYROSCOPE names the program)")
    port, grpc, gossip = free_port(), free_port(), free_port()
    own = ["ingester.lifecycler.addr", "distributor.ring.instance-addr", "compactor.ring.instance-addr",
           "overrides-exporter.ring.instance-addr", "query-frontend.instance-addr",
           "query-scheduler.ring.instance-addr", "store-gateway.sharding-ring.instance-addr", "memberlist.bind-addr",
           "memberlist.advertise-addr", "server.http-listen-address", "server.grpc-listen-address"]  # fmt: skip
    folder = tmp_path / "pyroscope"
    folder.mkdir()
    process = subprocess.Popen(
        [program, "-architecture.storage=v1", "-write-path=ingester", "-storage.backend=filesystem",
         f"-storage.filesystem.dir={folder}/shared", f"-server.http-listen-port={port}", f"-server.grpc-listen-port={grpc}",
         f"-memberlist.bind-port={gossip}", *(f"-{name}=127.0.0.1" for name in own), "-usage-stats.enabled=false",
         "-self-profiling.disable-push=true", "-log.level=warn"],
        cwd=folder, stdout=open(folder / "log", "w"), stderr=subprocess.STDOUT,
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}"

    def is_ready():
        assert process.poll() is None, (folder / "log").read_text()[-1000:]
        try:
            return urllib.request.urlopen(f"{url}/ready", timeout=5).status == 200
        except OSError:
            return False

    try:
        wait_until("pyroscope is ready", is_ready, 180)
        yield url
    finally:
        stop(process, seconds=60)


@pytest.mark.clients
def test_a_real_pyroscope_has_all_types_with_the_same_totals(compiled, pyroscope, tmp_path):
    push_everything(compiled, pyroscope, tmp_path, EVERPROF_NAMES=1)
    check_all(pyroscope, tmp_path)
