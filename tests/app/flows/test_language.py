"""What may be called in expressions and queries, as the fields that offer it ask for it."""

from __future__ import annotations

from tests.app.flows.conftest import City


def test_functions_come_with_how_they_are_called(city: City) -> None:
    answer = city.client(city.author).get("/api/functions").json()
    plain = {one["name"]: one for one in answer["functions"]}
    over = {one["name"]: one for one in answer["over"]}
    assert plain["round"]["signature"].startswith("round(")
    assert over["row_number"]["signature"] == "row_number()"
    assert not plain.keys() & over.keys()
    for one in [*plain.values(), *over.values()]:
        assert all(one["summary"][language] for language in ("en", "zh-CN"))
        assert one["signature"].startswith(one["name"])
