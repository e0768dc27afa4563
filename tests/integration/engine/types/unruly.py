"""A node type that misbehaves on demand: prints, hangs, dies, eats memory. It shows what the pool withstands."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from node_catalog.sdk.access import Access, DatasetRef
from node_catalog.sdk.contract import Check, ConnectContext, Connector, DiscoveredDataset, Settings
from node_catalog.sdk.text import text


class UnrulySettings(Settings):
    """What to do instead of connecting."""

    act: str = "print"
    note: str = ""


class Unruly(Connector):
    """Misbehaves."""

    key = "unruly"
    title = text("Unruly", "捣乱")
    summary = text("Misbehaves on demand.", "按要求捣乱。")
    help = text("Only for tests.", "仅用于测试。")
    Settings = UnrulySettings

    @classmethod
    def check(cls, settings: Any, context: ConnectContext) -> Check:
        facts: dict[str, Any] = {"pid": os.getpid()}
        match settings.act:
            case "print":
                print("this must not break the pipe", flush=True)
                os.write(1, b"nor this\n" * 1000)
                facts["stdin"] = sys.stdin.read()
            case "hang":
                threading.Event().wait(60)
            case "leave":
                os._exit(7)
            case "segfault":
                os.kill(os.getpid(), signal.SIGSEGV)
            case "eat":
                hoard = [bytearray(64 * 1024 * 1024) for _ in range(1000)]
                facts["hoard"] = len(hoard)
            case "grow":
                _kept.append(b"x" * (600 * 1024 * 1024))
            case "environment":
                facts["environment"] = dict(os.environ)
            case "tree":
                Path(settings.note).write_text(str(_spawn_sleeper()))
                threading.Event().wait(60)
            case "echo":
                facts["note"] = settings.note
        return Check(True, "fine", text("Done.", "完成。"), facts)

    @classmethod
    def discover(
        cls, settings: Any, context: ConnectContext, known: Mapping[tuple[str, ...], Mapping[str, Any]] | None = None
    ) -> Iterator[DiscoveredDataset]:
        for number in range(1000):
            yield DiscoveredDataset((f"t{number}",), "table", (), settings=dict((known or {}).get((f"t{number}",), {})))

    @classmethod
    def access(cls, settings: Any, dataset: DatasetRef, context: ConnectContext) -> Access:
        raise NotImplementedError


_kept: list[bytes] = []


def _spawn_sleeper() -> int:
    """A grandchild that only waits."""
    pid = os.fork()
    if pid == 0:
        signal.pause()
    return pid
