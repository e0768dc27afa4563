"""Contract suites for connectors and outputs, usable by packages outside this one.

A suite gets a ``NodeCase``: settings of a real system, the context, and a way to read a dataset back. Every function
raises AssertionError with words. ``OUTPUT_CHECKS`` and ``CONNECTOR_CHECKS`` list them all.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec

from node_catalog.sdk.contract import (
    ConnectContext,
    Connector,
    DatasetRef,
    Delivery,
    DiscoveredDataset,
    Mode,
    Output,
    Target,
    Writer,
)
from node_catalog.sdk.errors import FencedError, NodeTypeError, SourceError, TargetError
from node_catalog.sdk.failpoint import FailpointError, arm, recording
from node_catalog.sdk.ports import Schema, is_type, to_arrow
from node_catalog.sdk.schema import parse, secret_fields
from node_catalog.sdk.text import LANGUAGES

Rows = list[tuple[Any, ...]]

ALL_TYPES = Schema.of(
    [
        ("编号", "integer"),
        ("value", "number"),
        ("Text \"quoted\", 'x'", "text"),
        ("day", "date"),
        ("clock", "time"),
        ("at", "timestamp"),
        ("flag", "boolean"),
        ("price", "decimal(12,3)"),
    ]
)
"""A table with every type that all outputs can hold, and names that need quoting."""


@dataclass
class NodeCase:
    """A real system to test against.

    ``read(connector, settings, dataset, context)`` gives all rows of a dataset through the connector's own access, as
    an Arrow table. ``target`` is a path that does not exist yet. ``wrong`` maps a name to settings that cannot work.
    """

    connector: type[Connector]
    settings: Mapping[str, Any]
    context: ConnectContext
    read: Callable[[type[Connector], Any, DatasetRef, ConnectContext], Any]
    target: tuple[str, ...] = ("made",)
    expected: Mapping[tuple[str, ...], int | None] = field(default_factory=dict)
    wrong: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def parsed(self) -> Any:
        """The settings struct."""
        return parse(self.connector.Settings, self.settings)

    @property
    def output(self) -> type[Output]:
        """The connector's output."""
        assert self.connector.output is not None
        return self.connector.output

    def found(self) -> dict[tuple[str, ...], DiscoveredDataset]:
        """What discovery finds now, by path."""
        return {dataset.path: dataset for dataset in self.connector.discover(self.parsed, self.context)}

    def table(self, path: tuple[str, ...]) -> Any:
        """All rows of a dataset as an Arrow table, or None when it is not there (or not visible yet)."""
        dataset = next((d for p, d in self.found().items() if p[-len(path) :] == path), None)
        if dataset is None or not dataset.columns:
            return None
        return self.read(self.connector, self.parsed, reference(dataset), self.context)

    def rows(self) -> Rows | None:
        """The rows of the target."""
        table = self.table(self.target)
        return None if table is None else [tuple(row.values()) for row in table.to_pylist()]


def reference(dataset: DiscoveredDataset) -> DatasetRef:
    """A discovered dataset as the catalogue hands it back."""
    schema = Schema.of((column.name, column.type) for column in dataset.columns)
    return DatasetRef(dataset.path, schema, dataset.settings)


# ── connectors ────────────────────────────────────────────────────────────────────────────────────────────


def check_answers(case: NodeCase) -> None:
    """A test of the connection succeeds, with facts that are plain JSON and no secret."""
    answer = case.connector.check(case.parsed, case.context)
    assert answer.ok, answer
    _words(answer.message)
    _no_secret(case, json.dumps(dict(answer.facts)) + json.dumps(answer.message))


def check_wrong_settings(case: NodeCase) -> None:
    """What cannot work is an answer in both languages, never an exception and never a secret."""
    for name, change in case.wrong.items():
        settings = parse(case.connector.Settings, {**case.settings, **change})
        answer = case.connector.check(settings, case.context)
        assert not answer.ok, f"{name}: {answer}"
        _words(answer.message)
        assert answer.code, name
        _no_secret(case, json.dumps(answer.message) + json.dumps(dict(answer.facts)))


def check_discovery(case: NodeCase) -> None:
    """Paths are unique, types are ours, dataset settings parse, and exact row counts are true."""
    found = case.found()
    assert len(found) == len(list(case.connector.discover(case.parsed, case.context)))
    for path, rows in case.expected.items():
        assert path in found, f"{path} is not among {list(found)}"
        assert found[path].rows == rows, f"{path}: {found[path].rows} rows instead of {rows}"
    for dataset in found.values():
        assert all(is_type(column.type) for column in dataset.columns), dataset
        assert all(column.native_type for column in dataset.columns), dataset
        parse(case.connector.DatasetSettings, dict(dataset.settings))
        msgspec.json.encode(dataset)
        for warning in dataset.warnings:
            _words(warning)


