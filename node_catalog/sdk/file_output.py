"""Writing to a folder of part files, exactly once: staging by attempt, one atomic manifest rename."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import msgspec

from node_catalog.sdk.contract import Committed, ConnectContext, Delivery, Output, SealedPart, Target
from node_catalog.sdk.errors import TargetError
from node_catalog.sdk.failpoint import failpoint
from node_catalog.sdk.geoparquet import with_geo_marks
from node_catalog.sdk.manifest import (
    KEPT_COMMITS,
    Commit,
    Manifest,
    Part,
    locked,
    read_fences,
    read_manifest,
    replace_file,
    sync_folder,
    write_fences,
    write_manifest,
)
from node_catalog.sdk.parquet_write import parquet_writer
from node_catalog.sdk.paths import allowed_path, inside
from node_catalog.sdk.ports import Schema, to_arrow
from node_catalog.sdk.sql_node import delivery_key
from node_catalog.sdk.target_words import (
    columns_differ,
    fenced,
    missing_target,
    no_such_mode,
    of_system,
    types_differ,
)
from node_catalog.sdk.text import text

STATE = ".citygo"
"""Folder inside the node's folder that remembers where a delivery goes."""
ROW_GROUP = 122_880
ABANDONED_SECONDS = 7 * 24 * 3600.0


class PartFile(Protocol):
    """A part file that is being written."""

    def write(self, batch: Any) -> None: ...
    def close(self) -> None: ...


class FilesOutput(Output):
    """Parquet or CSV part files; the format follows the target's name (``….csv``) or the existing dataset."""

    delivery_label = "exactly_once"
    resumes = True

    @classmethod
    def committed(cls, settings: Any, delivery: Delivery, context: ConnectContext) -> Committed | None:
        """The ledger entry of this delivery in the manifest it was opened for."""
        folder = _target_of(_root(settings, context), delivery)
        manifest = read_manifest(folder) if folder else None
        commit = manifest.commit_of(delivery_key(delivery)) if manifest else None
        return _committed(commit, folder) if commit and folder else None

    @classmethod
    def open(cls, settings: Any, target: Target, delivery: Delivery, context: ConnectContext) -> FilesWriter:
        """Check the target, raise the fence, open this attempt's part file."""
        root = _root(settings, context)
        name = "/".join(target.path)
        if target.mode not in cls.modes:
            raise no_such_mode(name, target.mode)
        with system_errors(name):
            folder = inside(root, target.path)
            manifest = _existing(folder, target, name)
            _remember(root, target.path, delivery)
            folder.mkdir(parents=True, exist_ok=True)
            form = manifest.format if manifest else format_of(target)
            if form == "csv" and any(field.type == "binary" for field in target.schema.fields):
                message = text("CSV cannot hold binary columns. Use Parquet.", "CSV 不能保存二进制列，请使用 Parquet。")
                raise TargetError("target.csv_binary", message, name)
            failpoint("files.open.before_fence")
            with locked(folder):
                _raise_fence(folder, delivery)
                _forget_abandoned(folder)
            failpoint("files.open.after_fence")
            return FilesWriter(folder, name, form, target, delivery)

    @classmethod
    def clean(cls, settings: Any, delivery: Delivery, context: ConnectContext) -> None:
        """Remove part files of older attempts that the manifest does not name; sealed ones are for the next attempt."""
        folder = _target_of(_root(settings, context), delivery)
        if folder is None or not folder.is_dir():
            return
        manifest = read_manifest(folder)
        named = {part.name for part in manifest.parts} | set(manifest.previous) if manifest else set()
        for file in folder.glob(f"part-{delivery_key(delivery)}-*"):
            attempt = file.name.split("-")[2].partition(".")[0]
            if (
                not _is_sealed(file.name)
                and attempt.isdigit()
                and int(attempt) < delivery.attempt
                and file.name not in named
            ):
                file.unlink(missing_ok=True)


