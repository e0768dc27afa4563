"""Connections that the calls of one work share."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from node_catalog.sdk.kept import Kept


class Server:
    """Counts what is opened, and knows what is closed again."""

    def __init__(self) -> None:
        self.opened = 0
        self.open: set[int] = set()

    @contextmanager
    def connect(self) -> Iterator[int]:
        self.opened += 1
        number = self.opened
        self.open.add(number)
        try:
            yield number
        finally:
            self.open.remove(number)


def test_what_is_free_serves_the_next_call_and_all_is_closed_at_the_end() -> None:
    server = Server()
    with Kept() as kept:
        for _ in range(3):
            with kept.use("a", server.connect) as first:
                assert first == 1
        with kept.use("b", server.connect) as other:
            assert other == 2
        assert server.open == {1, 2}
    assert not server.open


def test_what_is_in_use_is_lent_to_nobody_else() -> None:
    server, seen = Server(), []
    with Kept() as kept, kept.use("a", server.connect) as mine:

        def ask() -> None:
            with kept.use("a", server.connect) as found:
                seen.append(found)

        beside = threading.Thread(target=ask)
        beside.start()
        beside.join()
        with kept.use("a", server.connect) as again:
            assert [mine, *seen, again] == [1, 2, 2]
    assert not server.open


def test_what_an_error_came_out_of_is_closed_and_forgotten() -> None:
    server = Server()
    with Kept() as kept:
        with pytest.raises(ValueError), kept.use("a", server.connect):
            raise ValueError
        assert not server.open
        with kept.use("a", server.connect) as next_one:
            assert next_one == 2


def test_what_comes_back_after_the_end_is_closed() -> None:
    server, kept = Server(), Kept()
    with kept:
        late = kept.use("a", server.connect)
        late.__enter__()
    assert server.open == {1}
    late.__exit__(None, None, None)
    assert not server.open
