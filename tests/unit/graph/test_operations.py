"""Operations: whole batches or nothing, inverses lead back, inputs are never changed."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.graph.operations import OperationError, apply_operations, apply_with_inverse
from tests.unit.graph.support import flow, step

START = flow(
    {"air": step("read", dataset="air"), "f": step("filter", where="a > 1"), "out": step("output", name="x")},
    "air > f",
    "f > out",
)
LAYOUT = {"positions": {"air": {"x": 1, "y": 2}}}


def test_a_batch_builds_a_flow() -> None:
    document, layout = apply_operations(
        START,
        LAYOUT,
        [
            {
                "op": "add_step",
                "id": "s",
                "step": {"type": "sort", "version": 1, "settings": {}},
                "position": {"x": 5, "y": 6},
            },
            {"op": "disconnect", "from": "f.out", "to": "out.in"},
            {"op": "connect", "from": "f.out", "to": "s.in"},
            {"op": "connect", "from": "s.out", "to": "out.in", "index": 0},
            {"op": "set_settings", "id": "s", "settings": {"by": [{"column": "a"}]}},
            {"op": "set_title", "id": "s", "title": {"en": "S", "zh-CN": "排序"}},
            {"op": "move", "positions": {"s": {"x": 9, "y": 9}, "gone": {"x": 1, "y": 1}}},
            {"op": "set_dataset", "alias": "more", "number": "N.0001"},
            {"op": "set_inputs", "inputs": {"properties": {"t": {"type": "number"}}}},
            {"op": "set_flow_title", "title": {"en": "New"}},
            {"op": "set_note", "id": "n1", "note": {"id": "n1", "text": "why", "position": {"x": 0, "y": 0}}},
            {"op": "set_group", "id": "g1", "group": {"id": "g1", "title": "Air", "steps": []}},
            {"op": "set_layout", "key": "notes", "value": [{"text": "hi"}]},
        ],
    )
    assert document["steps"]["s"]["settings"] == {"by": [{"column": "a"}]}
    assert document["wires"][0] == {"from": "s.out", "to": "out.in"}
    assert layout["positions"]["s"] == {"x": 9, "y": 9}
    assert "gone" not in layout["positions"]
    assert document["datasets"]["more"] == "N.0001"
    assert layout["notes"] == [{"text": "hi"}]


def test_removing_a_step_takes_its_wires_and_undo_brings_them_back() -> None:
    document, layout, inverse = apply_with_inverse(START, LAYOUT, [{"op": "remove_step", "id": "f"}])
    assert document["wires"] == []
    again, positions = apply_operations(document, layout, inverse)
    assert again["wires"] == START["wires"]
    assert again["steps"] == START["steps"]
    assert positions == LAYOUT


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "add_step", "id": "air", "step": {"type": "read"}},
        {"op": "add_step", "id": "n", "step": {}},
        {"op": "add_step", "id": "", "step": {"type": "read"}},
        {"op": "remove_step", "id": "nope"},
        {"op": "set_settings", "id": "nope", "settings": {}},
        {"op": "set_settings", "id": "f", "settings": []},
        {"op": "connect", "from": "air.out", "to": "f.in"},
        {"op": "connect", "from": "air.out", "to": "nope.in"},
        {"op": "connect", "from": 1, "to": "f.in"},
        {"op": "disconnect", "from": "air.out", "to": "out.in"},
        {"op": "move", "positions": {"f": {"x": "1"}}},
        {"op": "move"},
        {"op": "set_dataset", "alias": None},
        {"op": "set_inputs"},
        {"op": "set_flow_title", "title": 1},
        {"op": "set_note", "id": "n1", "note": "text"},
        {"op": "set_group", "id": "g1", "group": {"id": "g2"}},
        {"op": "set_layout", "key": "steps", "value": {}},
        {"op": "burn"},
        {},
        "remove",
        None,
    ],
)
def test_what_does_not_fit_is_refused_with_its_index(operation: Any) -> None:
    before = copy.deepcopy(START)
    with pytest.raises(OperationError) as caught:
        apply_operations(START, LAYOUT, [{"op": "set_title", "id": "f", "title": {"en": "F"}}, operation])
    assert caught.value.index == 1
    assert caught.value.message["zh-CN"]
    assert before == START


IDS = st.sampled_from(["air", "f", "out", "a1", "b1"])
ENDS = st.tuples(IDS, st.sampled_from(["out", "in", "left"])).map(".".join)
OPERATIONS = st.one_of(
    st.builds(
        lambda i, p: {"op": "add_step", "id": i, "step": {"type": "sort", "version": 1, "settings": {"n": 1}}, **p},
        IDS,
        st.sampled_from([{}, {"position": {"x": 1, "y": 1}}]),
    ),
    st.builds(lambda i: {"op": "remove_step", "id": i}, IDS),
    st.builds(lambda i, v: {"op": "set_settings", "id": i, "settings": {"v": v}}, IDS, st.integers(0, 3)),
    st.builds(lambda i, t: {"op": "set_title", "id": i, "title": t}, IDS, st.sampled_from([None, {"en": "T"}])),
    st.builds(
        lambda a, b, i: {"op": "connect", "from": a, "to": b, **i},
        ENDS,
        ENDS,
        st.sampled_from([{}, {"index": 0}, {"index": 1}]),
    ),
    st.builds(lambda a, b: {"op": "disconnect", "from": a, "to": b}, ENDS, ENDS),
    st.builds(lambda i, x: {"op": "move", "positions": {i: {"x": x, "y": 0}}}, IDS, st.integers(0, 5)),
    st.builds(lambda n: {"op": "set_dataset", "alias": "d", "number": n}, st.sampled_from([None, "N.1", "N.2"])),
    st.builds(lambda v: {"op": "set_layout", "key": "viewport", "value": v}, st.sampled_from([None, {"x": 1}])),
    st.builds(lambda v: {"op": "set_flow_title", "title": {"en": v}}, st.text(max_size=3)),
    st.builds(
        lambda name, there, at: {"op": "set_note", "id": name, "note": {"id": name} if there else None, "index": at},
        st.sampled_from(["n1", "n2", "n3"]),
        st.booleans(),
        st.integers(0, 3),
    ),
)


@settings(max_examples=200, deadline=None)
@given(operations=st.lists(OPERATIONS, max_size=12))
def test_the_inverse_leads_back(operations: list[dict[str, Any]]) -> None:
    document, layout = START, LAYOUT
    history: list[list[dict[str, Any]]] = []
    for operation in operations:
        try:
            document, layout, inverse = apply_with_inverse(document, layout, [operation])
        except OperationError:
            continue
        history.append(inverse)
    for inverse in reversed(history):
        document, layout = apply_operations(document, layout, inverse)
    assert document["steps"] == START["steps"]
    assert document["wires"] == START["wires"]
    assert layout["positions"] == LAYOUT["positions"]
    assert document["datasets"] == START["datasets"]
    assert document["title"] == START["title"]
