"""One document, one hash; and what changed between two, in words."""

from __future__ import annotations

import json

import pytest

from flows.graph.canonical import canonical_json, document_digest
from flows.graph.diff import diff
from flows.graph.errors import DocumentError
from tests.unit.graph.support import flow, load, step


def test_rfc_8785_examples() -> None:
    value = {
        "numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": '€$\u000f\nA\'B"\\\\"/',
        "literals": [None, True, False],
    }
    assert canonical_json(value).decode() == (
        '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )


@pytest.mark.parametrize(
    "number, written",
    [
        (0.0, "0"),
        (-0.0, "0"),
        (1.0, "1"),
        (-1.5, "-1.5"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (1e-6, "0.000001"),
        (1e-7, "1e-7"),
        (123456.789, "123456.789"),
        (5e-324, "5e-324"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
    ],
)
def test_numbers_as_ecmascript_writes_them(number: float, written: str) -> None:
    assert canonical_json(number).decode() == written


def test_keys_are_sorted_by_utf16() -> None:
    assert canonical_json({"\U0001f600": 1, "\ufb33": 2}).decode() == '{"\U0001f600":1,"\ufb33":2}'


def test_the_hash_ignores_order_and_layout_but_nothing_else() -> None:
    document = flow({"a": step("read", dataset="air"), "b": step("output", name="x")}, "a > b")
    shuffled = json.loads(json.dumps(dict(reversed(document.items()))))
    assert document_digest(load(document)) == document_digest(load(shuffled))
    document["steps"]["b"]["settings"]["name"] = "y"
    assert document_digest(load(document)) != document_digest(load(shuffled))


def test_what_is_no_json_has_no_hash() -> None:
    for wrong in (float("nan"), float("inf"), {1, 2}, "\ud800"):
        with pytest.raises(DocumentError):
            canonical_json(wrong)


def test_differences_in_words() -> None:
    old = flow(
        {"a": step("read", dataset="air"), "f": step("filter", where="x > 1"), "o": step("output", name="x")},
        "a > f",
        "f > o",
    )
    new = flow(
        {
            "a": step("read", dataset="air"),
            "f": step("filter", where="x > 2"),
            "s": step("sort", by=[]),
            "o": step("output", name="x"),
        },
        "a > f",
        "f > s",
        "s > o",
    )
    new["steps"]["a"]["title"] = {"en": "Air", "zh-CN": "空气"}
    new["datasets"]["air"] = "N.0009"
    entries = {(entry["kind"], entry["step"]): entry for entry in diff(load(old), load(new))}
    assert set(entries) == {("dataset", ""), ("renamed", "a"), ("changed", "f"), ("added", "s"), ("rewired", "o")}
    changed = entries["changed", "f"]
    assert (changed["path"], changed["before"], changed["after"]) == ("/steps/f/settings/where", "x > 1", "x > 2")
    assert all(entry["message"]["zh-CN"] and entry["message"]["en"] for entry in entries.values())
    assert diff(load(old), load(old)) == []
    assert {entry["kind"] for entry in diff(load(new), load(old))} == {
        "dataset",
        "renamed",
        "changed",
        "removed",
        "rewired",
    }
