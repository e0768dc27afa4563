"""Plans that this process has made or read lately: a flow that starts often is not checked and read anew each time.

A plan is used again only while the catalogue says exactly the same about everything that the check looked at: datasets
with their columns and statistics, grants, nodes and called flows, all looked up anew for the person who starts the run.
"""

from __future__ import annotations

from dataclasses import dataclass

from flows.datasets import Sources
from flows.graph.document import Document
from flows.graph.plan import Plan
from node_catalog.sdk.memory import Memory

MOST = 64


@dataclass(frozen=True)
class Known:
    """A document's plan, what it was made from, and the digest under which it is stored."""

    document: Document
    sources: Sources
    digest: str
    plan: Plan


KNOWN: Memory[Known] = Memory(MOST)
"""This process's plans, by what was asked for (version, flow, person, parameters …); whether one still holds is for the
caller to compare."""
