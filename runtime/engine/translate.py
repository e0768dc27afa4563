"""What the engine's SQL machine says, in words for people. Pure: it sees only the kind and the text of an error.

The words never quote a value; the machine's own sentence (which may) goes into ``detail``.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from node_catalog.sdk.row_limit import COLUMNS, ROWS
from node_catalog.sdk.text import Text, text
from runtime.engine.errors import (
    CancelledError,
    EngineError,
    MemoryLimitError,
    SourceFailedError,
    TextRefusedError,
    ValueFailedError,
    WorkError,
    disk_error,
)

_DETAIL = 1000

_MEMORY = text(
    "The work needs more memory than it may use. Filter rows or drop columns earlier in the flow, aggregate before "
    "joining, cut very long texts, or let an administrator raise the option CHILD_MEMORY_MB.",
    "所需内存超出上限。请在流程中更早地筛选行、去掉不需要的列，或先聚合再关联、截短超长文本；"
    "也可以请管理员调大选项 CHILD_MEMORY_MB。",
)
_CONVERT = text(
    "A value cannot be converted to the type that a step asks for. Open the detail for the column and the value; "
    'set the cast step to "empty when it fails", or correct the type in the dataset.',
    "有一个值无法转换为步骤要求的类型。请在详情中查看列名和该值；可把“转换类型”步骤设为“失败时留空”，或修正数据集的列类型。",
)
_RANGE = text(
    "A calculation leaves the range of its type (too large, or not defined for the value). Cast the column to a "
    "wider type before calculating, or filter such rows out.",
    "计算结果超出了该类型的取值范围（数值过大，或对该值没有定义）。请先转换为范围更大的类型再计算，或筛掉这些行。",
)
_VANISHED = text(
    "A file of the source is gone or cannot be read any more. Check that it is still there, then discover the node "
    "again.",
    "来源的文件已不存在或无法读取。请确认文件仍在原处，然后重新发现该节点。",
)
_SOURCE = text(
    "The source broke off while it was read. Nothing was delivered; the stage is tried again.",
    "读取来源时连接中断。没有写出任何数据，系统会重试该阶段。",
)
_REFUSED = text(
    "The SQL of this stage reaches for something other than its own inputs, which is never allowed.",
    "该阶段的 SQL 试图访问自身输入以外的内容，这是不允许的。",
)
_PLAN = text(
    "The plan of this stage does not fit its inputs any more. Save the flow as a new version and run that; if it "
    "happens again, report it together with the run's number.",
    "该阶段的计划与输入不再匹配。请将流程另存为新版本后再运行；若再次出现，请连同运行编号一起反馈。",
)
_INTERNAL = text(
    "The engine failed on this stage. Nothing was delivered. Please report it together with the run's number.",
    "引擎在执行该阶段时出错，没有写出任何数据。请连同运行编号一起反馈。",
)

_BEYOND = re.compile(f"({re.escape(ROWS)}|{re.escape(COLUMNS)})" + r"(\d+)")
_Make = Callable[[str, str], EngineError]


def _make(kind: type[EngineError], code: str, words: Text) -> _Make:
    def make(where: str, detail: str) -> EngineError:
        return kind(code, words, where, detail)

    return make


_INTERRUPTED = "INTERRUPT Error"
_PREFIXES: tuple[tuple[str, _Make], ...] = (
    (_INTERRUPTED, lambda where, detail: CancelledError(where=where)),
    ("Out of Memory Error", _make(MemoryLimitError, "engine.out_of_memory", _MEMORY)),
    ("Conversion Error", _make(ValueFailedError, "engine.conversion", _CONVERT)),
    ("Mismatch Type Error", _make(ValueFailedError, "engine.conversion", _CONVERT)),
    ("Out of Range Error", _make(ValueFailedError, "engine.range", _RANGE)),
    ("Permission Error", _make(TextRefusedError, "engine.refused", _REFUSED)),
    ("Binder Error", _make(WorkError, "engine.plan", _PLAN)),
    ("Catalog Error", _make(WorkError, "engine.plan", _PLAN)),
    ("Parser Error", _make(WorkError, "engine.plan", _PLAN)),
)
_NO_MEMORY = (
    "bad allocation",
    "bad_alloc",
    "out of memory",
    "cannot allocate memory",
    "temporarily unavailable",
)
"""How the C++ library and the system say it, under whatever heading the engine puts it."""


def translate(message: str, where: str = "", *, source: bool = False) -> EngineError:
    """The error behind what DuckDB says. ``source``: it came from a connection that reads a source."""
    detail = _detail(message)
    lower = message.lower()
    if "no space left" in lower or "max_temp_directory_size" in lower:
        return disk_error(where, detail)
    beyond = _BEYOND.search(message)
    if beyond:
        too_many = _too_many_rows if beyond[1] == ROWS else _too_many_columns
        return too_many(int(beyond[2]), where)
    if source and message.startswith(_INTERRUPTED):
        # Nobody asked for it: the thread that met the break stops the others, and any of them may be heard first.
        return SourceFailedError("source.broke_off", _SOURCE, where, detail)
    for prefix, make in _PREFIXES:
        if message.startswith(prefix):
            return make(where, detail)
    if any(words in lower for words in _NO_MEMORY):
        return MemoryLimitError("engine.out_of_memory", _MEMORY, where, detail)
    if message.startswith("Invalid Error"):
        return WorkError("engine.failed", _INTERNAL, where, detail)
    if source:
        gone = "no files found" in lower or "no such file" in lower or "cannot open" in lower
        if gone:
            return SourceFailedError("source.gone", _VANISHED, where, detail, retry="fatal")
        return SourceFailedError("source.broke_off", _SOURCE, where, detail)
    return WorkError("engine.failed", _INTERNAL, where, detail)


def _too_many_rows(most: int, where: str) -> EngineError:
    words = text(
        f"A step would make more than {most:,} rows, the limit in its settings. Look for a wrong first or last value "
        "(such as a date of the year 1900), choose a larger distance, or raise the limit.",
        f"某个步骤产生的行数将超过其设置中的上限 {most:,}。请检查首尾是否有错误的值（如 1900 年的日期），"
        "或加大间隔、提高上限。",
    )
    return ValueFailedError("engine.too_many_rows", words, where)


def _too_many_columns(most: int, where: str) -> EngineError:
    words = text(
        f"The data would make more than {most:,} columns, the limit in the settings of “Rows to columns”. Choose a "
        "column with fewer values, filter before, list the values you need under “New columns”, or raise the limit.",
        f"数据产生的新列将超过“行转列”设置中的上限 {most:,}。请选择取值较少的列、先行筛选、在“新列”中列出需要的取值，"
        "或提高上限。",
    )
    return ValueFailedError("engine.too_many_columns", words, where)


def memory_error(where: str = "", detail: str = "") -> MemoryLimitError:
    """Out of memory outside DuckDB (Python or Arrow), in the same words."""
    return MemoryLimitError("engine.out_of_memory", _MEMORY, where, detail)


def refused_error(detail: str, where: str = "") -> TextRefusedError:
    """SQL that names anything but its own inputs."""
    return TextRefusedError("engine.refused", _REFUSED, where, detail[:_DETAIL])


def _detail(message: str) -> str:
    """DuckDB's sentence without its picture of the query and its hints about settings."""
    kept = message.split("\n\nLINE ")[0].split("\n\nPossible solutions")[0].split("\nTraceback")[0]
    return kept.strip()[:_DETAIL]
