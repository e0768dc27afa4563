"""Describe a dataset: words, tags, sharing, columns' words and classes, and corrected reading settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from django.db import transaction

from node_catalog.errors import invalid, settings_problems
from node_catalog.models import Column, Dataset
from node_catalog.node_settings import connector_of
from node_catalog.policy import node_target
from node_catalog.sdk.errors import SettingsError
from node_catalog.sdk.schema import parse
from node_catalog.search_text import refresh_dataset
from node_catalog.tags import set_tags
from security import audit
from security.access import Principal, require_right
from security.errors import InvalidError, Problem
from security.text import text

WORDS = ("title", "summary")
COLUMN_FIELDS = ("title", "description", "unit", "sensitivity")


def change_dataset(principal: Principal, dataset: Dataset, values: Mapping[str, Any], request: Any = None) -> Dataset:
    """Apply ``values`` (title, summary, tags, share, columns by name, settings); what is absent stays."""
    require_right(principal, "dataset.edit", node_target(dataset.node))
    if dataset.node.owner_id is not None and values.get("share") not in (None, Dataset.Share.NONE):
        raise invalid(
            "/share",
            "share.personal",
            "Personal files are not shared. Ask the data administrators to connect the source for the department.",
            "个人文件不对外共享。如需共享，请由数据管理员将其接入为部门数据源。",
        )
    corrections = _corrections(dataset, values["settings"]) if "settings" in values else None
    columns = _columns(dataset, values.get("columns") or {})
    with transaction.atomic():
        for field in (*WORDS, "share"):
            if field in values:
                setattr(dataset, field, values[field])
        if corrections is not None:
            dataset.corrections = corrections
            dataset.settings = {**dataset.settings, **corrections}
        dataset.save()
        Column.objects.bulk_update(columns, list(COLUMN_FIELDS), batch_size=200)
        if "tags" in values:
            set_tags(dataset, values["tags"])
        refresh_dataset(dataset)
        detail = {"fields": sorted(values), "columns": sorted(values.get("columns") or {}), "share": dataset.share}
        audit.record("dataset.change", "dataset", dataset.pk, principal, detail=detail, request=request)
    return dataset


def _columns(dataset: Dataset, changes: Mapping[str, Mapping[str, Any]]) -> list[Column]:
    columns = {column.name: column for column in dataset.columns.all()}
    unknown = [name for name in changes if name not in columns]
    if unknown:
        raise InvalidError(problems=[_unknown_column(f"/columns/{name}", name) for name in unknown[:50]])
    for name, change in changes.items():
        for field, value in change.items():
            setattr(columns[name], field, value)
    return [columns[name] for name in changes]


def _unknown_column(pointer: str, name: str) -> Problem:
    return Problem(
        pointer,
        "column.unknown",
        text(f"The dataset has no column “{name[:80]}”.", f"该数据集没有列“{name[:80]}”。"),
    )


def _corrections(dataset: Dataset, data: Any) -> dict[str, Any]:
    """What differs from today's settings, checked by the connector; earlier corrections stay."""
    if not isinstance(data, Mapping):
        raise invalid("/settings", "settings.form", "Settings must be an object.", "设置应为对象。")
    connector = connector_of(dataset.node.type)
    try:
        parsed = msgspec.to_builtins(parse(connector.DatasetSettings, {**dataset.settings, **data}))
    except SettingsError as error:
        raise InvalidError(problems=settings_problems(error)) from error
    today = dataset.settings
    changed = {name: parsed[name] for name in data if name in parsed and parsed[name] != today.get(name)}
    return {**dataset.corrections, **changed}
