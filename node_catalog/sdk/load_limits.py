"""How much a node may be asked at once: its load limits, as people fill them in and as a work gets them.

Every connector says which of them it offers (``Connector.limits``). Whatever is left at its default is not stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

import msgspec

from node_catalog.sdk.contract import Connector, Settings
from node_catalog.sdk.errors import Problem, SettingsError
from node_catalog.sdk.fields import setting
from node_catalog.sdk.schema import json_schema, parse
from node_catalog.sdk.text import text

DAY = 86_400
_NOT_OFFERED = text("This kind of node has no such limit.", "该类型的节点没有这项限制。")


class LoadLimits(Settings, frozen=True):
    """The form."""

    reads: Annotated[
        int,
        setting(
            text("Reads at the same time", "同时读取数"),
            text(
                "So many reads at most, by all workers together: runs, previews, discovery, profiles and calls. Of two "
                "or more, one is kept free for what somebody waits for. What comes then waits. 0: any number.",
                "所有工作进程合计最多同时读取几路，包括运行、预览、发现、统计和接口调用。"
                "设为 2 及以上时，会为有人等待的操作预留一路。超出的任务排队等待。0 表示不限。",
            ),
            ge=0,
            le=1000,
        ),
    ] = 4
    rows_per_second: Annotated[
        int,
        setting(
            text("Rows per second", "每秒读取行数"),
            text("For all reads together. 0: as fast as it goes.", "所有读取合计。0 表示不限速。"),
            ge=0,
            le=1_000_000_000,
        ),
    ] = 0
    requests_per_second: Annotated[
        float,
        setting(
            text("Requests per second", "每秒请求数"),
            text(
                "For all reads together; 0.2 is one request in five seconds. 0: as fast as it goes.",
                "所有读取合计，0.2 表示每五秒一次。0 表示不限。",
            ),
            ge=0,
            le=10_000,
        ),
    ] = 0
    statement_seconds: Annotated[
        int,
        setting(
            text("Longest statement, in seconds", "单条语句最长时间（秒）"),
            text(
                "After that the server ends it. 0: what the platform allows (STATEMENT_SECONDS).",
                "超过后由服务器终止。0 表示采用平台的上限（STATEMENT_SECONDS）。",
            ),
            ge=0,
            le=DAY,
        ),
    ] = 0
    when_busy: Annotated[
        Literal["yield", "go_on"],
        setting(
            text("While others use it", "他人正在使用时"),
            text(
                "Whether reads rest between portions, so that the server mostly belongs to its own users.",
                "读取时是否在各批之间停顿，把服务器主要留给其自身的用户。",
            ),
            choices={
                "yield": text("read slowly", "放慢读取"),
                "go_on": text("read at full speed", "全速读取"),
            },
        ),
    ] = "yield"
    replica: Annotated[
        str,
        setting(
            text("Replica", "只读副本"),
            text(
                "Address (host or host:port) of a copy that is kept up to date. Discovery, profiles and all reads "
                "go there, with the same user and password; what is written goes to the server above. When it does "
                "not answer, reads fail rather than fall upon that server.",
                "保持同步的副本地址（主机 或 主机:端口）。发现、统计和所有读取都在副本上进行，使用相同的用户和密码；"
                "写入仍在上面的服务器上进行。副本无法访问时读取会失败，不会转而访问主服务器。",
            ),
            max_length=260,
            pattern=r"^([^\s/,@?#\\':]+(:[0-9]{1,5})?)?$",
            extra={"x-pattern-words": text("host or host:port", "主机 或 主机:端口")},
        ),
    ] = ""

    def problems(self) -> Iterable[Problem]:
        """A port is a number up to 65535."""
        port = self.replica.partition(":")[2]
        if port and not 1 <= int(port) <= 65535:
            words = text("A port is a number from 1 to 65535.", "端口应为 1 到 65535 的数字。")
            yield Problem("/replica", "settings.range", words)

    @property
    def background_reads(self) -> int:
        """How many reads may be for what nobody waits for in front of the screen; 0: any number."""
        return self.reads - 1 if self.reads > 1 else self.reads


NONE = LoadLimits(reads=0, when_busy="go_on")
"""For what is no other system's work."""


def limits_schema(connector: type[Connector]) -> dict[str, Any]:
    """JSON Schema of the limits that a connector offers; empty when it offers none."""
    if not connector.limits:
        return {}
    schema = json_schema(LoadLimits)
    schema["properties"] = {name: schema["properties"][name] for name in connector.limits}
    return schema


def parse_limits(connector: type[Connector], data: Mapping[str, Any]) -> dict[str, Any]:
    """Limits that people have filled in, as they are stored. Raises SettingsError with all problems."""
    extra = [name for name in data if name not in connector.limits]
    if extra:
        problems = tuple(Problem(f"/{name}", "settings.unknown", _NOT_OFFERED) for name in extra)
        raise SettingsError("settings.invalid", _NOT_OFFERED, problems)
    plain: dict[str, Any] = msgspec.to_builtins(parse(LoadLimits, data))
    defaults = msgspec.to_builtins(LoadLimits())
    return {name: value for name, value in plain.items() if value != defaults[name]}


def limits_of(connector: type[Connector] | None, stored: Mapping[str, Any] | None) -> LoadLimits:
    """The limits of a node of this type; what a newer version has stored and this one does not know is passed over."""
    if connector is None or not connector.limits:
        return NONE
    known = {name: value for name, value in (stored or {}).items() if name in connector.limits}
    found = msgspec.convert(known, LoadLimits)
    return found if "when_busy" in connector.limits else msgspec.structs.replace(found, when_busy="go_on")


def settings_for_reading(settings: Mapping[str, Any], limits: LoadLimits) -> dict[str, Any]:
    """A node's settings with the address of its replica, when it has one."""
    host, _, port = limits.replica.partition(":")
    return {**settings, **({"host": host} if host else {}), **({"port": int(port)} if port else {})}
