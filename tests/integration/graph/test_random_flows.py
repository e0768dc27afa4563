"""Random typed flows over all relational step types: a table per step, fused, and with their sources in PostgreSQL and
MariaDB (where it helps also one in each, the small one sent to the large) give the same rows, and every promised schema
is real.

1,600 different flows, the same ones each time, each of them run every way. FLOWS=5000 looks at so many, other ones
each time.
What differs between engines by its nature is kept out of the answers' way by the product, not by this comparison: see
"What engines do differently" in docs/flow_format.md. Rows are compared as multisets, since no order was asked for.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, assume, given, seed, settings
from hypothesis import strategies as st

from flows.graph.canonical import canonical_json
from flows.graph.document import Document
from tests.integration.graph.random_flows import Drawn, flows, server_flows
from tests.integration.graph.random_runs import SERVERS, Engine, Place, plan_of, server
from tests.unit.graph.support import load, registry, rows_of

PARTS = 8
FLOWS = int(os.environ.get("FLOWS") or 1_600)
EXAMPLES = FLOWS * 7 // 5 // PARTS
"""Draws of a part: about every fifth flow is one that was drawn before, and is not run again."""
FIRST_SEED = random.randrange(2**30) if os.environ.get("FLOWS") else 0
LEAST = {"postgresql": 20, "mysql": 200}
"""One in so many flows has a join, a group, or both made there. MySQL joins by keys, and tells no texts apart."""
SEEN: Counter[str] = Counter()
COMPARED: set[bytes] = set()
ENGINE = Engine()
NOT_DRAWN = {
    "call": "its sub-flow's steps take its place before anything is fused (test_calls.py)",
    "for_each": "is cut into tasks of their own, which only a run has (test_for_each.py)",
    **dict.fromkeys(
        (
            "geo_point",
            "geo_parse",
            "geo_text",
            "geo_transform",
            "point_in_polygon",
            "distance",
            "nearest_place",
        ),
        "works on geometries, which the random tables have none of (test_spatial_steps.py)",
    ),
    "write": "has the rows of an output; its targets have a contract suite of their own",
}
"""Step types that no random flow has, and why."""


@pytest.fixture(scope="module")
def servers() -> tuple[Place, ...]:
    """Those that this machine has; a missing one is told by a test of its own."""
    found = []
    for place in SERVERS:
        try:
            server(place)
            found.append(place)
        except pytest.skip.Exception:
            continue
    return tuple(found)


@pytest.mark.services
@pytest.mark.parametrize("place", SERVERS)
def test_the_sources_are_real_servers(place: Place) -> None:
    assert server(place)("select count(*) from air") == [(60,)]


@pytest.mark.timeout(900)
@pytest.mark.parametrize("part", range(PARTS))
def test_a_flow_gives_the_same_rows_whichever_way_it_runs(part: int, servers: tuple[Place, ...]) -> None:
    compared = Counter[str]()

    @seed(FIRST_SEED + part)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(made=st.one_of(flows(typed=True), flows(filtered=True, typed=True), server_flows()))
    def same(made: Drawn) -> None:
        known = canonical_json(made.document())
        if known not in COMPARED:
            _compare(made, servers, compared)
            COMPARED.add(known)

    same()
    SEEN.update(compared)


def _compare(made: Drawn, servers: tuple[Place, ...], compared: Counter[str]) -> None:
    document = load(made.document())
    try:
        wanted = ENGINE.unfused(document, made.known)
    except duckdb.Error:
        assume(False)  # a value that overflows, say: there is no answer to compare
    apart: tuple[Place, ...] = ("apart",) if len(servers) == len(SERVERS) and len(set(datasets(document))) > 1 else ()
    places: tuple[Place, ...] = ("files", *servers, *apart)
    answers: dict[str, Any] = {}
    for place in places:
        plan = plan_of(document, place)
        sent = [stage for stage in plan.stages if stage.instead]
        if place == "apart" and not sent:
            continue  # each source by itself has been compared
        found = ENGINE.planned(plan, place)
        assert found
        for step, rows in found.items():
            if step not in answers:
                answers[step] = rows_of(wanted[step])
            assert rows_of(rows) == answers[step], (place, made.document())
        bindings = [binding for stage in plan.stages for binding in stage.bindings]
        compared[f"{place} filters"] += any(len(binding.pushed) > 1 for binding in bindings)
        compared[f"{place} kept back"] += bool(plan.notes)
        compared[f"{place} early"] += any(binding.thinned for binding in bindings)
        joins = any(len(binding.sources) > 1 for binding in bindings)
        groups = any(binding.sources and "GROUP BY" in binding.text for binding in bindings)
        both = any(len(binding.sources) > 1 and "GROUP BY" in binding.text for binding in bindings)
        compared[f"{place} sent"] += bool(sent)
        compared.update({f"{place} joins": joins, f"{place} groups": groups, f"{place} both": both})
        compared[f"{place} distinct"] += any(binding.sources and "DISTINCT" in binding.text for binding in bindings)
        compared[f"{place} once"] += any(note["code"] == "plan.read_once" for note in plan.notes)
        assert all(note["message"]["en"] and note["message"]["zh-CN"] for note in plan.notes)
    compared["flow"] += 1
    compared.update({step.type for step in document.steps.values()})


def datasets(document: Document) -> list[str]:
    """The datasets that a flow reads, by name."""
    return [one.settings["dataset"] for one in document.steps.values() if one.type == "read"]


def test_so_many_different_flows_were_compared() -> None:
    assert len(COMPARED) >= FLOWS, f"draw more than {EXAMPLES} in a part"


def test_servers_did_a_part_of_the_work_and_left_the_rest(servers: tuple[Place, ...]) -> None:
    for place in servers:
        assert all(SEEN[f"{place} {kind}"] for kind in ("filters", "kept back", "early")), SEEN
        for kind in ("joins", "groups", "both"):
            assert SEEN[f"{place} {kind}"] >= FLOWS // LEAST[place], SEEN
        assert SEEN[f"{place} once"] >= FLOWS // 100, SEEN
    assert len(servers) < len(SERVERS) or SEEN["apart sent"] >= FLOWS // 20, SEEN


def test_every_step_type_was_drawn() -> None:
    """A new step type is either drawn by ``random_flows`` or stands in NOT_DRAWN with the reason."""
    known = set(registry().transforms)
    assert set(NOT_DRAWN) <= known and not set(NOT_DRAWN) & set(SEEN)
    left_out = {kind for kind in known - set(NOT_DRAWN) if SEEN[kind] < min(10, FLOWS // 100)}
    assert not left_out, f"draw these step types in random_flows.py, or say in NOT_DRAWN why not: {left_out}"
