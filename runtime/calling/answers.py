"""The rows of a call as JSON, CSV or Arrow, as the caller's Accept header asks."""

from __future__ import annotations

from collections.abc import Callable

from runtime.calling.call_flow import Called
from runtime.engine.work import Form
from runtime.results import csv_text

JSON, CSV, ARROW = "application/json", "text/csv", "application/vnd.apache.arrow.stream"

MADE = frozenset({JSON, ARROW})
"""Forms that come out of the engine as they are sent."""


def chosen(accept: str) -> str | None:
    """The first form in an Accept header that there is; JSON when anything will do, None when nothing fits."""
    for part in accept.split(","):
        name = part.partition(";")[0].strip().lower()
        if name in _FORMS:
            return name
        if name in ("", "*/*", "application/*"):
            return JSON
    return None


def engine_form(form: str) -> Form:
    """What the engine is asked for, so that ``body_of`` has least to do."""
    return "json" if form == JSON else "arrow"


def body_of(called: Called, form: str) -> bytes:
    """The answer's body."""
    return _FORMS[form](called)


def _json(called: Called) -> bytes:
    return b'{%b,"seconds":%.4f,"durable":false}' % (called.rows, called.seconds)


def _csv(called: Called) -> bytes:
    return csv_text(called.table)


def _arrow(called: Called) -> bytes:
    return called.rows


_FORMS: dict[str, Callable[[Called], bytes]] = {JSON: _json, CSV: _csv, ARROW: _arrow}
