"""`manage.py serve`: one web server process (HTTP and sockets)."""

from __future__ import annotations

import socket
from typing import Any

import uvicorn
from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from studio.host_check import require_ready


class Command(BaseCommand):
    help = "One web server process. `up` gives it a socket that is already bound; without one it binds HOST and PORT."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--fd", type=int, default=None, help="file descriptor of a listening socket")

    def handle(self, *args: Any, fd: int | None = None, **options: Any) -> None:
        require_ready()
        sockets = [socket.socket(fileno=fd)] if fd is not None else None
        config = uvicorn.Config(
            "studio.asgi:application",
            host=settings.OPTIONS["HOST"],
            port=settings.OPTIONS["PORT"],
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            ws="websockets-sansio",
            ws_max_size=256 * 1024,
            timeout_graceful_shutdown=1,
            timeout_keep_alive=30,
            proxy_headers=settings.OPTIONS["SECURE"],
        )
        uvicorn.Server(config).run(sockets=sockets)
