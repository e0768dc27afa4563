"""Where the built front end lies, and which files the shell page loads (Vite's manifest)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from django.conf import settings

ENTRY = "src/main.tsx"


@dataclass(frozen=True)
class Assets:
    """The entry's script, its style sheets, and the scripts it imports at once (for preloading)."""

    script: str
    styles: tuple[str, ...]
    preloads: tuple[str, ...]


def manifest_path() -> Path:
    """Vite's manifest of the last build."""
    return Path(settings.FRONTEND_DIST) / ".vite" / "manifest.json"


def is_built() -> bool:
    """Whether there is a build to serve."""
    return manifest_path().exists()


def assets() -> Assets | None:
    """What the shell page loads, or None when the front end was not built."""
    path = manifest_path()
    try:
        return _read(path, path.stat().st_mtime_ns)
    except FileNotFoundError:
        return None


@lru_cache(maxsize=2)
def _read(path: Path, changed: int) -> Assets:
    manifest = json.loads(path.read_text())
    base = f"{settings.STATIC_URL}app/"
    styles: list[str] = []
    scripts: list[str] = []
    seen: set[str] = set()

    def visit(name: str) -> None:
        if name in seen:
            return
        seen.add(name)
        chunk = manifest[name]
        for imported in chunk.get("imports", ()):
            visit(imported)
        styles.extend(base + style for style in chunk.get("css", ()))
        scripts.append(base + chunk["file"])

    visit(ENTRY)
    return Assets(scripts[-1], tuple(dict.fromkeys(styles)), tuple(scripts[:-1]))
