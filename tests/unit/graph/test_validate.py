"""The ladder L1 to L5: what is wrong, where, in words, and the fix that mends it in one click."""

from __future__ import annotations

import copy
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.graph.load import read_document
from flows.graph.operations import apply_operations
from flows.graph.validate import Checked, check
from node_catalog.sdk.grant import GrantSpec
from node_catalog.sdk.registry import Registry
from node_catalog.sdk.text import LANGUAGES
from tests.unit.graph import support
from tests.unit.graph.support import (
    AIR,
    AIR_COLUMNS,
    STATIONS,
    Json,
    all_rights,
    catalogue,
    flow,
    info,
    load,
    nodes,
    registry,
    step,
)

READ = step("read", dataset="air")
OUT = step("output", name="x")


def checked(document: Json, grants: Any = None, datasets: Any = None, **more: Any) -> Checked:
    result = support.checked(document, grants, datasets, **more)
    for finding in result.findings:
        assert all(finding.message[language] for language in LANGUAGES), finding
        assert finding.step == "" or finding.step in document["steps"]
        msgspec.json.encode(finding)
    return result


def errors(document: Json, **more: Any) -> dict[str, str]:
    """Code → pointer of every error."""
    return {f.code: f.pointer for f in checked(document, **more).findings if f.severity == "error"}


def fixed(document: Json, code: str, **more: Any) -> Json:
    """The document after the fix of the finding with ``code``; the finding must be gone."""
    finding = next(f for f in checked(document, **more).findings if f.code == code)
    assert finding.fix is not None, finding
    assert all(finding.fix["label"][language] for language in LANGUAGES)
    mended, _ = apply_operations(document, {}, finding.fix["operations"])
    assert code not in {f.code for f in checked(mended, **more).findings}
    return mended


def test_a_good_flow_has_no_errors_and_a_schema_on_every_port() -> None:
    document = flow(
        {
            "air": READ,
            "f": step("filter", where="pm25 > 75"),
            "g": step("aggregate", by=["station"], measures=[{"name": "n", "function": "count"}]),
            "out": OUT,
        },
        "air > f",
        "f > g",
        "g > out",
    )
    result = checked(document)
    assert result.ok("L5")
    assert [(field.name, field.type) for field in result.schemas["g.out"].fields] == [
        ("station", "text"),
        ("n", "integer"),
    ]
    assert result.schemas["air.out"].names == tuple(name for name, _ in AIR_COLUMNS)


# ── L1 ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_cycles_are_named_and_can_be_cut() -> None:
    filters = {name: step("filter", where="pm25 > 1") for name in ("a", "b", "c")}
    document = flow({"air": READ, **filters, "out": OUT}, "a > b", "b > c", "c > a", "c > out")
    assert "graph.cycle" in errors(document)
    fixed(document, "graph.cycle")
    alone = flow({"a": filters["a"]}, "a > a")
    assert "graph.cycle" in errors(alone)


def test_wires_that_lead_nowhere() -> None:
    document = flow({"air": READ, "out": OUT}, "air > out", "air > gone")
    assert errors(document) == {"wire.dangling": "/wires/1"}
    fixed(document, "wire.dangling")
    document = flow({"air": READ, "out": OUT}, "air > out", "air.side > out.in")
    assert "wire.no_port" in errors(document)
    document = flow({"air": READ, "out": OUT}, "air > out", "air > out")
    assert "wire.twice" in errors(document)
    fixed(document, "wire.twice")


def test_arity_and_missing_inputs() -> None:
    document = flow(
        {"air": READ, "two": READ, "f": step("filter", where="pm25 > 1"), "out": OUT}, "air > f", "two > f", "f > out"
    )
    assert "port.too_many" in errors(document)
    fixed(document, "port.too_many")
    lonely = flow({"air": READ, "j": step("join", how="cross", on=[]), "out": OUT}, "air > j.left", "j > out")
    found = [f for f in checked(lonely).findings if f.code == "port.unconnected"]
    assert [(f.step, f.port) for f in found] == [("j", "right")]


def test_warnings_for_what_has_no_effect() -> None:
    document = flow({"air": READ, "l": step("limit", rows=3)}, "air > l")
    codes = {f.code: f.severity for f in checked(document).findings}
    assert codes["graph.no_output"] == "warning"
    assert codes["limit.no_sort"] == "warning"
    document = flow({"air": READ, "spare": READ, "out": OUT}, "air > out")
    assert [f.step for f in checked(document).findings if f.code == "step.unused"] == ["spare"]


