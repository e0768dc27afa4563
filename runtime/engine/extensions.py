"""DuckDB's extensions, from the wheels ``duckdb-extension-…`` on this machine; nothing is ever downloaded."""

from __future__ import annotations

import importlib.resources
import os
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from node_catalog.sdk.sql_node import literal
from node_catalog.sdk.text import text
from runtime.engine.errors import WorkError

_SHORT = {"sqlite": "sqlite_scanner", "postgres": "postgres_scanner", "mysql": "mysql_scanner"}


def wheel_name(name: str) -> str:
    """The name that the wheel and its file go by: connectors may write ``sqlite`` for ``sqlite_scanner``."""
    return _SHORT.get(name, name)


@cache
def extension_file(name: str) -> str:
    """The file of a DuckDB extension that came as a wheel (``duckdb-extension-…``); nothing is ever downloaded."""
    package = f"duckdb_extension_{wheel_name(name)}"
    try:
        folder = importlib.resources.files(package) / "extensions" / f"v{version('duckdb')}"
    except ModuleNotFoundError as error:
        raise _no_extension(name, package) from error
    found = Path(str(folder)) / f"{wheel_name(name)}.duckdb_extension"
    if not found.is_file():
        raise _no_extension(name, package)
    return str(found)


def has_extension(name: str) -> bool:
    """Whether an extension can be loaded here."""
    try:
        extension_file(name)
    except WorkError:
        return False
    return True


def load(raw: Any, extension: str) -> None:
    """Load an extension into a connection; once that has checked its signature (0.1 s for a big one), it is known."""
    file = extension_file(extension)
    seen = identity(file)
    raw.execute(f"load {literal(file)}")
    _verified.setdefault(file, seen)


def is_verified(extension: str) -> bool:
    """Whether it has been loaded in this process, and is the same file still."""
    file = extension_file(extension)
    return _verified.get(file) == identity(file)


def identity(file: str) -> tuple[int, ...]:
    """Another one for a file that was changed or put in its place."""
    found = os.stat(file)
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)


_verified: dict[str, tuple[int, ...]] = {}
"""Extension files whose signature DuckDB has checked in this process, as they were then."""


def _no_extension(name: str, package: str) -> WorkError:
    wheel = package.replace("_", "-")
    return WorkError(
        "engine.no_extension",
        text(
            f'The engine extension "{name}" is not installed. Install the package {wheel}=={version("duckdb")} '
            "on the worker.",
            f"缺少引擎扩展“{name}”。请在工作进程所在机器上安装软件包 {wheel}=={version('duckdb')}。",
        ),
        name,
    )
