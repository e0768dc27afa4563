"""Words for people, for the one package that may not import ``node_catalog.sdk.text``: same shape, same keys."""

from __future__ import annotations

Text = dict[str, str]
"""A text in both languages: ``{"en": …, "zh-CN": …}``."""


def text(en: str, zh: str) -> Text:
    """Pair the English and the Chinese wording of one message."""
    return {"en": en, "zh-CN": zh}


def pick(value: Text | str | None, language: str) -> str:
    """The wording for ``language``; the other one when that is missing, so a screen is never empty."""
    if value is None or isinstance(value, str):
        return value or ""
    return value.get(language) or value.get("zh-CN") or value.get("en") or ""