def check_reading(case: NodeCase) -> None:
    """What is read has exactly the promised columns and types, and as many rows as were counted."""
    for dataset in case.found().values():
        if not dataset.columns:
            continue
        table = case.read(case.connector, case.parsed, reference(dataset), case.context)
        wanted = to_arrow(reference(dataset).schema)
        assert table.schema.equals(wanted), f"{dataset.path}: {table.schema} instead of {wanted}"
        if dataset.rows_exact:
            assert table.num_rows == dataset.rows, f"{dataset.path}: {table.num_rows} of {dataset.rows} rows"
        for name, kind in zip(wanted.names, wanted.types, strict=True):
            if str(kind) == "double":
                values = table.column(name).drop_null().to_pylist()
                assert all(value == value for value in values), f"{dataset.path}.{name} has NaN, which must be NULL"


def check_vanished(case: NodeCase) -> None:
    """A dataset or a column that is gone is a SourceError in words."""
    some = next(dataset for dataset in case.found().values() if dataset.columns)
    gone = DatasetRef((*some.path[:-1], "no_such_" + some.path[-1]), reference(some).schema, some.settings)
    moved = DatasetRef(some.path, Schema.of([("no such column", "integer")]), some.settings)
    for dataset in (gone, moved):
        try:
            case.read(case.connector, case.parsed, dataset, case.context)
        except SourceError as error:
            _words(error.message)
        else:
            raise AssertionError(f"reading {dataset.path} {dataset.schema.names} should have failed")


CONNECTOR_CHECKS = (check_answers, check_wrong_settings, check_discovery, check_reading, check_vanished)


# ── outputs ───────────────────────────────────────────────────────────────────────────────────────────────


