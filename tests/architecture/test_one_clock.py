"""docs/adr/one-clock.md: what is written down and compared later comes from the control database's clock."""

from __future__ import annotations

from pathlib import Path

WHERE_IT_IS = Path("security/clock.py")


def test_nothing_else_asks_django_for_the_time(repo: Path) -> None:
    apps = ("studio", "runtime", "flows", "node_catalog", "security")
    wrong = [
        str(path.relative_to(repo))
        for app in apps
        for path in sorted((repo / app).rglob("*.py"))
        if path.relative_to(repo) != WHERE_IT_IS and "timezone.now" in path.read_text(encoding="utf-8")
    ]
    assert not wrong, f"use security.clock.now(): {wrong}"
