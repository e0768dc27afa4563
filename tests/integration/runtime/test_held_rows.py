"""Pinned samples and run-to-here: previews use held rows, say so, and look at the grant again every time."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from flows.models import Flow
from runtime import requests, states
from runtime.errors import WithheldError
from runtime.held_rows import all_held, as_line, held_for
from runtime.models import PinnedSample, Result, Run, Task
from runtime.pinned import edit_pin, pin_preview
from runtime.retention import remove_pins
from runtime.scheduler import start_run
from security.errors import InvalidError
from tests.integration.runtime import city
from tests.integration.runtime.conftest import City
from tests.integration.runtime.test_for_each import each_flow, sub_flow


def three_steps(small_city: City) -> Flow:
    return city.make_flow(
        small_city.staff,
        {
            "read": city.read_step(small_city.readings),
            "high": {"type": "filter", "settings": {"where": "pm25 >= 50"}},
            "sum": {
                "type": "aggregate",
                "settings": {"by": ["station"], "measures": [{"name": "n", "function": "count"}]},
            },
            "out": {"type": "output", "settings": {"name": "x"}},
        },
        [("read.out", "high.in"), ("high.out", "sum.in"), ("sum.out", "out.in")],
    )


def preview(flow: Flow, step: str, small_city: City) -> dict[str, Any]:
    task = city.await_task(requests.request_preview(flow, step, small_city.staff))
    assert task.state == states.DONE, task.error
    result: dict[str, Any] = task.result
    return {**result, "task": task}


def states_of(flow: Flow, small_city: City) -> list[tuple[str, str, bool]]:
    lines = map(as_line, all_held(flow, small_city.staff))
    return [(line["end"], line["state"], line["is_old"]) for line in lines]


def test_a_pinned_and_edited_sample_is_what_later_steps_see(small_city: City) -> None:
    flow = three_steps(small_city)
    first = preview(flow, "high", small_city)
    assert first["held"] == []
    pin = pin_preview(flow, "high", "out", first["task"], small_city.staff)
    assert len(pin.rows) == 100
    names = [column["name"] for column in pin.columns]
    row = dict(zip(names, pin.rows[0], strict=True)) | {"station": "mine", "pm25": 99.5}
    edit_pin(pin, [[row[name] for name in names]] * 3, small_city.staff)
    later = preview(flow, "sum", small_city)
    assert later["rows"] == [["mine", 3]]
    assert [(use["kind"], use["end"], use["is_edited"]) for use in later["held"]] == [("pin", "high.out", True)]
    assert preview(flow, "high", small_city)["rows_total_seen"] == 3
    assert preview(flow, "read", small_city)["held"] == []
    assert states_of(flow, small_city) == [("high.out", "used", False)]
    flow.draft.document["steps"]["high"]["settings"]["where"] = "pm25 >= 51"
    flow.draft.save()
    assert states_of(flow, small_city) == [("high.out", "used", True)]
    assert preview(flow, "sum", small_city)["held"][0]["is_old"] is True
    pin.delete()
    assert preview(flow, "sum", small_city)["held"] == []


def test_a_cell_must_fit_its_column(small_city: City) -> None:
    flow = three_steps(small_city)
    pin = pin_preview(flow, "high", "out", preview(flow, "high", small_city)["task"], small_city.staff)
    place = [column["name"] for column in pin.columns].index("pm25")
    bad = [*pin.rows[0]]
    bad[place] = "much"
    with pytest.raises(InvalidError) as told:
        edit_pin(pin, [pin.rows[0], bad], small_city.staff)
    assert told.value.problems[0].pointer == f"/rows/1/{place}"
    with pytest.raises(InvalidError):
        edit_pin(pin, [pin.rows[0]] * 101, small_city.staff)
    with pytest.raises(InvalidError):
        edit_pin(pin, [[1]], small_city.staff)


def test_a_pin_opens_only_under_the_rights_of_its_rows(small_city: City) -> None:
    flow = three_steps(small_city)
    pin = pin_preview(flow, "high", "out", preview(flow, "high", small_city)["task"], small_city.staff)
    pin.policy = dict.fromkeys(pin.policy, "another grant")
    pin.save()
    assert held_for(flow, small_city.staff) == {}
    (line,) = map(as_line, all_held(flow, small_city.staff))
    assert line == {"kind": "pin", "id": str(pin.pk), "end": "high.out", "state": "closed"}
    assert preview(flow, "sum", small_city)["held"] == []
    with pytest.raises(WithheldError):
        edit_pin(pin, [], small_city.staff)
    PinnedSample.objects.filter(pk=pin.pk).update(expires_at=timezone.now())
    assert remove_pins() == 1


def test_run_to_here_runs_what_is_upstream_and_keeps_the_rows(small_city: City) -> None:
    flow = three_steps(small_city)
    flow.draft.document["steps"]["broken"] = {"type": "filter", "version": 1, "settings": {}}
    flow.draft.save()
    run = city.await_run(start_run(flow, None, small_city.staff, until="high.out"))
    assert run.state == states.DONE, run.error
    assert set(run.steps) == {"read", "high"}
    result = Result.objects.get(run=run)
    assert result.expires_at is not None
    assert (result.expires_at - timezone.now()).days < 2
    (held,) = held_for(flow, small_city.staff).values()
    assert (held.kind, held.held.end, held.facts["rows"]) == ("result", "high.out", result.rows)
    later = preview(flow, "sum", small_city)
    assert later["held"][0]["run"] == str(run.pk)
    assert sum(row[1] for row in later["rows"]) == result.rows
    flow.draft.document["steps"]["high"]["settings"]["where"] = "pm25 >= 51"
    flow.draft.save()
    assert held_for(flow, small_city.staff) == {}
    assert states_of(flow, small_city) == [("high.out", "old", True)]


def test_run_to_here_on_a_for_each_feeds_the_previews_behind_it(small_city: City) -> None:
    flow = each_flow(small_city, sub_flow(small_city))
    run = city.await_run(start_run(flow, None, small_city.staff, until="each.out"))
    assert run.state == states.DONE, run.error
    later = preview(flow, "sum", small_city)
    assert len(later["rows"]) == 7
    assert Run.objects.filter(flow=flow).count() == 1
    assert Task.objects.filter(run=run, payload__loop="each").count() == 7


def test_grants_are_named_in_the_policy_of_a_loop(small_city: City) -> None:
    flow = each_flow(small_city, sub_flow(small_city))
    run = city.await_run(start_run(flow, None, small_city.staff, until="each.out"))
    (held,) = held_for(flow, small_city.staff).values()
    assert set(held.policy) == {small_city.readings.number}
    assert run.state == states.DONE
