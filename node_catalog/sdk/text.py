"""Words for people: every text a person may read exists in Chinese and in English, side by side."""

from __future__ import annotations

Text = dict[str, str]
"""A text in both languages: ``{"en": …, "zh-CN": …}``."""

LANGUAGES = ("zh-CN", "en")


def text(en: str, zh: str) -> Text:
    """Pair the English and the Chinese wording of one message."""
    return {"en": en, "zh-CN": zh}


def shortened(words: str, most: int) -> str:
    """At most so many characters of ``words``, the last of them dots where some are left out."""
    return words if len(words) <= most else words[: most - 1] + "…"


def pick(value: Text | str | None, language: str) -> str:
    """The wording for ``language``; the other one when that is missing, so a screen is never empty."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return value.get(language) or value.get("zh-CN") or value.get("en") or ""
