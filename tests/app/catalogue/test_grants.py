"""Who may read what: ownership, sharing, approvals, terms, roles; in two queries."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from node_catalog.grants import grant_for, grants_for
from node_catalog.models import Dataset, Grant
from security.models import RoleAssignment, User
from tests.app.catalogue.conftest import AIR, Sources


def give(sources: Sources, name: str, columns: list[str], **more: Any) -> Grant:
    values = {
        "number": f"GR-{Grant.objects.count()}", "dataset": sources[name], "columns": columns,
        "organisation": sources.city.departments["roads"], "valid_from": timezone.now() - timedelta(minutes=1), **more,
    }  # fmt: skip
    return Grant.objects.create(**values)


def fresh(user: User) -> User:
    return User.objects.get(pk=user.pk)


def test_own_department_reads_everything(sources: Sources) -> None:
    for name in ("hourly", "open", "closed"):
        spec = grant_for(sources[name], sources.city["anna"])
        assert spec is not None
        assert (spec.source, spec.columns) == ("own", tuple(AIR))


def test_data_admins_above_read_what_they_keep_but_staff_above_does_not(sources: Sources) -> None:
    chief = sources.city["otto"]
    assert grant_for(sources["hourly"], fresh(chief)) is None
    RoleAssignment.objects.create(user=chief, role="business")
    assert grant_for(sources["hourly"], fresh(chief)) is None
    RoleAssignment.objects.create(user=chief, role="data_admin")
    spec = grant_for(sources["hourly"], fresh(chief))
    assert spec is not None
    assert spec.source == "own"


def test_departments_below_have_no_right_to_what_lies_above(sources: Sources) -> None:
    assert grant_for(sources["hourly"], sources.city["olga"]) is None


def test_unconditional_share_leaves_personal_columns_out(sources: Sources) -> None:
    spec = grant_for(sources["open"], sources.city["rosa"])
    assert spec is not None
    assert spec.source == "unconditional"
    assert spec.columns == ("id", "station", "pm25")


@pytest.mark.parametrize("name", ["otto", "paul"])
def test_operators_and_platform_admins_hold_no_right_to_data(sources: Sources, name: str) -> None:
    give(sources, "hourly", ["id"], organisation=sources.city.departments["city"])
    assert grants_for(sources.datasets.values(), sources.city[name]) == {}


def test_an_approved_grant_gives_its_columns_masks_and_filter(sources: Sources) -> None:
    row_filter = {"op": ">", "column": "pm25", "value": 10}
    give(sources, "hourly", ["station", "phone", "vanished"], masks={"phone": "keep_last:4"}, row_filter=row_filter)
    spec = grant_for(sources["hourly"], sources.city["rosa"])
    assert spec is not None
    assert spec.columns == ("station", "phone")
    assert spec.masks == {"phone": "keep_last:4"}
    assert spec.row_filter == row_filter
    assert spec.epoch == 1


@pytest.mark.parametrize(
    "ended",
    [{"state": "revoked"}, {"valid_until": timezone.now()}, {"valid_from": timezone.now() + timedelta(days=1)}],
)
def test_grants_out_of_force_give_nothing(sources: Sources, ended: dict[str, Any]) -> None:
    give(sources, "hourly", ["station"], **ended)
    assert grant_for(sources["hourly"], sources.city["rosa"]) is None


def test_a_personal_grant_is_for_that_person_alone(sources: Sources) -> None:
    give(sources, "hourly", ["station"], user=sources.city["remo"])
    assert grant_for(sources["hourly"], sources.city["remo"]) is not None
    assert grant_for(sources["hourly"], sources.city["rosa"]) is None


def test_overlapping_grants_are_not_merged(sources: Sources) -> None:
    give(sources, "hourly", ["id", "station"])
    give(sources, "hourly", ["pm25"])
    spec = grant_for(sources["hourly"], sources.city["rosa"])
    assert spec is not None
    assert spec.columns == ("id", "station")


def test_a_wider_grant_wins_over_the_free_columns(sources: Sources) -> None:
    give(sources, "open", ["phone"])
    spec = grant_for(sources["open"], sources.city["rosa"])
    assert spec is not None
    assert spec.source == "unconditional"
    give(sources, "open", ["id", "station", "pm25", "phone"])
    spec = grant_for(sources["open"], sources.city["rosa"])
    assert spec is not None
    assert (spec.source, spec.columns) == ("grant", tuple(AIR))


def test_not_sharing_any_more_ends_grants_at_once(sources: Sources) -> None:
    give(sources, "hourly", ["station"])
    Dataset.objects.filter(name="hourly").update(share="none")
    assert grant_for(sources["hourly"], sources.city["rosa"]) is None


def test_disabled_people_and_dead_nodes_have_no_rights(sources: Sources) -> None:
    anna = sources.city["anna"]
    anna.is_active = False
    assert grants_for(sources.datasets.values(), anna) == {}
    sources.air.is_active = False
    sources.air.save()
    assert grant_for(sources["hourly"], sources.city["adam"]) is None


def test_two_queries_for_any_number_of_datasets(sources: Sources, django_assert_num_queries: Any) -> None:
    user = User.objects.select_related("organisation").prefetch_related("role_assignments").get(username="rosa")
    datasets = list(Dataset.objects.all())
    with django_assert_num_queries(2):
        assert set(grants_for(datasets, user)) == {sources["open"].number, sources["traffic"].number}


def test_search_and_grants_agree_for_everybody(sources: Sources) -> None:
    from node_catalog.search import with_right
    from security.access import principal_for

    give(sources, "hourly", ["station"])
    give(sources, "open", ["phone"], state="revoked")
    for user in sources.city.people.values():
        principal = principal_for(user)
        shown = with_right(Dataset.objects.visible_to(principal), principal)
        usable = {dataset.number for dataset in shown if dataset.right == "usable"}
        assert usable == set(grants_for(Dataset.objects.visible_to(principal), user)), user.username
