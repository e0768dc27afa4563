"""Which nodes a task reads, over how many connections at once, and what it takes of pools. Pure.

A task keeps that as words, `` 33A017/DB00003F7K-E=2 33A017/HT0000A1B2-C=1 ``: whoever looks for the tasks of a node
looks for ``mark_of(node)`` in it. A pool stands there as a node does, with a sign of its own (``runtime.pools``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from flows.graph.plan import Stage

Uses = Mapping[str, int]
"""Node number → connections; pool → places."""


def node_of(number: str) -> str:
    """The node's number of a dataset's (or its own)."""
    return number.partition(".")[0]


def mark_of(node: str) -> str:
    """What stands in the words of every task that reads the node."""
    return f" {node}="


def uses_text(uses: Uses) -> str:
    """As a task keeps it; empty for one that reads no node."""
    return "".join(f"{mark_of(node)}{count}" for node, count in sorted(uses.items()) if node) + " " if uses else ""


def uses_in(words: str) -> dict[str, int]:
    """What ``uses_text`` has written."""
    return {node: int(count) for node, _, count in (word.partition("=") for word in words.split())}


def uses_of_numbers(numbers: Iterable[str]) -> dict[str, int]:
    """Of what reads these datasets (or nodes) at most all at once."""
    return dict(Counter(node_of(number) for number in {*numbers} if number))


def uses_of_stage(stage: Stage) -> dict[str, int]:
    """Of one stage of a plan: a connection per binding; what is sent to another node is read before, alone."""
    found: Counter[str] = Counter()
    for binding in stage.bindings:
        if binding.kind != "dataset":
            continue
        found[node_of(binding.reads[0].dataset)] += 1
        for read in binding.sources:
            if read.shipped is not None:
                found[node_of(read.dataset)] = max(1, found[node_of(read.dataset)])
    if stage.instead is not None:
        found |= Counter(uses_of_stage(stage.instead))
    return dict(found)
