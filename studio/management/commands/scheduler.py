"""`manage.py scheduler`: rings the bell for what is due, and takes back what silent workers held."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from runtime.service import run_scheduler_forever
from studio.host_check import require_ready


class Command(BaseCommand):
    help = "The scheduler: outbox, due tasks, lost leases, retention. Several may run; the database keeps them apart."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        require_ready()
        run_scheduler_forever()
