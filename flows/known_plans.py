"""Plans that this process has made or read lately: a flow that starts often is not checked and read anew each time.

A plan is used again only while the catalogue says exactly the same about everything that the check looked at: datasets
with their columns and statistics, grants, nodes and called flows, all looked up anew for the person who starts the run.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass

from flows.datasets import Sources
from flows.graph.document import Document
from flows.graph.plan import Plan

MOST = 64


@dataclass(frozen=True)
class Known:
    """A document's plan, what it was made from, and the digest under which it is stored."""

    document: Document
    sources: Sources
    digest: str
    plan: Plan


class KnownPlans:
    """The plans used last, by what was asked for (version, flow, person, parameters …)."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._plans: OrderedDict[Hashable, Known] = OrderedDict()

    def get(self, key: Hashable) -> Known | None:
        """What is known; whether it still holds is for the caller to compare."""
        with self._lock:
            found = self._plans.get(key)
            if found is not None:
                self._plans.move_to_end(key)
            return found

    def keep(self, key: Hashable, known: Known) -> None:
        """Remember this, and forget what was not used for longest."""
        with self._lock:
            self._plans[key] = known
            self._plans.move_to_end(key)
            while len(self._plans) > self._most:
                self._plans.popitem(last=False)


KNOWN = KnownPlans()
"""This process's plans."""
