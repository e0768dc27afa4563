"""Routes of this package under /api/."""

from __future__ import annotations

urlpatterns: list[object] = []
