"""`manage.py demo`: loads the demo city."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from studio.demo.load import load_demo


class Command(BaseCommand):
    help = "Load the demo city: departments, people, nodes with data. Safe to repeat."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        def say(line: str) -> None:
            self.stdout.write(line)
            self.stdout.flush()

        load_demo(say)
