"""The starter apps that home offers: JSON files under templates/apps."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from flows.errors import FlowError
from node_catalog.models import Dataset
from node_catalog.sdk.text import text

FOLDER = Path(__file__).resolve().parent.parent / "templates" / "apps"


@cache
def all_templates() -> dict[str, dict[str, Any]]:
    """Every starter app by key."""
    found = {}
    for path in sorted(FOLDER.glob("*.json")):
        template = json.loads(path.read_text(encoding="utf-8"))
        found[template["key"]] = template
    return found


def usable_templates() -> list[dict[str, Any]]:
    """Templates whose datasets exist in this catalogue, without their documents."""
    usable: list[dict[str, Any]] = []
    for template in all_templates().values():
        numbers = set(template["document"].get("datasets", {}).values())
        if Dataset.objects.filter(number__in=numbers).count() == len(numbers):
            usable.append({key: template[key] for key in ("key", "title", "summary", "icon") if key in template})
    return usable


def template_named(key: str) -> dict[str, Any]:
    """The template ``key``; raises FlowError when there is none."""
    try:
        return all_templates()[key]
    except KeyError:
        raise FlowError(
            "template.unknown", text(f"There is no template “{key}”.", f"没有模板“{key}”。"), where="/template"
        ) from None
