"""`manage.py dataset list`: the catalogue's datasets, one JSON line each."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from node_catalog.models import Dataset
from security.access import principal_for
from studio.acting import acting_user


class Command(BaseCommand):
    help = "Lists datasets."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        listing = actions.add_parser("list", help="one JSON line per dataset: number, node, name, rows, columns")
        listing.add_argument("--node", help="only those of this node number")
        listing.add_argument("--user", help="sign-in name of the person who looks")

    def handle(self, *args: Any, **options: Any) -> None:
        datasets = Dataset.objects.visible_to(principal_for(acting_user(options["user"]))).exclude(state="gone")
        if options["node"]:
            datasets = datasets.filter(node__number=options["node"])
        for dataset in datasets.select_related("node").prefetch_related("columns").order_by("number"):
            columns = sorted(dataset.columns.all(), key=lambda column: column.ordinal)
            line = {
                "number": dataset.number,
                "node": dataset.node.number,
                "name": dataset.name,
                "path": dataset.path,
                "rows": dataset.rows,
                "columns": [{"name": column.name, "type": column.type} for column in columns],
            }
            self.stdout.write(json.dumps(line, ensure_ascii=False))
