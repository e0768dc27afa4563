"""Errors of the engine, sorted by what the caller can do.

EngineError                base: code, message (both languages), where, retry, detail
├── CancelledError         somebody asked to stop                                          skip
├── WorkError              the work cannot be done as it is written                        fatal
│   ├── TextRefusedError   SQL that reaches for anything but its own inputs                fatal
│   ├── CheckFailedError   the data do not keep a rule that the flow insists on            fatal
│   ├── TooMuchError       more rows than the caller takes                                fatal
│   ├── ValueFailedError   a value cannot be converted, or a number overflows              fatal
│   └── ColumnsMovedError  a source has other columns than the plan expects                fatal
├── MemoryLimitError       the work needs more memory than it may use                      fatal
├── DiskFullError          no room for spilling or for the result                          retry
├── DiskBrokenError        the disk does not read or write what it should                  retry
├── SourceFailedError      an attached source broke off or vanished                        retry
├── ClusterFailedError     the cluster cannot be reached, broke off or failed              retry
├── SilentError            another system stands still, or the network on the way to it    retry
├── PageError              a page of a result that cannot be given                         fatal
└── ChildError             the process that did the work                                   retry
    ├── ChildDiedError     it died (``signal``)                                            retry
    └── ChildStartError    it does not start                                               retry

Errors of node types (node_catalog.sdk.errors) have the same five facts and pass through unchanged. What a child
process raises arrives in the parent as the class named here when it has one, else as ``WorkError``.
"""

from __future__ import annotations

import errno
from typing import Any, Literal

from node_catalog.sdk.errors import NodeTypeError
from node_catalog.sdk.text import Text, text

Retry = Literal["fatal", "retry", "skip"]


