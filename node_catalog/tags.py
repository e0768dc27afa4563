"""Tags: words that staff hang on nodes and datasets."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from node_catalog.errors import invalid
from node_catalog.models import Tag

MAX_TAGS = 30


def set_tags(thing: Any, names: Iterable[str]) -> list[str]:
    """Give ``thing`` exactly these tags, making new ones; raises InvalidError for empty, long or too many."""
    wanted = list(dict.fromkeys(" ".join(name.replace("\0", "").split()) for name in names))
    if len(wanted) > MAX_TAGS or any(not 0 < len(name) <= 60 for name in wanted):
        raise invalid(
            "/tags",
            "tags.form",
            f"At most {MAX_TAGS} tags of 1 to 60 characters.",
            f"最多 {MAX_TAGS} 个标签，每个 1 至 60 个字。",
        )
    thing.tags.set([Tag.objects.get_or_create(name=name)[0] for name in wanted])
    return wanted
