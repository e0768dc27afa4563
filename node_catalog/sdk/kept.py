"""Connections that several reads of one node share, one after the other: a scan of thousands of tables opens few."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from types import TracebackType
from typing import Any, TypeVar

Resource = TypeVar("Resource")


class Kept:
    """What was opened, by a key that says all it depends on. Not for two threads at once; closes all at its end."""

    def __init__(self) -> None:
        self._held: dict[Hashable, tuple[Any, ExitStack]] = {}

    def __enter__(self) -> Kept:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for key in list(self._held):
            self._drop(key)

    @contextmanager
    def use(self, key: Hashable, make: Callable[[], AbstractContextManager[Resource]]) -> Iterator[Resource]:
        """What ``make`` opened under ``key``, now or earlier. Whatever an error came out of is closed and forgotten."""
        if key not in self._held:
            stack = ExitStack()
            self._held[key] = (stack.enter_context(make()), stack)
        try:
            yield self._held[key][0]
        except BaseException:
            self._drop(key)
            raise

    def _drop(self, key: Hashable) -> None:
        _, stack = self._held.pop(key)
        stack.close()


@contextmanager
def shared(
    kept: Kept | None, key: Hashable, make: Callable[[], AbstractContextManager[Resource]]
) -> Iterator[Resource]:
    """What ``make`` opens: kept for the next call with the same key, or closed at once when nothing is kept."""
    with kept.use(key, make) if kept is not None else make() as resource:
        yield resource
