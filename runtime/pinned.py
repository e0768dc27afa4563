"""Pinned samples: the rows of a step's port kept as they are, or as somebody has edited them, for previews.

At most 100 rows, masked as the preview was, capped in bytes, gone after a week. They are guarded by the policy of the
preview they came from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from django.db import transaction

from flows.models import Flow
from node_catalog.sdk.geometry import crs_of
from node_catalog.sdk.ports import Field, Schema, to_arrow
from node_catalog.sdk.text import text
from node_catalog.sdk.wkb import read_wkt, to_wkb
from runtime.guarding import require_open
from runtime.models import PinnedSample, Task
from security import audit, clock
from security.errors import InvalidError, Problem
from security.models import User

MOST_ROWS = 100
MOST_BYTES = 256 * 1024
KEPT_FOR = timedelta(days=7)


@transaction.atomic
def pin_preview(flow: Flow, step: str, port: str, task: Task, user: User) -> PinnedSample:
    """Keep the rows of a finished preview (of ``step``'s ``port``, asked for by ``user``) as the port's sample."""
    wanted = (step, f"{step}.{port}")
    if task.payload.get("flow") != str(flow.pk) or task.payload.get("step") not in wanted or not task.result:
        message = text("Preview the step first, then pin its rows.", "请先预览该步骤，再固定样例。")
        raise InvalidError(problems=[Problem("/task", "pin.no_preview", message)])
    policy = task.payload.get("policy") or {}
    require_open(policy, user)
    _check_geometries(task.result)
    pin, _ = PinnedSample.objects.update_or_create(
        flow=flow,
        step=step,
        port=port,
        defaults={
            "columns": task.result["columns"],
            "rows": task.result["rows"][:MOST_ROWS],
            "policy": policy,
            "upstream": task.payload.get("upstream", ""),
            "is_edited": False,
            "updated_by": user,
            "expires_at": clock.now() + KEPT_FOR,
        },
    )
    audit.record("sample.pin", "flow", str(flow.pk), principal=user, detail={"step": step, "port": port})
    return pin


def unpin(pin: PinnedSample, user: User) -> None:
    """Previews compute the port again."""
    audit.record("sample.unpin", "flow", str(pin.flow_id), principal=user, detail={"step": pin.step, "port": pin.port})
    pin.delete()


def _check_geometries(rows: Mapping[str, Any]) -> None:
    """Raise InvalidError for a geometry that the preview shows by its bounds only: it could not be used again."""
    for place, column in enumerate(rows["columns"]):
        for row in rows["rows"][:MOST_ROWS] if crs_of(column["type"]) else ():
            try:
                to_python(row[place], column["type"])
            except ValueError:
                message = text(
                    f"The geometries in “{column['name']}” are too long for a sample. Pin the step before them, or "
                    "leave the column out with “Choose columns” first.",
                    f"列“{column['name']}”中的几何过长，不能作为样例。请固定其之前的步骤，或先用“选择列”去掉该列。",
                )
                raise InvalidError(problems=[Problem("/task", "pin.geometry", message)]) from None


def edit_pin(pin: PinnedSample, rows: Sequence[Sequence[Any]], user: User) -> PinnedSample:
    """Replace the rows of a pinned sample. Raises InvalidError naming the cell that does not fit its column."""
    require_open(pin.policy, user)
    if len(rows) > MOST_ROWS:
        message = text(f"A sample has at most {MOST_ROWS} rows.", f"样例最多 {MOST_ROWS} 行。")
        raise InvalidError(problems=[Problem("/rows", "pin.too_many_rows", message)])
    columns = [Field(column["name"], column["type"]) for column in pin.columns]
    kept = [_checked_row(row, index, columns) for index, row in enumerate(rows)]
    if len(msgspec.json.encode(kept)) > MOST_BYTES:
        message = text("The sample is too large. Remove rows or shorten texts.", "样例过大，请减少行数或缩短文字。")
        raise InvalidError(problems=[Problem("/rows", "pin.too_large", message)])
    pin.rows, pin.is_edited, pin.updated_by = kept, True, user
    pin.expires_at = clock.now() + KEPT_FOR
    pin.save()
    return pin


def _checked_row(row: Sequence[Any], index: int, columns: Sequence[Field]) -> list[Any]:
    if len(row) != len(columns):
        message = text(
            f"Row {index + 1} must have {len(columns)} cells.", f"第 {index + 1} 行应有 {len(columns)} 个值。"
        )
        raise InvalidError(problems=[Problem(f"/rows/{index}", "pin.cells", message)])
    for place, (cell, column) in enumerate(zip(row, columns, strict=True)):
        try:
            to_python(cell, column.type)
        except (ValueError, TypeError, ArithmeticError):
            message = text(
                f"Row {index + 1}, column {column.name}: this is no {column.type}.",
                f"第 {index + 1} 行的列 {column.name}：不是有效的 {column.type}。",
            )
            raise InvalidError(problems=[Problem(f"/rows/{index}/{place}", "pin.cell", message)]) from None
    return list(row)


def write_pin(path: Path, schema: Schema, rows: Sequence[Sequence[Any]]) -> None:
    """The sample as a Parquet file, for the child process that computes what comes after it."""
    arrow = to_arrow(schema)
    arrays = [
        pa.array([to_python(row[place], field.type) for row in rows], arrow.field(place).type)
        for place, field in enumerate(schema.fields)
    ]
    pq.write_table(pa.Table.from_arrays(arrays, schema=arrow), path)


def to_python(cell: Any, kind: str) -> Any:
    """A cell as previews show it (JSON) as a Python value of a column type; raises ValueError when it does not fit."""
    if cell is None:
        return None
    family = kind.partition("(")[0]
    return _READERS[family](cell)


def _boolean(cell: Any) -> bool:
    if not isinstance(cell, bool):
        raise ValueError("no boolean")
    return cell


def _integer(cell: Any) -> int:
    value = int(cell) if isinstance(cell, str) else cell
    if isinstance(value, bool) or not isinstance(value, int | float) or int(value) != value:
        raise ValueError("no whole number")
    if not -(2**63) <= value < 2**63:
        raise ValueError("not 64 bits")
    return int(value)


def _number(cell: Any) -> float:
    if isinstance(cell, bool):
        raise ValueError("no number")
    return float(cell)


def _decimal(cell: Any) -> Decimal:
    try:
        return Decimal(str(cell))
    except InvalidOperation as error:
        raise ValueError("no decimal") from error


def _text(cell: Any) -> str:
    if not isinstance(cell, str):
        raise ValueError("no text")
    return cell


_READERS: dict[str, Callable[[Any], Any]] = {
    "boolean": _boolean,
    "integer": _integer,
    "number": _number,
    "decimal": _decimal,
    "text": _text,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "timestamp": datetime.fromisoformat,
    "binary": lambda cell: bytes.fromhex(cell.rstrip("…")),
    "geometry": lambda cell: to_wkb(read_wkt(cell)),
}