def test_a_sort_before_the_limit_counts_through_steps_that_keep_order() -> None:
    document = flow(
        {
            "air": READ,
            "s": step("sort", by=[{"column": "pm25"}]),
            "f": step("filter", where="pm25 > 1"),
            "l": step("limit", rows=3),
            "out": OUT,
        },
        "air > s",
        "s > f",
        "f > l",
        "l > out",
    )
    assert not [f for f in checked(document).findings if f.code == "limit.no_sort"]


def test_endless_streams_cannot_be_sorted() -> None:
    known = {AIR: replace_info(bounded=False)}
    document = flow(
        {"air": READ, "f": step("filter", where="pm25 > 1"), "s": step("sort", by=[{"column": "ts"}]), "out": OUT},
        "air > f",
        "f > s",
        "s > out",
    )
    assert errors(document, datasets=known) == {"port.unbounded": "/steps/s"}
    assert checked(document, datasets=known).endless == ("air", "f")
    assert checked(document).endless == ()


def test_behind_a_limit_a_stream_has_an_end() -> None:
    steps = {"air": READ, "l": step("limit", rows=10), "s": step("sort", by=[{"column": "ts"}]), "out": OUT}
    found = checked(flow(steps, "air > l", "l > s", "s > out"), datasets={AIR: replace_info(bounded=False)})
    assert not [one for one in found.findings if one.code == "port.unbounded"]
    assert found.endless == ("air",)
    late = flow(steps, "air > s", "s > l", "l > out")
    assert errors(late, datasets={AIR: replace_info(bounded=False)}) == {"port.unbounded": "/steps/s"}


def replace_info(**changes: Any) -> Any:
    return msgspec.structs.replace(catalogue()[AIR], **changes)


def test_unknown_types_stay_inert() -> None:
    document = flow({"air": READ, "q": step("quantum_sort", qubits=3), "out": OUT}, "air > q", "q > out")
    result = checked(document)
    assert [f.code for f in result.findings if f.severity == "error"] == ["step.unknown_type"]
    assert result.waits == {"out": "q"}


# ── L2 and L3 ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", sorted(registry().transforms))
def test_incomplete_settings_are_findings_not_exceptions(kind: str) -> None:
    for chosen in (
        {},
        {"where": None},
        {"columns": [{}]},
        {"by": "x"},
        {"on": [{"left": 1}]},
        {"dataset": []},
        {"x": {"y": 1}},
    ):
        document = flow({"air": READ, "two": READ, "s": step(kind, **chosen)}, "air > s", "two > s.right")
        checked(document)
        checked(flow({"s": step(kind, **chosen)}))


def test_one_error_per_broken_step_and_the_rest_waits() -> None:
    chain = {f"d{i}": step("derive", columns=[{"name": f"c{i}", "expression": "pm25 + 1"}]) for i in range(5)}
    wires = [f"d{i} > d{i + 1}" for i in range(4)]
    document = flow(
        {"air": READ, "f": step("filter", where="pm2 > 1"), **chain, "out": OUT},
        "air > f",
        "f > d0",
        *wires,
        "d4 > out",
    )
    result = checked(document)
    assert [(f.code, f.step) for f in result.findings if f.severity == "error"] == [("expression.unknown_column", "f")]
    assert set(result.waits) == {*chain, "out"}
    assert {f.severity for f in result.findings if f.code == "step.waits"} == {"info"}
    assert result.ok("L3", "air")
    assert not result.ok("L3", "d3")


def test_unknown_column_is_mended_by_the_nearest() -> None:
    document = flow(
        {"air": READ, "f": step("filter", where="pm26 > 1 and station = 'a'"), "out": OUT}, "air > f", "f > out"
    )
    mended = fixed(document, "expression.unknown_column")
    assert mended["steps"]["f"]["settings"]["where"] == "pm25 > 1 and station = 'a'"
    document = flow(
        {"air": READ, "s": step("select", columns=[{"column": "stations"}]), "out": OUT}, "air > s", "s > out"
    )
    mended = fixed(document, "column.unknown")
    assert mended["steps"]["s"]["settings"]["columns"][0]["column"] == "station"


