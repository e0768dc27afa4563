"""Long reads in parts: a source that is only handed on is read span by span, so that a broken-off work goes on.

What a span has brought is durable with the target before it is told; an attempt that follows reads only what lies
behind the last one told. Each span is a statement of its own: rows that others change in between are seen as they are
when their span is read, each key once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from node_catalog.sdk.access import Remote, Span
from node_catalog.sdk.errors import SourceError
from node_catalog.sdk.text import text
from runtime.engine.light_texts import is_row_by_row
from runtime.engine.sinks import NodeSink
from runtime.engine.sources import Reach
from runtime.engine.work import StageWork


def spans_of(work: StageWork, reached: Mapping[str, Reach], node: NodeSink | None) -> Sequence[Span] | None:
    """The parts of the stage's only source that are still to be read; None when it is read as a whole.

    After an earlier attempt has sealed rows the rest is always read in parts, be it only one.
    """
    if node is None or not node.resumes or len(reached) != 1:
        return None
    (found,) = reached.values()
    binding = work.stage.bindings[0]
    if binding.sources:
        return None  # what a server joins or groups is no sum of its spans
    if not isinstance(found.access, Remote) or not is_row_by_row(binding.text, found.access.dialect):
        return None
    before = node.sealed_before()
    after = before[-1].high if before else None
    spans = found.connector.spans(found.settings, found.dataset, work.limits.span_rows, after, found.context)
    if before and not spans:
        raise _key_gone("/".join(found.dataset.path))
    return spans or None


def _key_gone(table: str) -> SourceError:
    return SourceError(
        "source.key_gone",
        text(
            f"“{table}” lost its key while it was being copied in parts. Run again, from the start.",
            f"“{table}”在分段复制期间失去了主键。请重新运行。",
        ),
        table,
    )
