"""Where files of runs lie under DATA_HOME. Every path is named by the attempt that writes it, so that a stale worker
can only write a file that nobody will ever read. The database keeps paths relative to DATA_HOME.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings

RESULTS, EXCHANGE, TEMPORARY = "results", "exchange", "temporary"


def absolute(reference: str) -> Path:
    """The file behind a stored reference; raises ValueError for one that leads out of DATA_HOME."""
    home = Path(settings.DATA_HOME)
    path = (home / reference).resolve()
    if not path.is_relative_to(home):
        raise ValueError("reference outside DATA_HOME")
    return path


def relative(path: str | Path) -> str:
    """How a file under DATA_HOME is stored in the database."""
    return str(Path(path).resolve().relative_to(Path(settings.DATA_HOME)))


def result_file(run: Any, task: Any, attempt: int) -> Path:
    """The rows of a named output."""
    return _made(Path(settings.DATA_HOME) / RESULTS / str(run)) / f"{task}-{attempt}.parquet"


def exchange_file(run: Any, task: Any, attempt: int) -> Path:
    """Rows on their way to later stages of the same run."""
    return _made(Path(settings.DATA_HOME) / EXCHANGE / str(run)) / f"{task}-{attempt}.parquet"


def temporary_folder(task: Any, attempt: int) -> Path:
    """Where the engine may spill while it works on this attempt."""
    return _made(Path(settings.DATA_HOME) / TEMPORARY / f"{task}-{attempt}")


def remove_temporary(task: Any, attempt: int) -> None:
    """The attempt has ended: what it spilled goes."""
    shutil.rmtree(Path(settings.DATA_HOME) / TEMPORARY / f"{task}-{attempt}", ignore_errors=True)


def share(reference: str, target: Path) -> str:
    """The same rows under another name, without copying where the file system allows; gives the new reference."""
    source = absolute(reference)
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
    return relative(target)


def folders_of(kind: str) -> Iterator[Path]:
    """The folders directly under one kind of place: one per run, or per attempt for temporary ones."""
    base = Path(settings.DATA_HOME) / kind
    if base.is_dir():
        yield from (entry for entry in base.iterdir() if entry.is_dir())


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder
