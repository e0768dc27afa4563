"""Push to browsers: many sockets follow one run that tells 100 events a second, through the real web process.

PUSH_SECONDS (8 unless set) for 500 clients and for 50. A delivery is one event at one client. The events go into the
channel layer as a worker's do; the time of each stands in it, and the clients, in a process of their own that only
reads, note how old it is when it arrives.
"""

from __future__ import annotations

import asyncio
import base64
import multiprocessing
import os
import re
import secrets
import statistics
import time
import urllib.parse
from collections.abc import Sequence
from typing import Any

import channels_redis.pubsub

from runtime.live import GROUP
from studio.supervisor.broker import socket_path
from tests.bench.flow import document
from tests.bench.measure import Comparison, cpu_seconds, process_tree
from tests.bench.ours import Ours
from tests.bench.ours import ours as our_studio

RATE = 100
SECONDS = float(os.environ.get("PUSH_SECONDS", "8"))
ROUNDS = int(os.environ.get("PUSH_ROUNDS", "3"))
SIZES = {500: (48_000, 200.0), 50: (None, 60.0)}
"""Clients → deliveries a second and milliseconds (p95) that the design wants."""
_SENT = re.compile(rb'"sent":([0-9.]+)')


class Socket(asyncio.Protocol):
    """A browser that follows one topic, as bytes: it counts events and how old they were."""

    def __init__(self, request: bytes, subscribe: bytes, ages: list[float]) -> None:
        self._request, self._subscribe, self._ages = request, subscribe, ages
        self._data = bytearray()
        self._is_open = False
        self.has_snapshot = False
        self.events = 0

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._data += data
        if not self._is_open:
            head, found, rest = self._data.partition(b"\r\n\r\n")
            if not found:
                return
            assert head.startswith(b"HTTP/1.1 101"), bytes(head)
            self._is_open, self._data = True, rest
            self._transport.write(_masked(self._subscribe))
        while (frame := _next_frame(self._data)) is not None:
            self._take(frame)

    def _take(self, body: bytes) -> None:
        if body.startswith(b'{"type":"snapshot"'):
            self.has_snapshot = True
        elif body.startswith(b'{"type":"ping"'):
            self._transport.write(_masked(b'{"type":"pong"}'))
        else:
            now = time.time()
            found = _SENT.findall(body)
            self.events += len(found)
            self._ages += [now - float(sent) for sent in found]

    def close(self) -> None:
        self._transport.abort()


def _masked(body: bytes) -> bytes:
    """A text frame from a client (mask 0: the bytes as they are)."""
    size = bytes([0x80 | len(body)]) if len(body) < 126 else bytes([0xFE]) + len(body).to_bytes(2, "big")
    return b"\x81" + size + b"\0\0\0\0" + body


def _next_frame(data: bytearray) -> bytes | None:
    """Take one whole frame from the server off ``data``."""
    if len(data) < 2:
        return None
    size, start = data[1] & 127, 2
    if size >= 126:
        start = 4 if size == 126 else 10
        size = int.from_bytes(data[2:start], "big")
    if len(data) < start + size:
        return None
    body = bytes(data[start : start + size])
    del data[: start + size]
    return body


def watch(port: int, cookie: str, topic: str, clients: int, pipe: Any) -> None:
    """The clients' process: says when all follow, then when asked to, what has come."""
    asyncio.run(_watch(port, cookie, topic, clients, pipe))


async def _watch(port: int, cookie: str, topic: str, clients: int, pipe: Any) -> None:
    loop = asyncio.get_running_loop()
    ages: list[float] = []
    sockets: list[Socket] = []
    subscribe = f'{{"type":"subscribe","topic":"{topic}","after":null}}'.encode()
    for _ in range(clients):
        request = (
            f"GET /ws/live HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {base64.b64encode(secrets.token_bytes(16)).decode()}\r\nSec-WebSocket-Version: 13\r\n"
            f"Origin: http://127.0.0.1:{port}\r\nCookie: {cookie}\r\n\r\n"
        )
        _, made = await loop.create_connection(
            lambda text=request: Socket(text.encode(), subscribe, ages), "127.0.0.1", port
        )
        sockets.append(made)
        await _until(lambda: sockets[-1].has_snapshot)
    pipe.send("following")
    await loop.run_in_executor(None, pipe.recv)
    pipe.send((sum(one.events for one in sockets), ages))
    for one in sockets:
        one.close()


