"""Node types whose outputs ignore ledger and fence: every attempt that comes to its commit writes. Only for a test."""

from __future__ import annotations

from typing import Any

from node_catalog.sdk.contract import Committed, Delivery
from node_catalog.types.connectors.sqlite import Sqlite
from node_catalog.types.connectors.sqlite.writing import SqliteOutput


class UnfencedOutput(SqliteOutput):
    """Looks up no ledger, and calls every attempt a delivery of its own, so that no fence is ever higher."""

    @classmethod
    def committed(cls, settings: Any, delivery: Delivery, context: Any) -> Committed | None:
        return None

    @classmethod
    def open(cls, settings: Any, target: Any, delivery: Delivery, context: Any) -> Any:
        alone = Delivery(delivery.sink, delivery.run, f"{delivery.task}/{delivery.attempt}", delivery.attempt)
        return super().open(settings, target, alone, context)


class UnfencedSqlite(Sqlite):
    """SQLite with that output."""

    key = "sqlite"
    output = UnfencedOutput
