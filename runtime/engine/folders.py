"""Folders in which the engine spills and rows wait for a moment: nobody else's business."""

from __future__ import annotations

import os


def make_folder(path: str) -> None:
    """Make a folder that only our own user may look into, when it is not there."""
    os.makedirs(path, mode=0o700, exist_ok=True)
