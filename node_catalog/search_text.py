"""The text that search looks through: everything a person may type to find a node or dataset, in small letters."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from node_catalog.models import Dataset, Node

MAX_LENGTH = 20_000


def fold(value: str) -> str:
    """Small letters, full-width forms made plain, so that ＰＭ２．５ finds PM2.5."""
    return unicodedata.normalize("NFKC", value).lower().replace("\0", "")


def _words(*values: Any) -> Iterable[str]:
    for value in values:
        if isinstance(value, Mapping):
            yield from (str(text) for text in value.values() if text)
        elif isinstance(value, list | tuple):
            yield from _words(*value)
        elif value:
            yield str(value)


def node_text(node: Node, tags: Iterable[str]) -> str:
    """The text of a node: its name first."""
    return _joined(_words(node.name, node.number, list(tags), node.description, node.type))


def dataset_text(dataset: Dataset, node: Node, tags: Iterable[str], columns: Iterable[Any]) -> str:
    """The text of a dataset: title and name first (search ranks early hits higher), then tags, columns, node."""
    column_words = [word for column in columns for word in _words(column.name, column.title)]
    return _joined(
        _words(
            dataset.title,
            dataset.name,
            list(tags),
            dataset.summary,
            column_words,
            node.name,
            dataset.number,
            dataset.path,
        )
    )


def _joined(words: Iterable[str]) -> str:
    return fold("\n".join(dict.fromkeys(words)))[:MAX_LENGTH]


def refresh_dataset(dataset: Dataset) -> None:
    """Store a dataset's text anew after its words have changed."""
    tags = dataset.tags.values_list("name", flat=True)
    dataset.search_text = dataset_text(dataset, dataset.node, tags, dataset.columns.all())
    Dataset.objects.filter(pk=dataset.pk).update(search_text=dataset.search_text)


def refresh_node(node: Node) -> None:
    """Store a node's text anew, and that of its datasets, which carry its name."""
    node.search_text = node_text(node, node.tags.values_list("name", flat=True))
    Node.objects.filter(pk=node.pk).update(search_text=node.search_text)
    changed = []
    for dataset in node.datasets.prefetch_related("columns", "tags"):
        tags = [tag.name for tag in dataset.tags.all()]
        dataset.search_text = dataset_text(dataset, node, tags, dataset.columns.all())
        changed.append(dataset)
    Dataset.objects.bulk_update(changed, ["search_text"], batch_size=500)
