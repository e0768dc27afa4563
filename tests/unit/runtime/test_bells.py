"""Bells that say alike: how many are rung, and which are not."""

from __future__ import annotations

from runtime.bells import AT_ONCE, PATIENCE, Alike, Bell


class Town:
    """Hears every bell; ``ready`` are the tasks that nobody has claimed."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.is_deaf = False
        self.ready: set[str] = set()
        self.alike = Alike(self.ring)

    def ring(self, key: str) -> bool:
        if not self.is_deaf:
            self.heard.append(key)
        return not self.is_deaf

    def hear(self, *numbers: int, like: str = "flood") -> list[bool]:
        self.ready |= {f"t{number}" for number in numbers}
        return [self.alike.hear(Bell(number, f"t{number}/0", like)) for number in numbers]

    def look(self, now: float = 0.1) -> None:
        self.alike.look(lambda tasks: self.ready & {*tasks}, now)


def keys(*numbers: int) -> list[str]:
    return [f"t{number}/0" for number in numbers]


def test_a_few_are_rung_and_the_others_wait() -> None:
    town = Town()
    assert town.hear(*range(20)) == [True] * 20
    assert town.heard == keys(*range(AT_ONCE))
    town.look()
    assert town.heard == keys(*range(AT_ONCE)), "nobody has been heard yet"
    assert town.alike.is_waiting


def test_what_was_heard_makes_room_and_what_was_claimed_needs_no_bell() -> None:
    town = Town()
    town.hear(*range(20))
    town.ready -= {"t0", "t1", "t4", "t5"}
    town.look()
    assert town.heard == keys(0, 1, 2, 3, 6, 7)
    town.ready.clear()
    town.look()
    assert town.heard == keys(0, 1, 2, 3, 6, 7)
    assert not town.alike.is_waiting


def test_other_kinds_and_bells_of_their_own_do_not_wait() -> None:
    town = Town()
    town.hear(*range(10))
    town.hear(20, like="other")
    town.hear(*range(30, 40), like="")
    assert town.heard == keys(0, 1, 2, 3, 20, *range(30, 40))


def test_after_a_moment_they_are_left_to_the_reminder() -> None:
    town = Town()
    town.hear(*range(10))
    town.look(PATIENCE + 0.1)
    assert town.heard == keys(0, 1, 2, 3)
    assert not town.alike.is_waiting


def test_a_broker_that_is_away_keeps_no_bell_waiting() -> None:
    town = Town()
    town.is_deaf = True
    assert town.hear(*range(10)) == [False] * 10, "they stay unsent, and the scheduler rings them"
    assert not town.alike.is_waiting
    town.is_deaf = False
    town.hear(*range(10))
    town.is_deaf, town.ready = True, town.ready - {"t0", "t1", "t2", "t3"}
    town.look()
    assert not town.alike.is_waiting


def test_nothing_is_known_after_a_restart_of_the_database() -> None:
    town = Town()
    town.hear(*range(10))
    town.alike.forget()
    town.hear(*range(20, 22))
    assert town.heard == keys(0, 1, 2, 3, 20, 21)
