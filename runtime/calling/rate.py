"""How many calls one token may make in a minute, in each web process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from node_catalog.sdk.text import text
from runtime.errors import CallError

MOST_KNOWN = 10_000


class Rates:
    """A bucket for each caller that fills evenly; a tenth of a minute's calls may come at once."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._left: dict[str, tuple[float, float]] = {}

    def count(self, caller: str, a_minute: int) -> None:
        """One call more, of at most ``a_minute`` (0: any number). Raises CallError (429) when the bucket is empty."""
        if not a_minute:
            return
        size, now = max(1.0, a_minute / 10), self._clock()
        with self._lock:
            left, seen = self._left.get(caller, (size, now))
            left = min(size, left + (now - seen) * a_minute / 60)
            if left < 1:
                raise _too_often(a_minute)
            if len(self._left) >= MOST_KNOWN:
                self._left.clear()
            self._left[caller] = (left - 1, now)


def _too_often(a_minute: int) -> CallError:
    return CallError(
        "call.too_often",
        text(
            f"More than {a_minute} calls a minute with this token. Wait a moment, or ask the operators for a "
            "higher limit.",
            f"该令牌的调用超过每分钟 {a_minute} 次。请稍候，或联系运维人员提高上限。",
        ),
        429,
    )


RATES = Rates()
