"""Errors of runs, and the one shape in which a failed attempt is kept.

RunError             base: code, message (both languages), where, retry, detail, status
├── LeaseLostError   another attempt owns the task now: stop, write nothing             skip
├── CancelledError   someone asked to stop                                              skip
├── PostponedError   not now: something else must end first; this try does not count    retry
├── StalePlanError   a right or a schema has changed since the plan was made            fatal
├── StoreError       files of runs cannot be kept or fetched: the store is set up wrongly   retry
├── CallError        a published flow could not answer: too slow, too much, too busy       any
├── ResultGoneError  the rows were removed by retention, or the file is missing         410
└── WithheldError    the rows exist, but today's rights do not open them                403
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db import InterfaceError, OperationalError

from node_catalog.sdk.text import Text, text

UNEXPECTED = text(
    "Something unexpected went wrong in the worker. Run it again; if it stays, give the task number to the operators.",
    "执行时出现意外错误。请重新运行；如果仍然出现，请把任务编号告诉运维人员。",
)

DATABASE_AWAY = text(
    "The studio's own database did not answer for a while. The work is tried again by itself.",
    "平台自己的数据库一时没有响应，系统会自动重试。",
)


class RunError(Exception):
    """Base of all errors of this package. ``message`` never quotes rows; ``detail`` may, and is guarded."""

    retry: ClassVar[str] = "fatal"
    status: ClassVar[int] = 400

    def __init__(self, code: str, message: Text, where: str = "", detail: str = "") -> None:
        super().__init__(f"{code}: {message.get('en', '')}")
        self.code = code
        self.message = message
        self.where = where
        self.detail = detail


class BusyError(RunError):
    """There are enough of its kind already; nothing was started."""

    status = 409


class LeaseLostError(RunError):
    """Zero rows changed: a newer attempt, a cancel or the reaper has moved this task on."""

    retry = "skip"

    def __init__(self) -> None:
        super().__init__("task.lost", text("Another attempt has taken over.", "已由另一次尝试接手。"))


class CancelledError(RunError):
    """The run or the task was cancelled while it worked."""

    retry = "skip"

    def __init__(self) -> None:
        super().__init__("task.cancelled", text("It was cancelled.", "已被取消。"))


class CallError(RunError):
    """A published flow that somebody waits for has no answer; ``status`` is the HTTP status that fits."""

    def __init__(self, code: str, message: Text, status: int, where: str = "") -> None:
        super().__init__(code, message, where)
        self.status = status  # type: ignore[misc]


class PostponedError(RunError):
    """The work has to wait for ``seconds``; nothing went wrong and the attempt does not count."""

    retry = "retry"

    def __init__(self, seconds: float) -> None:
        super().__init__("task.postponed", text("It waits for something else to end.", "正在等待其他任务结束。"))
        self.seconds = seconds


class StoreError(RunError):
    """The store of results and rows between stages is not as the options say. Takes what is wrong in both languages."""

    retry = "retry"
    status = 503

    def __init__(self, english: str, chinese: str) -> None:
        message = text(
            f"Files of runs cannot be kept: {english}. Ask the operators.",
            f"运行数据无法存取：{chinese}。请联系运维人员。",
        )
        super().__init__("store.wrong", message)


class StalePlanError(RunError):
    """What the plan was made from no longer holds; nothing has been read."""


class ResultGoneError(RunError):
    """There are no rows any more."""

    status = 410


class WithheldError(RunError):
    """The rights under which the rows were computed are not those of the asker today."""

    status = 403


def problem_of(error: BaseException) -> dict[str, Any]:
    """The kept form of any error: code, message, where, retry, detail.

    An error that is not ours is told in general words; what it says itself may quote rows, so it stays in the
    guarded ``detail``. Only an error of the control database reaches a worker as Django's: it may pass.
    """
    message, code = getattr(error, "message", None), str(getattr(error, "code", None) or "")
    if isinstance(message, Mapping) and code:
        return {
            "code": code,
            "message": dict(message),
            "where": str(getattr(error, "where", "") or ""),
            "retry": str(getattr(error, "retry", None) or "fatal"),
            "detail": str(getattr(error, "detail", "") or "")[:4000],
            **_problems(error),
            **({"report": report} if (report := getattr(error, "report", None)) else {}),
        }
    is_away = isinstance(error, OperationalError | InterfaceError)
    return {
        "code": "database.away" if is_away else "internal.unexpected",
        "message": dict(DATABASE_AWAY if is_away else UNEXPECTED),
        "where": "",
        "retry": "retry" if is_away else "fatal",
        "detail": f"{type(error).__name__}: {error}"[:4000],
    }


def _problems(error: BaseException) -> dict[str, Any]:
    problems = getattr(error, "problems", None)
    if not problems:
        return {}
    known = ("pointer", "code", "message", "step")
    return {
        "problems": [
            {name: found[name] for name in known if name in found}
            if isinstance(found, Mapping)
            else {name: getattr(found, name) for name in known if hasattr(found, name)}
            for found in problems
        ]
    }


def public(problem: Mapping[str, Any] | None, *, can_see_rows: bool = False) -> dict[str, Any] | None:
    """A kept problem as a person may see it: without ``detail`` unless they may see the rows."""
    if not problem:
        return None
    return {key: value for key, value in problem.items() if key != "detail" or can_see_rows}
