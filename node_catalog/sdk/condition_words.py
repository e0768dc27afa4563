"""A condition of the flow language as a line to read: joining words in the reader's language, names without quotes."""

from __future__ import annotations

import re

from node_catalog.sdk.text import Text, text

_PARTS = re.compile(r"'(?:[^']|'')*'|\"((?:[^\"]|\"\")*)\"|\w+|\s+|[^\w\s]", re.UNICODE)
_PHRASES = (
    ("is not null", "不为空"),
    ("is null", "为空"),
    ("is not distinct from", "等于"),
    ("is distinct from", "不等于"),
    ("not between", "不介于"),
    ("between", "介于"),
    ("not in", "不属于"),
    ("in", "属于"),
    ("not like", "不符合"),
    ("like", "符合"),
    ("and", "且"),
    ("or", "或"),
)
_WORDS = re.compile(rf"(?<!\w)(?:{'|'.join(en for en, _ in _PHRASES)})(?!\w)", re.IGNORECASE)
_CHINESE = dict(_PHRASES)


def in_words(condition: str) -> Text:
    """What stands in quotes stays as it is: texts keep their quotes, names of columns lose theirs."""
    english: list[str] = []
    chinese: list[str] = []
    for kept, outside in _pieces(condition):
        english.append(outside or kept)
        chinese.append(_WORDS.sub(lambda found: _CHINESE[found[0].lower()], outside) if outside else kept)
    return text("".join(english).strip(), "".join(chinese).strip())


def _pieces(condition: str) -> list[tuple[str, str]]:
    """(what is quoted, nothing) and (nothing, what is not), in order."""
    pieces: list[tuple[str, str]] = []
    for found in _PARTS.finditer(condition):
        part = found[0]
        if part.startswith("'"):
            pieces.append((part, ""))
        elif part.startswith('"') and found[1] is not None:
            pieces.append((found[1].replace('""', '"'), ""))
        elif pieces and pieces[-1][1]:
            pieces[-1] = ("", pieces[-1][1] + part)
        else:
            pieces.append(("", part))
    return pieces
