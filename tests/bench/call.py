"""A flow published as an API: ten light steps, called and answered synchronously, beside the same in Node-RED.

CALL_CALLS calls (2,000 unless set: the clock of CPU time ticks every 10 ms), one and eight in flight, over connections
that stay open; CPU of the whole process tree, ours with web server, worker, scheduler and broker. Both make up their
one row, ours typed into a table, with rights and audit. Also ours reading that row from a SQLite file, and with another
value of a parameter in each call.
"""

from __future__ import annotations

import copy
import http.client
import itertools
import json
import os
import threading
from collections.abc import Callable
from typing import Any

from tests.bench.flow import document
from tests.bench.measure import Comparison, compared, drive
from tests.bench.ours import Ours
from tests.bench.ours import ours as our_studio
from tests.bench.peers import node_red

CALLS = int(os.environ.get("CALL_CALLS", "2000"))
ROUNDS = int(os.environ.get("CALL_ROUNDS", "5"))
MOST_TIMES = 2.0
"""The design's goal: CPU beside Node-RED."""


class Caller:
    """Calls one address over a connection for each thread; ``body`` makes what is sent."""

    def __init__(
        self, port: int, path: str, headers: dict[str, str], body: Callable[[], bytes] = lambda: b"{}"
    ) -> None:
        self._port, self._path, self._body = port, path, body
        self._headers = {"Content-Type": "application/json", **headers}
        self._mine = threading.local()

    def __call__(self) -> None:
        connection = getattr(self._mine, "connection", None)
        if connection is None:
            connection = self._mine.connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        connection.request("POST", self._path, self._body(), self._headers)
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status == 200, body[:500]


def publish(studio: Ours) -> tuple[Caller, Caller, Caller]:
    """The ten steps as an API, with a token: as they are, with another parameter in each call, and reading."""
    plain, reading = document(), document(studio.add_stations())
    token: Any = studio.post("me/tokens", {"name": "bench", "days": 1})
    headers = {"Authorization": f"Bearer {token['token']}"}
    port = int(studio.studio.url.rpartition(":")[2])
    numbers = itertools.count()

    def published(flow: dict[str, Any], **more: Any) -> Caller:
        path = f"flows/{studio.add_flow('Ten steps', flow)}/api"
        return Caller(port, json.loads(studio.fetch("PUT", path, {"audience": "owner"}))["address"], headers, **more)

    other = published(with_parameter(plain), body=lambda: b'{"n": %d}' % next(numbers))
    return published(plain), other, published(reading)


def with_parameter(plain: dict[str, Any]) -> dict[str, Any]:
    """The same flow with a number in its third step."""
    steps = copy.deepcopy(plain["steps"])
    steps["s2"]["settings"]["columns"][0]["expression"] = "id + :n"
    inputs = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    return {**plain, "steps": steps, "inputs": inputs}


def run() -> list[Comparison]:
    """CPU, waiting and rate beside Node-RED, in interleaved rounds."""
    functions = ["msg.payload = {id: 1}; return msg;"]
    functions += [f"msg.payload.v{number} = msg.payload.id + {number}; return msg;" for number in range(2, 9)]
    functions += ["msg.payload = {rows: [msg.payload]}; return msg;"]
    figures: dict[tuple[str, int], list[dict[str, float]]] = {}
    with our_studio(CALLS_A_MINUTE=0) as studio, node_red.running(node_red.chain(functions)) as (port, pid):
        ours, others, reading = publish(studio)
        theirs = Caller(port, node_red.ADDRESS, {})
        for caller in (ours, others, reading, theirs):
            for _ in range(50):
                caller()
        for _ in range(ROUNDS):
            for in_flight in (1, 8):
                figures.setdefault(("ours", in_flight), []).append(drive(ours, CALLS, in_flight, studio.pid))
                figures.setdefault(("peer", in_flight), []).append(drive(theirs, CALLS, in_flight, pid))
            figures.setdefault(("others", 1), []).append(drive(others, CALLS, 1, studio.pid))
            figures.setdefault(("reading", 1), []).append(drive(reading, CALLS, 1, studio.pid))

    peer = f"Node-RED {node_red.VERSION}"

    def line(how: str, who: str, in_flight: int, name: str, figure: str) -> Comparison:
        runs = {side: [one[name] for one in figures[key, in_flight]] for side, key in (("ours", who), ("peer", "peer"))}
        return compared(f"flow as an API, {how}", figure, runs, peer, MOST_TIMES, "ms")

    told = (("cpu_ms", "CPU ms a call"), ("p50_ms", "p50 ms"), ("p95_ms", "p95 ms"))
    kinds = (("others", "other values in each call"), ("reading", "reading SQLite"))
    return [
        *(line(f"{number} in flight", "ours", number, *one) for number in (1, 8) for one in told),
        *(line(how, who, 1, *told[0]) for who, how in kinds),
    ]
