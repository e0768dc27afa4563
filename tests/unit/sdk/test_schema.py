"""Settings at the border: all problems at once, in words, each where it is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal

import pytest

from node_catalog.sdk.contract import Settings
from node_catalog.sdk.errors import Problem, SettingsError
from node_catalog.sdk.fields import setting
from node_catalog.sdk.schema import json_schema, parse, secret_fields, settings_problems
from node_catalog.sdk.text import text


class Inner(Settings):
    name: Annotated[str, setting(text("Name", "名称"), min_length=2)]
    share: Annotated[float, setting(text("Share", "比例"), ge=0, le=1)] = 0.5


class Outer(Settings):
    items: Annotated[tuple[Inner, ...], setting(text("Items", "项目"), min_length=1, max_length=2)]
    by: Annotated[tuple[str | Inner, ...], setting(text("By", "分组"))] = ()
    kind: Annotated[Literal["a", "b"], setting(text("Kind", "种类"), choices={"a": text("A", "甲")})] = "a"
    password: Annotated[str, setting(text("Password", "密码"), secret=True)] = ""
    more: Annotated[dict[str, int], setting(text("More", "更多"))] = {}
    limit: Annotated[int | None, setting(text("Limit", "上限"))] = None

    def problems(self) -> Iterable[Problem]:
        if self.kind == "b" and not self.by:
            yield Problem("/by", "outer.by", text("Choose a group.", "请选择分组。"))


GOOD: dict[str, Any] = {"items": [{"name": "ab"}]}


def test_good_settings() -> None:
    assert parse(Outer, {**GOOD, "by": ["x", {"name": "yy"}], "limit": 3}).by[0] == "x"


@pytest.mark.parametrize(
    "change, pointers",
    [
        ({"items": []}, ["/items"]),
        ({"items": [{"name": "ab"}] * 3}, ["/items"]),
        (
            {"items": [{"nam": 1}, {"name": "", "share": 2}]},
            ["/items/0/name", "/items/0/nam", "/items/1/name", "/items/1/share"],
        ),
        ({"items": "x"}, ["/items"]),
        ({"by": [1, "x", {"name": "y"}]}, ["/by/0", "/by/2/name"]),
        ({"kind": "c"}, ["/kind"]),
        ({"kind": True}, ["/kind"]),
        ({"a/b~c": 1}, ["/a~1b~0c"]),
        ({"more": {"k/1": "x"}}, ["/more/k~11"]),
        ({"limit": "x"}, ["/limit"]),
        ({"limit": 1.5}, ["/limit"]),
        ({"password": None}, ["/password"]),
        ({"kind": "b"}, ["/by"]),
    ],
)
def test_every_problem_is_reported(change: dict[str, Any], pointers: list[str]) -> None:
    with pytest.raises(SettingsError) as caught:
        parse(Outer, {**GOOD, **change})
    assert [problem.pointer for problem in caught.value.problems] == pointers
    for problem in caught.value.problems:
        assert problem.message["en"]
        assert problem.message["zh-CN"]
        assert problem.message["en"] != problem.message["zh-CN"]


@pytest.mark.parametrize("data", [None, [], "x", 1])
def test_settings_that_are_no_object(data: Any) -> None:
    assert settings_problems(Outer, data)[0].code == "settings.type"


def test_the_schema_is_the_callers_own_and_has_no_references() -> None:
    schema = json_schema(Outer)
    assert "$ref" not in str(schema)
    schema["properties"].clear()
    assert json_schema(Outer)["properties"]["items"]["items"]["properties"]["name"]["x-title"]["zh-CN"] == "名称"
    assert secret_fields(Outer) == ("password",)