def sample(count: int, start: int = 0) -> Any:
    """A record batch of ALL_TYPES: row ``i`` is full when even, has no values when odd (but for its number)."""
    import pyarrow as pa

    rows = [_row(index) for index in range(start, start + count)]
    schema = to_arrow(ALL_TYPES)
    arrays = [pa.array([row[at] for row in rows], schema.field(at).type) for at in range(len(schema))]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _row(index: int) -> tuple[Any, ...]:
    if index % 2:
        return (index, *([None] * (len(ALL_TYPES.fields) - 1)))
    moment = dt.datetime(2024, 2, 29, 23, 59, 59, 123456)  # noqa: DTZ001 (all our timestamps are naive UTC)
    words = ("", "NA", "中文 ' \" \\ , ;\n\t", "x")[index // 2 % 4]
    price = Decimal(index).scaleb(-3).quantize(Decimal("0.001"))
    return (index, index / 7, words, moment.date(), moment.time(), moment, index % 4 == 0, price)


def expected(*ranges: range) -> Rows:
    """The rows of ``sample`` for several ranges."""
    return [_row(index) for numbers in ranges for index in numbers]


def delivery(run: str = "run-1", attempt: int = 1) -> Delivery:
    """A delivery of the suite."""
    return Delivery(sink="suite", run=run, task="task-1", attempt=attempt)


def open_writer(case: NodeCase, which: Delivery, mode: Mode = "append", create: bool = True) -> Writer:
    """A writer for the case's target."""
    return case.output.open(case.parsed, Target(case.target, ALL_TYPES, mode, create), which, case.context)


def write(case: NodeCase, which: Delivery, numbers: range, mode: Mode = "append") -> Any:
    """One whole attempt, in batches of three rows."""
    writer = open_writer(case, which, mode)
    try:
        for start in range(numbers.start, numbers.stop, 3):
            writer.write(sample(min(3, numbers.stop - start), start))
        return writer.commit()
    except BaseException:
        writer.abort()
        raise


def same(case: NodeCase, wanted: Rows, why: str) -> None:
    """The target holds exactly ``wanted``, in any order."""
    found = case.rows() or []
    assert sorted(found, key=repr) == sorted(wanted, key=repr), (
        f"{why}: {len(found)} rows instead of {len(wanted)}: {found}"
    )


def check_round_trip(case: NodeCase) -> None:
    """Every type, NULLs, awkward text and an append come back as they were written."""
    done = write(case, delivery("a"), range(10))
    assert (done.rows, done.attempt) == (10, 1)
    write(case, delivery("b"), range(10, 15))
    same(case, expected(range(15)), "after two appends")


def check_nothing_before_commit(case: NodeCase) -> None:
    """Staged rows are invisible, and an aborted attempt leaves no trace."""
    writer = open_writer(case, delivery("a"))
    writer.write(sample(5))
    assert not case.rows(), "rows are visible before the commit"
    assert case.output.committed(case.parsed, delivery("a"), case.context) is None
    writer.abort()
    writer.abort()
    assert not case.rows(), "an aborted attempt left rows"
    write(case, delivery("b"), range(4))
    same(case, expected(range(4)), "after an aborted attempt of another delivery")


def check_replace(case: NodeCase) -> None:
    """Replace leaves exactly the new rows; the old ones stay until the commit."""
    write(case, delivery("a"), range(9))
    writer = open_writer(case, delivery("b"), "replace")
    writer.write(sample(2, 20))
    same(case, expected(range(9)), "before the commit of a replacement")
    writer.commit()
    same(case, expected(range(20, 22)), "after a replacement")


def check_no_rows(case: NodeCase) -> None:
    """A delivery without rows commits, creates the target, and replaces by nothing."""
    assert write(case, delivery("a"), range(0)).rows == 0
    write(case, delivery("b"), range(3))
    write(case, delivery("c"), range(0), "replace")
    same(case, [], "after a replacement by nothing")


def check_adoption(case: NodeCase) -> None:
    """A second attempt of a delivery that has committed writes nothing and gets the first one's result."""
    write(case, delivery("a", 1), range(6))
    done = case.output.committed(case.parsed, delivery("a", 2), case.context)
    assert done is not None
    assert (done.rows, done.attempt) == (6, 1)
    again = write(case, delivery("a", 2), range(6))
    assert (again.rows, again.attempt) == (6, 1), again
    same(case, expected(range(6)), "after the same delivery twice")


def check_fence(case: NodeCase) -> None:
    """An attempt that a newer one has fenced writes nothing, whenever it comes back."""
    write(case, delivery("z"), range(2))
    old = open_writer(case, delivery("a", 1))
    old.write(sample(3, 100))
    new = open_writer(case, delivery("a", 2))
    case.output.clean(case.parsed, delivery("a", 2), case.context)
    new.write(sample(3, 200))

    def go_on() -> None:
        old.write(sample(1, 103))
        old.commit()

    late: tuple[Callable[[], Any], ...] = (go_on, lambda: open_writer(case, delivery("a", 1)))
    for action in late:
        try:
            action()
        except FencedError as error:
            _words(error.message)
        else:
            raise AssertionError("a fenced attempt went on")
    old.abort()
    done = new.commit()
    assert done.attempt == 2
    same(case, expected(range(2), range(200, 203)), "after a fenced attempt")


def check_missing_target(case: NodeCase) -> None:
    """Without ``create`` a missing target is an error, and nothing is made."""
    _refused(lambda: open_writer(case, delivery(), create=False))
    assert case.rows() is None


def check_other_columns(case: NodeCase) -> None:
    """Rows with other columns than the target's are refused, and the target stays."""
    write(case, delivery("a"), range(2))
    other = Target(case.target, Schema.of([("编号", "integer"), ("another", "text")]), "append", True)
    _refused(lambda: case.output.open(case.parsed, other, delivery("b"), case.context))
    same(case, expected(range(2)), "after refused rows")


def check_failpoints(case: NodeCase) -> None:
    """Whatever boundary an attempt fails at, the next one delivers each row once."""
    for number, name in enumerate(_passed(case)):
        for fault in ("raise", "enospc"):
            run = f"fail-{number}-{fault}"
            arm(f"{name}={fault}@1")
            try:
                write(case, delivery(run, 1), range(7), "replace")
            except (FailpointError, OSError, NodeTypeError):
                pass
            finally:
                arm("")
            write(case, delivery(run, 2), range(7), "replace")
            case.output.clean(case.parsed, delivery(run, 2), case.context)
            same(case, expected(range(7)), f"after {fault} at {name}")


def check_kills(case: NodeCase) -> None:
    """The same with SIGKILL, appending: rows arrive once, and no staging is left."""
    wanted = expected()
    for number, name in enumerate(_passed(case)):
        run, numbers = f"kill-{number}", range(number * 10, number * 10 + 7)
        _killed_at(case, name, delivery(run, 1), numbers)
        write(case, delivery(run, 2), numbers)
        case.output.clean(case.parsed, delivery(run, 2), case.context)
        wanted += expected(numbers)
        same(case, [*expected(range(1000, 1007)), *wanted], f"after a kill at {name}")


def _passed(case: NodeCase) -> Sequence[str]:
    """The failpoints that one good delivery passes (also the ones of a first write)."""
    with recording() as names:
        write(case, delivery("recorded"), range(1000, 1007))
    found = list(dict.fromkeys(names))
    assert len(found) >= 5, f"too few failpoints: {found}"
    return found


def _killed_at(case: NodeCase, name: str, which: Delivery, numbers: range) -> None:
    """Run one attempt in a forked process that dies at the failpoint."""
    child = os.fork()
    if child == 0:
        try:
            arm(f"{name}=kill@1")
            write(case, which, numbers)
        finally:
            os._exit(3)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), f"the failpoint {name} was not reached"


def _refused(action: Callable[[], Any]) -> None:
    try:
        action()
    except TargetError as error:
        _words(error.message)
    else:
        raise AssertionError("a target that does not fit was accepted")


OUTPUT_CHECKS = (
    check_round_trip,
    check_nothing_before_commit,
    check_replace,
    check_no_rows,
    check_adoption,
    check_fence,
    check_missing_target,
    check_other_columns,
    check_failpoints,
    check_kills,
)


def _words(message: Mapping[str, str]) -> None:
    assert all(message.get(language) for language in LANGUAGES), f"a language is missing: {message}"
    assert "Traceback" not in message["en"]


def _no_secret(case: NodeCase, said: str) -> None:
    for name in secret_fields(case.connector.Settings):
        secret = case.settings.get(name)
        assert not secret or str(secret) not in said, f"the secret {name} is told"
