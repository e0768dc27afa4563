"""My files: what one person uploads becomes a dataset of their own, in a folder of their own.

The file is streamed into a temporary file beside its place, looked at, synced and put in place at once: readers see
the old version or the new one. Reading it (types, rows) is discovery, which runs elsewhere.
"""

from __future__ import annotations

import gzip
import os
import re
import unicodedata
import zlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

from django.conf import settings as django_settings
from django.db import transaction
from django.db.models import Max

from node_catalog.catalogue import path_key
from node_catalog.errors import invalid
from node_catalog.models import Dataset, Node
from node_catalog.node_settings import connector_of
from node_catalog.nodes import save_numbered
from node_catalog.numbers import dataset_number
from node_catalog.sdk.errors import NodeTypeError
from node_catalog.sdk.file_bytes import LocalFile
from node_catalog.search_text import refresh_dataset, refresh_node
from node_catalog.types.connectors.files.workbook import sheets_of
from security import audit, clock
from security.access import Principal, principal_for, require_right
from security.errors import InvalidError, NotFoundError, TooLargeError
from security.ids import new_id
from security.models import User
from security.text import text

FileKind = Literal["csv", "csv.gz", "parquet", "jsonl", "jsonl.gz", "xlsx"]
CONNECTOR = "files"
LOOK = 64 * 1024
CHUNK = 1024 * 1024
PARQUET = b"PAR1"
ZIP = b"PK\x03\x04"
WORKBOOK = "xl/workbook.xml"
GZIP = b"\x1f\x8b"
BINARY_STARTS = (b"%PDF", b"\xd0\xcf\x11\xe0", b"SQLite format 3", b"\x89PNG", b"\xff\xd8\xff", b"Rar!")
MAX_STEM = 80
JOINT = " · "

discoverers: list[Callable[[Node, User], Any]] = []
"""The package that runs tasks adds the function that asks for a node's discovery and returns the task."""


def uploads_folder(user: User) -> Path:
    """The folder of one person's files."""
    return Path(django_settings.UPLOAD_FOLDER) / str(user.pk)


def personal_node(user: User) -> Node:
    """The node that holds ``user``'s files; made on the first upload."""
    found = Node.objects.filter(owner=user, is_active=True).order_by("created_at").first()
    if found is not None:
        return found
    folder = uploads_folder(user)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    node = Node(
        type=CONNECTOR,
        name={"en": f"Files of {user.name}", "zh-CN": f"{user.name}的文件"},
        organisation=user.organisation,
        owner=user,
        settings={"folder": str(folder)},
        created_by=user,
    )
    save_numbered(node, connector_of(CONNECTOR).kind_code)
    refresh_node(node)
    return node


def store_upload(user: Any, file: Any, name: str, dataset: Dataset | None = None, request: Any = None) -> Dataset:
    """Keep an uploaded file and return its dataset, whose columns the discovery of ``dataset.node`` will fill.

    ``file`` has ``chunks()`` (Django's UploadedFile) or ``read(n)``. With ``dataset`` it is a new version of that one.
    Raises InvalidError (no table), TooLargeError, NotFoundError (a dataset that is not the person's own).
    """
    principal = principal_for(user)
    require_right(principal, "file.upload")
    if dataset is not None and dataset.node.owner_id != principal.id:
        raise NotFoundError()
    node = dataset.node if dataset is not None else personal_node(principal.user)
    folder = Path(node.settings["folder"])
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = folder / f".upload-{new_id().hex}"
    try:
        size = _stream(file, temporary)
        kind = look_at(temporary, size)
        with transaction.atomic():
            name = dataset.path[0] if dataset is not None else safe_name(name, kind)
            sheets = sheets_in(temporary) if kind == "xlsx" else ()
            kept = _new_version(dataset, kind) if dataset is not None else _placeholder(node, name, sheets)
            kept.size_bytes, kept.refreshed_at, kept.state = size, clock.now(), Dataset.State.PUBLISHED
            kept.profiled_at = None
            kept.save()
            kept.columns.update(profile={})
            detail = {"name": kept.name, "bytes": size, "is_new": dataset is None}
            audit.record("file.upload", "dataset", kept.pk, principal, detail=detail, request=request)
            os.replace(temporary, folder / kept.path[0])
        _sync(folder)
    finally:
        temporary.unlink(missing_ok=True)
    return kept


