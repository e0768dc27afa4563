"""Finding node types: walk the packages (and the entry points of installed ones) and take every class in them.

A broken or doubled file stops the start-up with its name: a palette that silently lacks a type is worse.
"""

from __future__ import annotations

import importlib
import inspect
import logging
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
from node_catalog.sdk.text import LANGUAGES, Text, text

ENTRY_POINTS = "citygo.types"
_KEY = re.compile(r"^[a-z][a-z0-9_]*$")
T = TypeVar("T", bound=NodeType)
log = logging.getLogger(__name__)


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
        log.exception("node type module %s does not load", name)
        why = _why(error)
        raise _broken(spec or name, why["en"], why["zh-CN"]) from error


def _why(error: Exception) -> Text:
    """Why a file does not load, in words without names of Python modules: those stand in the log."""
    if isinstance(error, SyntaxError):
        return text(
            f"line {error.lineno} cannot be read ({error.msg}); mend it, or take the file away",
            f"第 {error.lineno} 行无法识别（{error.msg}），请修正，或移走该文件",
        )
    if isinstance(error, ImportError):
        return text(
            "something that it needs is not installed or has another version; install what its provider names, or "
            "take the file away (the log says what is missing)",
            "它依赖的组件未安装或版本不符，请按提供方的说明安装，或移走该文件（缺少什么见日志）",
        )
    return text(
        f"it stops while it is loaded ({type(error).__name__}: {error}); ask its provider, or take the file away",
        f"加载过程中出错（{type(error).__name__}：{error}），请联系提供方，或移走该文件",
    )


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
            f"the key {found.key!r} is already taken by {Path(_file(other)).name}",
            f"标识 {found.key!r} 已被 {Path(_file(other)).name} 使用",
        )
    known[found.key] = found


def _file(found: type[NodeType]) -> str:
    try:
        return inspect.getfile(found)
    except (TypeError, OSError):
        return found.__module__


def _broken(where: str, en: str, zh: str) -> RegistryError:
    shown = "/".join(Path(where).parts[-2:]) if where.endswith(".py") else where.rpartition(".")[2]
    return RegistryError("registry.broken", text(f"Type file {shown}: {en}.", f"类型文件 {shown}：{zh}。"), where)
