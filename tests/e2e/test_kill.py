"""Acknowledged means on disk: the server is killed under load, again and again."""

import random
import signal
import threading
import time

import pytest

from harness import Server
from pprof import Builder



class Load(threading.Thread):
    """Pushes profiles one after the other; each has a function and a weight of its own."""

    def __init__(self, api, worker):
        super().__init__(daemon=True)
        self.api, self.worker = api, worker
        self.acknowledged, self.sent, self.ending = {}, 0, threading.Event()

    def run(self):
        while not self.ending.is_set():
            self.sent += 1
            name = f"w{self.worker}_p{self.sent}"
            weight = 1_000_000 + self.sent
            body = Builder().add([name, "work", "main"], [1, weight], tenant=f"t{self.sent % 7}").gz(
                time_ns=time.time_ns(), duration_ns=1_000_000
            )
            try:
                status, _ = self.api.push(body, name=f"load{self.worker}{{zone=a}}")
            except OSError:
                time.sleep(0.01)  # killed: this one was not acknowledged
                continue
            if status == 200:
                self.acknowledged[name] = weight


@pytest.mark.parametrize("kills", [10, pytest.param(50, marks=pytest.mark.long)])
def test_no_acknowledged_profile_is_lost_when_the_server_is_killed(everprof, data_dir, kills):
    server = Server(everprof, data_dir).start()
    loads = [Load(server.api, i) for i in range(4)]
    for load in loads:
        load.start()
    chance = random.Random(1)
    try:
        for _ in range(kills):
            time.sleep(chance.uniform(0.05, 0.6))
            server.process.send_signal(signal.SIGKILL)
            server.process.wait()
            server.start()
    finally:
        for load in loads:
            load.ending.set()
        for load in loads:
            load.join(30)
    total = 0
    for load in loads:
        assert load.acknowledged, "nothing was acknowledged: the load did not run"
        rows = server.api.top(query=f'{{service_name="load{load.worker}"}}', limit=1_000_000)["rows"]
        found = {r["name"]: r["self"] for r in rows}
        lost = {n: w for n, w in load.acknowledged.items() if found.get(n) != w}
        assert not lost, f"{len(lost)} of {len(load.acknowledged)} acknowledged profiles are gone: {list(lost)[:3]}"
        total += len(load.acknowledged)
    print(f"{kills} kills, {total} acknowledged profiles, none lost")
    server.stop()
