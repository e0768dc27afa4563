"""Connections that the calls of one work share: a run opens few, and so does a scan of thousands of tables."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from types import TracebackType
from typing import Any, TypeVar

Resource = TypeVar("Resource")


class Kept:
    """What was opened and is free now, by a key that says all it depends on. From any thread; each has one user at a
    time, and one more is opened when all are in use. Closes all at its end.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._free: dict[Hashable, list[tuple[Any, ExitStack]]] = {}
        self._has_ended = False

    def __enter__(self) -> Kept:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._has_ended = True
            free, self._free = self._free, {}
        with ExitStack() as all_of_them:
            for opened in free.values():
                for _, stack in opened:
                    all_of_them.enter_context(stack)

    @contextmanager
    def use(self, key: Hashable, make: Callable[[], AbstractContextManager[Resource]]) -> Iterator[Resource]:
        """What ``make`` opened under ``key``, now or earlier. Whatever an error came out of is closed and forgotten."""
        resource, stack = self._take(key) or _opened(make)
        try:
            yield resource
        except BaseException:
            stack.close()
            raise
        self._give(key, resource, stack)

    def _take(self, key: Hashable) -> tuple[Any, ExitStack] | None:
        with self._lock:
            free = self._free.get(key)
            return free.pop() if free else None

    def _give(self, key: Hashable, resource: Any, stack: ExitStack) -> None:
        with self._lock:
            if not self._has_ended:
                self._free.setdefault(key, []).append((resource, stack))
                return
        stack.close()


def _opened(make: Callable[[], AbstractContextManager[Resource]]) -> tuple[Resource, ExitStack]:
    stack = ExitStack()
    return stack.enter_context(make()), stack


@contextmanager
def shared(
    kept: Kept | None, key: Hashable, make: Callable[[], AbstractContextManager[Resource]]
) -> Iterator[Resource]:
    """What ``make`` opens: kept for the next call with the same key, or closed at once when nothing is kept."""
    with kept.use(key, make) if kept is not None else make() as resource:
        yield resource
