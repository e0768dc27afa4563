"""Dataset cards and details as the API sends them, gathered in a fixed number of queries for a whole page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Count, OuterRef, Prefetch, Subquery
from django.db.models.functions import Coalesce

from node_catalog.grants import grants_for
from node_catalog.models import Column, Dataset, Grant, Node
from node_catalog.palette import registry
from node_catalog.policy import node_target, request_target
from node_catalog.sdk.grant import GrantSpec, visible_values
from node_catalog.sdk.schema import json_schema
from node_catalog.search import with_right
from node_catalog.selectors import title_of, used_by
from security.access import Principal

SHOWN_COLUMNS = 3


def for_cards(datasets: Any, principal: Principal) -> Any:
    """A Dataset query with all that a card needs."""
    counted = Column.objects.filter(dataset=OuterRef("pk")).order_by().values("dataset")
    total = counted.annotate(total=Count("pk")).values("total")
    first = Prefetch("columns", Column.objects.filter(ordinal__lt=SHOWN_COLUMNS).order_by("ordinal"), "first_columns")
    return (
        with_right(datasets, principal)
        .select_related("node__organisation")
        .prefetch_related("tags", first)
        .annotate(columns_total=Coalesce(Subquery(total), 0))
    )


def card(dataset: Any) -> dict[str, Any]:
    """One card of a query made by ``for_cards``."""
    node = dataset.node
    return {
        "kind": "dataset",
        "id": dataset.pk,
        "number": dataset.number,
        "name": dataset.name,
        "title": title_of(dataset),
        "summary": dataset.summary,
        "node": {"id": node.pk, "number": node.number, "name": node.name, "type": node.type},
        "organisation": {"id": node.organisation_id, "name": node.organisation.name},
        "rows": dataset.rows,
        "rows_exact": dataset.rows_exact,
        "size_bytes": dataset.size_bytes,
        "refreshed_at": dataset.refreshed_at,
        "state": dataset.state,
        "right": dataset.right,
        "share": dataset.share,
        "columns": [
            {"name": column.name, "title": column.title, "type": column.type} for column in dataset.first_columns
        ],
        "columns_total": dataset.columns_total,
        "tags": sorted(tag.name for tag in dataset.tags.all()),
        "is_personal": node.owner_id is not None,
    }


def cards(datasets: Iterable[Any]) -> list[dict[str, Any]]:
    """The cards of one page."""
    return [card(dataset) for dataset in datasets]


def cards_by_id(ids: Iterable[Any], principal: Principal) -> dict[Any, dict[str, Any]]:
    """Cards of datasets that a visible request or grant names, also when they are no longer visible by themselves."""
    return {dataset.pk: card(dataset) for dataset in for_cards(Dataset.objects.filter(pk__in=list(ids)), principal)}


def dataset_detail(dataset: Any, principal: Principal) -> dict[str, Any]:
    """The whole dataset; profile values only of columns that the person may read unmasked and unfiltered."""
    spec = grants_for([dataset], principal).get(dataset.number)
    can_edit = principal.may("dataset.edit", node_target(dataset.node))
    columns = dataset.columns.all()
    return {
        **card(dataset),
        "columns": [_column(column, spec) for column in sorted(columns, key=lambda column: column.ordinal)],
        # What discovery inferred and complained of may quote the file: for those who may read it all or keep it.
        "settings": dataset.settings if can_edit else {},
        "warnings": dataset.warnings if can_edit or (spec and spec.source in {"own", "personal"}) else [],
        "settings_schema": _settings_schema(dataset.node),
        "versions": [
            {"ordinal": version.ordinal, "seen_at": version.seen_at, "difference": version.difference}
            for version in dataset.versions.all()[:50]
        ],
        "profiled_at": dataset.profiled_at,
        "grant": _grant(spec),
        "can_edit": can_edit,
        "used_by": used_by(dataset),
    }


def _column(column: Column, spec: GrantSpec | None) -> dict[str, Any]:
    is_readable = spec is not None and column.name in spec.columns
    is_open = spec is not None and column.name in visible_values(spec)
    return {
        "name": column.name,
        "title": column.title,
        "native_type": column.native_type,
        "type": column.type,
        "nullable": column.nullable,
        "key": column.key,
        "unit": column.unit,
        "description": column.description,
        "sensitivity": column.sensitivity,
        "readable": is_readable,
        "mask": spec.masks.get(column.name) if spec is not None and is_readable else None,
        "profile": (column.profile or None) if is_open else None,
    }


def _grant(spec: GrantSpec | None) -> dict[str, Any] | None:
    if spec is None:
        return None
    terms = Grant.objects.filter(number=spec.grant).values_list("valid_until", flat=True)
    until = terms.first() if spec.grant else None
    return {
        "columns": list(spec.columns),
        "masks": dict(spec.masks),
        "is_filtered": spec.row_filter is not None,
        "valid_until": until,
        "source": spec.source,
        "number": spec.grant,
    }


def _settings_schema(node: Node) -> Mapping[str, Any]:
    connector = registry().connectors.get(node.type)
    return json_schema(connector.DatasetSettings) if connector else {}


def node_json(node: Any, principal: Principal) -> dict[str, Any]:
    """A node; settings (never secrets) only for those who keep it."""
    can_edit = principal.may("node.edit", node_target(node))
    return {
        "id": node.pk,
        "number": node.number,
        "type": node.type,
        "name": node.name,
        "description": node.description,
        "organisation": {"id": node.organisation_id, "code": node.organisation.code, "name": node.organisation.name},
        "tags": sorted(tag.name for tag in node.tags.all()),
        "settings": node.settings if can_edit and node.owner_id is None else {},
        "limits": (node.limits or {}) if can_edit else {},
        "secrets": dict.fromkeys(node.secrets, True),
        "health": node.health,
        "health_detail": node.health_detail,
        "checked_at": node.checked_at,
        "discovered_at": node.discovered_at,
        "last_difference": node.last_difference,
        "datasets_total": node.datasets_total,
        "can_edit": can_edit,
        "is_personal": node.owner_id is not None,
    }


def request_json(asked: Any, dataset_card: Mapping[str, Any], principal: Principal) -> dict[str, Any]:
    """A request with its dataset's card."""
    is_open = asked.state == "submitted"
    return {
        "id": asked.pk,
        "number": asked.number,
        "dataset": dataset_card,
        "applicant": {"id": asked.applicant_id, "name": asked.applicant.name, "organisation": asked.organisation.name},
        "columns": asked.columns,
        "purpose": asked.purpose,
        "valid_until": asked.valid_until,
        "state": asked.state,
        "decided_by": asked.decided_by.name if asked.decided_by else None,
        "decided_at": asked.decided_at,
        "reason": asked.reason,
        "created_at": asked.created_at,
        "can_decide": is_open and principal.may("request.decide", request_target(asked)),
        "can_withdraw": is_open and asked.applicant_id == principal.id,
    }
