"""The bounded memory of what was used lately."""

from __future__ import annotations

from node_catalog.sdk.memory import Memory


def test_what_was_not_used_for_longest_goes_first() -> None:
    memory: Memory[int] = Memory(2)
    memory.keep("a", 1)
    memory.keep("b", 2)
    assert memory.find("a") == 1
    memory.keep("c", 3)
    assert [memory.find(key) for key in "abc"] == [1, None, 3]


def test_a_value_is_made_once_until_it_is_dropped() -> None:
    memory: Memory[int | None] = Memory(8)
    made: list[int] = []

    def make() -> int | None:
        made.append(1)
        return None

    assert memory.get("a", make) is memory.get("a", make) is None
    assert len(made) == 1, "None is a value as well"
    memory.drop("a")
    memory.get("a", make)
    memory.clear()
    memory.get("a", make)
    assert len(made) == 3
