"""Bells that are rung again: for what nobody has claimed, a few of each kind."""

from __future__ import annotations

from datetime import timedelta

import pytest

from runtime.bells import AT_ONCE
from runtime.dispatcher import Reminder, answer_locally
from runtime.models import Task
from security import clock
from tests.app.runtime.factory import World, stage


@pytest.fixture
def waiting(world: World) -> World:
    """Ten runs of the one app and two of the other kind, which nobody has claimed for a while."""
    for _ in range(10):
        world.make_run(stage("a"))
    for needs in ("zone:harbour", "zone:hill"):
        Task.objects.filter(run=world.make_run(stage("a"))).update(needs=needs)
    Task.objects.update(not_before=clock.now() - timedelta(seconds=5))
    return world


def test_a_few_of_each_kind_are_rung_and_then_the_next(waiting: World) -> None:
    heard: list[str] = []
    forget = answer_locally(heard.append)
    try:
        reminder = Reminder(every=1000.0)
        assert reminder.remind() == AT_ONCE + 2
        assert reminder.remind() == AT_ONCE
        assert reminder.remind() == 2
        assert reminder.remind() == 0
    finally:
        forget()
    assert len(heard) == len(set(heard)) == 12
    assert set(heard) == {str(pk) for pk in Task.objects.values_list("pk", flat=True)}
