"""Two questions of load balancers and people: does the process live, and can it serve."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse

from runtime.models import Worker
from security import clock
from studio.frontend import is_built

WORKER_SILENCE = timedelta(seconds=20)


def healthz(request: HttpRequest) -> JsonResponse:
    """The process lives and answers; nothing else is looked at."""
    return JsonResponse({"status": "ok", "version": settings.VERSION})


def readyz(request: HttpRequest) -> JsonResponse:
    """200 when pages can be served (the database answers); the other parts are named but do not stop us."""
    checks: dict[str, Any] = {"database": "ok", "frontend": "ok" if is_built() else "not built"}
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        checks["workers"] = Worker.objects.filter(seen_at__gt=clock.now() - WORKER_SILENCE).count()
    except DatabaseError:
        checks["database"] = "down"
    checks["push"] = _push()
    ready = checks["database"] == "ok"
    return JsonResponse({"ready": ready, "checks": checks}, status=200 if ready else 503)


def _push() -> str:
    if not settings.REDIS_URL:
        return "in process"
    from redis import Redis, RedisError

    try:
        client = Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1)
        try:
            client.ping()
        finally:
            client.close()
    except (RedisError, OSError):
        return "down"
    return "ok"
