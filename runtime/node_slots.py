"""Turns at nodes: how many reads of a department's system are at work at once, over all workers and hosts.

There is no slot that could leak: a read counts as long as its task is at work, and a task whose worker died goes back
by its lease. Who looks whether there is room holds the nodes' rows, so two never take the last turn.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Q

from node_catalog.models import Node
from node_catalog.sdk.load_limits import LoadLimits
from node_catalog.sdk.text import Text, text
from node_catalog.selectors import has_limits, load_limits
from runtime import states
from runtime.clock import Soon, db_now
from runtime.dispatcher import due, ring_again
from runtime.models import CallReads, Task
from runtime.pools import FullPool, full_pools, lock_pools
from runtime.uses import Uses, mark_of, uses_in, uses_text

WAITED_FOR = frozenset({Task.Kind.PREVIEW, Task.Kind.CHECK})
"""Somebody sits before the screen: they may have every turn, the others leave one free."""
MOST_RUNG = 4


@dataclass(frozen=True)
class Full:
    """A node at which there is no turn just now."""

    node: str
    in_use: int
    limits: LoadLimits

    code = "node.full"
    kind = "node"

    @property
    def key(self) -> str:
        """What stands for it in a task's uses."""
        return self.node

    @property
    def before(self) -> int:
        """How many tasks wait for it besides the one that asks."""
        return max(0, waiting_for(self.node) - 1)

    @property
    def words(self) -> Text:
        most = self.limits.reads
        kept = self.limits.background_reads < most and self.in_use < most
        kept_en, kept_zh = (", the last one is kept for previews", "，最后一路留给预览") if kept else ("", "")
        return text(
            f"Waits for node {self.node}: {self.in_use} of {most} reads are at work{kept_en}.",
            f"等待节点 {self.node}：{most} 路读取中已使用 {self.in_use} 路{kept_zh}。",
        )


def limited_uses(
    every: Collection[Uses], places: Sequence[Uses] = (), limited: Collection[str] | None = None
) -> list[str]:
    """What tasks keep of their uses: only nodes of types that have limits, which cost nothing to the others; and what
    each takes of pools. ``limited``: those nodes, where the caller knows them.
    """
    pooled = places or [{}] * len(every)
    if limited is None:
        limited = limited_nodes(node for uses in every for node in uses)
    return [
        uses_text({node: count for node, count in uses.items() if node in limited} | dict(taken))
        for uses, taken in zip(every, pooled, strict=True)
    ]


def limited_nodes(numbers: Iterable[str]) -> frozenset[str]:
    """Those of the nodes with these numbers that are of a type that has limits."""
    wanted = {*numbers}
    rows = Node.objects.filter(number__in=wanted).values_list("number", "type") if wanted else ()
    return frozenset(number for number, kind in rows if has_limits(kind))


def lock_turns(words: str) -> None:
    """Hold the nodes and pools of these uses until the caller's transaction ends; before the lock of any run."""
    if words:
        _lock_nodes(words)
        lock_pools(words)


def _lock_nodes(words: str) -> None:
    rows = Node.objects.filter(number__in=uses_in(words)).order_by("pk")
    list(rows.select_for_update(no_key=True).values_list("pk"))


def waits_for(task: Task) -> tuple[Full | FullPool, ...]:
    """The nodes and pools at which a ready task has to wait for its turn."""
    return (*full_pools(task), *full_nodes(task.uses, is_waited_for=task.kind in WAITED_FOR))


def full_nodes(words: str, *, is_waited_for: bool) -> tuple[Full, ...]:
    """The nodes of these uses that have no room for one more work with them."""
    limits = limits_of_nodes(uses_in(words))
    if not any(one.reads for one in limits.values()):
        return ()
    counts = in_use(limits)
    full = []
    for node, wanted in uses_in(words).items():
        most = ceiling(limits[node], is_waited_for=is_waited_for) if node in limits else 0
        if most and counts[node] + min(wanted, most) > most:
            full.append(Full(node, counts[node], limits[node]))
    return tuple(full)


