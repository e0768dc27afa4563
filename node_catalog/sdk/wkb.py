"""Geometries between bytes (WKB) and words (WKT), without any library: for previews and pinned samples.

Only what our geometry columns hold: the six kinds of points, lines and areas, in two dimensions (further coordinates
are read over). Calculations belong to the engine.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

KINDS = ("POINT", "LINESTRING", "POLYGON", "MULTIPOINT", "MULTILINESTRING", "MULTIPOLYGON")
_DEPTHS = {"POINT": 0, "LINESTRING": 1, "POLYGON": 2, "MULTIPOINT": 1, "MULTILINESTRING": 2, "MULTIPOLYGON": 3}
"""How deep the coordinates are nested: a point is a pair, a line a list of pairs, a polygon a list of rings …"""
LONGEST = 200
"""Most characters of a WKT in a preview; a longer one is told by kind, number of points and bounds."""
_TOKEN = re.compile(r"\s*(?:([A-Za-z]+)|([(),])|([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?))")

Point = tuple[float, float]


@dataclass(frozen=True)
class Shape:
    """A geometry: its kind and its coordinates, nested as ``_DEPTHS`` says (a point without any is empty)."""

    kind: str
    coordinates: Any

    def points(self) -> Iterator[Point]:
        """All points, in order."""
        stack = [self.coordinates]
        while stack:
            part = stack.pop()
            if isinstance(part, tuple):
                yield part
            elif part:
                stack.extend(reversed(part))


def read_wkb(data: bytes) -> Shape:
    """The geometry in ``data``. Raises ValueError when it is broken off or of a kind that we do not hold."""
    reader = _Reader(data)
    shape = reader.shape()
    if reader.at != len(data):
        raise ValueError("bytes behind the geometry")
    return shape


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

    def shape(self) -> Shape:
        order = "<" if self._take("<B")[0] == 1 else ">"
        code = self._take(f"{order}I")[0]
        has_srid = bool(code & 0x20000000)
        thousands, number = divmod(code & 0xFFFF, 1000)
        extra = bool(code & 0x80000000) + bool(code & 0x40000000) + {1: 1, 2: 1, 3: 2}.get(thousands, 0)
        if has_srid:
            self._take(f"{order}I")
        if not 1 <= number <= len(KINDS):
            raise ValueError(f"geometry of kind {number}")
        kind = KINDS[number - 1]
        if kind.startswith("MULTI"):
            return Shape(kind, [self.shape().coordinates for _ in range(self._count(order))])
        return Shape(kind, self._coordinates(order, _DEPTHS[kind], extra))

    def _coordinates(self, order: str, depth: int, extra: int) -> Any:
        if depth == 0:
            x, y = self._take(f"{order}dd{extra}d" if extra else f"{order}dd")[:2]
            return None if x != x and y != y else (x, y)
        return [self._coordinates(order, depth - 1, extra) for _ in range(self._count(order))]

    def _count(self, order: str) -> int:
        count: int = self._take(f"{order}I")[0]
        if count > len(self._data):
            raise ValueError("broken off")
        return count

    def _take(self, form: str) -> tuple[Any, ...]:
        try:
            found = struct.unpack_from(form, self._data, self.at)
        except struct.error as error:
            raise ValueError("broken off") from error
        self.at += struct.calcsize(form)
        return found


# ── words ─────────────────────────────────────────────────────────────────────────────────────────────────


def wkt(shape: Shape) -> str:
    """``POINT (116.4 39.9)``: exact, and read back by ``read_wkt``."""
    if shape.coordinates is None or shape.coordinates == []:
        return f"{shape.kind} EMPTY"
    nested = _nested(shape.coordinates)
    return f"{shape.kind} {nested if nested.startswith('(') else f'({nested})'}"


def _nested(part: Any) -> str:
    if part is None:
        return "EMPTY"
    if isinstance(part, tuple):
        return f"{_number(part[0])} {_number(part[1])}"
    return f"({', '.join(_nested(item) for item in part)})"


def _number(value: float) -> str:
    return repr(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


def short_words(data: bytes) -> str:
    """A geometry for a screen: its WKT, or when that is long, kind, number of points, and bounds (x y, x y)."""
    try:
        shape = read_wkb(data)
        if len(data) <= LONGEST * 2:
            written = wkt(shape)
            if len(written) <= LONGEST:
                return written
        points = list(shape.points())
    except (ValueError, OverflowError):
        return "?"
    xs, ys = [point[0] for point in points], [point[1] for point in points]
    return f"{shape.kind} · {len(points)} · {min(xs):.5f} {min(ys):.5f}, {max(xs):.5f} {max(ys):.5f}"


# ── reading words ─────────────────────────────────────────────────────────────────────────────────────────


def read_wkt(written: str) -> Shape:
    """The geometry of a WKT. Raises ValueError with what is wrong."""
    tokens = _tokens(written)
    kind = next(tokens, "").upper()
    if kind not in KINDS:
        raise ValueError(f"no geometry: {written[:40]}")
    first = next(tokens, "")
    if first.upper() == "EMPTY":
        coordinates: Any = None if kind == "POINT" else []
    elif first != "(":
        raise ValueError("a parenthesis is missing")
    else:
        coordinates = _read_list(tokens, max(1, _DEPTHS[kind]), kind == "MULTIPOINT")
        coordinates = coordinates[0] if kind == "POINT" and len(coordinates) == 1 else coordinates
    if next(tokens, None) is not None or (kind == "POINT" and isinstance(coordinates, list)):
        raise ValueError("more than a geometry")
    return Shape(kind, coordinates)


def _tokens(written: str) -> Iterator[str]:
    at = 0
    written = written.rstrip()
    while at < len(written):
        match = _TOKEN.match(written, at)
        if match is None:
            raise ValueError(f"unexpected: {written[at : at + 10]}")
        at = match.end()
        yield match[match.lastindex or 0]


def _read_list(tokens: Iterator[str], depth: int, is_loose: bool) -> list[Any]:
    """What stands between parentheses; ``is_loose``: each point may stand in parentheses of its own."""
    found: list[Any] = []
    part = next(tokens, "")
    while True:
        if depth > 1:
            if part != "(":
                raise ValueError("a parenthesis is missing")
            found.append(_read_list(tokens, depth - 1, False))
            part = next(tokens, "")
        elif part == "(" and is_loose:
            found += _read_list(tokens, 1, False)
            part = next(tokens, "")
        else:
            point = (float(part), float(next(tokens, "")))
            found.append(point)
            part = next(tokens, "")
        if part == ")":
            return found
        if part != ",":
            raise ValueError("a comma is missing")
        part = next(tokens, "")


def to_wkb(shape: Shape) -> bytes:
    """The geometry as little-endian WKB."""
    head = struct.pack("<BI", 1, KINDS.index(shape.kind) + 1)
    if shape.kind.startswith("MULTI"):
        single = shape.kind.removeprefix("MULTI")
        parts = [to_wkb(Shape(single, part)) for part in shape.coordinates]
        return head + struct.pack("<I", len(parts)) + b"".join(parts)
    return head + _packed(shape.coordinates, _DEPTHS[shape.kind])


def _packed(part: Any, depth: int) -> bytes:
    if depth == 0:
        return struct.pack("<dd", *(part or (float("nan"), float("nan"))))
    return struct.pack("<I", len(part)) + b"".join(_packed(item, depth - 1) for item in part)
