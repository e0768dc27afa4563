"""The words on screen in both languages, so that one journey can be told in each."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from tests.studio_process import ROOT

LOCALES = ROOT / "frontend" / "src" / "locales"


@cache
def _file(language: str, name: str) -> dict[str, Any]:
    return dict(json.loads((LOCALES / language / f"{name}.json").read_text(encoding="utf-8")))


class Words:
    """``words("canvas:run.start")`` is what the button says in this language."""

    def __init__(self, language: str) -> None:
        self.language = language

    def __call__(self, key: str, **values: Any) -> str:
        name, _, path = key.partition(":")
        found: Any = _file(self.language, name)
        for part in path.split("."):
            found = found[part]
        for variable, value in values.items():
            found = found.replace("{{" + variable + "}}", str(value))
        return str(found)

    def pick(self, zh: str, en: str) -> str:
        """Words that come from the data, not from the product."""
        return zh if self.language == "zh-CN" else en
