"""Files: a folder is the node; its CSV, JSON Lines and Parquet files, globs and written datasets are the datasets."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from node_catalog.sdk.access import Access, DatasetRef, Stream
from node_catalog.sdk.contract import Check, ConnectContext, Connector, DiscoveredColumn, DiscoveredDataset, Settings
from node_catalog.sdk.csv_settings import FileSettings
from node_catalog.sdk.errors import NodeTypeError, Problem, SourceError
from node_catalog.sdk.fields import setting
from node_catalog.sdk.file_bytes import LocalFile
from node_catalog.sdk.file_output import FilesOutput
from node_catalog.sdk.formats import Format, ending_of
from node_catalog.sdk.formats.csv import CsvFormat, read_written
from node_catalog.sdk.formats.jsonl import JsonLinesFormat
from node_catalog.sdk.formats.parquet import ParquetFormat
from node_catalog.sdk.manifest import LOCK, MANIFEST, Manifest, read_manifest
from node_catalog.sdk.paths import allowed_path, inside, is_within
from node_catalog.sdk.text import text
from node_catalog.types.connectors.files import excel

MAX_FILES, MAX_DEPTH = 10_000, 8
FORMATS: Mapping[str, Format] = {"csv": CsvFormat(), "parquet": ParquetFormat(), "jsonl": JsonLinesFormat()}


class FilesSettings(Settings):
    """The folder, and which files belong together."""

    folder: Annotated[
        str,
        setting(
            text("Folder", "文件夹"),
            text(
                "Full path; it must lie under a file root of the studio.",
                "完整路径，必须位于平台允许的文件根目录之下。",
            ),
            widget="folder",
            min_length=1,
            max_length=1000,
        ),
    ]
    patterns: Annotated[
        tuple[str, ...],
        setting(
            text("Files that belong together", "合并读取的文件"),
            text(
                "Each pattern is one dataset, for example air/*.csv.gz: its files have the same columns.",
                "每个通配符对应一个数据集，例如 air/*.csv.gz，其中各文件的列相同。",
            ),
        ),
    ] = ()

    def problems(self) -> Iterable[Problem]:
        """Patterns stay inside the folder."""
        for index, pattern in enumerate(self.patterns):
            parts = pattern.split("/")
            if (
                not pattern
                or pattern.startswith("/")
                or "\\" in pattern
                or any(part in ("", ".", "..") for part in parts)
            ):
                message = text(
                    f"“{pattern}” is no pattern inside the folder. Write it like air/*.csv.",
                    f"“{pattern}”不是文件夹内的通配符，请写成 air/*.csv 的形式。",
                )
                yield Problem(f"/patterns/{index}", "files.pattern", message)


class Files(Connector):
    """A folder with CSV, Excel, JSON Lines and Parquet files; a file, sheet, pattern or written folder is a dataset."""

    key = "files"
    kind_code = "FL"
    title = text("Files", "文件")
    summary = text(
        "CSV, Excel, JSON Lines and Parquet files in a folder", "文件夹中的 CSV、Excel、JSON Lines 和 Parquet 文件"
    )
    help = text(
        "Reads CSV (also .tsv and .txt), Excel (.xlsx), JSON Lines (.jsonl, .ndjson) and Parquet files of a "
        "folder and its subfolders; text may be compressed with .gz. Separator, encoding (UTF-8, GB18030, "
        "UTF-16, Big5), words for “no value” and column types are found out and can be corrected on each "
        "dataset's page. Every visible sheet of a workbook is a dataset: titles, headers of several rows, "
        "merged cells, notes and totals are recognised, formulas give their saved result. Nested values of "
        "JSON are read as their text. Give patterns for files that belong together (not for workbooks). New "
        "datasets are written as a folder of part files.",
        "读取文件夹及其子文件夹中的 CSV（含 .tsv、.txt）、Excel（.xlsx）、JSON Lin"
        "es（.jsonl、.ndjson）和 Parquet 文件，文本文件可为 .gz 压缩。分隔符、编码（"
        "UTF-8、GB18030、UTF-16、Big5）、空值写法和列类型会自动识别，也可以在数据集页面修正"
        "。工作簿中每个可见的工作表是一个数据集：标题、多行表头、合并单元格、注释和合计行会自动识别，公式取已保存"
        "的结果。JSON 中的嵌套值按原文读作文本。可用通配符把多个文件合并为一个数据集（工作簿除外）。写入的新"
        "数据集以文件夹形式保存。",
    )
    icon = "FolderOpenOutlined"
    Settings = FilesSettings
    is_local = True
    limits = ()
    DatasetSettings = FileSettings
    output = FilesOutput

    @classmethod
    def check(cls, settings: FilesSettings, context: ConnectContext) -> Check:
        """Whether the folder is allowed, there and readable; counts its files."""
        try:
            folder = _folder(settings, context)
            count = sum(1 for _ in _walk(folder))
        except NodeTypeError as error:
            return Check(False, error.code, error.message)
        if not os.access(folder, os.R_OK | os.X_OK):
            message = text(f"The studio may not read “{folder.name}”.", f"平台没有读取“{folder.name}”的权限。")
            return Check(False, "files.forbidden", message)
        facts = {"files": count, "writable": os.access(folder, os.W_OK)}
        return Check(
            True, "ok", text(f"The folder is there, with {count} files.", f"文件夹可用，共 {count} 个文件。"), facts
        )

    @classmethod
    def discover(
        cls,
        settings: FilesSettings,
        context: ConnectContext,
        known: Mapping[tuple[str, ...], Mapping[str, Any]] | None = None,
    ) -> Iterator[DiscoveredDataset]:
        """Patterns first, then written folders and single files by name."""
        folder = _folder(settings, context)
        known = known or {}
        grouped: set[Path] = set()
        for pattern in settings.patterns:
            path = tuple(pattern.split("/"))
            files = _matching(folder, path)
            grouped.update(files)
            yield _described(path, files, known.get(path, {}), title=pattern)
        for file in _walk(folder):
            path = file.relative_to(folder).parts
            if file in grouped:
                continue
            if file.is_dir():
                yield _written(path, file)
            elif ending_of(file.name) in excel.ENDINGS:
                yield from _workbook(path, LocalFile(file), known)
            else:
                yield _described(path, [file], known.get(path, {}), title=file.name)

    @classmethod
    def access(cls, settings: FilesSettings, dataset: DatasetRef, context: ConnectContext) -> Access:
        """Parquet is scanned by the engine, text is read here."""
        folder = _folder(settings, context)
        workbook = _workbook_of(folder, dataset.path)
        if workbook:
            excel.check_sheet(workbook, dataset)
            return Stream()
        files, manifest = _files_of(folder, dataset.path)
        if manifest and manifest.format == "csv":
            return Stream()
        return _format(files, manifest).access(files, dataset)

    @classmethod
    def read(
        cls, settings: FilesSettings, dataset: DatasetRef, columns: Sequence[str], context: ConnectContext
    ) -> Iterator[Any]:
        """Batches of a text dataset, file by file."""
        folder = _folder(settings, context)
        workbook = _workbook_of(folder, dataset.path)
        if workbook:
            yield from excel.read_sheet(workbook, dataset, columns)
            return
        files, manifest = _files_of(folder, dataset.path)
        if manifest and manifest.format == "csv":
            yield from read_written(files, manifest.schema, dataset.schema, columns)
        elif files:
            yield from _format(files, manifest).read(files, dataset, columns)


# ── finding files ─────────────────────────────────────────────────────────────────────────────────────────


def _folder(settings: FilesSettings, context: ConnectContext) -> Path:
    folder = allowed_path(settings.folder, context.file_roots)
    if not folder.is_dir():
        message = text(f"“{folder.name}” is a file, not a folder.", f"“{folder.name}”是文件，不是文件夹。")
        raise SourceError("files.no_folder", message, folder.name)
    return folder


def _walk(folder: Path, depth: int = 0) -> Iterator[Path]:
    """Data files and written folders, sorted; without hidden names (``.`` or ``_`` first) and links that lead out."""
    count = 0
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        path = Path(entry.path)
        if entry.name.startswith((".", "_")) or not is_within(Path(os.path.realpath(path)), folder):
            continue
        if entry.is_dir():
            if (path / MANIFEST).is_file():
                yield path
            elif (path / LOCK).exists():
                continue  # being written for the first time: nothing in it is delivered yet
            elif depth < MAX_DEPTH and not entry.is_symlink():
                yield from _walk(path, depth + 1)
        elif _kind(path) or ending_of(entry.name) in excel.ENDINGS:
            yield path
        count += 1
        if count >= MAX_FILES:
            return


def _kind(path: Path) -> str:
    ending = ending_of(path.name)
    return next((key for key, one in FORMATS.items() if ending in one.endings), "")


def _matching(folder: Path, path: Sequence[str]) -> list[Path]:
    """Files of a pattern inside ``folder``, sorted by name."""
    found = [file for file in folder.glob("/".join(path)) if file.is_file() and not file.name.startswith((".", "_"))]
    return sorted(file for file in found if is_within(Path(os.path.realpath(file)), folder) and _kind(file))


def _files_of(folder: Path, path: tuple[str, ...]) -> tuple[list[LocalFile], Manifest | None]:
    """The files of a dataset and, for a written one, its manifest. Raises SourceError when it is gone."""
    if any(char in part for part in path for char in "*?["):
        files = _matching(folder, [part for part in path if part not in (".", "..", "")])
        if not files:
            raise _gone(path)
        return [LocalFile(file) for file in files], None
    real = inside(folder, path)
    manifest = read_manifest(real) if real.is_dir() else None
    if manifest:
        return [LocalFile(inside(real, (part.name,))) for part in manifest.parts], manifest
    if not real.is_file():
        raise _gone(path)
    return [LocalFile(real)], None


def _workbook_of(folder: Path, path: tuple[str, ...]) -> LocalFile | None:
    """The workbook when ``path`` names a sheet of one; raises SourceError when that workbook is gone."""
    if len(path) < 2 or ending_of(path[-2]) not in excel.ENDINGS:
        return None
    real = inside(folder, path[:-1])
    if not real.is_file():
        raise _gone(path[:-1])
    return LocalFile(real)


def _format(files: Sequence[LocalFile], manifest: Manifest | None) -> Format:
    return FORMATS[manifest.format if manifest else _kind(files[0].path)]


def _gone(path: Sequence[str]) -> SourceError:
    name = "/".join(path)
    message = text(
        f"“{name}” is not in the folder any more. Put it back, or discover the node again.",
        f"文件夹中已没有“{name}”。请恢复该文件，或重新发现该节点。",
    )
    return SourceError("file.missing", message, name)


# ── describing ────────────────────────────────────────────────────────────────────────────────────────────


def _described(path: tuple[str, ...], files: list[Path], known: Mapping[str, Any], title: str) -> DiscoveredDataset:
    if not files:
        words = text(f"No file matches “{title}”.", f"没有文件与“{title}”匹配。")
        return DiscoveredDataset(path, "file", (), 0, True, 0, warnings=(words,))
    found = [LocalFile(file) for file in files]
    try:
        return FORMATS[_kind(files[0])].describe(path, found, known)
    except NodeTypeError as error:
        size = sum(file.size for file in found)
        return DiscoveredDataset(path, "file", (), None, False, size, settings=dict(known), warnings=(error.message,))


def _workbook(
    path: tuple[str, ...], file: LocalFile, known: Mapping[tuple[str, ...], Mapping[str, Any]]
) -> Iterator[DiscoveredDataset]:
    try:
        yield from excel.describe_sheets(path, file, lambda where: known.get(where, {}))
    except NodeTypeError as error:
        yield DiscoveredDataset(path, "file", (), None, False, file.size, warnings=(error.message,))


def _written(path: tuple[str, ...], folder: Path) -> DiscoveredDataset:
    try:
        manifest = read_manifest(folder)
    except NodeTypeError as error:
        return DiscoveredDataset(path, "file", (), None, False, None, warnings=(error.message,))
    assert manifest is not None
    columns = tuple(DiscoveredColumn(part.name, part.type, part.type) for part in manifest.schema.fields)
    settings = {"format": manifest.format}
    return DiscoveredDataset(path, "file", columns, manifest.rows, True, manifest.size_bytes, settings=settings)
