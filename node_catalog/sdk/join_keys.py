"""Pairs of columns that must be equal: what every step that brings two inputs together asks for and checks."""

from __future__ import annotations

from typing import Annotated, Any

from node_catalog.sdk.contract import BuildContext, Settings
from node_catalog.sdk.fields import setting
from node_catalog.sdk.ports import type_of_ibis
from node_catalog.sdk.relation import common_type, find_column, kind_of, type_words
from node_catalog.sdk.text import text


class JoinKey(Settings):
    """A pair of columns that must be equal."""

    left: Annotated[str, setting(text("Left column", "左侧列"), widget="column", min_length=1)]
    right: Annotated[str, setting(text("Right column", "右侧列"), widget="column", min_length=1)]


def check_keys(left: Any, right: Any, keys: tuple[JoinKey, ...], context: BuildContext) -> None:
    """Each pair's columns exist and can be equal; the problem stands at its place under ``/on``."""
    for index, key in enumerate(keys):
        a = find_column(context, left, key.left, f"/on/{index}/left")
        b = find_column(context, right, key.right, f"/on/{index}/right")
        if common_type(type_of_ibis(a.type()), type_of_ibis(b.type())) is not None:
            continue
        first, second = type_words(kind_of(a)), type_words(kind_of(b))
        message = text(
            f"“{key.left}” is {first['en']} and “{key.right}” is {second['en']}: they can never be equal. "
            "Change one of the types before the join.",
            f"“{key.left}”是{first['zh-CN']}，“{key.right}”是{second['zh-CN']}，无法匹配。请先转换其中一列的类型。",
        )
        fix = {"cast": {"column": key.right, "type": type_of_ibis(a.type())}} if key.right != key.left else None
        raise context.problem("join.key_types", message, f"/on/{index}/right", fix)
