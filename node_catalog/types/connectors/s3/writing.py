"""Writing to S3, exactly once: part objects by attempt, and one manifest that is only ever replaced conditionally.

The manifest holds parts, ledger and fences in one object, so that one conditional write (If-Match on its tag) decides
both whether an attempt may still commit and what readers see.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec

from node_catalog.sdk.contract import Committed, ConnectContext, Delivery, Output, Target
from node_catalog.sdk.errors import DataError, NodeTypeError, TargetBusyError, TargetError
from node_catalog.sdk.failpoint import failpoint
from node_catalog.sdk.file_output import STATE, PartFile, check_schema, format_of, open_part, system_errors
from node_catalog.sdk.manifest import KEPT_COMMITS, MANIFEST, Commit, Part
from node_catalog.sdk.ports import Schema
from node_catalog.sdk.s3_client import Conflict, S3Client
from node_catalog.sdk.sql_node import delivery_key
from node_catalog.sdk.target_words import fenced, missing_target, no_such_mode
from node_catalog.sdk.text import text

PART_BYTES = 64 << 20
TRIES = 40


class StoredManifest(msgspec.Struct, frozen=True):
    """What readers see, and who may write. Without a commit it is only a fence: nothing is delivered yet."""

    format: str
    schema: Schema
    parts: tuple[Part, ...] = ()
    commits: tuple[Commit, ...] = ()
    previous: tuple[str, ...] = ()
    fences: dict[str, int] = {}

    def commit_of(self, delivery: str) -> Commit | None:
        """The ledger entry of a delivery."""
        return next((commit for commit in reversed(self.commits) if commit.delivery == delivery), None)


def read_stored(client: S3Client, folder: str) -> tuple[StoredManifest | None, str]:
    """The manifest below ``folder`` (a key that ends with a slash) and its tag. Raises DataError when it is damaged."""
    found = client.get(folder + MANIFEST)
    if found is None:
        return None, ""
    try:
        return msgspec.json.decode(found[0], type=StoredManifest), found[1]
    except msgspec.MsgspecError as error:
        message = text(
            f"The list of objects of “{folder}” ({MANIFEST}) is damaged. Restore it, or write the dataset anew.",
            f"“{folder}”的对象清单（{MANIFEST}）已损坏，请恢复该清单或重新写入数据集。",
        )
        raise DataError("file.manifest", message, folder) from error


class S3Output(Output):
    """Parquet or CSV part objects; the format follows the target's name (``….csv``) or the existing dataset."""

    delivery_label = "exactly_once"

    @classmethod
    def committed(cls, settings: Any, delivery: Delivery, context: ConnectContext) -> Committed | None:
        """The ledger entry of this delivery in the manifest it was opened for."""
        with S3Client(settings, context) as client:
            folder = _target_of(client, settings, delivery)
            manifest = read_stored(client, folder)[0] if folder else None
            commit = manifest.commit_of(delivery_key(delivery)) if manifest else None
            return _committed(commit, folder) if commit else None

    @classmethod
    def open(cls, settings: Any, target: Target, delivery: Delivery, context: ConnectContext) -> S3Writer:
        """Check the target and that the store knows conditional writes, raise the fence."""
        name = "/".join(target.path)
        if target.mode not in cls.modes:
            raise no_such_mode(name, target.mode)
        if any(part in ("", ".", "..") or "/" in part for part in target.path):
            raise TargetError("target.name", text(f"“{name}” is no name.", f"“{name}”不是合法的名称。"), name)
        folder = f"{settings.prefix}{name}/"
        client = S3Client(settings, context)
        try:
            manifest = read_stored(client, folder)[0]
            _check_target(client, folder, manifest, target, name)
            form = manifest.format if manifest and manifest.commits else format_of(target)
            if form == "csv" and any(field.type == "binary" for field in target.schema.fields):
                message = text("CSV cannot hold binary columns. Use Parquet.", "CSV 不能保存二进制列，请使用 Parquet。")
                raise TargetError("target.csv_binary", message, name)
            _check_conditions(client, settings)
            failpoint("s3.open.before_note")
            client.put(_note(settings, delivery), msgspec.json.encode(target.path))
            failpoint("s3.open.before_fence")
            _raise_fence(client, folder, form, target, delivery)
            failpoint("s3.open.after_fence")
        except BaseException:
            client.close()
            raise
        return S3Writer(client, folder, name, form, target, delivery, context.work_folder)

    @classmethod
    def clean(cls, settings: Any, delivery: Delivery, context: ConnectContext) -> None:
        """Remove part objects of older attempts that the manifest does not name."""
        with S3Client(settings, context) as client:
            folder = _target_of(client, settings, delivery)
            if not folder:
                return
            manifest = read_stored(client, folder)[0]
            named = {part.name for part in manifest.parts} | set(manifest.previous) if manifest else set()
            for one in client.list(f"{folder}part-{delivery_key(delivery)}-", 10_000):
                name = one.key[len(folder) :]
                attempt = name.split("-")[2]
                if attempt.isdigit() and int(attempt) < delivery.attempt and name not in named:
                    client.delete(one.key)


