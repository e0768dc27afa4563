"""Contract suite for outputs, usable by packages outside this one: each row once, whatever fails, in every mode.

A suite gets a ``NodeCase`` (testing_nodes). Every function raises AssertionError with words; ``OUTPUT_CHECKS`` lists
them all.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, get_args

from node_catalog.sdk.contract import Delivery, DeliveryLabel, Mode, Target, Writer
from node_catalog.sdk.errors import FencedError, NodeTypeError, TargetError
from node_catalog.sdk.failpoint import FailpointError, arm, recording
from node_catalog.sdk.ports import Schema, to_arrow
from node_catalog.sdk.testing_nodes import NodeCase, Rows, words

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
KEY = ("编号",)
"""What tells its rows apart."""


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


def open_writer(
    case: NodeCase, which: Delivery, mode: Mode = "append", create: bool = True, key: tuple[str, ...] = KEY
) -> Writer:
    """A writer for the case's target."""
    target = Target(case.target, ALL_TYPES, mode, create, key=key if mode == "upsert" else ())
    return case.output.open(case.parsed, target, which, case.context)


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
    """Every type, NULLs, awkward text and an append come back as they were written; a promise is made."""
    assert case.output.delivery_label in get_args(DeliveryLabel)
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
            words(error.message)
        else:
            raise AssertionError("a fenced attempt went on")
    old.abort()
    done = new.commit()
    assert done.attempt == 2
    same(case, expected(range(2), range(200, 203)), "after a fenced attempt")


def check_upsert(case: NodeCase) -> None:
    """Rows with a known key are changed, the others added; the old ones stay until the commit."""
    if "upsert" not in case.output.modes:
        _refused(lambda: open_writer(case, delivery("a"), "upsert"))
        assert case.rows() is None, "a refused way of writing left something"
        return
    write(case, delivery("a"), range(6), "upsert")
    same(case, expected(range(6)), "after an upsert into a new table")
    writer = open_writer(case, delivery("b"), "upsert")
    writer.write(renumbered(sample(6, 20), 3))
    same(case, expected(range(6)), "before the commit of an upsert")
    assert writer.commit().rows == 6
    changed = [(row[0] - 17, *row[1:]) for row in expected(range(20, 26))]
    same(case, [*expected(range(3)), *changed], "after an upsert of three known and three new keys")
    again = write(case, delivery("b", 2), range(90, 92), "upsert")
    assert (again.rows, again.attempt) == (6, 1), "a delivery that has committed is adopted"
    write(case, delivery("c"), range(4), "upsert")
    same(case, [*expected(range(4)), *changed[1:]], "after known keys only")


def check_upsert_keys(case: NodeCase) -> None:
    """A key twice, an empty key, and a key that the table does not keep apart are refused; the target stays."""
    if "upsert" not in case.output.modes:
        return
    write(case, delivery("a"), range(4), "upsert")
    double = renumbered(sample(6), 7)
    for number, rows in enumerate((double, double)):
        run = f"twice-{number}"
        writer = open_writer(case, delivery(run), "upsert")

        def deliver(writer: Writer = writer, rows: Any = rows) -> None:
            writer.write(rows)
            writer.write(rows)
            writer.commit()

        _refused(deliver)
        writer.abort()
    empty = open_writer(case, delivery("empty"), "upsert")

    def without_key() -> None:
        empty.write(renumbered(sample(2), None))
        empty.commit()

    _refused(without_key)
    empty.abort()
    _refused(lambda: open_writer(case, delivery("other"), "upsert", key=("day",)))
    same(case, expected(range(4)), "after refused keys")


def renumbered(batch: Any, first: int | None) -> Any:
    """``sample`` rows under other numbers, counted from ``first``; all empty when None."""
    import pyarrow as pa

    numbers = [None if first is None else first + index for index in range(batch.num_rows)]
    return batch.set_column(0, batch.schema.field(0), pa.array(numbers, pa.int64()))


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
    """Whatever boundary a replacement fails at, the next attempt delivers each row once."""
    _fail_everywhere(case, "replace", range(9))


def check_failpoints_by_key(case: NodeCase) -> None:
    """The same while rows are changed by key."""
    if "upsert" in case.output.modes:
        _fail_everywhere(case, "upsert", range(5))


