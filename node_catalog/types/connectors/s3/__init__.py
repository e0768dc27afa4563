"""S3: a bucket (or a prefix in it) is the node; its CSV, JSON Lines and Parquet objects are the datasets."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any

from node_catalog.sdk.access import Access, DatasetRef, Stream
from node_catalog.sdk.contract import Check, ConnectContext, Connector, DiscoveredColumn, DiscoveredDataset, Settings
from node_catalog.sdk.csv_settings import FileSettings
from node_catalog.sdk.errors import NodeTypeError, Problem, SourceError
from node_catalog.sdk.fields import setting
from node_catalog.sdk.formats import Format, ending_of
from node_catalog.sdk.formats.csv import CsvFormat, read_written
from node_catalog.sdk.formats.jsonl import JsonLinesFormat
from node_catalog.sdk.formats.parquet import ParquetFormat
from node_catalog.sdk.http_url import parse_url
from node_catalog.sdk.manifest import MANIFEST
from node_catalog.sdk.s3_client import Listed, S3Client, S3Object
from node_catalog.sdk.text import text
from node_catalog.types.connectors.s3.writing import S3Output, StoredManifest, read_stored

FORMATS: Mapping[str, Format] = {"csv": CsvFormat(), "parquet": ParquetFormat(), "jsonl": JsonLinesFormat()}
MAX_OBJECTS = 10_000
_BUCKET = r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$"


class S3Settings(Settings):
    """Where the bucket is, and who asks."""

    endpoint: Annotated[
        str,
        setting(
            text("Endpoint", "服务地址"),
            text("For example https://s3.example.cn:9000.", "例如 https://s3.example.cn:9000。"),
            min_length=8,
            max_length=300,
        ),
    ]
    bucket: Annotated[str, setting(text("Bucket", "存储桶"), pattern=_BUCKET)]
    access_key: Annotated[str, setting(text("Access key", "访问密钥 ID"), min_length=1, max_length=200)]
    secret_key: Annotated[str, setting(text("Secret key", "访问密钥口令"), secret=True, max_length=300)] = ""
    prefix: Annotated[
        str,
        setting(
            text("Prefix", "前缀"),
            text(
                "Only objects whose key begins so, for example air/2026/. Empty: the whole bucket.",
                "只读取键以此开头的对象，例如 air/2026/；留空为整个存储桶。",
            ),
            max_length=500,
        ),
    ] = ""
    region: Annotated[
        str, setting(text("Region", "区域"), text("As the store calls it.", "按存储服务的叫法填写。"), max_length=60)
    ] = "us-east-1"
    path_style: Annotated[
        bool,
        setting(
            text("Bucket in the path", "存储桶写在路径中"),
            text(
                "On for most stores of one's own; off where the bucket is part of the host name.",
                "自建存储一般开启；若存储桶是主机名的一部分则关闭。",
            ),
        ),
    ] = True
    patterns: Annotated[
        tuple[str, ...],
        setting(
            text("Objects that belong together", "合并读取的对象"),
            text(
                "Each pattern below the prefix is one dataset, for example trips/*.parquet.",
                "前缀之下的每个通配符对应一个数据集，例如 trips/*.parquet。",
            ),
        ),
    ] = ()

    def problems(self) -> Iterable[Problem]:
        """The endpoint must be an address without a path."""
        try:
            is_root = parse_url(self.endpoint).target == "/"
        except NodeTypeError as error:
            yield Problem("/endpoint", error.code, error.message)
            return
        if not is_root:
            message = text(
                "The endpoint ends after host and port; bucket and prefix have fields of their own.",
                "服务地址只写到主机和端口；存储桶和前缀请填写在各自的字段中。",
            )
            yield Problem("/endpoint", "s3.endpoint", message)


class S3(Connector):
    """A bucket of an S3-compatible store; one object, one pattern or one written folder is a dataset."""

    key = "s3"
    kind_code = "FL"
    title = text("S3 storage", "S3 对象存储")
    summary = text(
        "CSV, JSON Lines and Parquet objects of an S3-compatible store",
        "S3 兼容存储中的 CSV、JSON Lines 和 Parquet 对象",
    )
    help = text(
        "Reads the CSV, JSON Lines (text also as .gz) and Parquet objects below a prefix; of Parquet only the needed "
        "columns are fetched. Dialect and types are found out and can be corrected on each dataset's page. New "
        "datasets are written as part objects behind one manifest; for that the store must know conditional writes "
        "(If-Match, If-None-Match), which is tried before anything is written. Redirects are not followed.",
        "读取前缀之下的 CSV、JSON Lines（文本可为 .gz）和 Parquet 对象；Parquet 只取需要的列。格式和类型会自动识别，"
        "也可以在数据集页面修正。写入的新数据集由一个清单管理多个分片对象；存储须支持条件写入（If-Match、If-None-Match），"
        "写入前会先行检验。平台不跟随重定向。",
    )
    icon = "CloudServerOutlined"
    Settings = S3Settings
    DatasetSettings = FileSettings
    limits = ("reads", "rows_per_second", "requests_per_second")
    output = S3Output

    @classmethod
    def check(cls, settings: S3Settings, context: ConnectContext) -> Check:
        """List the first objects."""
        try:
            with S3Client(settings, context) as client:
                count = sum(1 for _ in client.list(settings.prefix, 1000))
        except NodeTypeError as error:
            return Check(False, error.code, error.message)
        shown = "1,000 or more" if count == 1000 else str(count)
        message = text(
            f"The bucket answers; below the prefix there are {shown} objects.",
            f"存储桶可用，前缀之下有 {count} 个{'以上' if count == 1000 else ''}对象。",
        )
        return Check(True, "ok", message, {"objects": count})

    @classmethod
    def discover(
        cls,
        settings: S3Settings,
        context: ConnectContext,
        known: Mapping[tuple[str, ...], Mapping[str, Any]] | None = None,
    ) -> Iterator[DiscoveredDataset]:
        """Patterns first, then written folders and single objects by key."""
        known = known or {}
        with S3Client(settings, context) as client:
            found = _objects(client, settings)
            folders = {one.key[: -len(MANIFEST)] for one in found if one.key.endswith(f"/{MANIFEST}")}
            for folder in sorted(folders):
                manifest = read_stored(client, folder)[0]
                if manifest and manifest.commits:
                    yield _written(_path(settings, folder.rstrip("/")), manifest)
        plain = [one for one in found if _kind(one.key) and not any(one.key.startswith(folder) for folder in folders)]
        grouped: set[str] = set()
        for pattern in settings.patterns:
            matching = _matching(settings, plain, pattern)
            grouped.update(one.key for one in matching)
            path = tuple(pattern.split("/"))
            yield _described(path, [_file(settings, context, one) for one in matching], known.get(path, {}))
        for one in plain:
            path = _path(settings, one.key)
            if one.key not in grouped:
                yield _described(path, [_file(settings, context, one)], known.get(path, {}))

    @classmethod
    def access(cls, settings: S3Settings, dataset: DatasetRef, context: ConnectContext) -> Access:
        """All is read here, in ranges."""
        files, manifest = _files_of(settings, dataset.path, context)
        if manifest:
            missing = [name for name in dataset.schema.names if name not in manifest.schema.names]
            if missing:
                raise SourceError(
                    "source.columns_moved",
                    text(
                        f"“{dataset.path[-1]}” has no column {missing[0]} any more. Discover the node again.",
                        f"“{dataset.path[-1]}”中已没有列 {missing[0]}，请重新发现该节点。",
                    ),
                    "/".join(dataset.path),
                )
            return Stream()
        return FORMATS[_kind(files[0].key)].access(files, dataset)

    @classmethod
    def read(
        cls, settings: S3Settings, dataset: DatasetRef, columns: Sequence[str], context: ConnectContext
    ) -> Iterator[Any]:
        """Batches, object by object."""
        files, manifest = _files_of(settings, dataset.path, context)
        if manifest and manifest.format == "csv":
            yield from read_written(files, manifest.schema, dataset.schema, columns)
        elif files:
            form = FORMATS[manifest.format if manifest else _kind(files[0].key)]
            yield from form.read(files, dataset, columns)


# ── objects ───────────────────────────────────────────────────────────────────────────────────────────────


def _objects(client: S3Client, settings: S3Settings) -> list[Listed]:
    """Objects below the prefix without hidden ones (``.`` or ``_`` first), but with manifests."""
    found = []
    for one in client.list(settings.prefix, MAX_OBJECTS):
        parts = one.key[len(settings.prefix) :].split("/")
        hidden = any(part.startswith((".", "_")) for part in parts[:-1]) or (
            parts[-1].startswith((".", "_")) and parts[-1] != MANIFEST
        )
        if not hidden and parts[-1] and all(part not in ("", "..", ".") for part in parts):
            found.append(one)
    return found


def _kind(key: str) -> str:
    ending = ending_of(key.rpartition("/")[2])
    return next((kind for kind, one in FORMATS.items() if ending in one.endings), "")


def _path(settings: S3Settings, key: str) -> tuple[str, ...]:
    return tuple(key[len(settings.prefix) :].split("/"))


def _file(settings: S3Settings, context: ConnectContext, one: Listed) -> S3Object:
    return S3Object(settings, context, one.key, one.size, one.etag)


def _matching(settings: S3Settings, objects: Sequence[Listed], pattern: str) -> list[Listed]:
    """Objects of a pattern; a star stays within its part of the key."""
    parts = [fnmatch.translate(part).removeprefix("(?s:").removesuffix(")\\Z") for part in pattern.split("/")]
    wanted = re.compile("/".join(part.replace(".*", "[^/]*") for part in parts))
    return [one for one in objects if wanted.fullmatch(one.key[len(settings.prefix) :])]


def _files_of(
    settings: S3Settings, path: tuple[str, ...], context: ConnectContext
) -> tuple[list[S3Object], StoredManifest | None]:
    """The objects of a dataset and, for a written one, its manifest. Raises SourceError when it is gone."""
    if not path or any(part in ("", ".", "..") or "/" in part for part in path):
        raise _gone(path)
    name = settings.prefix + "/".join(path)
    with S3Client(settings, context) as client:
        if any(sign in part for part in path for sign in "*?["):
            plain = [one for one in _objects(client, settings) if _kind(one.key)]
            files = [_file(settings, context, one) for one in _matching(settings, plain, "/".join(path))]
            if not files:
                raise _gone(path)
            return files, None
        manifest = read_stored(client, f"{name}/")[0]
        if manifest and manifest.commits:
            parts = [S3Object(settings, context, f"{name}/{part.name}", part.size_bytes) for part in manifest.parts]
            return parts, manifest
        found = client.head(name) if _kind(name) else None
        if found is None:
            raise _gone(path)
        return [_file(settings, context, found)], None


def _gone(path: Sequence[str]) -> SourceError:
    name = "/".join(path)
    message = text(
        f"“{name}” is not in the bucket any more. Put it back, or discover the node again.",
        f"存储桶中已没有“{name}”。请恢复该对象，或重新发现该节点。",
    )
    return SourceError("file.missing", message, name)


def _described(path: tuple[str, ...], files: list[S3Object], known: Mapping[str, Any]) -> DiscoveredDataset:
    if not files:
        words = text(f"No object matches “{'/'.join(path)}”.", f"没有对象与“{'/'.join(path)}”匹配。")
        return DiscoveredDataset(path, "file", (), 0, True, 0, warnings=(words,))
    try:
        return FORMATS[_kind(files[0].key)].describe(path, files, known)
    except NodeTypeError as error:
        size = sum(file.size for file in files)
        return DiscoveredDataset(path, "file", (), None, False, size, settings=dict(known), warnings=(error.message,))


def _written(path: tuple[str, ...], manifest: StoredManifest) -> DiscoveredDataset:
    columns = tuple(DiscoveredColumn(part.name, part.type, part.type) for part in manifest.schema.fields)
    rows, size = sum(part.rows for part in manifest.parts), sum(part.size_bytes for part in manifest.parts)
    return DiscoveredDataset(path, "file", columns, rows, True, size, settings={"format": manifest.format})
