"""Search, facets, rights on cards, datasets and what their profiles show."""

from __future__ import annotations

from time import perf_counter
from typing import Any

import pytest
from django.utils import timezone

from node_catalog.catalogue import apply_discovery
from node_catalog.models import Dataset, Grant
from node_catalog.search_text import refresh_dataset
from tests.app.catalogue.conftest import CANARY, Sources, found
from tests.app.city import City, client_for, is_problem, send


def search(client: Any, **asked: Any) -> dict[str, Any]:
    answer = client.get("/api/catalogue/search", asked)
    assert answer.status_code == 200, answer.content
    return answer.json()


def names(body: dict[str, Any]) -> set[str]:
    return {card["name"] for card in body["results"]}


def test_cards_of_everything_but_what_others_keep_to_themselves(sources: Sources) -> None:
    assert names(search(sources.city.client("anna"))) == {"hourly", "open", "closed", "traffic"}
    assert names(search(sources.city.client("rosa"))) == {"hourly", "open", "traffic"}
    assert names(search(sources.city.client("olga"))) == {"hourly", "open", "traffic"}
    assert names(search(sources.city.client("paul"))) == {"hourly", "open", "closed", "traffic"}


def test_the_right_of_the_person_who_asks(sources: Sources) -> None:
    rosa = sources.city.client("rosa")
    rights = {card["name"]: card["right"] for card in search(rosa)["results"]}
    assert rights == {"hourly": "request", "open": "usable", "traffic": "usable"}
    asked = {"dataset": str(sources["hourly"].pk), "columns": ["id"], "purpose": "planning"}
    assert send(rosa, "post", "/api/requests", asked).status_code == 201
    assert names(search(rosa, right="pending")) == {"hourly"}
    otto = {card["right"] for card in search(sources.city.client("otto"))["results"]}
    assert otto == {"none"}


def test_words_in_both_languages_over_titles_columns_and_nodes(sources: Sources) -> None:
    dataset = sources["hourly"]
    dataset.title = {"en": "Hourly readings", "zh-CN": "小时监测值"}
    dataset.save()
    dataset.columns.filter(name="pm25").update(title={"zh-CN": "细颗粒物"})
    refresh_dataset(dataset)
    rosa = sources.city.client("rosa")
    for words in ("监测", "细颗粒物", "READINGS", "ＰＭ２５ hourly", "空气数据库 监测", dataset.number):
        assert "hourly" in names(search(rosa, q=words)), words
    assert names(search(rosa, q="nothing-like-this")) == set()
    assert names(search(rosa, q="%")) == set()
    assert search(rosa, q="hourly")["results"][0]["name"] == "hourly"
    assert search(rosa, q="\x00" + "x" * 500)["total"] == 0


def test_facets_count_under_the_other_choices(sources: Sources) -> None:
    anna = sources.city.client("anna")
    send(sources.city.client("adam"), "patch", f"/api/datasets/{sources['open'].pk}", {"tags": ["air", "open data"]})
    body = search(anna)
    air = str(sources.city.departments["air"].pk)
    by_department = {facet["value"]: facet["count"] for facet in body["facets"]["organisation"]}
    assert by_department[air] == 3
    assert {facet["value"]: facet["count"] for facet in body["facets"]["tag"]} == {"air": 1, "open data": 1}
    assert {facet["value"]: facet["count"] for facet in body["facets"]["right"]} == {"usable": 3, "request": 1}
    chosen = search(anna, organisation=air, tag="air,open data")
    assert chosen["total"] == 1
    assert {facet["value"] for facet in chosen["facets"]["organisation"]} == {air}
    assert body["facets"]["type"][0]["label"]["zh-CN"] == "文件"
    is_problem(anna.get("/api/catalogue/search?organisation=x"), 400)


def test_pages_by_cursor_are_whole_and_disjoint(sources: Sources) -> None:
    apply_discovery(sources.roads, iter([found(f"t{n}", {"id": "integer"}) for n in range(23)]))
    anna = sources.city.client("anna")
    seen: list[str] = []
    cursor = ""
    for _ in range(20):
        body = search(anna, limit=5, q="t", **({"cursor": cursor} if cursor else {}))
        seen += [card["id"] for card in body["results"]]
        cursor = body["next"]
        if not cursor:
            break
    assert len(seen) == len(set(seen)) == body["total"]


def test_ten_thousand_datasets_are_searched_quickly(sources: Sources) -> None:
    node = sources.roads
    Dataset.objects.bulk_create(
        Dataset(
            node=node, ordinal=n, number=f"{node.number}.{n:05d}"[:26], path=[f"t{n}"], path_key=f"t{n}", kind="table",
            name=f"table_{n}", search_text=f"table_{n} 道路 speed " + "column " * 40, share="conditional",
        )
        for n in range(100, 10_100)
    )  # fmt: skip
    anna = sources.city.client("anna")
    search(anna, q="道路")
    started = perf_counter()
    body = search(anna, q="道路 table_99")
    seconds = perf_counter() - started
    assert body["total"] == 110
    assert seconds < 5, seconds