def _fail_everywhere(case: NodeCase, mode: Mode, before: range) -> None:
    for name in _passed(case, mode):
        for fault in ("raise", "enospc"):
            run = f"fail-{name}-{fault}"
            write(case, delivery(f"{run}-before"), range(0), "replace")
            write(case, delivery(f"{run}-before-too"), before)
            arm(f"{name}={fault}@1")
            try:
                write(case, delivery(run, 1), range(7), mode)
            except (FailpointError, OSError, NodeTypeError):
                pass
            finally:
                arm("")
            write(case, delivery(run, 2), range(7), mode)
            case.output.clean(case.parsed, delivery(run, 2), case.context)
            same(case, expected(range(7)), f"after {fault} at {name}")


def check_kills(case: NodeCase) -> None:
    """The same with SIGKILL, appending: rows arrive once."""
    wanted = expected(range(1000, 1003))
    for number, name in enumerate(_passed(case)):
        run, numbers = f"kill-{number}", range(number * 10, number * 10 + 7)
        _killed_at(case, name, delivery(run, 1), numbers)
        write(case, delivery(run, 2), numbers)
        case.output.clean(case.parsed, delivery(run, 2), case.context)
        wanted += expected(numbers)
        same(case, [*expected(range(1000, 1007)), *wanted], f"after a kill at {name}")


def check_kills_while_making(case: NodeCase) -> None:
    """SIGKILL while the target is made: it is not there, or it is there with all rows."""
    with recording() as names:
        write(case, delivery("recorded"), range(7), "replace")
    for number, name in enumerate(dict.fromkeys(names)):
        fresh = replace(case, target=(*case.target[:-1], f"new_{number}_{case.target[-1]}"))
        _killed_at(fresh, name, delivery(f"make-{number}", 1), range(7), "replace")
        assert len(fresh.rows() or []) in (0, 7), f"half of the rows show after a kill at {name}"
        write(fresh, delivery(f"make-{number}", 2), range(7), "replace")
        same(fresh, expected(range(7)), f"after a kill at {name}")


def check_kills_while_replacing(case: NodeCase) -> None:
    """SIGKILL while all rows are replaced: the old rows show, or exactly the new ones."""
    _kill_everywhere(case, "replace", range(2, 9))


def check_kills_by_key(case: NodeCase) -> None:
    """SIGKILL while rows are changed by key: the old rows show, or exactly the changed ones."""
    if "upsert" in case.output.modes:
        _kill_everywhere(case, "upsert", range(9))


def _kill_everywhere(case: NodeCase, mode: Mode, after: range) -> None:
    for name in _passed(case, mode):
        run = f"kill-{name}"
        write(case, delivery(f"{run}-before"), range(0), "replace")
        write(case, delivery(f"{run}-before-too"), range(4))
        _killed_at(case, name, delivery(run, 1), range(2, 9), mode)
        shown = len(case.rows() or [])
        assert shown in (4, len(after)), f"{shown} rows show after a kill at {name}"
        if case.output.committed(case.parsed, delivery(run, 2), case.context) is None:
            write(case, delivery(run, 2), range(2, 9), mode)
        case.output.clean(case.parsed, delivery(run, 2), case.context)
        same(case, expected(after), f"after a kill at {name}")


def _passed(case: NodeCase, mode: Mode = "append") -> Sequence[str]:
    """The failpoints that one good delivery into an existing target passes."""
    write(case, delivery("first"), range(1000, 1003), mode)
    with recording() as names:
        write(case, delivery("recorded"), range(1000, 1007), mode)
    found = list(dict.fromkeys(names))
    assert len(found) >= 5, f"too few failpoints: {found}"
    return found


def _killed_at(case: NodeCase, name: str, which: Delivery, numbers: range, mode: Mode = "append") -> None:
    """Run one attempt in a forked process that dies at the failpoint."""
    child = os.fork()
    if child == 0:
        try:
            arm(f"{name}=kill@1")
            write(case, which, numbers, mode)
        finally:
            os._exit(3)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), f"the failpoint {name} was not reached"


def _refused(action: Callable[[], Any]) -> None:
    try:
        action()
    except TargetError as error:
        words(error.message)
    else:
        raise AssertionError("a target that does not fit was accepted")


OUTPUT_CHECKS = (
    check_round_trip,
    check_nothing_before_commit,
    check_replace,
    check_no_rows,
    check_adoption,
    check_fence,
    check_upsert,
    check_upsert_keys,
    check_missing_target,
    check_other_columns,
    check_failpoints,
    check_failpoints_by_key,
    check_kills,
    check_kills_while_making,
    check_kills_while_replacing,
    check_kills_by_key,
)
