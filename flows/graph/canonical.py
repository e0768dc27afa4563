"""Canonical JSON (RFC 8785): the same document has the same bytes, hence the same hash, wherever it was written."""

from __future__ import annotations

import hashlib
import json
import math
from decimal import Decimal
from typing import Any

import msgspec

from flows.graph.document import Document
from flows.graph.errors import DocumentError
from node_catalog.sdk.text import text


def canonical_json(value: Any) -> bytes:
    """``value`` as RFC 8785 JSON: keys sorted by UTF-16 code units, no white space, shortest numbers.

    Whole numbers keep all their digits, also beyond 2⁵³. Raises DocumentError for values that JSON cannot hold.
    """
    parts: list[str] = []
    try:
        _write(value, parts)
        return "".join(parts).encode()
    except (RecursionError, UnicodeEncodeError, TypeError) as error:
        message = text(
            "This value cannot be written as JSON: it is nested too deeply or holds something that is no JSON value.",
            "该内容无法写成 JSON：嵌套过深，或含有 JSON 不支持的值。",
        )
        raise DocumentError("document.not_json", message) from error


def document_digest(document: Document | dict[str, Any]) -> str:
    """SHA-256 of a document's canonical JSON. Layout is no part of a document, so moving a box changes nothing."""
    plain = msgspec.to_builtins(document) if isinstance(document, Document) else document
    return hashlib.sha256(canonical_json(plain)).hexdigest()


def _write(value: Any, parts: list[str]) -> None:
    if value is None or value is True or value is False:
        parts.append("null" if value is None else "true" if value else "false")
    elif isinstance(value, str):
        parts.append(json.dumps(value, ensure_ascii=False))
    elif isinstance(value, int):
        parts.append(str(int(value)))
    elif isinstance(value, float):
        parts.append(_number(value))
    elif isinstance(value, dict):
        _write_object(value, parts)
    elif isinstance(value, list | tuple):
        parts.append("[")
        for index, item in enumerate(value):
            if index:
                parts.append(",")
            _write(item, parts)
        parts.append("]")
    else:
        raise TypeError(type(value).__name__)


def _write_object(value: dict[str, Any], parts: list[str]) -> None:
    parts.append("{")
    for index, key in enumerate(sorted(value, key=lambda name: name.encode("utf-16-be"))):
        if index:
            parts.append(",")
        parts.append(json.dumps(key, ensure_ascii=False) + ":")
        _write(value[key], parts)
    parts.append("}")


def _number(value: float) -> str:
    """A float as ECMAScript writes it (shortest digits; exponent outside 1e-7 … 1e21)."""
    if not math.isfinite(value):
        raise TypeError("not finite")
    if value == 0:
        return "0"
    sign, figures, exponent = Decimal(repr(value)).as_tuple()
    digits = "".join(map(str, figures)).lstrip("0")
    point = len(digits) + int(exponent)
    digits = digits.rstrip("0")
    if 0 < point <= 21:
        body = digits.ljust(point, "0") if len(digits) <= point else f"{digits[:point]}.{digits[point:]}"
    elif -6 < point <= 0:
        body = "0." + "0" * -point + digits
    else:
        tail = f".{digits[1:]}" if len(digits) > 1 else ""
        body = f"{digits[0]}{tail}e{'+' if point > 0 else '-'}{abs(point - 1)}"
    return "-" * sign + body
