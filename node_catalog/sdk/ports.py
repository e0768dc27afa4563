"""Column types, schemas and ports: what flows over a wire, and which ports fit together.

All relational data is brought to ten plain types at the source, so that every engine agrees on them:
integers are 64 bits, numbers are float64, timestamps are naive UTC with microseconds, geometries are WKB and carry
their coordinate system in the type (``geometry(WGS84)``; see ``geometry.py``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Literal

import msgspec

from node_catalog.sdk.geometry import arrow_metadata, crs_of, crs_of_metadata, crs_of_srid, geometry_type, srid_of

SIMPLE_TYPES = ("boolean", "integer", "number", "text", "date", "time", "timestamp", "binary")
PORT_NAME = re.compile(r"^[a-z][a-z0-9_]{0,39}\Z")
DECIMAL = re.compile(r"^decimal\((\d{1,2}),(\d{1,2})\)$")
OPEN = re.compile(r"^columns\((.+)\)$")
"""Further columns that only the data knows, by the type of their values: see ``open_columns.py``."""

PortKind = Literal["data", "value", "file", "control"]
Direction = Literal["in", "out"]
Boundedness = Literal["bounded", "unbounded"]


class Field(msgspec.Struct, frozen=True):
    """One column of a schema: ``type`` is one of SIMPLE_TYPES, ``decimal(p,s)`` or ``geometry(crs)``."""

    name: str
    type: str
    nullable: bool = True


class Schema(msgspec.Struct, frozen=True):
    """The ordered columns of a stream. No two names are equal."""

    fields: tuple[Field, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.fields)

    def get(self, name: str) -> Field | None:
        return next((field for field in self.fields if field.name == name), None)

    @classmethod
    def of(cls, columns: Iterable[tuple[str, str]]) -> Schema:
        """A schema from ``(name, type)`` pairs, all nullable."""
        return cls(tuple(Field(name, kind) for name, kind in columns))


class Port(msgspec.Struct, frozen=True):
    """One end of a step: ``many`` ports take several wires, in the document's order.

    ``title`` is what people gave it or call it (empty: the screen has a word for the name). ``is_error`` marks an
    out port with the rows that went wrong: a data port like any other, but one that should not hang in the air.
    """

    name: str
    direction: Direction
    kind: PortKind = "data"
    many: bool = False
    required: bool = True
    title: dict[str, str] = {}
    is_error: bool = False


class PortList(msgspec.Struct, frozen=True):
    """Ports that settings name: one for each item of the list ``setting`` (``a.b``: the list ``b`` within ``a``).

    Plain data, so that the browser draws the ports without asking: ``name`` is the key of an item under which the
    port's name stands (empty: the item is the name), ``title`` the key of what people call it. ``otherwise`` are the
    names when the list is missing or empty.
    """

    setting: str
    direction: Direction
    name: str = ""
    title: str = ""
    kind: PortKind = "data"
    many: bool = False
    required: bool = True
    otherwise: tuple[str, ...] = ()

    def ports(self, settings: Mapping[str, Any]) -> list[Port]:
        """The ports; ``settings`` may be half filled in: what is no name makes no port, a name twice makes one."""
        items: Any = settings
        for key in self.setting.split("."):
            items = items.get(key) if isinstance(items, Mapping) else None
        named: dict[str, dict[str, str]] = {}
        for item in items if isinstance(items, list | tuple) else ():
            is_item = isinstance(item, Mapping)
            name = item.get(self.name) if self.name and is_item else item
            title = item.get(self.title) if self.title and is_item else ""
            if isinstance(name, str) and PORT_NAME.match(name):
                named.setdefault(name, {"en": title, "zh-CN": title} if isinstance(title, str) and title else {})
        return [
            Port(name, self.direction, self.kind, self.many, self.required, title)
            for name, title in (named or {name: {} for name in self.otherwise}).items()
        ]


def digits_of(name: str) -> tuple[int, int] | None:
    """Precision and scale of a decimal type; None for every other type."""
    match = DECIMAL.match(name)
    return (int(match[1]), int(match[2])) if match else None


def is_type(name: str) -> bool:
    """Whether ``name`` is one of our column types."""
    digits = digits_of(name)
    if digits is not None:
        precision, scale = digits
        return 1 <= precision <= 38 and scale <= precision
    return name in SIMPLE_TYPES or crs_of(name) is not None


def value_type_of_open(name: str) -> str | None:
    """The type of the values of columns that only the data knows; None for every other type."""
    match = OPEN.match(name)
    return match[1] if match else None


def to_ibis(schema: Schema) -> Any:
    """The Ibis schema of a stream (imports ibis without any back end)."""
    import ibis

    return ibis.schema({field.name: ibis_type(field.type) for field in schema.fields})


def ibis_type(name: str) -> Any:
    """The Ibis data type of one of our column types."""
    import ibis.expr.datatypes as dt

    digits = digits_of(name)
    if digits is not None:
        return dt.Decimal(*digits)
    crs = crs_of(name)
    if crs is not None:
        return dt.GeoSpatial(geotype="geometry", srid=srid_of(crs))
    values = value_type_of_open(name)
    if values is not None:
        return dt.Map(dt.string, ibis_type(values))
    return {
        "boolean": dt.boolean,
        "integer": dt.int64,
        "number": dt.float64,
        "text": dt.string,
        "date": dt.date,
        "time": dt.time,
        "timestamp": dt.Timestamp(scale=6),
        "binary": dt.binary,
    }[name]


def from_ibis(schema: Any) -> Schema:
    """Our schema of an Ibis schema; types outside our ten raise KeyError (normalise them first)."""
    return Schema(tuple(Field(name, type_of_ibis(kind)) for name, kind in schema.items()))


def type_of_ibis(kind: Any) -> str:
    """Our name for an Ibis data type."""
    if kind.is_boolean():
        return "boolean"
    if kind.is_integer():
        return "integer"
    if kind.is_floating():
        return "number"
    if kind.is_decimal():
        return f"decimal({kind.precision or 38},{kind.scale or 0})"
    if kind.is_string():
        return "text"
    if kind.is_date():
        return "date"
    if kind.is_time():
        return "time"
    if kind.is_timestamp():
        return "timestamp"
    if kind.is_binary():
        return "binary"
    if kind.is_geospatial():
        return geometry_type(crs_of_srid(kind.srid))
    if kind.is_map() and kind.key_type.is_string():
        return f"columns({type_of_ibis(kind.value_type)})"
    raise KeyError(str(kind))


@lru_cache(maxsize=512)
def to_arrow(schema: Schema) -> Any:
    """The Arrow schema that every batch of this stream has."""
    import pyarrow as pa

    return pa.schema([arrow_field(field.name, field.type) for field in schema.fields])


def arrow_field(name: str, kind: str) -> Any:
    """An Arrow field of one of our column types; a geometry says in its metadata what it is (GeoArrow)."""
    import pyarrow as pa

    crs = crs_of(kind)
    return pa.field(name, arrow_type(kind), metadata=None if crs is None else arrow_metadata(crs))


def arrow_type(name: str) -> Any:
    """The Arrow type of one of our column types."""
    import pyarrow as pa

    digits = digits_of(name)
    if digits is not None:
        return pa.decimal128(*digits)
    if crs_of(name) is not None:
        return pa.binary()
    values = value_type_of_open(name)
    if values is not None:
        return pa.map_(pa.string(), arrow_type(values))
    return {
        "boolean": pa.bool_(),
        "integer": pa.int64(),
        "number": pa.float64(),
        "text": pa.string(),
        "date": pa.date32(),
        "time": pa.time64("us"),
        "timestamp": pa.timestamp("us"),
        "binary": pa.binary(),
    }[name]


def type_of_field(field: Any) -> str:
    """Our name for the type of an Arrow field: a geometry is told from other bytes by its metadata."""
    crs = crs_of_metadata(field.metadata)
    return type_of_arrow(field.type) if crs is None else geometry_type(crs)


def type_of_arrow(kind: Any) -> str:
    """Our name for an Arrow type, after the normalisation that a connector must do; others become text."""
    import pyarrow.types as pt

    if pt.is_boolean(kind):
        return "boolean"
    if pt.is_integer(kind):
        return "integer"
    if pt.is_floating(kind):
        return "number"
    if pt.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})" if kind.precision <= 38 else "number"
    if pt.is_date(kind):
        return "date"
    if pt.is_time(kind):
        return "time"
    if pt.is_timestamp(kind):
        return "timestamp"
    if pt.is_binary(kind) or pt.is_large_binary(kind) or pt.is_fixed_size_binary(kind):
        return "binary"
    return "text"


def fits(source: Port, target: Port) -> bool:
    """Whether a wire may run from ``source`` to ``target``."""
    return source.direction == "out" and target.direction == "in" and source.kind == target.kind
