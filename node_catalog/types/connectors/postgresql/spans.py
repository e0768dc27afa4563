"""Parts of a table by its primary key: bounds from the server's own statistics, so that finding them reads no rows."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import ceil
from typing import Any

from node_catalog.sdk.access import Span
from node_catalog.sdk.sql_node import quoted

BY_PAGES = {"enable_indexscan": "off", "enable_seqscan": "off", "jit": "off"}
"""For the statement that reads a span: the server looks its pages up in the index and reads each as a whole. Going from
row to row by the index cost it a tenth more CPU in a trial of two million rows, and jumps about in the table where keys
and pages are not in the same order. Left to itself the server thinks a part of a large table worth a look at all of its
pages, and reads the whole table once for each part."""
_KEY = """
select a.attname::text, c.reltuples::bigint, s.histogram_bounds::text::bigint[]
from pg_class c join pg_namespace n on n.oid = c.relnamespace
join pg_index i on i.indrelid = c.oid and i.indisprimary and i.indnkeyatts = 1
join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]
left join pg_stats s
  on s.schemaname = n.nspname and s.tablename = c.relname and s.attname = a.attname and not s.inherited
where n.nspname = %(schema)s and c.relname = %(name)s and c.relkind = 'r'
  and a.atttypid in ('int2'::regtype, 'int4'::regtype, 'int8'::regtype)
"""


def spans_of(connection: Any, schema: str, name: str, rows: int, after: int | None) -> Sequence[Span]:
    """Spans of about ``rows`` rows from ``after`` on; none without an integer primary key and statistics.

    A table of fewer than twice ``rows`` has none either, unless some of it is read already.
    """
    found = connection.execute(_KEY, {"schema": schema, "name": name}).fetchone()
    if found is None:
        return ()
    key, estimate, bounds = found
    if bounds is None or len(bounds) < 2:
        bounds = connection.execute(
            f"select min({quoted(key)}), max({quoted(key)}) from {quoted(schema)}.{quoted(name)}"
        )
        bounds = bounds.fetchone()
    if estimate < 2 * rows or bounds[0] is None:
        return () if after is None else (Span(key, after, None),)
    inner = [cut for cut in cuts(bounds, ceil(estimate / rows)) if after is None or cut > after]
    return [Span(key, low, high) for low, high in pairwise((after, *inner, None))]


def cuts(bounds: Sequence[int], parts: int) -> list[int]:
    """The inner bounds of ``parts`` parts, each with the same share of the buckets between ``bounds``, ascending."""
    buckets, found = len(bounds) - 1, []
    for number in range(1, parts):
        whole, rest = divmod(number * buckets, parts)
        low, high = bounds[whole], bounds[whole + 1]
        found.append(low + (high - low) * rest // parts)
    return sorted(set(found))