class S3Writer:
    """One attempt: rows go into part files on this machine's disk, each uploaded when it is large enough."""

    def __init__(
        self, client: S3Client, folder: str, name: str, form: str, target: Target, delivery: Delivery, work_folder: str
    ) -> None:
        self._client, self._folder, self._name, self._form = client, folder, name, form
        self._target, self._delivery = target, delivery
        self._place = Path(tempfile.mkdtemp(prefix="s3-", dir=work_folder or None))
        self._part: PartFile | None = None
        self._part_rows = 0
        self._parts: list[Part] = []

    def write(self, batch: Any) -> None:
        """Append one batch to the part file."""
        with system_errors(self._name):
            failpoint("s3.stage.write")
            if self._part is None:
                self._part = open_part(self._path, self._form, self._target.schema)
            self._part.write(batch)
            self._part_rows += batch.num_rows
            if self._path.stat().st_size >= PART_BYTES:
                self._upload()

    def commit(self) -> Committed:
        """Name the parts in the manifest, unless this delivery is already there or fenced."""
        key = delivery_key(self._delivery)
        with system_errors(self._name):
            self._upload()
            failpoint("s3.commit.before_manifest")
            rows, size = sum(part.rows for part in self._parts), sum(part.size_bytes for part in self._parts)
            commit = Commit(key, self._delivery.attempt, rows, size)
            for _ in range(TRIES):
                manifest, tag = read_stored(self._client, self._folder)
                earlier = manifest.commit_of(key) if manifest else None
                if earlier is not None:
                    self._close(are_parts_kept=earlier.attempt == self._delivery.attempt)
                    return _committed(earlier, self._folder)
                newest = manifest.fences.get(key, 0) if manifest else 0
                if manifest is None or newest != self._delivery.attempt:
                    self._close(are_parts_kept=False)
                    raise fenced(self._delivery, newest)
                try:
                    dropped = self._publish(manifest, tag, commit)
                except Conflict:
                    time.sleep(0.05)  # another delivery to the same dataset was faster
                    continue
                failpoint("s3.commit.after_manifest")
                for name in dropped:
                    self._client.delete(self._folder + name)
                self._close(are_parts_kept=True)
                return _committed(commit, self._folder)
        raise _contended(self._name)

    def abort(self) -> None:
        """Remove what was uploaded unless the manifest names it."""
        try:
            manifest = read_stored(self._client, self._folder)[0]
            named = {part.name for part in manifest.parts} if manifest else set()
            self._close(are_parts_kept=any(part.name in named for part in self._parts))
        except (OSError, NodeTypeError):
            shutil.rmtree(self._place, ignore_errors=True)

    @property
    def _path(self) -> Path:
        number = len(self._parts) + 1
        return self._place / f"part-{delivery_key(self._delivery)}-{self._delivery.attempt}-{number}.{self._form}"

    def _upload(self) -> None:
        if self._part is None:
            return
        self._part.close()
        self._part = None
        path = self._path
        body = path.read_bytes()
        failpoint("s3.stage.upload")
        self._client.put(self._folder + path.name, body)
        self._parts.append(Part(path.name, self._part_rows, len(body)))
        self._part_rows = 0
        path.unlink()

    def _publish(self, old: StoredManifest, tag: str, commit: Commit) -> tuple[str, ...]:
        """Replace the manifest; returns the objects that no reader needs any more. Raises Conflict."""
        is_append = self._target.mode == "append"
        dropped = () if is_append else tuple(part.name for part in old.parts)
        fresh = StoredManifest(
            format=self._form,
            schema=old.schema if is_append and old.parts else self._target.schema,
            parts=(*(old.parts if is_append else ()), *self._parts),
            commits=(*old.commits[-KEPT_COMMITS:], commit),
            previous=dropped or old.previous,
            fences=old.fences,
        )
        self._client.put(self._folder + MANIFEST, msgspec.json.encode(fresh), replaces=tag)
        return old.previous if dropped else ()

    def _close(self, *, are_parts_kept: bool) -> None:
        if self._part is not None:
            try:
                self._part.close()
            except Exception:
                pass
            self._part = None
        shutil.rmtree(self._place, ignore_errors=True)
        if not are_parts_kept:
            for part in self._parts:
                self._client.delete(self._folder + part.name)
            self._parts = []
        self._client.close()


