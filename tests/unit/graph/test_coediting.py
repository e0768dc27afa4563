"""Several browsers on one flow, as a model: whatever the order of the messages, all end equal and nothing is lost.

The model browser does what `frontend/src/graph/sync.ts` does: it keeps what the server has confirmed, one batch on its
way and the edits that wait, and shows the one with the others on top.
"""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from flows.graph.operations import OperationError, apply_operations
from tests.unit.graph.test_operations import LAYOUT, OPERATIONS, START

Json = dict[str, Any]
Picture = tuple[Json, Json]


def replay(picture: Picture, operations: list[Json]) -> tuple[Picture, list[Json], list[Json]]:
    """Operations one by one: what comes out, those that fit, those that do not."""
    fitting: list[Json] = []
    lost: list[Json] = []
    for operation in operations:
        try:
            picture = apply_operations(*picture, [operation])
            fitting.append(operation)
        except OperationError:
            lost.append(operation)
    return picture, fitting, lost


class Server:
    """Applies whole batches in the order in which they come; ``log`` is what browsers follow."""

    def __init__(self) -> None:
        self.picture: Picture = (START, LAYOUT)
        self.log: list[tuple[str, list[Json]]] = []

    def take(self, key: str, operations: list[Json]) -> bool:
        if any(key == known for known, _ in self.log):
            return True
        try:
            self.picture = apply_operations(*self.picture, operations)
        except OperationError:
            return False
        self.log.append((key, operations))
        return True


class Browser:
    """One person's canvas."""

    def __init__(self, name: str, server: Server) -> None:
        self.name, self.server = name, server
        self.confirmed: Picture = server.picture
        self.revision, self.sent = 0, 0
        self.flight: tuple[str, list[Json]] | None = None
        self.waiting: list[Json] = []
        self.made: list[Json] = []
        self.lost: list[Json] = []

    @property
    def shown(self) -> Picture:
        return replay(self.confirmed, [*(self.flight[1] if self.flight else []), *self.waiting])[0]

    def edit(self, operation: Json) -> None:
        try:
            apply_operations(*self.shown, [operation])
        except OperationError:
            return
        self.made.append(operation)
        self.waiting.append(operation)

    def send(self, *, is_answer_lost: bool = False) -> None:
        if self.flight is None:
            if not self.waiting:
                return
            self.sent += 1
            self.flight, self.waiting = (f"{self.name}{self.sent}", self.waiting), []
        accepted = self.server.take(*self.flight)
        if is_answer_lost:
            return
        self.follow()
        if not accepted and self.flight is not None:
            _, self.waiting, lost = replay(self.confirmed, [*self.flight[1], *self.waiting])
            self.lost += lost
            self.flight = None

    def follow(self, most: int = 1_000) -> None:
        for key, operations in self.server.log[self.revision : self.revision + most]:
            self.confirmed = apply_operations(*self.confirmed, operations)
            self.revision += 1
            if self.flight is not None and key == self.flight[0]:
                self.flight = None
        on_top = replay(self.confirmed, self.flight[1] if self.flight else [])[0]
        _, self.waiting, lost = replay(on_top, self.waiting)
        self.lost += lost


ACTS = st.one_of(
    st.tuples(st.just("edit"), OPERATIONS),
    st.tuples(st.just("send"), st.booleans()),
    st.tuples(st.just("follow"), st.integers(1, 3)),
)


@settings(max_examples=300, deadline=None)
@given(walk=st.lists(st.tuples(st.integers(0, 2), ACTS), max_size=60))
def test_all_end_equal_and_nothing_is_lost(walk: list[tuple[int, tuple[str, Any]]]) -> None:
    server = Server()
    browsers = [Browser(name, server) for name in "abc"]
    for who, (act, detail) in walk:
        browser = browsers[who]
        if act == "edit":
            browser.edit(detail)
        elif act == "send":
            browser.send(is_answer_lost=detail)
        else:
            browser.follow(detail)
    while any(browser.flight or browser.waiting for browser in browsers):
        for browser in browsers:
            browser.send()
    for browser in browsers:
        browser.follow()
        assert browser.shown == server.picture
        arrived = [one for key, batch in server.log if key.startswith(browser.name) for one in batch]
        assert len(browser.made) == len(arrived) + len(browser.lost)


@given(
    mine=st.dictionaries(st.sampled_from("abc"), st.integers(0, 2)),
    theirs=st.dictionaries(st.sampled_from("abc"), st.integers(0, 2)),
    was=st.dictionaries(st.sampled_from("abc"), st.integers(0, 2)),
)
def test_settings_of_two_authors_are_merged_by_property(mine: Json, theirs: Json, was: Json) -> None:
    start = {"op": "set_settings", "id": "f", "settings": was}
    batches = [{"op": "set_settings", "id": "f", "settings": one, "was": was} for one in (theirs, mine)]
    document, _ = apply_operations(START, LAYOUT, [start, *batches])
    missing = object()
    for name in "abc":
        before, first, second = was.get(name, missing), theirs.get(name, missing), mine.get(name, missing)
        expected = second if second != before else first
        assert document["steps"]["f"]["settings"].get(name, missing) == expected
