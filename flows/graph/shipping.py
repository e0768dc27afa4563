"""Which rows of one node may be sent into another one's server, so that it joins them with a large table of its own.

They travel as bound parameters of a read-only statement, as their reader sees them: narrowed and masked by the grant.
Who keeps the other server may find them in its log, so it must be a server of the same department, or the rows open
to everybody and the server's node set to take such; and they must be few.
"""

from __future__ import annotations

from typing import Any

from flows.graph.estimate import Estimate, row_width
from flows.graph.sources import DatasetInfo
from node_catalog.sdk.grant import GrantSpec
from node_catalog.sdk.ports import from_ibis
from node_catalog.sdk.text import Text, text

SHIPPED_BYTES = 4 << 20
"""About how many bytes may be sent along, by the profile; the engine stops at four times as many (its MOST_BYTES)."""
_KINDS = ("boolean", "integer", "number", "decimal", "text", "date", "timestamp")


def may_receive(small: DatasetInfo, grant: GrantSpec, large: DatasetInfo) -> Text | None:
    """Why rows of ``small``, read with ``grant``, must not be sent to the server with ``large``; None: they may."""
    if large.takes_rows == "never":
        return text("the node of the large table takes no rows of others", "大表所在节点不接收其他节点的数据")
    is_own = bool(small.owner) and small.owner == large.owner
    if is_own or (large.takes_rows == "open" and grant.source == "unconditional"):
        return None
    return text(
        "rows of another department are not sent into a server that this department does not keep",
        "其他部门的数据不会发送到非该部门管理的服务器",
    )


def size_refused(relation: Any, found: Estimate | None) -> Text | None:
    """Why rows are too many, or of a kind that cannot be sent; ``found`` is what is known of them."""
    fields = from_ibis(relation.schema()).fields
    if any(field.type.partition("(")[0] not in _KINDS for field in fields):
        return text("values of this type are not sent from one source to another", "该类型的值不在数据源之间传送")
    if found is None or found.rows is None:
        return text(
            "it is not known how many rows would be sent; profile the data", "尚不清楚要发送多少行，请先做数据画像"
        )
    if found.rows * row_width(relation, {field.name for field in fields}) > SHIPPED_BYTES:
        return text(
            "the tables lie on two nodes, and both are too large to be sent", "两张表位于不同节点，且都太大，不宜发送"
        )
    return None
