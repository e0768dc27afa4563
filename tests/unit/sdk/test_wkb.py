"""Geometries between bytes and words: there and back, what is short, and what is refused."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node_catalog.sdk.wkb import Shape, read_wkb, read_wkt, short_words, to_wkb, wkt

POINTS = st.tuples(st.floats(-180, 180), st.floats(-90, 90))
LINES = st.lists(POINTS, min_size=2, max_size=5)
SHAPES: Any = st.one_of(
    st.builds(Shape, st.just("POINT"), POINTS),
    st.builds(Shape, st.sampled_from(["LINESTRING", "MULTIPOINT"]), LINES),
    st.builds(Shape, st.sampled_from(["POLYGON", "MULTILINESTRING"]), st.lists(LINES, min_size=1, max_size=3)),
    st.builds(
        Shape, st.just("MULTIPOLYGON"), st.lists(st.lists(LINES, min_size=1, max_size=2), min_size=1, max_size=2)
    ),
)


@settings(max_examples=200, deadline=None)
@given(SHAPES)
def test_there_and_back(shape: Shape) -> None:
    assert read_wkb(to_wkb(shape)) == shape
    assert read_wkt(wkt(shape)) == shape


@pytest.mark.parametrize("written", ["POINT EMPTY", "POLYGON EMPTY", "MULTIPOINT ((1 1), (2 2))", "point(1 2)"])
def test_other_ways_of_writing(written: str) -> None:
    assert read_wkb(to_wkb(read_wkt(written))) == read_wkt(written)


@pytest.mark.parametrize(
    "written",
    ["", "POINT", "POINT (1)", "POINT (1 2", "POINT (1 2))", "POINT (1 2, 3 4)", "POINT (a b)", "CIRCLE (1 2)",
     "POLYGON (1 2)", "POINT (1 2) x", "GEOMETRYCOLLECTION (POINT (1 2))", "POINT (1 2; 3)"],
)  # fmt: skip
def test_what_is_no_geometry(written: str) -> None:
    with pytest.raises(ValueError):
        read_wkt(written)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    assert short_words(data)
    try:
        read_wkb(data)
    except ValueError:
        pass


def test_third_coordinates_and_the_other_byte_order_are_read() -> None:
    assert read_wkb(struct.pack(">BIddd", 0, 1001, 1, 2, 3)) == Shape("POINT", (1.0, 2.0))
    assert read_wkb(struct.pack("<BIIdddd", 1, 0xE0000001, 4326, 1, 2, 3, 4)) == Shape("POINT", (1.0, 2.0))


def test_a_long_geometry_is_told_by_its_bounds() -> None:
    ring = [(float(x), float(x % 7)) for x in range(100)]
    assert short_words(to_wkb(Shape("POLYGON", [ring]))) == "POLYGON · 100 · 0.00000 0.00000, 99.00000 6.00000"
    assert short_words(to_wkb(Shape("POINT", (116.4, 39.9)))) == "POINT (116.4 39.9)"
