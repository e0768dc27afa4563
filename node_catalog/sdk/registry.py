"""Finding node types: walk the packages (and the entry points of installed ones) and take every class in them.

A broken or doubled file stops the start-up with its name: a palette that silently lacks a type is worse.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import TypeVar

from node_catalog.sdk.contract import Connector, NodeType, Transform
from node_catalog.sdk.errors import NodeTypeError
from node_catalog.sdk.schema import json_schema
from node_catalog.sdk.text import LANGUAGES, text

ENTRY_POINTS = "citygo.types"
_KEY = re.compile(r"^[a-z][a-z0-9_]*$")
T = TypeVar("T", bound=NodeType)


class RegistryError(NodeTypeError):
    """A file of node types cannot be used; ``where`` names it."""


@dataclass(frozen=True)
class Registry:
    """All node types by key, read-only."""

    connectors: Mapping[str, type[Connector]]
    transforms: Mapping[str, type[Transform]]


def load_registry(packages: Sequence[str] = ("node_catalog.types",)) -> Registry:
    """Walk ``packages`` and the entry points of group ``citygo.types``.

    Raises RegistryError naming the file that does not import, lacks its words, or repeats a key.
    """
    names = dict.fromkeys([*packages, *(point.value.partition(":")[0] for point in entry_points(group=ENTRY_POINTS))])
    connectors: dict[str, type[Connector]] = {}
    transforms: dict[str, type[Transform]] = {}
    for module in (module for name in names for module in _modules(name)):
        for found in _types_in(module):
            _check_words(found)
            if issubclass(found, Connector):
                _add(connectors, found)
            elif issubclass(found, Transform):
                _add(transforms, found)
    return Registry(MappingProxyType(connectors), MappingProxyType(transforms))


def _modules(name: str) -> Iterator[ModuleType]:
    module = _import(name)
    yield module
    for info in pkgutil.iter_modules(getattr(module, "__path__", ()), name + "."):
        if not info.name.rpartition(".")[2].startswith("_"):
            yield from _modules(info.name)


def _import(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except Exception as error:
        spec = None if isinstance(error, ModuleNotFoundError) and error.name == name else _origin(name)
        raise _broken(
            spec or name, f"it does not load: {type(error).__name__}: {error}", f"无法加载：{error}"
        ) from error


def _origin(name: str) -> str | None:
    parent = importlib.import_module(name.rpartition(".")[0]) if "." in name else None
    for folder in getattr(parent, "__path__", ()):
        for suffix in (".py", "/__init__.py"):
            path = f"{folder}/{name.rpartition('.')[2]}{suffix}"
            if Path(path).is_file():
                return path
    return None


def _types_in(module: ModuleType) -> Iterator[type[NodeType]]:
    for value in vars(module).values():
        if (
            inspect.isclass(value)
            and issubclass(value, NodeType)
            and value.__module__ == module.__name__
            and not value.__name__.startswith("_")
            and "key" in vars(value)
        ):
            yield value


def _check_words(found: type[NodeType]) -> None:
    missing = sorted(getattr(found, "__abstractmethods__", ()))
    if missing:
        raise _broken(_file(found), f"{found.__name__} lacks {', '.join(missing)}", f"{found.__name__} 缺少 {missing}")
    if not _KEY.match(found.key):
        raise _broken(_file(found), f"the key {found.key!r} must match {_KEY.pattern}", f"标识 {found.key!r} 不合规")
    for word in ("title", "summary", "help"):
        value = getattr(found, word, None)
        if not isinstance(value, Mapping) or any(not value.get(language) for language in LANGUAGES):
            raise _broken(
                _file(found),
                f"{found.__name__}.{word} must be there in {LANGUAGES}",
                f"{found.__name__}.{word} 缺少双语文字",
            )
    try:
        json_schema(found.Settings)
    except Exception as error:
        raise _broken(_file(found), f"its settings have no schema: {error}", f"设置无法生成模式：{error}") from error


def _add(known: dict[str, type[T]], found: type[T]) -> None:
    other = known.get(found.key)
    if other is not None and other is not found:
        raise _broken(
            _file(found),
            f"the key {found.key!r} is already taken by {_file(other)}",
            f"标识 {found.key!r} 已被 {_file(other)} 使用",
        )
    known[found.key] = found


def _file(found: type[NodeType]) -> str:
    try:
        return inspect.getfile(found)
    except (TypeError, OSError):
        return found.__module__


def _broken(where: str, en: str, zh: str) -> RegistryError:
    return RegistryError("registry.broken", text(f"Type file {where}: {en}.", f"类型文件 {where}：{zh}。"), where)
