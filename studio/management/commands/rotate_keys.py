"""`manage.py rotate_keys`: a new key-encryption key; every sealed value is re-wrapped, none is opened."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from security import audit
from security.secrets import rotate


class Command(BaseCommand):
    help = "Makes a new key-encryption key and wraps the keys of all sealed settings with it."

    def handle(self, *args: Any, **options: Any) -> None:
        """Rotate and say how many secrets were touched."""
        count = rotate()
        audit.record("keys.rotate", "keys", detail={"secrets": count})
        self.stdout.write(f"{count} secrets are wrapped with a new key. Back up the key file.")
