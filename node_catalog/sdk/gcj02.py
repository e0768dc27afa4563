"""GCJ-02, the shifted coordinates of Chinese map services, as expressions of the engine over lists of points.

The formula is the one that is published everywhere (first as "eviltransform"): the shift is a polynomial with sines of
longitude − 105 and latitude − 35, in metres on the Krasovsky ellipsoid. There is no formula for the way back: it is
found by iteration, whose every round makes the error some thousand times smaller. Outside of the rectangle around
China nothing is shifted.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from node_catalog.sdk.engine_calls import engine_call
from node_catalog.sdk.later import ibis

AXIS, ECCENTRICITY = 6378245.0, 0.00669342162296594323
WEST, EAST, SOUTH, NORTH = 72.004, 137.8347, 0.8293, 55.8271
ROUNDS = 3
"""Of the way back; two are enough for a millimetre."""

Point = tuple[Any, Any]


def _call(name: str, *args: Any) -> Any:
    return engine_call(name, "float64", *args)


def shifted(x: Any, y: Any) -> Point:
    """Longitude and latitude in GCJ-02 of a point in WGS 84."""
    east, north = _shift(x - 105.0, y - 35.0)
    angle = y / 180.0 * math.pi
    sine = _call("sin", angle)
    flat = 1.0 - sine * sine * ECCENTRICITY
    root = _call("sqrt", flat)
    up = north * 180.0 / (AXIS * (1.0 - ECCENTRICITY) / (flat * root) * math.pi)
    aside = east * 180.0 / (AXIS / root * _call("cos", angle) * math.pi)
    is_inside = x.between(WEST, EAST) & y.between(SOUTH, NORTH)
    return is_inside.ifelse(x + aside, x), is_inside.ifelse(y + up, y)


def _shift(x: Any, y: Any) -> Point:
    """Metres to the east and to the north."""
    common = _waves(x, ((20.0, 6.0), (20.0, 2.0)))
    far = _call("sqrt", _call("abs", x))
    north = -100.0 + x * 2.0 + y * 3.0 + y * y * 0.2 + x * y * 0.1 + far * 0.2
    north = north + common + _waves(y, ((20.0, 1.0), (40.0, 1 / 3), (160.0, 1 / 12), (320.0, 1 / 30)))
    east = 300.0 + x + y * 2.0 + x * x * 0.1 + x * y * 0.1 + far * 0.1
    east = east + common + _waves(x, ((20.0, 1.0), (40.0, 1 / 3), (150.0, 1 / 12), (300.0, 1 / 30)))
    return east, north


def _waves(value: Any, parts: Sequence[tuple[float, float]]) -> Any:
    total: Any = None
    for height, pace in parts:
        wave = _call("sin", value * (pace * math.pi)) * (height * 2.0 / 3.0)
        total = wave if total is None else total + wave
    return total


# ── lists of points ───────────────────────────────────────────────────────────────────────────────────────


def to_gcj02(points: Any) -> Any:
    """A list of ``[x, y]`` in WGS 84 as such a list in GCJ-02."""
    return points.map(lambda point: ibis.array(list(shifted(point[0], point[1]))))


def from_gcj02(points: Any) -> Any:
    """A list of ``[x, y]`` in GCJ-02 as such a list in WGS 84. Each round works on ``[x, y, wanted x, wanted y]``."""
    guesses = points.map(lambda point: ibis.array([point[0], point[1], point[0], point[1]]))
    for _ in range(ROUNDS):
        guesses = guesses.map(_nearer)
    return guesses.map(lambda guess: ibis.array([guess[0], guess[1]]))


def _nearer(guess: Any) -> Any:
    x, y = shifted(guess[0], guess[1])
    return ibis.array([guess[0] - (x - guess[2]), guess[1] - (y - guess[3]), guess[2], guess[3]])


def at_depth(change: Callable[[Any], Any], depth: int) -> Callable[[Any], Any]:
    """``change``, which takes a list of points, for lists of such lists (of such lists …), ``depth`` levels deep."""
    if depth == 1:
        return change
    inner = at_depth(change, depth - 1)
    return lambda lists: lists.map(inner)
