"""Rows of one node go to another's server only while its node lets them in: asked at each run, not at the plan."""

from __future__ import annotations

import shutil
from dataclasses import dataclass

import psycopg
import pytest

from flows.versions import save_version
from node_catalog.models import Node
from node_catalog.nodes import change_node
from runtime import states
from runtime.bindings import stage_work
from runtime.models import Result, Run, Task
from runtime.plans import plan_of
from runtime.scheduler import start_run
from security.access import principal_for
from security.models import User
from tests import services
from tests.contract.environments import LOOPBACK
from tests.integration.runtime import city

ROWS = 500
pytestmark = pytest.mark.services


@dataclass
class Planned:
    """A run that has been planned and not begun: its stage joins readings with stations inside PostgreSQL."""

    staff: User
    server: Node
    run: Run

    def sent_along(self) -> list[bool]:
        """Of each source of the stage as it would be done now, whether its rows are sent to a server."""
        task = Task.objects.get(run=self.run)
        work = stage_work(task, plan_of(self.run.plan_id), task.stage, self.staff, self.run)
        return [read.shipped is not None for binding in work.stage.bindings for read in binding.sources]


@pytest.fixture
def planned(
    transactional_db: None, postgres_server: services.PostgresServer, settings: object, monkeypatch: pytest.MonkeyPatch
) -> Planned:
    shutil.rmtree(city.home(""), ignore_errors=True)
    monkeypatch.setitem(settings.OPTIONS, "ALLOWED_NETWORKS", LOOPBACK)  # type: ignore[attr-defined]
    city.make_readings(city.home("source.sqlite3"), ROWS)
    with psycopg.connect(postgres_server.create_database("sending")) as connection:
        connection.execute("create table stations (id bigint primary key, word text)")
        connection.execute(f"insert into stations select n, 'w' from generate_series(0, {ROWS - 1}) n".encode())
        connection.execute("analyze stations")
    staff = city.make_staff()
    small_node = city.add_node(staff, "sqlite", "Small", {"path": str(city.home("source.sqlite3"))})
    server = city.add_node(staff, "postgresql", "Server", postgres_server.settings("sending"))
    with city.worker_and_scheduler():
        (small,), (large,) = city.discover(small_node, staff), city.discover(server, staff)
    steps = {
        "small": city.read_step(small),
        "large": city.read_step(large),
        "both": {"type": "join", "settings": {"how": "inner", "on": [{"left": "id", "right": "id"}]}},
        "sums": {"type": "aggregate", "settings": {"measures": [{"name": "n", "function": "count"}]}},
        "out": {"type": "output", "settings": {"name": "sums"}},
    }
    wires = [("large.out", "both.left"), ("small.out", "both.right"), ("both.out", "sums.in"), ("sums.out", "out.in")]
    flow = city.make_flow(staff, steps, wires)
    return Planned(staff, server, start_run(flow, save_version(flow.app, staff), staff))


def test_a_node_that_takes_no_rows_any_more_gets_none(planned: Planned) -> None:
    assert any(planned.sent_along())
    values = planned.server.settings | {"takes_rows": "never"}
    change_node(principal_for(planned.staff), planned.server, {"settings": values})
    assert not any(planned.sent_along())
    with city.worker_and_scheduler():
        ended = city.await_run(planned.run)
    assert ended.state == states.DONE, ended.error
    assert Result.objects.get(run=ended).rows == 1
