"""What a worker offers and what a task needs: a network that only some machines reach, and the newest plan that it
understands.

Needs are words, kept in order and joined by spaces. A worker claims a task when it offers every word of it; a worker
without offers does what needs nothing. A node's needs are its tags that begin with ``zone:``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from importlib.util import find_spec
from itertools import combinations

from django.conf import settings
from django.db.models import Q

from flows.graph.plan import LEVEL, SPARK, Stage
from node_catalog.models import Node
from node_catalog.sdk.text import Text, text
from runtime.models import Task, Worker
from security import clock

ZONE = "zone:"
MEMORY = "memory"
"""Offered by workers with a larger CHILD_MEMORY_MB: needed by what has run out of memory elsewhere."""
SPARK_OFFER = "spark"
"""Offered by workers that know where Spark is and have its client: needed by stages that it does."""
MOST_OFFERS = 6
"""A worker looks for tasks with each combination of its offers: 64 of them."""
SILENCE = timedelta(seconds=20)


def needs_text(words: Iterable[str]) -> str:
    """Needs as a task keeps them."""
    return " ".join(sorted({*words}))


@dataclass(frozen=True)
class Offers:
    """What one worker can do."""

    words: frozenset[str] = frozenset()
    level: int = LEVEL

    @classmethod
    def of_options(cls) -> Offers:
        """What this process offers, by its options."""
        reaches_spark = settings.OPTIONS["SPARK_URL"] and find_spec("pyspark") is not None
        return cls(frozenset((*settings.OPTIONS["WORKER_OFFERS"], *((SPARK_OFFER,) if reaches_spark else ()))))

    @property
    def text(self) -> str:
        return needs_text(self.words)

    @cached_property
    def combinations(self) -> tuple[str, ...]:
        """Every combination of needs that this worker meets, the empty one first."""
        return tuple(needs_text(some) for size in range(len(self.words) + 1) for some in combinations(self.words, size))

    @cached_property
    def met(self) -> Q:
        """The tasks that this worker can do."""
        return Q(needs__in=self.combinations, level__lte=self.level)

    def meets(self, needs: str, level: int) -> bool:
        """Whether this worker can do a task with these needs."""
        return {*needs.split()} <= self.words and level <= self.level


def living_offers() -> list[Offers]:
    """What the workers offer that have reported themselves lately."""
    rows = Worker.objects.filter(seen_at__gt=clock.now() - SILENCE).values_list("offers", "level")
    return [Offers(frozenset(words.split()), level) for words, level in rows]


def needs_for_more_memory(task: Task) -> str:
    """What a task needs that has run out of memory in this process, when a running worker offers that; else nothing."""
    needs = needs_text([*task.needs.split(), MEMORY])
    is_largest = MEMORY in Offers.of_options().words or needs == task.needs
    return "" if is_largest or not any(one.meets(needs, task.level) for one in living_offers()) else needs


def needs_of_stage(stage: Stage, zones: Mapping[str, set[str]]) -> str:
    """What a worker must offer for one stage of a plan."""
    nodes = {read.dataset for binding in stage.bindings if binding.kind == "dataset" for read in binding.reads}
    nodes |= {stage.sink.dataset, stage.sink.node}
    return needs_text([*_words_of(nodes, zones), *([SPARK_OFFER] if stage.engine == SPARK else [])])


def needs_of_nodes(numbers: Collection[str]) -> str:
    """What a worker must offer to reach these nodes; numbers of datasets name their nodes too."""
    return needs_text(_words_of(numbers, zones_of_nodes()))


def zones_of_nodes() -> dict[str, set[str]]:
    """Node number → its zones; nodes that every worker reaches are left out."""
    zones: dict[str, set[str]] = {}
    rows = Node.objects.filter(tags__name__startswith=ZONE).values_list("number", "tags__name")
    for number, tag in rows:
        if tag.startswith(ZONE):
            zones.setdefault(number, set()).add("-".join(tag.split()))
    return zones


def _words_of(numbers: Collection[str], zones: Mapping[str, set[str]]) -> set[str]:
    """A dataset's number begins with its node's, which has no point in it."""
    return {word for number in numbers if number for word in zones.get(number.partition(".")[0], ())}


def nobody_can(needs: str, level: int, living: Collection[Offers]) -> Text:
    """Why no worker takes a task, and what to do."""
    if not living:
        return text(
            "No worker is running, so nothing starts. It goes on by itself when one is started; ask the operators.",
            "当前没有正在运行的工作进程，任务无法开始。工作进程启动后会自动继续，请联系运维人员。",
        )
    known = [one for one in living if level <= one.level]
    if not known:
        return text(
            "This was planned by a newer version than the running workers understand. It waits until a worker of the "
            "new version is started.",
            "该任务由较新版本的平台规划，现有工作进程无法理解。待启动新版本的工作进程后会自动继续。",
        )
    offered = frozenset[str]().union(*(one.words for one in known))
    missing = sorted({*needs.split()} - offered) or needs.split()
    return text(
        f"No running worker offers “{', '.join(missing)}”, which this needs. It goes on by itself when such a worker "
        "is started (option WORKER_OFFERS); ask the operators.",
        f"没有正在运行的工作进程具备所需的“{'、'.join(missing)}”。具备该能力的工作进程（WORKER_OFFERS 选项）"
        "启动后会自动继续，请联系运维人员。",
    )
