"""Peers from the npm registry: installed on demand, outside the product."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

WORK = Path(__file__).resolve().parent.parent / "work"


def install(name: str, package: dict[str, Any], script: str) -> Path:
    """The ``script`` of what ``package`` (a package.json) needs; installed when it is not there (minutes, once)."""
    folder = WORK / name
    path = folder / "node_modules" / script
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text(json.dumps({"name": f"peer-{name}", "private": True, **package}))
        print(f"installing {name} …", flush=True)
        command = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run(command, cwd=folder, check=True)
    return path
