"""Pools: places that an operator gives to works which must not all go on at once, whatever they read.

A task takes its places as it takes its turns at nodes: as words in ``Task.uses``, for as long as it is at work, so that
a lost worker's places come back with its lease. Who looks whether there is room holds the pools' rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from flows.graph.plan import LEVEL, Plan
from flows.models import Flow
from node_catalog.sdk.text import Text, text
from runtime import states
from runtime.dispatcher import due
from runtime.models import Pool, RunRule, Task
from runtime.uses import mark_of, uses_in

SIGN = "@"
"""No number of a node begins so."""


@dataclass(frozen=True)
class FullPool:
    """A pool without as many places as a task wants."""

    pool: Pool
    in_use: int
    wanted: int
    before: int = 0

    code = "pool.full"
    kind = "pool"

    @property
    def key(self) -> str:
        """What stands for it in a task's uses."""
        return key_of(self.pool)

    @property
    def words(self) -> Text:
        name, places = self.pool.name, self.pool.places
        if not places:
            return text(
                f"Waits for pool “{name}”, which is closed; {self.before} before it. Operators open it again.",
                f"等待资源池“{name}”：该资源池已关闭，前面还有 {self.before} 个。请联系运维人员重新开放。",
            )
        return text(
            f"Waits for pool “{name}”: {self.in_use} of {places} places taken, {self.wanted} wanted, "
            f"{self.before} before it.",
            f"等待资源池“{name}”：{places} 个名额已用 {self.in_use} 个，本任务需要 {self.wanted} 个，"
            f"前面还有 {self.before} 个。",
        )


def key_of(pool: Pool) -> str:
    """What stands for a pool in a task's uses."""
    return f"{SIGN}{pool.pk.hex}"


def words_of(pool: Pool) -> Text:
    """A pool among others to choose from: one that is closed would keep a flow waiting."""
    if not pool.places:
        return text(f"{pool.name} (closed)", f"{pool.name}（已关闭）")
    places = "1 place" if pool.places == 1 else f"{pool.places} places"
    return text(f"{pool.name} ({places})", f"{pool.name}（{pool.places} 个名额）")


def pools_in(words: str) -> dict[UUID, int]:
    """Pool → places that a task with these uses takes."""
    return {UUID(key[1:]): places for key, places in uses_in(words).items() if key.startswith(SIGN)}


class Places:
    """What the tasks of a flow's run take of a pool, by its run settings."""

    def __init__(self, rule: RunRule | None, plan: Plan) -> None:
        self._rule = rule if rule is not None and rule.pool_id else None
        self._inside = plan.inside

    def uses(self, steps: Iterable[str]) -> dict[str, int]:
        """Of a task that does these steps; steps of a called flow belong to the call."""
        if self._rule is None or self._rule.pool is None:
            return {}
        chosen = set(self._rule.pool_steps)
        if chosen and chosen.isdisjoint(self._inside.get(step, (step,))[0] for step in steps):
            return {}
        return {key_of(self._rule.pool): max(1, self._rule.pool_places)}


def places_of(flow_id: Any, plan: Plan) -> Places:
    """What a flow's tasks take by its run settings of now."""
    return Places(RunRule.objects.select_related("pool").filter(flow_id=flow_id).first(), plan)


def level_with(uses: Mapping[str, int], level: int) -> int:
    """The level of a task: workers of versions that know no pools leave it."""
    return LEVEL if uses else level


def lock_pools(words: str) -> None:
    """Hold the pools of these uses until the caller's transaction ends; after nodes, before any run."""
    if SIGN in words:
        rows = Pool.objects.filter(pk__in=pools_in(words)).order_by("pk")
        list(rows.select_for_update(no_key=True).values_list("pk"))


def full_pools(task: Task) -> tuple[FullPool, ...]:
    """The pools that have not as many places left as a task wants."""
    if SIGN not in task.uses:
        return ()
    wanted = pools_in(task.uses)
    pools = list(Pool.objects.filter(pk__in=wanted))
    taken = places_taken(pools)
    full = []
    for pool in pools:
        places = min(wanted[pool.pk], max(1, pool.places))
        if taken[pool.pk] + places > pool.places:
            full.append(FullPool(pool, taken[pool.pk], places, _waiting([pool]).filter(pk__lt=task.pk).count()))
    return tuple(full)


def places_taken(pools: Collection[Pool]) -> Counter[UUID]:
    """Places taken now. Iterations that were claimed together are done one after the other: one counts."""
    rows = Task.objects.filter(_using(pools), state__in=states.ACTIVE).order_by()
    held = {lot or str(pk): words for pk, lot, words in rows.values_list("pk", "lot", "uses")} if pools else {}
    most = {pool.pk: max(1, pool.places) for pool in pools}
    taken: Counter[UUID] = Counter()
    for words in held.values():
        for pool_id, places in pools_in(words).items():
            if pool_id in most:
                taken[pool_id] += min(places, most[pool_id])
    return taken


def waiting_for(pool: Pool) -> int:
    """Tasks that could start if the pool had places for all."""
    return _waiting([pool]).count()


def is_passing(task: Task) -> bool:
    """Whether a task would pass an older one that waits for the same pool. Whoever is rung for it takes what is in turn
    instead, so that one that wants many places gets them in the end.
    """
    if SIGN not in task.uses:
        return False
    pools = [Pool(pk=pk) for pk in pools_in(task.uses)]
    return _waiting(pools).filter(pk__lt=task.pk, priority__lte=task.priority).exists()


def _waiting(pools: Iterable[Pool]) -> QuerySet[Task]:
    return Task.objects.filter(due(), _using(pools))


def _using(pools: Iterable[Pool]) -> Q:
    found = Q(pk__in=())
    for pool in pools:
        found |= Q(uses__contains=mark_of(key_of(pool)))
    return found


def steps_to_choose(flow: Flow) -> dict[str, Text]:
    """The steps of a flow's draft with their titles."""
    steps = flow.draft.document.get("steps") or {}
    return {key: step.get("title") or text(key, key) for key, step in steps.items()}
