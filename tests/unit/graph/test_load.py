"""Documents from outside: hostile, huge, malformed, old, unknown. Never anything but findings."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.graph.document_schema import (
    bundle_schema,
    envelope_schema,
    flow_schema,
    layout_schema,
    samples_schema,
)
from flows.graph.load import read_document
from node_catalog.sdk.text import LANGUAGES
from tests.unit.graph.support import flow, registry, step

GOOD = flow({"air": step("read", dataset="air"), "out": step("output", name="x")}, "air > out")


def codes(raw: Any) -> list[str]:
    loaded = read_document(raw, registry())
    for finding in loaded.findings:
        assert all(finding.message[language] for language in LANGUAGES)
    return [finding.code for finding in loaded.findings]


def test_a_good_document_loads_from_bytes_text_and_json() -> None:
    for raw in (GOOD, json.dumps(GOOD), json.dumps(GOOD).encode()):
        loaded = read_document(raw, registry())
        assert not loaded.findings
        assert loaded.document is not None
        assert loaded.document.steps["air"].settings == {"dataset": "air"}
        assert loaded.document.wires[0].target == "out.in"


@pytest.mark.parametrize(
    "raw, code",
    [
        (b"", "document.not_json"),
        (b"{", "document.not_json"),
        (b'{"kind": NaN}', "document.not_json"),
        (b"\xff\xfe\x00", "document.not_json"),
        (b"[" * 100_000, "document.not_json"),
        (b'{"a":' * 100_000, "document.not_json"),
        (b"[]", "document.shape"),
        (b"null", "document.shape"),
        (b'"x"', "document.shape"),
        (b" " * (2 * 1024 * 1024 + 1), "document.too_large"),
        ({"kind": "flow", "spec": "1", "title": {"en": "x" * 3 * 1024 * 1024}}, "document.too_large"),
        ({**GOOD, "kind": "page"}, "document.kind"),
        ({**GOOD, "spec": "2"}, "document.spec"),
        ({**GOOD, "colour": 1}, "document.unknown_property"),
        ({**GOOD, "steps": []}, "document.shape"),
        ({**GOOD, "steps": {"A b": step("read")}}, "document.id"),
        ({**GOOD, "steps": {"a\n": step("read")}}, "document.id"),
        ({**GOOD, "steps": {"a": {"type": "read", "code": "import os"}}}, "document.unknown_property"),
        ({**GOOD, "steps": {"a": {"settings": {}}}}, "document.shape"),
        ({**GOOD, "steps": {"a": {"type": "read", "version": 0}}}, "document.shape"),
        ({**GOOD, "steps": {"a": {"type": "read", "version": True}}}, "document.shape"),
        ({**GOOD, "steps": {"a": {"type": "read", "settings": []}}}, "document.shape"),
        ({**GOOD, "wires": [{"from": "air", "to": "out.in"}]}, "document.shape"),
        ({**GOOD, "wires": [{"from": "air.out"}]}, "document.shape"),
        ({**GOOD, "wires": ["a"]}, "document.shape"),
        ({**GOOD, "datasets": {"a": 1}}, "document.shape"),
        ({**GOOD, "inputs": []}, "document.shape"),
        ({**GOOD, "title": "x"}, "document.shape"),
        ({**GOOD, "inputs": {"x": {1, 2}}}, "document.not_json"),
        ({**GOOD, "inputs": {1: 2}}, "document.not_json"),
        (object(), "document.shape"),
        (None, "document.shape"),
    ],
)
def test_what_is_no_document_is_said_so(raw: Any, code: str) -> None:
    found = codes(raw)
    assert code in found or (code == "document.not_json" and "document.too_deep" in found)
    assert read_document(raw, registry()).document is None


def test_depth_is_capped() -> None:
    deep: Any = {}
    for _ in range(5_000):
        deep = {"a": deep}
    assert codes({**GOOD, "inputs": deep}) == ["document.too_deep"]


def test_extensions_are_allowed_everywhere() -> None:
    document = json.loads(json.dumps(GOOD))
    document["x-tool"] = {"a": [1]}
    document["steps"]["air"]["x-note"] = "n"
    document["wires"][0]["x-colour"] = "red"
    assert codes(document) == []


def test_steps_and_wires_are_counted() -> None:
    many = {f"s{index}": {"type": "read"} for index in range(10_001)}
    assert codes({**GOOD, "steps": many, "wires": []}) == ["document.too_many"]
    many.popitem()
    assert codes({**GOOD, "steps": many, "wires": []}) == []


def test_an_unknown_type_keeps_its_json() -> None:
    strange = {"type": "quantum_sort", "version": 7, "settings": {"qubits": [1, {"a": None}]}}
    loaded = read_document({**GOOD, "steps": {"q": strange}, "wires": []}, registry())
    assert loaded.document is not None
    assert not loaded.findings
    assert loaded.document.steps["q"].settings == strange["settings"]
    assert loaded.document.steps["q"].version == 7


def test_a_newer_step_version_is_a_finding() -> None:
    document = {**GOOD, "steps": {**GOOD["steps"], "air": {"type": "read", "version": 99, "settings": {}}}}
    assert codes(document) == ["step.newer_version"]


def test_findings_are_limited() -> None:
    assert len(codes({**GOOD, **{f"k{index}": 1 for index in range(5_000)}})) <= 200


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
PARTS = st.fixed_dictionaries(
    {},
    optional={
        "kind": st.sampled_from(["flow", "x"]) | JSON,
        "spec": st.sampled_from(["1", 1]),
        "title": st.dictionaries(st.sampled_from(["en", "zh-CN", "fr"]), st.text(max_size=3)) | JSON,
        "inputs": JSON,
        "datasets": st.dictionaries(st.sampled_from(["a", "B", "a_1"]), st.text(max_size=3) | JSON),
        "steps": st.dictionaries(
            st.sampled_from(["a", "b1", "C", ""]),
            st.fixed_dictionaries(
                {"type": st.sampled_from(["read", "filter", ""]) | JSON},
                optional={
                    "version": st.integers(-1, 2) | JSON,
                    "settings": JSON,
                    "x-y": JSON,
                    "title": JSON,
                    "z": JSON,
                },
            )
            | JSON,
        ),
        "wires": st.lists(
            st.fixed_dictionaries({"from": st.sampled_from(["a.out", "a", "A.b"]), "to": st.just("b1.in")}) | JSON
        )
        | JSON,
        "x-any": JSON,
        "other": JSON,
    },
)


@settings(max_examples=300, deadline=None)
@given(raw=PARTS)
def test_the_published_envelope_says_the_same(raw: dict[str, Any]) -> None:
    """The hand-written check and the published JSON Schema accept the same documents."""
    loaded = read_document(raw, registry())
    ours = not any(finding.level == "L0" for finding in loaded.findings)
    assert ours == jsonschema.Draft202012Validator(envelope_schema()).is_valid(raw)


@settings(max_examples=100, deadline=None)
@given(raw=st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_give_findings_only(raw: bytes) -> None:
    assert read_document(raw, registry()).document is None or b"flow" in raw


def test_schemas_are_schemas_and_accept_our_documents() -> None:
    for schema in (envelope_schema(), flow_schema(registry()), layout_schema(), samples_schema(), bundle_schema()):
        jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(GOOD, flow_schema(registry()))
    wrong = {**GOOD, "steps": {"air": step("read", dataset=5)}}
    assert not jsonschema.Draft202012Validator(flow_schema(registry())).is_valid(wrong)