async def _until(holds: Any, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "a socket got no snapshot"
        await asyncio.sleep(0.002)


def tell(url: str, topic: str, first: int, seconds: float) -> int:
    """The events of a busy run into the channel layer; how many there were."""

    async def send() -> int:
        layer = channels_redis.pubsub.RedisPubSubChannelLayer(hosts=[url])
        began, sent = time.perf_counter(), 0
        while sent < RATE * seconds:
            step = {"state": "running", "rows": sent * 977, "exact": False, "counted": "live", "rows_per_s": 97_700}
            data = {"steps": {f"step{sent % 10}": step}, "sent": round(time.time(), 4)}
            event = {"seq": first + sent, "kind": "steps", "at": "2026-11-22T14:05:00+00:00", "data": data}
            message = {"type": "live", "kind": "events", "topic": topic, "events": [event]}
            await layer.group_send(GROUP, message)
            sent += 1
            await asyncio.sleep(max(0.0, began + sent / RATE - time.perf_counter()))
        return sent

    return asyncio.run(send())


def measure(studio: Ours, run: dict[str, Any], clients: int, first: int) -> dict[str, float]:
    """One round: events told to so many clients, and what that cost."""
    port = int(studio.studio.url.rpartition(":")[2])
    topic = f"run:{run['id']}"
    here, there = multiprocessing.get_context("spawn").Pipe()
    cookie = "; ".join(f"{one.name}={urllib.parse.quote(one.value or '')}" for one in studio._jar)
    process = multiprocessing.get_context("spawn").Process(target=watch, args=(port, cookie, topic, clients, there))
    process.start()
    try:
        assert here.poll(120) and here.recv() == "following"
        before, began = cpu_seconds(process_tree([studio.pid])), time.perf_counter()
        sent = tell(f"unix://{socket_path(studio.studio.home)}", topic, first, SECONDS)
        wall = time.perf_counter() - began
        time.sleep(1.0)  # what is on its way arrives
        spent = cpu_seconds(process_tree([studio.pid])) - before
        here.send("enough")
        assert here.poll(60)
        events, ages = here.recv()
    finally:
        process.join(10)
    ages.sort()
    assert events == sent * clients, f"{sent * clients - events} of {sent * clients} events did not arrive"
    return {
        "per_second": events / wall,
        "p50_ms": statistics.median(ages) * 1000,
        "p95_ms": ages[int(0.95 * len(ages))] * 1000,
        "cpu": spent / wall,
    }


def run() -> list[Comparison]:
    """Deliveries a second and how old they are, for each number of clients."""
    rows = []
    with our_studio() as studio:
        ended = studio.run(studio.add_flow("Followed", document(studio.add_stations())))
        followed = studio.get(f"runs/{ended['id']}")
        first = followed["seq"] + 1
        for clients, (deliveries, latest) in SIZES.items():
            found: list[dict[str, float]] = []
            for _ in range(ROUNDS):
                found.append(measure(studio, followed, clients, first))
            rows += _rows(clients, found, deliveries, latest)
    return rows


def _rows(clients: int, found: Sequence[dict[str, float]], deliveries: int | None, latest: float) -> list[Comparison]:
    middle = {name: statistics.median(one[name] for one in found) for name in found[0]}
    runs = {name: [one[name] for one in found] for name in found[0]}
    work = f"push, {clients} clients"
    rows = [
        Comparison(work, "p95 ms", middle["p95_ms"], latest, "goal", 1, "at_most", "ms", runs=runs),
        Comparison(work, "CPU of the studio", middle["cpu"], 1, "one core", 1, "at_most", "cores", runs=runs),
    ]
    if deliveries:
        rows.insert(
            0,
            Comparison(
                work, "deliveries a second", middle["per_second"], deliveries, "goal", 1, "at_least", "1/s", runs=runs
            ),
        )
    return rows
