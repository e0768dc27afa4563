"""Hints on their way out of a process: what has come together goes together, and the hub takes it apart."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from runtime import live
from runtime.hub import Hub
from tests.services import wait_until


class Layer:
    """Keeps what is sent; the first message waits until it may go on."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.may_go_on = threading.Event()

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        self.sent.append(message)
        while not self.may_go_on.wait(0.01):
            pass
        if message.get("kind") == "bad":
            raise ConnectionError


@pytest.fixture
def layer(monkeypatch: pytest.MonkeyPatch) -> Layer:
    layer = Layer()
    monkeypatch.setattr(live, "get_channel_layer", lambda: layer)
    monkeypatch.setattr(live, "has_shared_layer", lambda: True)
    return layer


def hint(number: int, kind: str = "notice") -> dict[str, Any]:
    return {"type": "live", "kind": kind, "user": str(number)}


def test_what_comes_together_goes_together(layer: Layer) -> None:
    publisher = live.Publisher()
    publisher.send(hint(0, "bad"))
    wait_until(lambda: layer.sent, 5, "the first one is on its way")
    for number in range(1, 71):
        publisher.send(hint(number))
    layer.may_go_on.set()
    wait_until(lambda: len(layer.sent) == 3, 5, "the others follow")
    first, second, third = layer.sent
    assert first == hint(0, "bad")
    assert [*second["hints"], *third["hints"]] == [hint(number) for number in range(1, 71)]
    publisher.send(hint(99))
    wait_until(lambda: len(layer.sent) == 4, 5, "one alone goes as it is")
    assert layer.sent[3] == hint(99)


def test_a_full_queue_drops_hints(layer: Layer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MOST_WAITING", 3)
    publisher = live.Publisher()
    publisher.send(hint(0))
    wait_until(lambda: layer.sent, 5, "the first one is on its way")
    for number in range(1, 10):
        publisher.send(hint(number))
    layer.may_go_on.set()
    wait_until(lambda: len(layer.sent) == 2, 5, "what waited follows")
    assert layer.sent[1]["hints"] == [hint(1), hint(2), hint(3)]


def test_the_hub_takes_them_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    hub, seen = Hub(), []
    monkeypatch.setattr(hub, "_take_events", lambda topic, events: seen.append((topic, events)))
    one, other = ({"kind": "events", "topic": f"run:{name}", "events": [name]} for name in "ab")
    hub.take({"type": "live", "kind": live.SEVERAL, "hints": [one, other]})
    assert seen == [("run:a", ["a"]), ("run:b", ["b"])]