# ── targets ───────────────────────────────────────────────────────────────────────────────────────────────


def _note(settings: Any, delivery: Delivery) -> str:
    return f"{settings.prefix}{STATE}/{delivery_key(delivery)}"


def _target_of(client: S3Client, settings: Any, delivery: Delivery) -> str:
    found = client.get(_note(settings, delivery))
    path = msgspec.json.decode(found[0], type=tuple[str, ...]) if found else ()
    return f"{settings.prefix}{'/'.join(path)}/" if path else ""


def _committed(commit: Commit, folder: str) -> Committed:
    return Committed(commit.rows, commit.attempt, commit.size_bytes, folder)


def _check_target(client: S3Client, folder: str, manifest: StoredManifest | None, target: Target, name: str) -> None:
    if manifest is None or not manifest.commits:
        if client.head(folder.rstrip("/")):
            message = text(
                f"“{name}” is a single object that others have put there; rows cannot be added safely. Write to a new "
                "name.",
                f"“{name}”是他人放置的单个对象，无法安全写入，请写入新的名称。",
            )
            raise TargetError("target.plain_file", message, name)
        if not target.create:
            raise missing_target(name)
    elif target.mode == "append" and manifest.parts:
        check_schema(manifest.schema, target.schema, name)


def _raise_fence(client: S3Client, folder: str, form: str, target: Target, delivery: Delivery) -> None:
    key = delivery_key(delivery)
    for _ in range(TRIES):
        manifest, tag = read_stored(client, folder)
        fences = dict(manifest.fences) if manifest else {}
        newest = fences.pop(key, 0)
        if newest > delivery.attempt:
            raise fenced(delivery, newest)
        kept = dict(list(fences.items())[-KEPT_COMMITS:])
        base = manifest or StoredManifest(form, target.schema)
        fresh = msgspec.structs.replace(base, fences={**kept, key: delivery.attempt})
        try:
            client.put(folder + MANIFEST, msgspec.json.encode(fresh), replaces=tag or None, is_new=not tag)
            return
        except Conflict:
            time.sleep(0.05)
    raise _contended(folder)


def _check_conditions(client: S3Client, settings: Any) -> None:
    """Try both conditions on an object of ours: a store that ignores them would lose rows without a word."""
    probe = f"{settings.prefix}{STATE}/conditions"
    ignored = []
    for condition in ({"is_new": True}, {"replaces": '"00000000000000000000000000000000"'}):
        try:
            if condition.get("is_new") and client.head(probe) is None:
                client.put(probe, b"conditions are tried here")
            client.put(probe, b"conditions are tried here", **condition)
            ignored.append(condition)
        except Conflict:
            continue
    if ignored:
        message = text(
            "This store does not know conditional writes, without which rows could be lost or doubled. Write to "
            "another node, or update the store.",
            "该存储不支持条件写入，可能造成数据丢失或重复。请写入其他节点，或升级存储服务。",
        )
        raise TargetError("s3.no_conditions", message, settings.bucket)


def _contended(name: str) -> TargetBusyError:
    message = text(
        f"Too many deliveries write to “{name}” at the same time. Try again in a moment.",
        f"同时写入“{name}”的任务过多，请稍后重试。",
    )
    return TargetBusyError("s3.contended", message, name)