def ask_discovery(dataset: Dataset, user: User) -> Any:
    """Ask for the discovery that fills an uploaded dataset's columns; returns the task's id, if there is one."""
    tasks = [ask(dataset.node, user) for ask in discoverers]
    return tasks[0].pk if tasks else None


def delete_file(principal: Principal, dataset: Dataset, request: Any = None) -> None:
    """Remove the file for good; the dataset's number stays used, so apps that read it say that it is gone.

    A workbook goes with all its sheets.
    """
    if dataset.node.owner_id != principal.id:
        raise NotFoundError()
    with transaction.atomic():
        of_file = [one for one in dataset.node.datasets.all() if one.path[0] == dataset.path[0]]
        for one in of_file:
            one.state = Dataset.State.GONE
            one.save()
            one.columns.update(profile={})
        audit.record("file.delete", "dataset", dataset.pk, principal, detail={"name": dataset.name}, request=request)
        (Path(dataset.node.settings["folder"]) / dataset.path[0]).unlink(missing_ok=True)


def move_files(leaver: User, successor: User, principal: Principal) -> dict[str, int]:
    """Give a leaver's files to a colleague (called by ``security.hand_over``)."""
    nodes = Node.objects.filter(owner=leaver)
    files = Dataset.objects.filter(node__in=nodes, state=Dataset.State.PUBLISHED).count()
    nodes.update(owner=successor, organisation=successor.organisation)
    return {"files": files}


# ── What is in the file ───────────────────────────────────────────────────────────────────────────────────


def look_at(path: Path, size: int) -> FileKind:
    """The kind of a file by its content; raises InvalidError with what to do when it is none of ours."""
    if size == 0:
        raise invalid("/file", "file.empty", "The file is empty.", "文件是空的。")
    with path.open("rb") as file:
        start = file.read(LOOK)
        file.seek(max(0, size - 4))
        end = file.read(4)
    if start[:4] == PARQUET:
        if end != PARQUET or size < 12:
            raise invalid(
                "/file",
                "file.cut",
                "The Parquet file is not complete. Export it again and upload the whole file.",
                "Parquet 文件不完整，请重新导出后上传。",
            )
        return "parquet"
    if start[:4] == ZIP:
        sheets_in(path)
        return "xlsx"
    if start[:2] == GZIP:
        inner = _unpacked(start)
        _check_text(inner)
        return "jsonl.gz" if _is_json(inner) else "csv.gz"
    _check_text(start)
    return "jsonl" if _is_json(start) else "csv"


def sheets_in(path: Path) -> tuple[str, ...]:
    """The names of a workbook's visible sheets; raises InvalidError for another zip, a broken one, or none to see."""
    try:
        names = tuple(sheet.name for sheet in sheets_of(LocalFile(path)) if not sheet.is_hidden)
    except NodeTypeError as error:
        if error.code == "file.excel_bomb":
            raise invalid("/file", error.code, error.message["en"], error.message["zh-CN"]) from error
        raise _no_table() from error
    if not names:
        raise _no_table()
    return names


def _is_json(start: bytes) -> bool:
    """Whether the first line is (the beginning of) a JSON object."""
    line = start.removeprefix(b"\xef\xbb\xbf").lstrip().split(b"\n", 1)[0]
    return line.startswith(b"{") and (b'":' in line or b'" :' in line or line.strip() == b"{}")


def _unpacked(start: bytes) -> bytes:
    """The first bytes inside a gzip file, never more than we look at."""
    try:
        return zlib.decompressobj(wbits=zlib.MAX_WBITS | 16).decompress(start, LOOK)
    except (zlib.error, gzip.BadGzipFile) as error:
        raise invalid(
            "/file", "file.broken", "The .gz file is broken. Pack it again.", "压缩文件已损坏，请重新压缩后上传。"
        ) from error


def _check_text(start: bytes) -> None:
    if start.startswith(BINARY_STARTS):
        raise _no_table()
    is_wide = start.startswith((b"\xff\xfe", b"\xfe\xff"))
    if not start.strip() or (b"\0" in start and not is_wide):
        raise _no_table()


def _no_table() -> InvalidError:
    return invalid(
        "/file",
        "file.kind",
        "This is no CSV, Excel (.xlsx), JSON Lines or Parquet file that can be read (text also as .gz). Save an old or "
        "protected spreadsheet as .xlsx without a password.",
        "仅支持可读取的 CSV、Excel（.xlsx）、JSON Lines 和 Parquet 文件（文本可为 .gz）。旧版或加密的电子表格请另存为"
        "不带密码的 .xlsx。",
    )


