"""The demo city's own web service: the docks of its bicycles, in pages, so that an API node has something to read.

Served only while the option DEMO is on; synthetic, the same on every machine.
"""

from __future__ import annotations

from random import Random
from typing import Any

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from studio.demo.files import DISTRICTS

PATH = "demo/api/docks"
DOCKS = 180
MOST = 100


@require_safe
def docks(request: HttpRequest) -> JsonResponse:
    """``{"data": {"items": [...], "total": n}}``; ``offset`` and ``limit`` cut a page out of it."""
    offset, limit = _number(request, "offset", 0, DOCKS), _number(request, "limit", 50, MOST)
    items = all_docks()[offset : offset + limit]
    return JsonResponse({"data": {"items": items, "total": DOCKS}})


def all_docks() -> list[dict[str, Any]]:
    """Every dock of the city."""
    random = Random(2026)
    found = []
    for number in range(1, DOCKS + 1):
        _, district, _, _, _ = DISTRICTS[random.randrange(len(DISTRICTS))]
        places = random.choice((12, 16, 20, 24, 30))
        position = {"lon": round(116.2 + random.random() * 0.4, 5), "lat": round(39.8 + random.random() * 0.3, 5)}
        dock: dict[str, Any] = {
            "dock": f"D{number:04d}",
            "name": f"{district}{number:03d} 号停车点",
            "district": district,
            "places": places,
            "bicycles": random.randrange(places + 1),
            "position": position,
            "reported_at": f"2026-10-{1 + number % 28:02d}T{number % 24:02d}:15:00+08:00",
        }
        if number % 17 == 0:
            dock["note"] = "维护中"
        found.append(dock)
    return found


def service_address() -> tuple[str, int]:
    """Host and port under which this studio reaches itself."""
    host, port = settings.OPTIONS["HOST"], settings.OPTIONS["PORT"]
    return ("127.0.0.1" if host in ("0.0.0.0", "::", "", "localhost") else host, port)


def service_url() -> str:
    """The base address of the demo's API node."""
    host, port = service_address()
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/{PATH.rpartition('/')[0]}"


def _number(request: HttpRequest, name: str, default: int, most: int) -> int:
    words = request.GET.get(name, "")
    return min(int(words), most) if words.isdecimal() and len(words) < 10 else default
