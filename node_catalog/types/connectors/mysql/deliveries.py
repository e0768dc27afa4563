"""What a MySQL database remembers of deliveries: fence, ledger, and the marker of a RENAME that may have happened."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from node_catalog.sdk.contract import Committed, Delivery
from node_catalog.sdk.failpoint import failpoint
from node_catalog.sdk.sql_node import FENCE, LEDGER, OUR_PREFIX, STAGE, delivery_key
from node_catalog.sdk.target_words import fenced
from node_catalog.types.connectors.mysql.catalog import quoted
from node_catalog.types.connectors.mysql.connection import Session

MARKER, DONE = f"{OUR_PREFIX}swap", f"{OUR_PREFIX}done"
"""A table of the first name becomes one of the second in the RENAME that delivers: its comment holds the rows."""
_KEY = (
    "sink varchar(200) not null, run varchar(100) not null, task varchar(100) not null, attempt bigint not null, "
    "primary key (sink, run, task)"
)
_END = "engine = InnoDB default character set utf8mb4 collate utf8mb4_bin"
_WHICH = "sink = %s and run = %s and task = %s"


class Deliveries:
    """The attempts of one delivery, as this database knows them."""

    def __init__(self, session: Session, delivery: Delivery) -> None:
        self._session, self.delivery = session, delivery
        self._key = delivery_key(delivery)
        self._which = (delivery.sink, delivery.run, delivery.task)

    def are_prepared(self) -> bool:
        """Whether ledger and fence are there."""
        query = "select count(*) from information_schema.tables where table_schema = database() and table_name in %s"
        return self._session.value(query, (LEDGER, FENCE)) == 2

    def prepare(self) -> None:
        """Make ledger and fence."""
        if not self.are_prepared():
            columns = f"{_KEY}, rows_ bigint not null, committed_at timestamp not null default current_timestamp"
            self._session.run(f"create table if not exists {LEDGER} ({columns}) {_END}")
            self._session.run(f"create table if not exists {FENCE} ({_KEY}) {_END}")

    def raise_fence(self) -> None:
        """From now on lower attempts are stopped. Raises FencedError when a higher one was here."""
        self._session.run(
            f"insert into {FENCE} (sink, run, task, attempt) values (%s, %s, %s, %s) "
            "on duplicate key update attempt = greatest(attempt, values(attempt))",
            *self._which,
            self.delivery.attempt,
        )
        self.check_fence()

    def check_fence(self) -> None:
        """Raises FencedError when a higher attempt has been here; inside a transaction it waits for us."""
        newest = self._session.value(f"select attempt from {FENCE} where {_WHICH} for update", *self._which)
        if int(newest or 0) != self.delivery.attempt:
            raise fenced(self.delivery, int(newest or 0))

    def write_ledger(self, rows: int, attempt: int | None = None) -> None:
        """Note what was delivered."""
        self._session.run(
            f"insert into {LEDGER} (sink, run, task, attempt, rows_) values (%s, %s, %s, %s, %s)",
            *self._which,
            attempt or self.delivery.attempt,
            rows,
        )

    def make_marker(self, rows: int) -> str:
        """Make the marker of a RENAME to come; gives its part of that statement."""
        name = f"{MARKER}_{self._key}_{self.delivery.attempt}"
        self._session.run(f"create table {quoted(name)} (nothing int) engine = InnoDB comment = '{int(rows)}'")
        return f"{quoted(name)} to {quoted(f'{DONE}_{self._key}_{self.delivery.attempt}')}"

    def finish(self) -> Committed | None:
        """The delivery as the ledger has it. A RENAME whose attempt died before the ledger is written down first."""
        found = self._ledger_row()
        if found is None:
            found = self._renamed()
            if found is None:
                return None
            self.write_ledger(found.rows, found.attempt)
        failpoint("mysql.finish.after_ledger")
        self._drop(self._tables())
        return found

    def drop_older(self) -> None:
        """Take away the staging of lower attempts: whichever of them comes back now can deliver nothing."""
        names = [name for name in self._tables() if not name.startswith(DONE)]
        self._drop(name for name in names if _attempt(name) < self.delivery.attempt)

    def _ledger_row(self) -> Committed | None:
        rows = self._session.rows(f"select rows_, attempt from {LEDGER} where {_WHICH}", *self._which)
        return Committed(int(rows[0][0]), int(rows[0][1]), None, self._key) if rows else None

    def _renamed(self) -> Committed | None:
        done = next((name for name in self._tables() if name.startswith(f"{DONE}_")), None)
        if done is None:
            return None
        comment = "select table_comment from information_schema.tables where table_schema = database() "
        rows = int(self._session.value(f"{comment} and table_name = %s", done))
        return Committed(rows, _attempt(done), None, self._key)

    def _tables(self) -> Sequence[str]:
        """Our tables for this delivery (by SHOW, which opens none of the others)."""
        found = self._session.rows(f"show tables like '%{self._key}%'")
        return [row[0] for row in found if row[0].startswith((STAGE, MARKER, DONE))]

    def _drop(self, names: Iterable[str]) -> None:
        for name in list(names):
            self._session.run(f"drop table if exists {quoted(name)}")


def _attempt(name: str) -> int:
    """The attempt that a table of ours belongs to."""
    return int(name.removesuffix("_old").rpartition("_")[2])