def test_text_against_number_inserts_a_cast_step() -> None:
    document = flow({"air": READ, "f": step("filter", where="code > 75"), "out": OUT}, "air > f", "f > out")
    finding = next(f for f in checked(document).findings if f.code == "expression.type_mismatch")
    assert finding.pointer == "/steps/f/settings/where"
    mended = fixed(document, "expression.type_mismatch")
    assert mended["steps"]["cast_1"]["settings"]["columns"] == [
        {"column": "code", "type": "number", "on_error": "null"}
    ]
    assert checked(mended).ok("L4")
    document = flow({"air": READ, "f": step("filter", where="pm10 = '75'"), "out": OUT}, "air > f", "f > out")
    assert fixed(document, "expression.type_mismatch")["steps"]["f"]["settings"]["where"] == "pm10 = 75"


def test_two_results_of_one_name() -> None:
    document = flow({"air": READ, "o1": OUT, "o2": OUT}, "air > o1", "air > o2")
    assert errors(document) == {"output.twice": "/steps/o2/settings/name"}


def test_inputs_are_typed_and_must_exist() -> None:
    inputs = {"type": "object", "properties": {"t": {"type": "number"}, "n": {"type": "integer", "default": 5}}}
    document = flow(
        {"air": READ, "f": step("filter", where="pm25 > :t"), "l": step("limit", rows={"input": "n"}), "out": OUT},
        "air > f",
        "f > l",
        "l > out",
        inputs=inputs,
    )
    assert errors(document) == {}
    assert errors({**document, "inputs": {}}) == {
        "expression.unknown_parameter": "/steps/f/settings/where",
        "input.unknown": "/steps/l/settings/rows",
    }
    assert "input.value" in errors(document, parameters={"t": "many"})


def test_a_step_type_that_crashes_is_a_finding() -> None:
    base = registry().transforms["filter"]

    class Crash(base):  # type: ignore[misc, valid-type]
        @classmethod
        def apply(cls, inputs: Any, settings: Any, context: Any) -> Any:
            raise ZeroDivisionError("secret 123")

    types = Registry({}, {**registry().transforms, "filter": Crash})
    document = flow({"air": READ, "f": step("filter", where="pm25 > 1"), "out": OUT}, "air > f", "f > out")
    result = check(load(document), types, catalogue(), all_rights(catalogue()))
    assert [f.code for f in result.findings if f.severity == "error"] == ["step.unexpected"]
    assert "secret" not in str(result.findings)


# ── L4 and L5 ─────────────────────────────────────────────────────────────────────────────────────────────


def test_without_a_right_the_read_is_red_and_the_rest_is_still_checked() -> None:
    document = flow({"air": READ, "f": step("filter", where="pm25 > 1"), "out": OUT}, "air > f", "f > out")
    result = checked(document, grants={})
    assert [(f.code, f.level, f.step) for f in result.findings if f.severity == "error"] == [
        ("grant.missing", "L4", "air")
    ]
    assert result.ok("L3")
    assert not result.ok("L4")
    assert "out.in" in result.schemas


def test_columns_outside_the_grant() -> None:
    grant = {AIR: GrantSpec(AIR, ("station", "pm25"))}
    document = flow({"air": step("read", dataset="air", columns=["station", "code"]), "out": OUT}, "air > out")
    assert errors(document, grants=grant) == {"grant.columns": "/steps/air/settings/columns"}
    mended = fixed(document, "grant.columns", grants=grant)
    assert mended["steps"]["air"]["settings"]["columns"] == ["station"]
    everything = flow({"air": READ, "f": step("filter", where="code = 'x'"), "out": OUT}, "air > f", "f > out")
    assert "expression.unknown_column" in errors(everything, grants=grant)
    gone = flow({"air": READ, "out": OUT}, "air > out")
    assert "grant.no_columns" in errors(gone, grants={AIR: GrantSpec(AIR, ("old",))})


def test_masks_change_the_type_that_is_checked() -> None:
    grant = {AIR: GrantSpec(AIR, ("station", "pm25"), masks={"pm25": "keep_first:1"})}
    document = flow({"air": READ, "f": step("filter", where="pm25 > 1"), "out": OUT}, "air > f", "f > out")
    assert "expression.type_mismatch" in errors(document, grants=grant)


