"""A followed topic: who follows, and which events may go out next. No clock, no socket, no database."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from security.access import Principal


class Follower(Protocol):
    """A socket, as the hub sees it."""

    principal: Principal

    def push(self, topic: str, frame: str) -> None:
        """Queue a frame; never waits."""

    def recheck(self) -> None:
        """Look at one's rights again, soon."""


@dataclass
class FollowedTopic:
    """Events may come late, twice or out of order; they leave in order, once, and never across a gap."""

    followers: set[Follower] = field(default_factory=set)
    last: int | None = None
    """The newest number that was sent; None until the first follower has been given a beginning."""
    pending: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    gap_since: float | None = None
    is_quiet: bool = True
    """Nothing was sent since the last ``tail``."""
    seen: Any = None

    def take(self, events: Iterable[Mapping[str, Any]]) -> None:
        """Keep events until their turn comes."""
        self.pending.update({int(event["seq"]): event for event in events})

    def next_events(self) -> list[Mapping[str, Any]]:
        """The events that follow on the last number without a gap; they count as sent."""
        if self.last is None:
            return []
        for old in [seq for seq in self.pending if seq <= self.last]:
            del self.pending[old]
        events = []
        while self.last + 1 in self.pending:
            self.last += 1
            events.append(self.pending.pop(self.last))
        if not self.pending:
            self.gap_since = None
        return events


def frame_of(message: Mapping[str, Any]) -> str:
    """A message as it goes over the wire."""
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"), default=str)
