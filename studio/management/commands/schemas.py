"""`manage.py schemas`: writes what other programs build on: JSON Schemas, the API description, the option table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from drf_spectacular.generators import SchemaGenerator

from studio.env import ROOT, options_as_markdown
from studio.schemas import schemas


class Command(BaseCommand):
    help = "Write the JSON Schemas (schema/*.json), the API description (openapi.json) and options.md into a folder."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--folder", default=str(ROOT / "docs"), help="where to write (docs)")

    def handle(self, *args: Any, folder: str, **options: Any) -> None:
        target = Path(folder)
        (target / "schema").mkdir(parents=True, exist_ok=True)
        for name, schema in schemas().items():
            _write(target / "schema" / name, schema)
        _write(target / "schema" / "openapi.json", SchemaGenerator().get_schema(request=None, public=True))
        (target / "options.md").write_text(options_as_markdown(), encoding="utf-8")
        self.stdout.write(f"{len(schemas()) + 1} schemas and options.md written to {target}")


def _write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1, sort_keys=False) + "\n", encoding="utf-8")