class FilesWriter:
    """One attempt's part file, and those that this attempt and earlier ones have sealed."""

    def __init__(self, folder: Path, name: str, form: str, target: Target, delivery: Delivery) -> None:
        self._folder, self._name, self._form = folder, name, form
        self._target, self._delivery = target, delivery
        self._path = folder / f"part-{delivery_key(delivery)}-{delivery.attempt}.{form}"
        self._part: PartFile | None = None
        self._part_rows = 0
        found = tuple(Part(part.name, part.rows, part.size_bytes) for part in target.sealed)
        self.is_resumed = bool(found) and all(_is_whole(folder, part) for part in found)
        self._sealed = found if self.is_resumed else ()

    def write(self, batch: Any) -> None:
        """Append one batch to the part file."""
        with system_errors(self._name):
            failpoint("files.stage.write")
            if self._part is None:
                self._part = open_part(self._path, self._form, self._target.schema)
            self._part.write(batch)
            self._part_rows += batch.num_rows

    def seal(self) -> SealedPart | None:
        """Close the part file, flush it to disk and give it a name that the next attempt leaves alone."""
        with system_errors(self._name):
            part = self._finish()
            if part is None:
                return None
            name = f"{self._path.stem}-s{len(self._sealed) + 1}{self._path.suffix}"
            failpoint("files.seal.before_rename")
            self._path.replace(self._folder / name)
            sync_folder(self._folder)
            failpoint("files.seal.after_rename")
            self._sealed = (*self._sealed, Part(name, part.rows, part.size_bytes))
            return SealedPart(name, part.rows, part.size_bytes)

    def commit(self) -> Committed:
        """Name the part in the manifest, unless this delivery is already there or fenced."""
        key = delivery_key(self._delivery)
        with system_errors(self._name):
            part = self._finish()
            failpoint("files.commit.before_lock")
            with locked(self._folder):
                manifest = read_manifest(self._folder)
                earlier = manifest.commit_of(key) if manifest else None
                if earlier is None:
                    newest = read_fences(self._folder).get(key, 0)
                    if newest != self._delivery.attempt:
                        raise fenced(self._delivery, newest)
                    failpoint("files.commit.before_manifest")
                    parts = (*self._sealed, *((part,) if part else ()))
                    rows, size = sum(part.rows for part in parts), sum(part.size_bytes for part in parts)
                    earlier = Commit(key, self._delivery.attempt, rows, size)
                    self._publish(manifest, parts, earlier)
                    failpoint("files.commit.after_manifest")
                self._sweep(key)
            return _committed(earlier, self._folder)

    def abort(self) -> None:
        """Remove the part file unless the manifest names it."""
        if self._part is not None:
            try:
                self._part.close()
            except Exception:
                pass
            self._part = None
        try:
            manifest = read_manifest(self._folder)
            if not manifest or all(part.name != self._path.name for part in manifest.parts):
                self._path.unlink(missing_ok=True)
        except (OSError, TargetError):
            pass

    def _finish(self) -> Part | None:
        if self._part is None:
            return None
        self._part.close()
        self._part = None
        try:
            with self._path.open("rb") as file:
                failpoint("files.stage.sync")
                os.fsync(file.fileno())
        except FileNotFoundError:
            # Only a newer attempt's clean() removes part files.
            raise fenced(self._delivery, read_fences(self._folder).get(delivery_key(self._delivery))) from None
        sync_folder(self._folder)
        rows, self._part_rows = self._part_rows, 0
        return Part(self._path.name, rows, self._path.stat().st_size)

    def _sweep(self, key: str) -> None:
        """Nobody needs what attempts of this delivery have left, now that it is in the manifest."""
        manifest = read_manifest(self._folder)
        named = {part.name for part in manifest.parts} | set(manifest.previous) if manifest else set()
        for file in self._folder.glob(f"part-{key}-*"):
            if file.name not in named:
                file.unlink(missing_ok=True)

    def _publish(self, manifest: Manifest | None, parts: tuple[Part, ...], commit: Commit) -> None:
        """The new manifest; files dropped by the manifest before last go (a reader may still use the last one's)."""
        old = manifest or Manifest(self._form, self._target.schema)
        kept = old.parts if self._target.mode == "append" else ()
        dropped = () if self._target.mode == "append" else tuple(part.name for part in old.parts)
        fresh = Manifest(
            format=self._form,
            schema=self._target.schema if self._target.mode == "replace" or not old.parts else old.schema,
            parts=(*kept, *parts),
            commits=(*old.commits[-KEPT_COMMITS:], commit),
            previous=dropped or old.previous,
        )
        write_manifest(self._folder, fresh)
        if dropped:
            for name in old.previous:
                (self._folder / name).unlink(missing_ok=True)


# ── part files ────────────────────────────────────────────────────────────────────────────────────────────


class _ParquetPart:
    """Gathers batches into row groups of a good size."""

    def __init__(self, path: Path, schema: Any) -> None:
        self._schema = with_geo_marks(schema)
        self._writer = parquet_writer(path, self._schema)
        self._held: list[Any] = []
        self._rows = 0

    def write(self, batch: Any) -> None:
        self._held.append(batch.cast(self._schema))
        self._rows += batch.num_rows
        if self._rows >= ROW_GROUP:
            self._flush()

    def close(self) -> None:
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        import pyarrow as pa

        if self._held:
            self._writer.write_table(pa.Table.from_batches(self._held).cast(self._schema))
        self._held, self._rows = [], 0