class EngineError(Exception):
    """Base. ``message`` is safe for operators; only ``detail`` may quote data."""

    retry: Retry = "fatal"

    def __init__(
        self,
        code: str,
        message: Text,
        where: str = "",
        detail: str = "",
        retry: Retry | None = None,
        report: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(f"{code}: {message.get('en', '')}")
        self.code = code
        self.message = message
        self.where = where
        self.detail = detail
        self.problems: tuple[dict[str, Any], ...] = ()
        """Of wrong settings: every problem with its pointer, as JSON."""
        self.report = report or {}
        """What a step that judges has found: counts, never rows."""
        if retry is not None:
            self.retry = retry


class CancelledError(EngineError):
    """Somebody asked to stop; nothing was written."""

    retry = "skip"

    def __init__(self, code: str = "engine.cancelled", message: Text | None = None, *args: Any, **more: Any) -> None:
        words = text("The work was cancelled before it wrote anything.", "已取消，尚未写出任何数据。")
        super().__init__(code, message or words, *args, **more)


class WorkError(EngineError):
    """The work cannot be done as it is written; trying again changes nothing."""


class TextRefusedError(WorkError):
    """SQL that reaches for something other than its own inputs."""


class TooMuchError(WorkError):
    """More rows, or larger ones, than the caller takes at once."""


class ValueFailedError(WorkError):
    """A value cannot be converted, or a calculation leaves the range of its type."""


class CheckFailedError(WorkError):
    """The data do not keep a rule that the flow insists on; ``report`` says which, in counts."""


class ColumnsMovedError(WorkError):
    """A source answers with other columns than the plan was made for."""


class MemoryLimitError(EngineError):
    """The work needs more memory than it may use."""


class DiskFullError(EngineError):
    """There is no room left for intermediate data or for the result."""

    retry = "retry"


class DiskBrokenError(EngineError):
    """The disk does not read or write what it should."""

    retry = "retry"


class SourceFailedError(EngineError):
    """A source that the engine reads itself broke off or vanished while it was read."""

    retry = "retry"


class ClusterFailedError(EngineError):
    """The cluster that a stage was sent to cannot be reached, broke off or failed."""

    retry = "retry"


class SilentError(EngineError):
    """Another system has not answered for longer than its own limits allow: it stands still, or the network does."""

    retry = "retry"

    def __init__(self, code: str = "engine.silent", message: Text | None = None, *args: Any, **more: Any) -> None:
        words = text(
            "The other system has stopped answering: it stands still, or the network on the way to it. It is tried "
            "again; if it stays so, ask the people who run that system, and look at the network.",
            "对方系统已停止响应：系统本身或网络处于停滞状态。系统会自动重试；若一直如此，请联系该系统的管理员并检查网络。",
        )
        super().__init__(code, message or words, *args, **more)


class PageError(EngineError):
    """A page of a result that cannot be given: unknown column, too deep, file gone."""


class ChildError(EngineError):
    """Something is wrong with the process that does the work."""

    retry = "retry"


class ChildDiedError(ChildError):
    """The process died under the work. ``signal`` is the signal's number, or 0 when it simply left."""

    def __init__(self, signal: int, exit_code: int = 0) -> None:
        named = f"signal {signal}" if signal else f"exit code {exit_code}"
        super().__init__(
            "engine.child_died",
            text(
                f"The process that ran this stage ended unexpectedly ({named}). Nothing was delivered; "
                "it is tried again. If it happens twice, give the worker more memory or read fewer rows.",
                f"执行该阶段的进程意外终止（{named}）。没有写出任何数据，系统会自动重试；"
                "若再次发生，请增加工作进程的内存，或减少读取的行数。",
            ),
        )
        self.signal = signal
        self.exit_code = exit_code


class ChildStartError(ChildError):
    """The process does not get ready."""


_CLASSES: dict[str, type[EngineError]] = {
    kind.__name__: kind
    for kind in (
        CancelledError,
        WorkError,
        TextRefusedError,
        TooMuchError,
        ValueFailedError,
        CheckFailedError,
        ColumnsMovedError,
        MemoryLimitError,
        DiskFullError,
        DiskBrokenError,
        SourceFailedError,
        SilentError,
        PageError,
        ChildStartError,
    )
}


_DISK = text(
    "There is no room left on disk for intermediate data. Free space under the data folder, or read fewer rows.",
    "磁盘空间不足，无法存放中间数据。请清理数据目录所在的磁盘，或减少读取的行数。",
)


def disk_error(where: str = "", detail: str = "") -> DiskFullError:
    """No space left while we write a file of ours."""
    return DiskFullError("engine.disk_full", _DISK, where, detail)


def of_disk(error: OSError) -> EngineError | None:
    """A disk's own errors in words. They may pass; and what was delivered before them is found by the next attempt."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return disk_error(detail=str(error))
    if error.errno == errno.EIO:
        broken = text(
            "The disk of the machine that does the work reported an error. It is tried again; if it stays so, an "
            "operator has to look at that disk.",
            "执行任务的机器磁盘读写出错，系统会重试。若一直如此，请运维人员检查磁盘。",
        )
        return DiskBrokenError("engine.disk_broken", broken, detail=str(error))
    return None


def problem_of(error: BaseException) -> dict[str, Any]:
    """The facts of any error as plain data: ``{kind, code, message, where, retry, detail, problems}``.

    An error that nobody foresaw gets plain words; its own text goes into ``detail``.
    """
    if isinstance(error, MemoryError):
        error = MemoryLimitError(
            "engine.out_of_memory",
            text(
                "The work needs more memory than it may use. Read fewer rows or columns, or cut very long texts.",
                "所需内存超出上限。请减少读取的行或列，或截短超长文本。",
            ),
        )
    if isinstance(error, OSError) and (words := of_disk(error)):
        error = words
    if isinstance(error, EngineError | NodeTypeError):
        return {
            "problems": [
                {"pointer": found.pointer, "code": found.code, "message": found.message}
                for found in getattr(error, "problems", ())
            ],
            "kind": type(error).__name__,
            "code": error.code,
            "message": dict(error.message),
            "where": error.where,
            "retry": error.retry,
            "detail": error.detail,
            **({"report": report} if (report := getattr(error, "report", None)) else {}),
        }
    return {
        "kind": type(error).__name__,
        "code": "engine.unexpected",
        "message": text(
            f"Something unforeseen went wrong in the engine ({type(error).__name__}). Nothing was delivered. "
            "Please report it together with the run's number.",
            f"引擎遇到未预料的错误（{type(error).__name__}），没有写出任何数据。请连同运行编号一起反馈。",
        ),
        "where": "",
        "retry": "fatal",
        "detail": str(error)[:2000],
        "problems": [],
    }


def error_from(problem: dict[str, Any]) -> EngineError:
    """The error behind a problem that came over the pipe, as the class it had there when that is one of ours."""
    kind = _CLASSES.get(str(problem.get("kind")), WorkError)
    error = kind(
        str(problem.get("code") or "engine.unexpected"),
        problem.get("message") or {},
        str(problem.get("where") or ""),
        str(problem.get("detail") or ""),
        retry=problem.get("retry") or None,
    )
    error.problems = tuple(problem.get("problems") or ())
    error.report = dict(problem.get("report") or {})
    return error