def limits_of_nodes(numbers: Collection[str]) -> dict[str, LoadLimits]:
    """Node number → its limits."""
    rows = Node.objects.filter(number__in=list(numbers)).only("number", "type", "limits")
    return {node.number: load_limits(node) for node in rows}


def ceiling(limits: LoadLimits, *, is_waited_for: bool) -> int:
    """How many reads there may be at once for such work to begin; 0: any number."""
    return limits.reads if is_waited_for else limits.background_reads


def in_use(limits: Mapping[str, LoadLimits]) -> Counter[str]:
    """Reads at work by node. Iterations that were claimed together are done one after the other: one counts."""
    rows = Task.objects.filter(using(limits), state__in=states.ACTIVE).order_by()
    held = {lot or str(pk): (kind, words) for pk, lot, kind, words in rows.values_list("pk", "lot", "kind", "uses")}
    calls = CallReads.objects.filter(using(limits), until__gt=db_now()).values_list("uses", flat=True)
    counts: Counter[str] = Counter()
    for kind, words in (*held.values(), *((Task.Kind.PREVIEW, words) for words in calls)):
        for node, wanted in uses_in(words).items():
            if node in limits:
                most = ceiling(limits[node], is_waited_for=kind in WAITED_FOR)
                counts[node] += min(wanted, most) if most else wanted
    return counts


def readers_of(numbers: Collection[str]) -> dict[str, int]:
    """How many works share what each of these nodes may be read at."""
    rows = Task.objects.filter(using(numbers), state__in=states.ACTIVE).order_by()
    held = {lot or str(pk): words for pk, lot, words in rows.values_list("pk", "lot", "uses")}
    calls = CallReads.objects.filter(using(numbers), until__gt=db_now()).values_list("uses", flat=True)
    counts: Counter[str] = Counter(node for words in (*held.values(), *calls) for node in uses_in(words))
    return {number: max(1, counts[number]) for number in numbers}


def waiting_for(node: str) -> int:
    """Tasks that could start if the node had turns for all."""
    return Task.objects.filter(due(), uses__contains=mark_of(node)).count()


def load_now(node: Node) -> dict[str, int]:
    """What a node's page says: reads at work, how many there may be, how many of them in the background, who waits."""
    limits = load_limits(node)
    return {
        "in_use": in_use({node.number: limits})[node.number],
        "reads": limits.reads,
        "background_reads": limits.background_reads,
        "waiting": waiting_for(node.number) if limits.reads else 0,
    }


def ring_next(words: str) -> None:
    """A turn has become free: ring for those that may have waited for it. A hint, as every bell."""
    if not words:
        return
    rows = Task.objects.filter(due(), using(uses_in(words))).order_by("priority", "not_before")
    ring_again(rows.values_list("pk", "attempt")[:MOST_RUNG])


@contextmanager
def turn_of_call(words: str, seconds: float) -> Iterator[tuple[Full, ...]]:
    """A turn for a call of at most so many seconds; what stands in its way is told instead of waited for."""
    full, taken = _take_for_call(words, seconds) if words else ((), None)
    try:
        yield full
    finally:
        if taken is not None:
            CallReads.objects.filter(pk=taken).delete()
            ring_next(words)


def _take_for_call(words: str, seconds: float) -> tuple[tuple[Full, ...], Any]:
    if not any(one.reads for one in limits_of_nodes(uses_in(words)).values()):
        return (), None
    with transaction.atomic():
        _lock_nodes(words)
        full = full_nodes(words, is_waited_for=True)
        if full:
            return full, None
        CallReads.objects.filter(until__lt=db_now()).delete()
        taken = CallReads.objects.create(uses=words, until=Soon(seconds))
    return (), taken.pk


def using(numbers: Collection[str]) -> Q:
    """Tasks (or calls) that read one of these nodes."""
    found = Q(pk__in=())
    for number in numbers:
        found |= Q(uses__contains=mark_of(number))
    return found
