"""Problems of the catalogue's input, built on the errors that the whole API speaks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from node_catalog.sdk.errors import SettingsError
from security.errors import InvalidError, Problem
from security.text import text


def invalid(pointer: str, code: str, en: str, zh: str) -> InvalidError:
    """One problem at one field."""
    return InvalidError(problems=[Problem(pointer, code, text(en, zh))])


def settings_problems(error: SettingsError, pointer: str = "/settings") -> list[Problem]:
    """The problems of a type's settings with pointers into the request's body."""
    found: Iterable[Any] = error.problems
    problems = [Problem(pointer + item.pointer, item.code, item.message, dict(item.extra)) for item in found]
    return problems or [Problem(pointer, error.code, error.message)]
