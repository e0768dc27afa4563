"""What must be right before a process of this host joins the others; each problem says what to do.

A host that would only fail later, at its first sealed password or its first rows, does not start at all.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from node_catalog.sdk.text import Text, text
from runtime import places
from runtime.errors import StoreError
from security.errors import SecretError
from security.models import Secret
from security.secrets import open_secret

STORE_SECONDS = 20.0
"""A store that does not answer may be starting too."""


def require_ready() -> None:
    """End the process, with every problem in both languages, when this host is not set up like the others."""
    problems = [problem for check in CHECKS for problem in check()]
    if problems:
        lines = [f"· {problem[language]}" for problem in problems for language in ("en", "zh-CN")]
        raise SystemExit("\n".join(["This process cannot start: 进程无法启动：", *lines]))


def _database() -> Iterator[Text]:
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return  # it may be starting too: every process waits for it
    if missing:
        yield text(
            "The database is not migrated: run `manage.py migrate`.", "数据库结构尚未升级：请运行 `manage.py migrate`。"
        )
    is_several = bool(settings.OPTIONS["EXCHANGE_URL"])
    if is_several and connection.vendor == "sqlite":
        yield text(
            "EXCHANGE_URL is for several hosts, and SQLite is for one: set DATABASE_URL to PostgreSQL.",
            "EXCHANGE_URL 用于多主机部署，而 SQLite 只能单机使用：请将 DATABASE_URL 设置为 PostgreSQL。",
        )


def _keys() -> Iterator[Text]:
    try:
        newest = Secret.objects.order_by("-pk").first()
        if newest is not None:
            open_secret(newest.pk)
    except SecretError:
        yield text(
            f"The keys in {settings.KEY_FILE} do not open the sealed passwords: copy keys.json from the first host (or "
            "set KEY_FILE), the same for all.",
            f"{settings.KEY_FILE} 中的密钥无法打开已封存的口令：请从第一台主机复制 keys.json（或设置 KEY_FILE），"
            "各主机须一致。",
        )
    except DatabaseError:
        return
    except OSError as error:
        yield text(
            f"The keys in {settings.KEY_FILE} cannot be read ({error.strerror}).",
            f"无法读取 {settings.KEY_FILE} 中的密钥（{error.strerror}）。",
        )


def _signing_key() -> Iterator[Text]:
    if settings.OPTIONS["EXCHANGE_URL"] and not settings.OPTIONS["SECRET_KEY"]:
        yield text(
            "With several hosts SECRET_KEY must be set, the same for all: otherwise a sign-in holds on one host only.",
            "多主机部署必须设置 SECRET_KEY 且各主机一致，否则登录状态只在一台主机上有效。",
        )


def _store() -> Iterator[Text]:
    deadline = time.monotonic() + STORE_SECONDS
    while True:
        try:
            places.store().check()
        except StoreError as error:
            if getattr(error.__cause__, "retry", "") == "retry" and time.monotonic() < deadline:
                time.sleep(1.0)
                continue
            yield text(f"EXCHANGE_URL: {error.message['en']}", f"EXCHANGE_URL：{error.message['zh-CN']}")
        return


def _uploads() -> Iterator[Text]:
    folder = Path(settings.UPLOAD_FOLDER)
    probe = folder / f".check-{uuid.uuid4().hex}"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        probe.touch()
        os.unlink(probe)
    except OSError as error:
        yield text(
            f"UPLOAD_FOLDER: {folder} cannot be written ({error.strerror}): mount it on this host.",
            f"UPLOAD_FOLDER：{folder} 不可写（{error.strerror}）：请在本机挂载该目录。",
        )


CHECKS: tuple[Callable[[], Iterator[Text]], ...] = (_database, _keys, _signing_key, _store, _uploads)
