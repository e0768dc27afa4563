"""What a run costs in statements to the database: a change that asks more often shows here first."""

from __future__ import annotations

from django.db import connection
from django.test.utils import CaptureQueriesContext

from runtime import finishing
from runtime.claims import begin, claim_next
from runtime.endings import Ending
from runtime.models import Run
from runtime.runner import HEAVY
from security import audit
from tests.app.runtime.factory import World, stage


def asked(context: CaptureQueriesContext) -> list[str]:
    """The statements, without those that only open and close transactions."""
    words = ("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT")
    return [query["sql"] for query in context.captured_queries if not query["sql"].startswith(words)]


def count(context: CaptureQueriesContext) -> int:
    return len(asked(context))


def listing(context: CaptureQueriesContext) -> str:
    return "\n".join(sql[:160] for sql in asked(context))


def test_a_stage_needs_few_statements_from_its_claim_to_its_end(world: World) -> None:
    audit.record("test.begin", "test")  # the first record of all makes the chain
    with CaptureQueriesContext(connection) as started:
        run = world.make_run(stage("a", sink="result"))
    assert count(started) <= 12, listing(started)
    with CaptureQueriesContext(connection) as claimed:
        held = claim_next("w1", HEAVY)
    assert held is not None
    assert count(claimed) <= 7, listing(claimed)
    with CaptureQueriesContext(connection) as ended:
        finishing.complete(held, Ending({"rows": 1}, steps={"step_a": {"rows": 1}}))
    assert count(ended) <= 8, listing(ended)
    assert Run.objects.get(pk=run.pk).state == "done"


def test_the_number_of_steps_does_not_matter(world: World) -> None:
    """Ten stages are stored with as many statements as one."""
    counts = []
    for stages in (1, 10):
        with CaptureQueriesContext(connection) as started:
            world.make_run(*(stage(f"s{number}") for number in range(stages)))
        counts.append(count(started))
    assert counts[1] <= counts[0]


def test_saying_that_it_runs_is_one_more(world: World) -> None:
    world.make_run(stage("a"))
    held = claim_next("w1", HEAVY)
    assert held is not None
    with CaptureQueriesContext(connection) as begun:
        assert begin(held)
    assert count(begun) <= 4, listing(begun)
