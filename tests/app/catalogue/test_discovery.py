"""What discovery and profiles do to the catalogue: differences, versions, gone and returned, kept words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from node_catalog.catalogue import apply_discovery, apply_profile, known_settings, path_key
from node_catalog.models import Column, Dataset, DatasetVersion
from node_catalog.sdk.contract import DiscoveredColumn, DiscoveredDataset
from tests.app.catalogue.conftest import Sources, found, make_node
from tests.app.city import City


@pytest.fixture
def node(city: City) -> Any:
    return make_node("00000003", city.departments["air"], "Empty", "空")


def test_first_discovery(node: Any) -> None:
    difference = apply_discovery(node, iter([found("a", {"id": "integer"}), found("b", {"x": "text"})]))
    assert difference["counts"] == {"added": 2, "changed": 0, "gone": 0, "returned": 0}
    dataset = Dataset.objects.get(node=node, name="a")
    assert dataset.number == f"{node.number}.0001"
    assert (dataset.rows, dataset.rows_exact, dataset.version, dataset.state) == (10, True, 1, "published")
    assert dataset.columns.get().key == "primary"
    node.refresh_from_db()
    assert node.last_difference == difference
    assert node.discovered_at is not None


def test_nothing_new_changes_nothing(node: Any) -> None:
    apply_discovery(node, iter([found("a", {"id": "integer"})]))
    difference = apply_discovery(node, iter([found("a", {"id": "integer"}, rows=12)]))
    assert sum(difference["counts"].values()) == 0
    assert DatasetVersion.objects.count() == 1
    assert Dataset.objects.get(name="a").rows == 12


def test_changed_columns_make_a_version_and_keep_what_people_wrote(node: Any) -> None:
    apply_discovery(node, iter([found("a", {"id": "integer", "v": "number", "old": "text"})]))
    Column.objects.update(title={"en": "Title"}, profile={"min": 1})
    difference = apply_discovery(node, iter([found("a", {"new": "date", "id": "integer", "v": "text"})]))
    change = difference["changed"][0]
    assert change["added"] == ["new"]
    assert change["removed"] == ["old"]
    assert change["changed"]["v"]["type"] == ["number", "text"]
    dataset = Dataset.objects.get(name="a")
    assert dataset.version == 2
    assert [column.name for column in dataset.columns.all()] == ["new", "id", "v"]
    assert dataset.columns.get(name="id").title == {"en": "Title"}
    assert dataset.columns.get(name="id").profile == {"min": 1}
    assert dataset.columns.get(name="v").profile == {}
    assert dataset.versions.first().difference["added"] == ["new"]


def test_gone_datasets_return_with_their_number(node: Any) -> None:
    both = [found("a", {"id": "integer"}), found("b", {"id": "integer"})]
    apply_discovery(node, iter(both))
    number = Dataset.objects.get(name="b").number
    assert apply_discovery(node, iter(both[:1]))["gone"] == ["b"]
    assert Dataset.objects.get(name="b").state == "gone"
    assert apply_discovery(node, iter([*both, found("c", {"id": "integer"})]))["returned"] == ["b"]
    assert Dataset.objects.get(name="b").number == number
    assert Dataset.objects.get(name="c").number == f"{node.number}.0003"


def test_an_error_in_the_middle_takes_nothing_away(node: Any) -> None:
    apply_discovery(node, iter([found("a", {"id": "integer"}), found("b", {"id": "integer"})]))

    def broken() -> Iterator[DiscoveredDataset]:
        yield found("a", {"id": "integer"})
        raise RuntimeError

    with pytest.raises(RuntimeError):
        apply_discovery(node, broken())
    assert Dataset.objects.filter(node=node, state="published").count() == 2


def test_doubled_paths_are_skipped_and_long_ones_fit(node: Any) -> None:
    deep = DiscoveredDataset(("x" * 300, "y" * 300), "table", (DiscoveredColumn("id", "INT", "integer"),))
    difference = apply_discovery(node, iter([found("a", {"id": "integer"}), found("a", {"id": "integer"}), deep]))
    assert difference["skipped"] == 1
    assert len(path_key(deep.path)) <= 400
    assert apply_discovery(node, iter([found("a", {"id": "integer"}), deep]))["counts"]["gone"] == 0


def test_comments_become_first_words_in_their_language(node: Any) -> None:
    columns = (DiscoveredColumn("pm", "REAL", "number", description="细颗粒物浓度"),)
    apply_discovery(node, iter([DiscoveredDataset(("t",), "table", columns, description="Hourly air quality")]))
    dataset = Dataset.objects.get(name="t")
    assert dataset.title == {"en": "Hourly air quality"}
    assert dataset.columns.get().title == {"zh-CN": "细颗粒物浓度"}
    assert "细颗粒物" in dataset.search_text


def test_corrected_settings_win_and_only_they_are_known(node: Any) -> None:
    apply_discovery(node, iter([found("a", {"id": "integer"}, settings={"delimiter": ",", "encoding": "utf-8"})]))
    assert known_settings(node) == {}
    Dataset.objects.update(corrections={"encoding": "gb18030"})
    assert known_settings(node) == {("a",): {"encoding": "gb18030"}}
    apply_discovery(node, iter([found("a", {"id": "integer"}, settings={"delimiter": ";", "encoding": "utf-8"})]))
    assert Dataset.objects.get().settings == {"delimiter": ";", "encoding": "gb18030"}


def test_profiles_are_stored_by_column(sources: Sources) -> None:
    columns = {"id": {"nulls": 0, "distinct": 10}, "vanished": {"nulls": 1}}
    apply_profile(sources["hourly"], {"rows": 99, "columns": columns, "sample_rows": 99})
    dataset = Dataset.objects.get(pk=sources["hourly"].pk)
    assert (dataset.rows, dataset.rows_exact) == (99, True)
    assert dataset.profiled_at is not None
    assert dataset.columns.get(name="id").profile == {"nulls": 0, "distinct": 10}
