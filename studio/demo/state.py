"""Whether the demo city is there already, asked without loading what loads it."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from node_catalog.models import Node
from studio.demo.files import are_made
from studio.demo.nodes import BICYCLES, NODES
from studio.demo.service import service_url


def demo_folder() -> Path:
    """Where the demo's files lie."""
    return Path(settings.DATA_HOME) / "demo"


def is_loaded() -> bool:
    """The files are made, every node has been discovered, and the web service is known at today's port."""
    numbers = [node.number for node in NODES]
    if not Node.objects.filter(number=BICYCLES.number, discovered_at__isnull=False, settings__url=service_url()):
        return False
    found = Node.objects.filter(number__in=numbers, discovered_at__isnull=False).count()
    return found == len(numbers) and are_made(demo_folder())