def test_a_page_costs_a_fixed_number_of_queries(sources: Sources, django_assert_max_num_queries: Any) -> None:
    apply_discovery(sources.roads, iter([found(f"t{n}", {"id": "integer", "x": "text"}) for n in range(40)]))
    anna = sources.city.client("anna")
    with django_assert_max_num_queries(14):
        assert search(anna, limit=40)["total"] == 43


def test_profile_values_only_for_readable_unmasked_columns(sources: Sources) -> None:
    path = f"/api/datasets/{sources['hourly'].pk}"
    assert CANARY in sources.city.client("anna").get(path).content.decode()
    for name in ("rosa", "olga", "otto", "paul"):
        answer = sources.city.client(name).get(path)
        assert answer.status_code == 200
        assert CANARY not in answer.content.decode(), name
        assert not any(column["readable"] for column in answer.json()["columns"])
        assert answer.json()["grant"] is None
    rosa = sources.city.client("rosa")
    shared = rosa.get(f"/api/datasets/{sources['open'].pk}").json()
    shown = {column["name"]: column["profile"] is not None for column in shared["columns"]}
    assert shown == {"id": True, "station": True, "pm25": True, "phone": False}


@pytest.mark.parametrize("row_filter", [None, {"op": ">", "column": "pm25", "value": 1}])
def test_masked_or_filtered_columns_show_no_values(sources: Sources, row_filter: Any) -> None:
    Grant.objects.create(
        number="GR-1", dataset=sources["hourly"], organisation=sources.city.departments["roads"],
        columns=["station", "phone"], masks={"phone": "keep_last:4"}, row_filter=row_filter, valid_from=timezone.now(),
    )  # fmt: skip
    body = sources.city.client("rosa").get(f"/api/datasets/{sources['hourly'].pk}").json()
    columns = {column["name"]: column for column in body["columns"]}
    assert columns["phone"]["mask"] == "keep_last:4"
    assert columns["phone"]["profile"] is None
    assert (columns["station"]["profile"] is not None) == (row_filter is None)
    assert columns["pm25"]["readable"] is False
    assert body["grant"]["source"] == "grant"
    assert body["grant"]["is_filtered"] == (row_filter is not None)


def test_hidden_datasets_do_not_exist(sources: Sources) -> None:
    rosa = sources.city.client("rosa")
    is_problem(rosa.get(f"/api/datasets/{sources['closed'].pk}"), 404)
    is_problem(rosa.get(f"/api/n/{sources['closed'].number}"), 404)
    is_problem(rosa.get("/api/n/33A017/DB00000000-0.9999"), 404)
    asked = {"dataset": str(sources["closed"].pk), "columns": ["id"], "purpose": "planning"}
    is_problem(send(rosa, "post", "/api/requests", asked), 400)
    assert rosa.get(f"/api/n/{sources['open'].number}").json()["kind"] == "dataset"


def test_describing_a_dataset(sources: Sources) -> None:
    adam = sources.city.client("adam")
    path = f"/api/datasets/{sources['hourly'].pk}"
    change = {
        "title": {"en": "Air", "zh-CN": "空气"},
        "share": "unconditional",
        "columns": {"pm25": {"title": {"zh-CN": "细颗粒物"}, "unit": "µg/m³", "sensitivity": "sensitive"}},
    }
    body = send(adam, "patch", path, change).json()
    assert body["title"]["zh-CN"] == "空气"
    assert next(column for column in body["columns"] if column["name"] == "pm25")["unit"] == "µg/m³"
    shown = sources.city.client("rosa").get(path).json()
    assert shown["right"] == "usable"
    assert shown["grant"]["columns"] == ["id", "station"]
    assert names(search(adam, q="细颗粒物")) == {"hourly"}
    is_problem(send(adam, "patch", path, {"columns": {"nope": {"unit": "x"}}}), 400)
    problems = is_problem(send(adam, "patch", path, {"share": "all", "columns": {"id": {"size": 1}}}), 400)["problems"]
    assert {problem["pointer"] for problem in problems} == {"/share", "/columns/id/size"}


@pytest.mark.parametrize(("who", "status"), [("anna", 403), ("remo", 403), ("rosa", 403), ("paul", 403)])
def test_only_its_keepers_describe_a_dataset(sources: Sources, who: str, status: int) -> None:
    path = f"/api/datasets/{sources['open'].pk}"
    is_problem(send(sources.city.client(who), "patch", path, {"share": "unconditional"}), status)


def test_corrected_reading_settings_are_checked_by_the_connector(sources: Sources) -> None:
    adam = sources.city.client("adam")
    path = f"/api/datasets/{sources['hourly'].pk}"
    body = send(adam, "patch", path, {"settings": {"encoding": "gb18030"}}).json()
    assert body["settings"]["encoding"] == "gb18030"
    assert Dataset.objects.get(pk=sources["hourly"].pk).corrections == {"encoding": "gb18030"}
    wrong = is_problem(send(adam, "patch", path, {"settings": {"nonsense": 1}}), 400)
    assert wrong["problems"][0]["pointer"] == "/settings/nonsense"


def test_nobody_signs_in_nobody_sees(city: City) -> None:
    for path in ("/api/catalogue/search", "/api/nodes", "/api/palette", "/api/requests", "/api/files"):
        is_problem(client_for(None).get(path), 401)
