"""Search over dataset cards: words, facets with counts, the right of the person who asks, cursor paging."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import (
    Case,
    CharField,
    Count,
    Exists,
    ExpressionWrapper,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.functions import StrIndex

from node_catalog.grants import DATA_ROLES, usable_condition
from node_catalog.models import Dataset, Node, SubscriptionRequest
from node_catalog.palette import registry
from node_catalog.search_text import fold
from security.access import Principal
from security.models import Organisation

MAX_WORDS = 8
MAX_FACET = 100
FACETS: Mapping[str, str] = {
    "organisation": "node__organisation_id",
    "type": "node__type",
    "tag": "tags__name",
    "right": "right",
}
ORDER = ("position", "number")


@dataclass(frozen=True)
class Found:
    """The datasets (not yet cut into pages), how many they are, and the facets."""

    datasets: QuerySet[Dataset]
    total: int
    facets: dict[str, list[dict[str, Any]]]


def search_datasets(principal: Principal, words: str, chosen: Mapping[str, list[str]], kind: str = "") -> Found:
    """Datasets that contain all ``words`` and fit ``chosen`` (facet → values, any of which fits).

    A facet counts what its own values would find under the other facets' choices.
    """
    base = Dataset.objects.visible_to(principal).filter(state=Dataset.State.PUBLISHED)
    base = base.alias(right=right_of(principal))
    tokens = fold(words).split()[:MAX_WORDS]
    for token in tokens:
        base = base.filter(search_text__contains=token)
    if kind and kind != "dataset":
        base = base.filter(kind=kind)
    found = _chosen(base, chosen)
    others = {name: {key: values for key, values in chosen.items() if key != name} for name in FACETS}
    facets = {name: _facet(name, _chosen(base, others[name]), principal) for name in FACETS}
    return Found(_placed(found, tokens), found.order_by().count(), facets)


def with_right(datasets: Any, principal: Principal) -> Any:
    """Adds ``right`` to each dataset."""
    return datasets.annotate(right=right_of(principal))


def right_of(principal: Principal) -> Case:
    """Usable (a grant holds), pending (asked), request (may be asked for), none; as an expression on datasets."""
    asked = SubscriptionRequest.objects.filter(
        dataset=OuterRef("pk"), applicant_id=principal.id, state=SubscriptionRequest.State.SUBMITTED
    )
    cases = [When(usable_condition(principal), then=Value("usable"))]
    if principal.has_role(*DATA_ROLES):
        cases += [When(Exists(asked), then=Value("pending"))]
        cases += [When(Q(node__owner=None) & ~Q(share=Dataset.Share.NONE), then=Value("request"))]
    return Case(*cases, default=Value("none"), output_field=CharField())


def _chosen(datasets: Any, chosen: Mapping[str, list[str]]) -> Any:
    for name, values in chosen.items():
        if not values:
            continue
        if name == "tag":
            # Each chosen tag by a subquery: a join would count a dataset once per tag.
            datasets = datasets.filter(
                Exists(Dataset.tags.through.objects.filter(dataset_id=OuterRef("pk"), tag__name__in=values))
            )
        else:
            datasets = datasets.filter(**{f"{FACETS[name]}__in": values})
    return datasets


def _placed(datasets: Any, tokens: list[str]) -> Any:
    """Adds ``position``: the earlier the first word stands (title and name come first), the better."""
    place = StrIndex("search_text", Value(tokens[0])) if tokens else Value(0)
    placed = datasets.annotate(position=ExpressionWrapper(place, output_field=IntegerField()))
    return placed.only("number")


def _facet(name: str, datasets: Any, principal: Principal) -> list[dict[str, Any]]:
    field = FACETS[name]
    if name == "right":
        datasets = with_right(datasets, principal)
    rows = datasets.order_by().values_list(field).annotate(count=Count("pk", distinct=name == "tag"))
    counted = sorted(
        ((value, count) for value, count in rows if value is not None), key=lambda row: (-row[1], str(row[0]))
    )
    labels = _labels(name, [value for value, _ in counted[:MAX_FACET]])
    return [
        {"value": str(value), "label": labels.get(value) or {"en": str(value), "zh-CN": str(value)}, "count": count}
        for value, count in counted[:MAX_FACET]
    ]


RIGHT_WORDS = {
    "usable": {"en": "Usable", "zh-CN": "可用"},
    "pending": {"en": "Asked for", "zh-CN": "申请中"},
    "request": {"en": "On request", "zh-CN": "需订阅"},
    "none": {"en": "Not offered", "zh-CN": "不可申请"},
}


def _labels(name: str, values: list[Any]) -> dict[Any, Any]:
    if name == "organisation":
        return dict(Organisation.objects.filter(pk__in=values).values_list("pk", "name"))
    if name == "type":
        connectors = registry().connectors
        return {value: connectors[value].title for value in values if value in connectors}
    return RIGHT_WORDS if name == "right" else {}


def search_nodes(principal: Principal, words: str = "", organisation: Any = None, kind: str = "") -> QuerySet[Node]:
    """Nodes that the person may see, without anybody's personal files."""
    nodes = Node.objects.visible_to(principal).filter(owner=None).select_related("organisation")
    for token in fold(words).split()[:MAX_WORDS]:
        nodes = nodes.filter(search_text__contains=token)
    if organisation is not None:
        nodes = nodes.filter(organisation__path__startswith=organisation.path)
    if kind:
        nodes = nodes.filter(type=kind)
    return nodes.prefetch_related("tags").annotate(
        datasets_total=Count("datasets", filter=Q(datasets__state=Dataset.State.PUBLISHED))
    )
