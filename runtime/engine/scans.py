"""Sources that a stage's own connection scans: Parquet, in parallel, with sizes, and with the joins' filters.

They are not seen batch by batch, so their rows are counted only where a count is certain without looking at them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from flows.graph.plan import Binding, Probe
from flows.graph.relation_text import quoted
from node_catalog.sdk.access import Attach
from node_catalog.sdk.parquet_read import sql_type
from node_catalog.sdk.ports import Schema

SOURCE = "src"
"""The relation that a binding's text reads."""
LEAST_SCANNED = 500_000
"""Rows from which a single source is scanned: the way as a stream, to be counted, costs more than twice the CPU. With
fewer rows a connection that the next stage can use costs less than one that is locked to a file."""
_NAME = r'"(?:[^"]|"")*"'
_ALL_ROWS = re.compile(rf"SELECT (?:\*|(?:{_NAME}\.)?{_NAME}(?:, (?:{_NAME}\.)?{_NAME})*) FROM {_NAME}(?: AS {_NAME})?")


@dataclass(frozen=True)
class Scan:
    """A source readable as ``alias``: ``text`` over ``attach``'s ``src``, with the columns and types of ``schema``."""

    alias: str
    attach: Attach
    text: str
    schema: Schema

    @property
    def rows(self) -> int | None:
        """How many rows it has, when that is certain: all that the source has, because the text leaves none out."""
        return self.attach.rows if _ALL_ROWS.fullmatch(self.text) else None


def is_scanned(bindings: Sequence[Binding], scans: Mapping[str, Scan]) -> bool:
    """Whether the stage scans what it can itself, instead of taking streams.

    Where several sources meet, the engine needs their sizes and sends the joins' filters down to the files. A single
    dataset, and the rows of a single earlier stage, come as a stream, whose rows are counted while they are read,
    unless they are so many that a stream costs time; then the rows are counted at the end, and the engine tells
    meanwhile how far it is.
    """
    datasets = [binding for binding in bindings if binding.kind == "dataset"]
    if len(datasets) != 1 and len(bindings) != 1:
        return bool(scans)
    (single,) = datasets or bindings
    rows = scans[single.alias].attach.rows if single.alias in scans else None
    return rows is not None and rows >= LEAST_SCANNED


def scan_statements(scan: Scan, place: str) -> Iterator[str]:
    """What makes a scan readable. Source and text are views in a schema ``place`` that no stage's text may name."""
    names = [quoted(field.name) for field in scan.schema.fields]
    columns = [f"cast({name} as {sql_type(field.type)}) as {name}" for name, field in zip(names, scan.schema.fields)]
    yield f"create schema {place}"
    yield f"set schema = '{place}'"
    yield from scan.attach.statements
    yield f'create view "rows" as {scan.text}'
    yield "set schema = 'main'"
    yield f'create view {quoted(scan.alias)} as select {", ".join(columns)} from {place}."rows"'


def certain_probes(probes: Sequence[Probe], scans: Iterable[Scan]) -> Sequence[Probe]:
    """The probes whose operators cannot be those of a scan's own text, or vanish into a scan."""
    texts = [scan.text for scan in scans]
    doubtful = {"FILTER"} if texts else set()
    if any(re.search(r"\bLIMIT\b", text, re.IGNORECASE) for text in texts):
        doubtful.add("LIMIT")
    return [probe for probe in probes if not doubtful & set(probe.operators)]
