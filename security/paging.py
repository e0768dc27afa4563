"""Cursor paging: stable while rows are added, and the same cost on every page. The cursor is opaque to clients."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet

from security.errors import InvalidError, Problem
from security.text import text

DEFAULT_LIMIT = 50
MAX_LIMIT = 200


@dataclass(frozen=True)
class Page:
    """One page of objects and the cursor of the next one (None at the end)."""

    objects: list[Any]
    next: str | None


def limit_of(request: Any, default: int = DEFAULT_LIMIT) -> int:
    """The page size asked for, between 1 and 200."""
    raw = request.GET.get("limit")
    if raw in (None, ""):
        return default
    if not str(raw).isdecimal() or not 1 <= int(raw) <= MAX_LIMIT:
        raise _problem(
            "/limit", "limit.range", "limit must be a whole number from 1 to 200.", "limit 应为 1 到 200 的整数。"
        )
    return int(raw)


def encode_cursor(values: Sequence[Any]) -> str:
    """A cursor that stands after ``values``."""
    body = json.dumps([None if value is None else str(value) for value in values], ensure_ascii=False)
    return base64.urlsafe_b64encode(body.encode()).decode().rstrip("=")


def decode_cursor(cursor: str, length: int) -> list[Any]:
    """The values of a cursor made by ``encode_cursor``; raises InvalidError for anything else."""
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error, UnicodeDecodeError, RecursionError) as error:
        raise _bad_cursor() from error
    if not isinstance(values, list) or len(values) != length or not all(isinstance(v, str) for v in values):
        raise _bad_cursor()
    return values


def page_of(queryset: QuerySet[Any], request: Any, order: Sequence[str]) -> Page:
    """The page that the request asks for. ``order`` names not-null fields, ``-`` for descending, the last unique."""
    limit = limit_of(request)
    cursor = request.GET.get("cursor")
    if cursor:
        try:
            queryset = queryset.filter(_after(order, decode_cursor(cursor, len(order))))
        except (ValueError, TypeError, ValidationError) as error:
            raise _bad_cursor() from error
    try:
        found = list(queryset.order_by(*order)[: limit + 1])
    except (ValueError, ValidationError, OverflowError) as error:
        raise _bad_cursor() from error
    more = found[limit - 1] if len(found) > limit else None
    names = [name.lstrip("-") for name in order]
    return Page(found[:limit], encode_cursor([getattr(more, name) for name in names]) if more is not None else None)


def _after(order: Sequence[str], values: Sequence[Any]) -> Q:
    """Rows that come after ``values``: (a > x) or (a = x and b > y) …"""
    condition, equal = Q(pk__in=[]), Q()
    for field, value in zip(order, values, strict=True):
        name = field.lstrip("-")
        condition |= equal & Q(**{f"{name}__{'lt' if field.startswith('-') else 'gt'}": value})
        equal &= Q(**{name: value})
    return condition


def _bad_cursor() -> InvalidError:
    return _problem(
        "/cursor",
        "cursor.unknown",
        "This cursor is not one of ours. Start again from the first page.",
        "翻页位置无效，请从第一页重新开始。",
    )


def _problem(pointer: str, code: str, en: str, zh: str) -> InvalidError:
    return InvalidError(problems=[Problem(pointer, code, text(en, zh))])
