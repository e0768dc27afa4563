"""`manage.py worker`: one worker process, rung by Celery, with its own children for the work."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from runtime.matching import queues_of
from runtime.offers import Offers
from studio.celery import app
from studio.host_check import require_ready


class Command(BaseCommand):
    help = "One worker process. Any number may run, on any host that reaches the same database and broker."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        require_ready()
        queues = ",".join(queues_of(Offers.of_options()))
        slots = settings.OPTIONS["WORKER_SLOTS"]
        name = settings.OPTIONS["WORKER_ID"] or "worker"
        app.worker_main(
            [
                "worker",
                "--pool=threads",
                f"--concurrency={slots + 1}",
                f"--hostname={name}@%h",
                f"--queues={queues}",
                "--loglevel=WARNING",
                "--without-gossip",
                "--without-mingle",
                "--without-heartbeat",
            ]
        )
