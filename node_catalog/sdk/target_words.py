"""What every output says when a target does not fit: the same words for databases and files."""

from __future__ import annotations

import errno
from collections.abc import Iterable

from node_catalog.sdk.contract import Delivery
from node_catalog.sdk.errors import FencedError, TargetBusyError, TargetError
from node_catalog.sdk.text import text


def fenced(delivery: Delivery, newest: int | None = None) -> FencedError:
    """A newer attempt owns the delivery."""
    by = f" (attempt {newest})" if newest else ""
    by_zh = f"（第 {newest} 次尝试）" if newest else ""
    message = text(
        f"Attempt {delivery.attempt} stops without writing: a newer one{by} has taken over.",
        f"第 {delivery.attempt} 次尝试已停止且未写入任何数据：更新的尝试{by_zh}已接手。",
    )
    return FencedError("target.fenced", message, delivery.sink)


def missing_target(name: str) -> TargetError:
    """There is no such table or dataset, and making one was not asked for."""
    message = text(
        f"“{name}” is not there. Choose an existing one, or tick “make it if it is not there”.",
        f"“{name}”不存在。请选择已有的目标，或勾选“不存在时新建”。",
    )
    return TargetError("target.missing", message, name)


def columns_differ(name: str, missing: Iterable[str], extra: Iterable[str]) -> TargetError:
    """The rows' columns are not those of the target: ``missing`` in the rows, ``extra`` in the rows."""
    lacks, has = ", ".join(missing), ", ".join(extra)
    en = "; ".join(
        filter(None, (f"the target has no column {has}" if has else "", f"the rows lack {lacks}" if lacks else ""))
    )
    zh = "；".join(filter(None, (f"目标中没有列 {has}" if has else "", f"写入的行缺少列 {lacks}" if lacks else "")))
    message = text(
        f"The rows do not fit “{name}”: {en}. Choose or rename the columns before writing.",
        f"写入的行与“{name}”不符：{zh}。请在写入前选择列或改名。",
    )
    return TargetError("target.columns", message, name)


def types_differ(name: str, column: str, wanted: str, given: str) -> TargetError:
    """A column of the rows has another type than the target's."""
    message = text(
        f"Column “{column}” is {given}, but “{name}” keeps {wanted} there. Change the type before writing.",
        f"列“{column}”的类型是 {given}，而“{name}”中是 {wanted}。请在写入前转换类型。",
    )
    return TargetError("target.types", message, name)


def no_such_mode(name: str, mode: str) -> TargetError:
    """This kind of target cannot do that."""
    if mode == "upsert":
        message = text(
            f"Rows of “{name}” cannot be changed by key: it is made of files, which are only added to or replaced. "
            "Choose another mode, or a database.",
            f"“{name}”由文件组成，只能追加或整体替换，不能按键更新。请改选其他方式，或写入数据库。",
        )
    else:
        message = text(f"“{name}” cannot be written in this way.", f"“{name}”不支持这种写入方式。")
    return TargetError("target.mode", message, name)


def no_unique_key(name: str, key: Iterable[str]) -> TargetError:
    """Upsert needs a primary key or unique index on exactly these columns."""
    columns = ", ".join(key)
    message = text(
        f"“{name}” has no primary key or unique index on exactly {columns}, so rows cannot be told apart by it. "
        "Choose the table's own key, or have a unique index made.",
        f"“{name}”上没有恰好由 {columns} 组成的主键或唯一索引，无法据此区分各行。"
        "请选择该表自己的键，或先建立唯一索引。",
    )
    return TargetError("target.no_key", message, name)


def key_twice(name: str, key: Iterable[str]) -> TargetError:
    """The rows hold a key twice: which one counts?"""
    columns = ", ".join(key)
    message = text(
        f"Among the rows for “{name}” a key ({columns}) occurs twice, so it is not clear which row counts. Keep one "
        "row for each key before writing, for example with “Remove duplicates”. Nothing was changed.",
        f"要写入“{name}”的行中有重复的键（{columns}），无法确定以哪一行为准。请在写入前按键去重。目标未被改动。",
    )
    return TargetError("target.key_twice", message, name)


def key_empty(name: str, key: Iterable[str]) -> TargetError:
    """A row without a key can neither be found nor told apart."""
    columns = ", ".join(key)
    message = text(
        f"Among the rows for “{name}” a key ({columns}) is empty. Leave such rows out before writing. Nothing was "
        "changed.",
        f"要写入“{name}”的行中有键（{columns}）为空的行，请在写入前去掉这些行。目标未被改动。",
    )
    return TargetError("target.key_empty", message, name)


def of_system(error: OSError, name: str) -> TargetError:
    """What the operating system said, in words."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        message = text(
            f"There is no room left where “{name}” is written. Nothing was changed; free space, then run again.",
            f"写入“{name}”的磁盘空间不足，目标未被改动。请清理空间后重新运行。",
        )
        return TargetBusyError("target.disk_full", message, name)
    if isinstance(error, PermissionError):
        message = text(f"The studio may not write to “{name}”.", f"平台没有写入“{name}”的权限。")
        return TargetError("target.forbidden", message, name)
    message = text(
        f"“{name}” could not be written ({error.strerror or type(error).__name__}). Nothing was changed.",
        f"写入“{name}”失败（{error.strerror or type(error).__name__}），目标未被改动。",
    )
    return TargetBusyError("target.io", message, name)
