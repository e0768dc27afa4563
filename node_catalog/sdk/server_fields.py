"""Settings that every database server asks for in the same words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from node_catalog.sdk.errors import Problem
from node_catalog.sdk.fields import setting
from node_catalog.sdk.text import text

HOST: msgspec.Meta = setting(
    text("Server", "服务器"),
    text(
        "Name or address. Private networks must be opened by the platform administrator.",
        "名称或地址。内网地址需由平台管理员放行。",
    ),
    min_length=1,
    max_length=253,
    pattern=r"^[^\s/,@?#\\']+$",
    extra={"x-pattern-words": text("one host name or address", "一个主机名或地址")},
)
PORT: msgspec.Meta = setting(text("Port", "端口"), ge=1, le=65535)
USER: msgspec.Meta = setting(text("User", "用户"), min_length=1, max_length=128)
PASSWORD: msgspec.Meta = setting(
    text("Password", "密码"),
    text("Kept sealed and never shown again.", "加密保存，不再显示。"),
    secret=True,
    max_length=1000,
)

TAKES_ROWS: msgspec.Meta = setting(
    text("May receive rows of other nodes", "可接收其他节点的数据"),
    text(
        "A small table of another node can be sent along with a question, as bound parameters, so that this server "
        "joins it with its own large table instead of giving that away. Whoever reads the server's log may see "
        "these rows.",
        "查询时可将其他节点的小表作为绑定参数一并发送，由本服务器与自己的大表连接，而不必取出大表。能查看该服务器日志的人员可能看到这些数据。",
    ),
    choices={
        "never": text("never", "从不"),
        "own": text("rows of the same department", "仅同一部门的数据"),
        "open": text("also rows that are open to everybody", "也包括对所有人开放的数据"),
    },
)


def nul_problems(settings: Any, *names: str) -> Iterable[Problem]:
    """NUL characters end a value early in many drivers."""
    for name in names:
        if "\0" in getattr(settings, name):
            message = text("This value holds a forbidden character.", "含有不允许的字符。")
            yield Problem(f"/{name}", "settings.pattern", message)
