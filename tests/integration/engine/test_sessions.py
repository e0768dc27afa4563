"""How many connections one run opens at a PostgreSQL server, and what of its work is taken for that of others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from node_catalog.sdk.kept import Kept
from node_catalog.sdk.registry import Registry
from node_catalog.sdk.schema import parse
from node_catalog.types.connectors.postgresql.catalogues import CATALOGUES
from runtime.engine.sources import connect_context
from runtime.engine.stage import run_stage
from runtime.engine.work import DeliverySpec, Load, SinkSpec, SourceSpec, StageWork
from tests.integration.engine.support import AIR, BY_STATION, BY_STATION_TEXT, binding, limits, quiet, stage, work
from tests.services import PostgresServer, wait_until

pytestmark = pytest.mark.services
DATABASE = "engine_sessions"
CATALOGUE = 1
"""The driver's own connection to ask for types, once for a while."""


class Node:
    """A node of its own database, which is read and written."""

    def __init__(self, server: PostgresServer, folder: Path, registry: Registry) -> None:
        self.url = server.create_database(DATABASE)
        self.server, self.folder, self.registry = server, folder, registry
        self.settings: dict[str, Any] = {**server.settings(DATABASE), "sslmode": "disable"}
        self._watch = psycopg.connect(server.url("postgres"), autocommit=True)
        with psycopg.connect(self.url) as connection:
            connection.execute("create table air (id bigint primary key, station text, pm25 double precision)")
            connection.execute(
                "insert into air select i, 's' || (i % 30), (i * 7919 % 1000)::float8 from generate_series(0, 9999) i"
            )

    def close(self) -> None:
        self._watch.close()

    def work(self, task: str, attempt: int = 1) -> StageWork:
        read = binding('select "t0"."id", "t0"."station", "t0"."pm25" from "src" as "t0"', dialect="postgres")
        made = stage(BY_STATION_TEXT, BY_STATION, [read], "write")
        target = SinkSpec(
            kind="write", connector="postgresql", settings=self.settings, target_path=("public", f"worst_{task}"),
            create=True, mode="replace",
            delivery=DeliverySpec(sink="stage1", run="run1", task=task, attempt=attempt),
        )  # fmt: skip
        source = SourceSpec(
            alias="air", connector="postgresql", settings=self.settings, path=("public", "air"), schema=AIR,
            load=Load(node="N1", yields=True),
        )  # fmt: skip
        open_limits = limits(self.folder, allowed_networks=("127.0.0.0/8",))
        return work(self.folder, made, [source], sink=target, limits=open_limits)

    def sessions(self) -> int:
        """Sessions of the database so far, once all have ended and told what they have done."""
        busy = "select count(*) from pg_stat_activity where datname = %s"
        wait_until(lambda: self._ask(busy) == 0, 30, "all connections are closed")
        return self._ask("select sessions from pg_stat_database where datname = %s")

    def _ask(self, question: str) -> int:
        row = self._watch.execute(question.encode(), (DATABASE,)).fetchone()
        assert row is not None
        return int(row[0])


@pytest.fixture
def node(postgres_server: PostgresServer, tmp_path: Path, registry: Registry) -> Iterator[Node]:
    made = Node(postgres_server, tmp_path, registry)
    CATALOGUES.forget()
    yield made
    made.close()


def test_a_read_and_a_write_on_one_node_open_few_connections(node: Node) -> None:
    before = node.sessions()
    assert run_stage(node.work("a"), quiet, node.registry).rows == 30
    first = node.sessions()
    assert first - before <= 3 + CATALOGUE
    run_stage(node.work("a2"), quiet, node.registry)
    assert node.sessions() - first <= 3


def test_a_delivery_that_is_there_already_is_found_over_few_connections(node: Node) -> None:
    done = run_stage(node.work("b"), quiet, node.registry)
    before = node.sessions()
    again = run_stage(node.work("b", attempt=2), quiet, node.registry)
    assert again.adopted and again.rows == done.rows
    assert node.sessions() - before <= 3


def test_work_of_our_own_is_not_taken_for_that_of_others(node: Node) -> None:
    """Sessions tell the server what they have done when they end; the question leaves out what this process did."""
    connector = node.registry.connectors["postgresql"]
    settings = parse(connector.Settings, node.settings)
    with Kept() as kept:
        context = connect_context(node.work("e").limits, "postgresql", kept)
        with connector.work_done(settings, context) as ask:
            before = ask()
            for number in range(10):
                run_stage(node.work(f"e{number}"), quiet, node.registry)
            own = ask() - before
            assert own < 100  # about 25 each, of which those of blocks and of the driver may be missing

            def others() -> bool:
                with psycopg.connect(node.url, autocommit=True) as other:
                    for _ in range(200):
                        other.execute("select 1")
                return ask() - before > 400

            wait_until(others, 60, "the work of others is seen")