class _CsvPart:
    """UTF-8 with a header; text is quoted, so that an empty text and no value differ."""

    def __init__(self, path: Path, schema: Any) -> None:
        import pyarrow.csv as pc

        self._schema = schema
        self._writer = pc.CSVWriter(path, schema)

    def write(self, batch: Any) -> None:
        self._writer.write_batch(batch.cast(self._schema))

    def close(self) -> None:
        self._writer.close()


def open_part(path: Path, form: str, schema: Schema) -> PartFile:
    """A new part file in ``form`` (csv or parquet)."""
    failpoint("files.stage.open")
    return _CsvPart(path, to_arrow(schema)) if form == "csv" else _ParquetPart(path, to_arrow(schema))


# ── targets ───────────────────────────────────────────────────────────────────────────────────────────────


def _is_sealed(name: str) -> bool:
    return name.rpartition("-")[2].startswith("s")


def _is_whole(folder: Path, part: Part) -> bool:
    file = folder / part.name
    return _is_sealed(part.name) and file.is_file() and file.stat().st_size == part.size_bytes


def _forget_abandoned(folder: Path) -> None:
    """Remove what was sealed for an attempt that has not come for so long that none will."""
    manifest = read_manifest(folder)
    named = {part.name for part in manifest.parts} | set(manifest.previous) if manifest else set()
    for file in folder.glob("part-*-s*"):
        if _is_sealed(file.name) and file.name not in named and file.stat().st_mtime < time.time() - ABANDONED_SECONDS:
            file.unlink(missing_ok=True)


def _root(settings: Any, context: ConnectContext) -> Path:
    return allowed_path(settings.folder, context.file_roots)


def format_of(target: Target) -> str:
    """Csv when the target says so or is called so, else parquet."""
    named = target.settings.get("format")
    return "csv" if named == "csv" or (not named and target.path[-1].lower().endswith(".csv")) else "parquet"


def _existing(folder: Path, target: Target, name: str) -> Manifest | None:
    """The target's manifest when it fits the rows, None when it is to be made."""
    if folder.is_file():
        message = text(
            f"“{name}” is a single file that others have put there; rows cannot be added safely. Write to a new name.",
            f"“{name}”是他人放置的单个文件，无法安全写入，请写入新的名称。",
        )
        raise TargetError("target.plain_file", message, name)
    manifest = read_manifest(folder)
    if manifest is None:
        others = folder.is_dir() and any(not file.name.startswith(("_", "part-")) for file in folder.iterdir())
        if others:
            message = text(
                f"“{name}” is a folder with other files. Write to a new name.",
                f"“{name}”是存有其他文件的文件夹，请写入新的名称。",
            )
            raise TargetError("target.other_folder", message, name)
        if not target.create:
            raise missing_target(name)
        return None
    if target.mode == "append" and manifest.parts:
        check_schema(manifest.schema, target.schema, name)
    return manifest


def check_schema(kept: Schema, given: Schema, name: str) -> None:
    """Whether rows of ``given`` may be added to a dataset of ``kept``. Raises TargetError."""
    missing = [column for column in kept.names if column not in given.names]
    extra = [column for column in given.names if column not in kept.names]
    if missing or extra:
        raise columns_differ(name, missing, extra)
    for field in kept.fields:
        mine = given.get(field.name)
        if mine and mine.type != field.type:
            raise types_differ(name, field.name, field.type, mine.type)


def _raise_fence(folder: Path, delivery: Delivery) -> None:
    key = delivery_key(delivery)
    fences = read_fences(folder)
    newest = fences.pop(key, 0)
    if newest > delivery.attempt:
        raise fenced(delivery, newest)
    write_fences(folder, {**fences, key: delivery.attempt})


def _remember(root: Path, path: tuple[str, ...], delivery: Delivery) -> None:
    state = root / STATE
    state.mkdir(exist_ok=True)
    note = state / delivery_key(delivery)
    if not note.exists():
        replace_file(note, msgspec.json.encode(path), "files.note")


def _target_of(root: Path, delivery: Delivery) -> Path | None:
    try:
        path = msgspec.json.decode((root / STATE / delivery_key(delivery)).read_bytes(), type=tuple[str, ...])
    except FileNotFoundError:
        return None
    return inside(root, path)


def _committed(commit: Commit, folder: Path) -> Committed:
    return Committed(commit.rows, commit.attempt, commit.size_bytes, str(folder))


@contextmanager
def system_errors(name: str) -> Iterator[None]:
    """Turn what disk and Arrow say while ``name`` is written into our errors."""
    import pyarrow as pa

    try:
        yield
    except OSError as error:
        raise of_system(error, name) from error
    except pa.ArrowInvalid as error:
        message = text(f"The rows do not have the promised types for “{name}”.", f"写入“{name}”的行与约定的类型不符。")
        raise TargetError("target.types", message, name, str(error)[:400]) from error
