"""The words on screen in both languages, so that one journey can be told in each."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from node_catalog.sdk.registry import Registry, load_registry
from node_catalog.sdk.schema import json_schema
from tests.studio_process import ROOT

LOCALES = ROOT / "frontend" / "src" / "locales"


@cache
def _file(language: str, name: str) -> dict[str, Any]:
    return dict(json.loads((LOCALES / language / f"{name}.json").read_text(encoding="utf-8")))


@cache
def _registry() -> Registry:
    return load_registry()


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

    def step(self, key: str) -> str:
        """What the palette calls a step type."""
        return _registry().transforms[key].title[self.language]

    def setting(self, step: str, name: str) -> str:
        """What the form of a step type calls one of its settings."""
        schema = json_schema(_registry().transforms[step].Settings)
        return str(schema["properties"][name]["x-title"][self.language])

    def connector(self, key: str) -> str:
        """What the page of a new node calls a connector."""
        return _registry().connectors[key].title[self.language]

    def pick(self, zh: str, en: str) -> str:
        """Words that come from the data, not from the product."""
        return zh if self.language == "zh-CN" else en