def test_vanished_and_unknown_datasets() -> None:
    document = flow({"air": READ, "out": OUT}, "air > out")
    assert "dataset.unknown" in errors(document, datasets={STATIONS: catalogue()[STATIONS]})
    assert "dataset.gone" in errors(document, datasets={AIR: replace_info(state="gone")})


def test_writing_needs_a_right_and_fitting_columns() -> None:
    target = info("N.0009", [("station", "text"), ("n", "integer")], can_write=True)
    known = {**catalogue(), "N.0009": target}
    write = step("write", dataset="N.0009", mode="replace")
    good = flow(
        {
            "air": READ,
            "g": step("aggregate", by=["station"], measures=[{"name": "n", "function": "count"}]),
            "w": write,
        },
        "air > g",
        "g > w",
    )
    assert errors(good, datasets=known) == {}
    assert "plan.replaces" in {f.code for f in checked(good, datasets=known).findings}
    assert set(errors(flow({"air": READ, "w": write}, "air > w"), datasets=known)) == {"write.extra_column"}
    forbidden = {**known, "N.0009": msgspec.structs.replace(target, can_write=False)}
    assert errors(good, datasets=forbidden) == {"write.no_right": "/steps/w/settings/dataset"}
    new = copy.deepcopy(good)
    new["steps"]["w"] = step("write", node="33A017/DB00000001-A", path=["t"], create=True)
    assert errors(new) == {}
    new["steps"]["w"]["settings"]["node"] = "nope"
    assert set(errors(new)) == {"node.unknown"}


def test_only_looks_at_a_step_and_what_feeds_it() -> None:
    document = flow(
        {"air": READ, "f": step("filter", where="pm25 > 1"), "bad": step("filter", where="nope"), "out": OUT},
        "air > f",
        "f > bad",
        "bad > out",
    )
    result = checked(document, only="f", upto="L4")
    assert result.ok("L4")
    assert set(result.schemas) == {"air.out", "f.out"}


def test_a_huge_flow_is_checked_without_recursion() -> None:
    steps = {f"f{index}": step("filter", where="pm25 > 1") for index in range(9_998)}
    wires = [f"f{index} > f{index + 1}" for index in range(9_997)]
    document = flow({"air": READ, **steps, "out": OUT}, "air > f0", *wires, "f9997 > out")
    assert checked(document, upto="L3").ok("L3")


def test_findings_are_the_same_each_time() -> None:
    document = flow({"air": READ, "f": step("filter", where="pm26 > 1"), "out": OUT}, "air > f", "f > out")
    assert checked(document).findings == checked(document).findings


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
SETTING_NAMES = st.sampled_from(
    [
        "dataset",
        "columns",
        "where",
        "by",
        "measures",
        "on",
        "how",
        "rows",
        "offset",
        "name",
        "mode",
        "node",
        "path",
        "column",
        "function",
        "as",
        "type",
    ]
)
SETTINGS = st.dictionaries(
    SETTING_NAMES,
    JSON
    | st.just({"input": "t"})
    | st.lists(st.dictionaries(SETTING_NAMES, JSON | st.sampled_from(["pm25", "station", "sum", "count"]), max_size=3)),
    max_size=4,
)
INPUTS = st.dictionaries(
    st.sampled_from(["properties", "type", "required"]),
    JSON
    | st.dictionaries(
        st.sampled_from(["t", "x"]),
        JSON
        | st.dictionaries(
            st.sampled_from(["type", "format", "default", "items"]),
            JSON | st.sampled_from(["string", "array", "number", "date", "duration"]),
        ),
    ),
)


@settings(max_examples=150, deadline=None)
@given(kind=st.sampled_from(sorted(registry().transforms)), chosen=SETTINGS, inputs=INPUTS)
def test_any_settings_and_inputs_give_findings_only(kind: str, chosen: Json, inputs: Json) -> None:
    """Whatever stands in the settings: no exception, words in both languages, plain data."""
    document = flow(
        {"air": READ, "two": step("read", dataset="stations"), "s": step(kind, **chosen), "out": OUT},
        "air > s",
        "two > s.right",
        "air > s.left",
        "s > out",
    )
    document["inputs"] = inputs
    loaded = read_document(document, registry())
    if loaded.document is not None:
        known = catalogue()
        result = check(loaded.document, registry(), known, all_rights(known), nodes())
        assert all(finding.message[language] for finding in result.findings for language in LANGUAGES)
