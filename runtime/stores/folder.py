"""A folder: of this machine alone, or one that all hosts share."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import uuid4

from runtime.engine.durable import make_durable
from runtime.errors import StoreError


class FolderStore:
    """References are paths relative to the folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def keep(self, path: Path) -> str:
        """It is there already."""
        return str(path.resolve().relative_to(_whole(self.root)))

    def make_durable(self, references: Iterable[str]) -> None:
        """Sync them and their folders."""
        make_durable(inside(self.root, reference) for reference in references)

    def fetch(self, reference: str) -> Path:
        """The file itself; ValueError for a reference that leads out of the folder."""
        return inside(self.root, reference)

    def is_there(self, reference: str) -> bool:
        """Whether the file exists."""
        return inside(self.root, reference).exists()

    def open(self, reference: str) -> Any:
        """The file, open."""
        return inside(self.root, reference).open("rb")

    def copy(self, reference: str, target: Path) -> str:
        """Without copying where the file system allows."""
        source = inside(self.root, reference)
        target.unlink(missing_ok=True)
        try:
            os.link(source, target)
        except OSError:
            shutil.copyfile(source, target)
        return self.keep(target)

    def remove(self, reference: str) -> None:
        """Unlink it."""
        inside(self.root, reference).unlink(missing_ok=True)

    def runs(self, kind: str) -> Iterator[tuple[str, float]]:
        """The folders of one kind."""
        return runs_in(self.root / kind)

    def remove_run(self, kind: str, run: str) -> None:
        """The whole folder."""
        remove_folder(self.root, f"{kind}/{run}")

    def copied_runs(self, kind: str) -> Iterator[tuple[str, float]]:
        """None: every file here is the only one."""
        return iter(())

    def remove_copies(self, kind: str, run: str) -> None:
        """There are none."""

    def check(self) -> None:
        """Write a file, sync it and read it again."""
        probe = self.root / f".check-{uuid4().hex}"
        try:
            self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
            with probe.open("wb") as file:
                file.write(b"check")
                file.flush()
                os.fsync(file.fileno())
            is_same = probe.read_bytes() == b"check"
            probe.unlink()
        except OSError as error:
            raise StoreError(
                f"the folder {self.root} cannot be written ({error.strerror}): mount it here, and let this user write",
                f"目录 {self.root} 不可写（{error.strerror}）：请在本机挂载该目录，并授予当前用户写权限",
            ) from error
        if not is_same:
            raise StoreError(
                f"the folder {self.root} does not give back what was written into it",
                f"目录 {self.root} 读回的内容与写入的不一致",
            )


def inside(root: Path, reference: str) -> Path:
    """A path under ``root``; ValueError for one that leads out of it."""
    path = (root / reference).resolve()
    if not path.is_relative_to(_whole(root)):
        raise ValueError("reference outside of its folder")
    return path


@lru_cache(maxsize=16)
def _whole(root: Path) -> Path:
    """The folder without links on the way to it: looked up once, it stays where it is."""
    return root.resolve()


def folders(base: Path) -> Iterator[Path]:
    """The folders directly under ``base``."""
    if base.is_dir():
        yield from (entry for entry in base.iterdir() if entry.is_dir())


def runs_in(base: Path) -> Iterator[tuple[str, float]]:
    """The folders directly under ``base``, one a run: names, and when each last changed (seconds since 1970)."""
    return ((folder.name, folder.stat().st_mtime) for folder in folders(base))


def remove_folder(root: Path, reference: str) -> None:
    """A folder under ``root`` with all that is in it; ValueError for one outside."""
    shutil.rmtree(inside(root, reference), ignore_errors=True)
