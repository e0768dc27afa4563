"""Where files of runs lie. Every path is named by the attempt that writes it, so that a stale worker can only write a
file that nobody will ever read. The database keeps references, which mean the same on every host.

Results and rows between stages are kept where EXCHANGE_URL says: in DATA_HOME (one host), in a folder that all hosts
share, or in an S3-compatible bucket. What a stage spills stays on its machine.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from django.conf import settings

from node_catalog.sdk.contract import ConnectContext
from node_catalog.sdk.http_url import parse_url
from runtime.engine.work import BucketSpec, ClusterSpec
from runtime.errors import StoreError
from runtime.stores.base import Store
from runtime.stores.bucket import Bucket, BucketStore
from runtime.stores.folder import FolderStore, folders
from security.outgoing import OutgoingGuard

BUCKET_OPTIONS = ("URL", "ENDPOINT", "KEY", "SECRET", "REGION", "HOST_STYLE")
RESULTS, EXCHANGE, TEMPORARY = "results", "exchange", "temporary"


def store() -> Store:
    """Where files are kept that other hosts need."""
    options = settings.OPTIONS
    if options["EXCHANGE_URL"].startswith("s3://"):
        return _bucket_store(Path(settings.DATA_HOME), *(options[f"EXCHANGE_{name}"] for name in BUCKET_OPTIONS))
    return FolderStore(Path(unquote(options["EXCHANGE_URL"].removeprefix("file://")) or settings.DATA_HOME))


@lru_cache(maxsize=2)
def _bucket_store(
    home: Path, url: str, endpoint: str, key: str, secret: str, region: str, is_host_style: bool
) -> BucketStore:
    parts = urlsplit(url)
    prefix = parts.path.strip("/")
    missing = [
        name for name, value in (("EXCHANGE_ENDPOINT", endpoint), ("EXCHANGE_KEY", key), ("EXCHANGE_SECRET", secret))
        if not value
    ]  # fmt: skip
    if missing or not parts.netloc:
        raise StoreError(
            f"EXCHANGE_URL={url} also needs {', '.join(missing) or 'the name of a bucket'}",
            f"EXCHANGE_URL={url} 还需要设置 {'、'.join(missing) or '存储桶名称'}",
        )
    bucket = Bucket(endpoint, parts.netloc, f"{prefix}/" if prefix else "", key, secret, region, not is_host_style)
    port = parse_url(endpoint).port
    # Whoever starts the studio names this address, as that of the database: it may be any but a metadata service.
    guard = OutgoingGuard((f"0.0.0.0/0:{port}", f"[::/0]:{port}"))
    return BucketStore(bucket, home, ConnectContext(guard=guard, statement_timeout=120.0))


def absolute(reference: str) -> Path:
    """The file behind a stored reference, on this machine: it is fetched when it is kept elsewhere.

    The path of nothing when the file is gone; raises ValueError for a reference that leads out of its folder.
    """
    return store().fetch(reference)


def keep(path: str | Path) -> str:
    """A whole file that an attempt has written becomes reachable for every host; how it is stored in the database."""
    return store().keep(Path(path))


def make_durable(references: Iterable[str]) -> None:
    """Files that were kept before they were durable: from now on they outlive a loss of power."""
    store().make_durable(references)


def is_there(reference: str) -> bool:
    """Whether the rows behind a reference can still be read."""
    return store().is_there(reference)


@dataclass(frozen=True)
class StoredFile:
    """A file by its reference."""

    reference: str

    def open(self) -> Any:
        """A seekable binary stream of which no more is fetched than is read. Raises OSError when it is gone."""
        return store().open(self.reference)


def remove(reference: str) -> None:
    """Remove the file behind a reference, when it is there."""
    store().remove(reference)


def result_file(run: Any, task: Any, attempt: int | str) -> Path:
    """The rows of a named output, as the attempt writes them."""
    return _made(store().root / RESULTS / str(run)) / f"{task}-{attempt}.parquet"


def exchange_file(run: Any, task: Any, attempt: int | str) -> Path:
    """Rows on their way to later stages of the same run, as the attempt writes them."""
    return _made(store().root / EXCHANGE / str(run)) / f"{task}-{attempt}.parquet"


def cluster(run: Any, task: Any, attempt: int) -> ClusterSpec | None:
    """The Spark that stages are left to, and where this attempt may leave rows for it; None when none is set up."""
    options, kept = settings.OPTIONS, store()
    if not options["SPARK_URL"]:
        return None
    bucket = BucketSpec(**asdict(kept.bucket)) if isinstance(kept, BucketStore) else None
    return ClusterSpec(
        url=options["SPARK_URL"],
        root=str(kept.root),
        root_there=options["SPARK_EXCHANGE"].removeprefix("file://").rstrip("/"),
        folder=f"{EXCHANGE}/{run}/{task}-{attempt}.spark",
        bucket=bucket,
    )


def temporary_folder(task: Any, attempt: int | str) -> Path:
    """Where the engine may spill while it works on this attempt."""
    return _made(temporary_place(task, attempt))


def temporary_place(task: Any, attempt: int | str) -> Path:
    """The same folder, which is not there before somebody needs it."""
    return _made(Path(settings.DATA_HOME) / TEMPORARY) / f"{task}-{attempt}"


def remove_temporary(task: Any, attempt: int | str) -> None:
    """The attempt has ended: what it spilled goes."""
    shutil.rmtree(Path(settings.DATA_HOME) / TEMPORARY / f"{task}-{attempt}", ignore_errors=True)


def share(reference: str, target: Path) -> str:
    """The same rows under another name, without copying where that is possible; gives the new reference."""
    return store().copy(reference, target)


def temporary_folders() -> Iterator[Path]:
    """The folders of attempts on this machine."""
    return folders(Path(settings.DATA_HOME) / TEMPORARY)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder
