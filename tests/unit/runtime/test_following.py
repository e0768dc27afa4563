"""Events leave a followed topic in order and once, however they come."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runtime.following import FollowedTopic


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.permutations(list(range(1, 12))), st.lists(st.integers(1, 11)), st.integers(0, 11))
def test_any_order_with_repeats_comes_out_in_order_once(order: list[int], repeats: list[int], begin: int) -> None:
    topic = FollowedTopic(last=begin)
    sent: list[int] = []
    for seq in [*order[:6], *repeats, *order[6:], *repeats]:
        topic.take([{"seq": seq}])
        sent += [int(event["seq"]) for event in topic.next_events()]
    assert sent == list(range(begin + 1, 12))
    assert not topic.pending


def test_nothing_goes_out_before_the_beginning_is_known() -> None:
    topic = FollowedTopic()
    topic.take([{"seq": 5}])
    assert topic.next_events() == []
    topic.last = 4
    assert [event["seq"] for event in topic.next_events()] == [5]