# ── Names ─────────────────────────────────────────────────────────────────────────────────────────────────


def safe_name(name: str, kind: FileKind) -> str:
    """A file name without folders, control characters or leading dots, with the ending of its content."""
    plain = unicodedata.normalize("NFC", str(name)).replace("\\", "/").rpartition("/")[2]
    plain = re.sub(
        r"\.(csv|csv\.gz|gz|txt|tsv|parquet|pq|jsonl|ndjson|json|xlsx|xlsm)$", "", plain, flags=re.IGNORECASE
    )
    plain = re.sub(r"\.(csv|jsonl|ndjson)$", "", plain, flags=re.IGNORECASE)
    plain = re.sub(r"[^\w.() -]+", "_", plain).strip(" ._-")
    while len(plain.encode()) > 2 * MAX_STEM or len(plain) > MAX_STEM:
        plain = plain[:-1]
    return f"{plain or 'file'}.{kind}"


def _placeholder(node: Node, name: str, sheets: Sequence[str] = ()) -> Dataset:
    """A new dataset for a file, or the gone one of the same name; a name in use gets a number.

    A workbook's dataset is its first sheet; discovery adds the others.
    """
    stem, dot, ending = _split(name)
    known = list(node.datasets.all())
    in_use = {dataset.path[0] for dataset in known if dataset.state != Dataset.State.GONE}
    by_path = {dataset.path_key: dataset for dataset in known}
    for number in range(1, 10_000):
        candidate = name if number == 1 else f"{stem}-{number}{dot}{ending}"
        if candidate not in in_use:
            path = [candidate, *sheets[:1]]
            return by_path.get(path_key(path)) or _new_dataset(node, path)
    raise invalid("/file", "file.name", "Choose another file name.", "请换一个文件名。")


def _split(name: str) -> tuple[str, str, str]:
    """Stem, dot and one of our endings."""
    for ending in ("csv.gz", "jsonl.gz", "parquet", "jsonl", "xlsx", "csv"):
        if name.endswith("." + ending):
            return name[: -len(ending) - 1], ".", ending
    return name, "", ""


def _new_dataset(node: Node, path: list[str]) -> Dataset:
    ordinal = (node.datasets.aggregate(last=Max("ordinal"))["last"] or 0) + 1
    if ordinal > 9999:
        raise invalid("/file", "file.too_many", "At most 9,999 files per person.", "每人最多 9,999 个文件。")
    title = JOINT.join((_split(path[0])[0], *path[1:]))
    dataset = Dataset.objects.create(
        node=node,
        ordinal=ordinal,
        number=dataset_number(node.number, ordinal),
        path=path,
        path_key=path_key(path),
        kind="file",
        name=path[-1],
        title={"en": title, "zh-CN": title},
        share=Dataset.Share.NONE,
    )
    refresh_dataset(dataset)
    return dataset


def _new_version(dataset: Dataset, kind: FileKind) -> Dataset:
    """The same dataset; its file must stay of the same kind, because its name says so."""
    was = _split(dataset.path[0])[2]
    if was != kind:
        raise invalid(
            "/file",
            "file.other_kind",
            f"The dataset is a {was} file, this one is {kind}. Upload it as a new file instead.",
            f"原数据集是 {was} 文件，本次上传的是 {kind}。请作为新文件上传。",
        )
    return dataset


# ── Bytes ─────────────────────────────────────────────────────────────────────────────────────────────────


def _stream(file: Any, target: Path) -> int:
    """Write the upload piece by piece; stops as soon as it is larger than allowed. Returns the size."""
    limit = int(django_settings.OPTIONS["UPLOAD_MB"])
    size = 0
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        for chunk in _chunks(file):
            size += len(chunk)
            if size > limit * 1024 * 1024:
                raise TooLargeError(
                    "file.too_large",
                    text(
                        f"The file is larger than {limit:,} MB. Pack it as .csv.gz or Parquet, or ask the data "
                        "administrators to connect the source.",
                        f"文件超过 {limit:,} MB。请压缩为 .csv.gz 或转为 Parquet，或请数据管理员接入该数据源。",
                    ),
                )
            out.write(chunk)
        out.flush()
        os.fsync(out.fileno())
    return size


def _chunks(file: Any) -> Iterable[bytes]:
    if hasattr(file, "chunks"):
        yield from file.chunks(CHUNK)
    else:
        while chunk := file.read(CHUNK):
            yield chunk


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
