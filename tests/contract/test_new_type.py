"""A new step type is one file: palette, schema, help and contract suite know it with no other edit."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from node_catalog.palette import palette
from node_catalog.sdk import registry, testing
from node_catalog.sdk.registry import RegistryError, load_registry

REVERSE = '''
"""Reverse: text read backwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from node_catalog.sdk.contract import BuildContext, Example, Settings, Transform
from node_catalog.sdk.fields import setting
from node_catalog.sdk.relation import find_column
from node_catalog.sdk.text import Text, text


class ReverseSettings(Settings):
    """Which column."""

    column: Annotated[str, setting(text("Column", "列"), widget="column", min_length=1)]


class Reverse(Transform):
    """Reads a text column backwards."""

    key = "reverse"
    title = text("Reverse", "反转")
    summary = text("Read text backwards", "把文本倒过来")
    help = text("Turns the letters of a text column around.", "把文本列的字符顺序颠倒。")
    icon = "SwapOutlined"
    Settings = ReverseSettings
    keeps_rows = True
    examples = (
        Example(
            title=text("A word", "一个词"),
            settings={"column": "a"},
            inputs={"in": ({"a": "text"}, [["abc"], [None]])},
            output=({"a": "text"}, [["cba"], [None]]),
        ),
    )

    @classmethod
    def apply(cls, inputs: Mapping[str, Sequence[Any]], settings: ReverseSettings, context: BuildContext) -> Any:
        """The column, reversed in place."""
        table = inputs["in"][0]
        return table.mutate(**{settings.column: find_column(context, table, settings.column, "/column").reverse()})

    @classmethod
    def summarise(cls, settings: Mapping[str, Any]) -> Text:
        """The column."""
        name = str(settings.get("column") or "…")
        return text(name, name)
'''


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty package of types outside the product."""
    folder = tmp_path / "city_types"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield folder
    for name in [name for name in sys.modules if name.partition(".")[0] == "city_types"]:
        del sys.modules[name]
    importlib.invalidate_caches()


def test_one_file_is_enough(package: Path) -> None:
    (package / "reverse.py").write_text(REVERSE)
    types = load_registry(("node_catalog.types", "city_types"))
    step = types.transforms["reverse"]

    entry = next(entry for entry in palette(types)["steps"] if entry["key"] == "reverse")
    assert entry["title"] == {"en": "Reverse", "zh-CN": "反转"}
    assert entry["help"]["zh-CN"]
    assert entry["schema"]["properties"]["column"]["x-widget"] == "column"
    assert [port["name"] for port in entry["ports"]] == ["in", "out"]

    testing.check_words(step)
    testing.check_schema(step)
    ran = []
    for found, example in testing.examples(types):
        if found is step:
            with closing(duckdb.connect()) as connection:
                testing.check_example(found, example, testing.PlainContext(), testing.run_duckdb(connection))
            ran.append(example)
    assert len(ran) == 1


def test_a_wrong_example_fails(package: Path) -> None:
    (package / "reverse.py").write_text(REVERSE.replace('"cba"', '"abc"'))
    types = load_registry(("city_types",))
    with closing(duckdb.connect()) as connection, pytest.raises(AssertionError, match="instead of"):
        step = types.transforms["reverse"]
        testing.check_example(step, step.examples[0], testing.PlainContext(), testing.run_duckdb(connection))


@pytest.mark.parametrize(
    "broken, said",
    [
        (REVERSE + "\nraise RuntimeError('half-written')\n", "half-written"),
        (REVERSE.replace('title = text("Reverse", "反转")', 'title = {"en": "Reverse"}'), "title"),
        (REVERSE.replace("def apply", "def other"), "apply"),
        (REVERSE.replace('key = "reverse"', 'key = "Bad Key"'), "Bad Key"),
        (REVERSE.replace('key = "reverse"', 'key = "filter"'), "filter.py"),
        ("this is no python", "invalid syntax"),
    ],
)
def test_a_broken_or_doubled_file_stops_with_its_name(package: Path, broken: str, said: str) -> None:
    (package / "reverse.py").write_text(broken)
    with pytest.raises(RegistryError) as caught:
        load_registry(("node_catalog.types", "city_types"))
    assert "city_types/reverse.py" in str(caught.value)
    assert said in str(caught.value)
    assert caught.value.message["zh-CN"]


def test_what_a_file_lacks_stands_in_the_log_and_not_in_its_words(
    package: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Other tests' libraries set up logging anew, which leaves out the loggers that are there.
    monkeypatch.setattr(registry.log, "disabled", False)
    monkeypatch.setattr(registry.log, "handlers", [caplog.handler])
    (package / "reverse.py").write_text(REVERSE + "\nimport city_missing.inner\n")
    with pytest.raises(RegistryError) as caught:
        load_registry(("node_catalog.types", "city_types"))
    for words in caught.value.message.values():
        assert "city_types/reverse.py" in words
        assert "city_missing" not in words
        assert "city_types.reverse" not in words
    assert caught.value.where.endswith("city_types/reverse.py")
    assert "city_types.reverse" in caplog.text
    assert "city_missing" in caplog.text
