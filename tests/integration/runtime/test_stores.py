"""Files of runs in a shared folder and in a bucket: what one host keeps the others read, whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.test import override_settings

from node_catalog.sdk.contract import ConnectContext
from runtime import places
from runtime.engine.results import read_page
from runtime.errors import StoreError
from runtime.stores.base import Store
from runtime.stores.bucket import Bucket, BucketStore
from runtime.stores.folder import FolderStore
from security.outgoing import OutgoingGuard
from studio import host_check
from tests.object_store import ObjectStore

RUN = "0b5f8b1e-0000-7000-8000-000000000001"
NAME = f"exchange/{RUN}/t-1.parquet"
PART = 40_000
ANY_HOST = ConnectContext(guard=OutgoingGuard(("127.0.0.0/8",)), statement_timeout=30.0)


def in_bucket(store: ObjectStore, bucket: str, host: Path, **more: Any) -> BucketStore:
    values = {"access_key": store.access_key, "secret_key": store.secret_key, "prefix": "studio/", **more}
    settings = Bucket(f"http://127.0.0.1:{store.port}", bucket, region="us-east-1", path_style=True, **values)
    return BucketStore(settings, host, ANY_HOST, part_bytes=PART)


@pytest.fixture(params=["folder", "bucket"])
def hosts(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Store, Store]:
    """The same store as two hosts have it."""
    if request.param == "folder":
        return FolderStore(tmp_path), FolderStore(tmp_path)
    store: ObjectStore = request.getfixturevalue("object_store")
    bucket = store.bucket()
    return in_bucket(store, bucket, tmp_path / "a"), in_bucket(store, bucket, tmp_path / "b")


def written(store: Store, rows: int, name: str = NAME) -> Path:
    path = store.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.table({"n": pa.array(range(rows)), "t": pa.array([f"{n * 7919 % 104729:x}" for n in range(rows)])})
    pq.write_table(table, path, row_group_size=2000, compression="none", use_dictionary=False)
    return path


@pytest.mark.parametrize("rows", [0, 10, 20_000])
def test_what_one_host_keeps_another_reads(hosts: tuple[Store, Store], rows: int) -> None:
    mine, other = hosts
    path = written(mine, rows)
    reference = mine.keep(path)
    assert other.is_there(reference)
    with other.open(reference) as file:
        page = pq.ParquetFile(file).read_row_groups([0])  # a part of it, by ranges
        assert page.num_rows == min(rows, 2000)
    with other.open(reference) as file:
        assert file.read() == path.read_bytes()
    assert other.fetch(reference).read_bytes() == path.read_bytes()
    assert mine.keep(path) == reference, "the same attempt may say it twice"

    copy = other.copy(reference, other.root / f"exchange/{RUN}/u-0.parquet")
    other.remove(reference)
    mine.remove_copies("exchange", RUN)
    assert not mine.is_there(reference)
    assert not mine.fetch(reference).exists()
    with pytest.raises(OSError, match=r"t-1\.parquet"):
        mine.open(reference)
    assert pq.read_table(mine.fetch(copy)).num_rows == rows


def test_files_go_with_their_run(hosts: tuple[Store, Store]) -> None:
    mine, other = hosts
    references = [mine.keep(written(mine, 9000, f"exchange/{run}/t-1.parquet")) for run in ("r1", "r2")]
    results = mine.keep(written(mine, 10, "results/r1/t-1.parquet"))
    assert {run for run, _ in other.runs("exchange")} == {"r1", "r2"}
    assert all(at > 1_600_000_000 for _, at in other.runs("exchange"))
    other.remove_run("exchange", "r1")
    mine.remove_copies("exchange", "r1")
    assert [mine.is_there(reference) for reference in (*references, results)] == [False, True, True]


def test_a_reference_never_leads_out(hosts: tuple[Store, Store]) -> None:
    for reference in ("../outside", "../outside@5", "/etc/passwd", "exchange/../../x@5"):
        with pytest.raises(ValueError, match="outside"):
            hosts[0].fetch(reference)


def test_a_lost_part_is_no_file(object_store: ObjectStore, tmp_path: Path) -> None:
    bucket = object_store.bucket()
    mine, other = in_bucket(object_store, bucket, tmp_path / "a"), in_bucket(object_store, bucket, tmp_path / "b")
    reference = mine.keep(written(mine, 20_000))
    assert object_store.ask("DELETE", f"/{bucket}/studio/{NAME}.00002") == 204
    assert not other.is_there(reference)
    assert not other.fetch(reference).exists()


def test_an_object_of_another_size_is_never_replaced(object_store: ObjectStore, tmp_path: Path) -> None:
    bucket = object_store.bucket()
    mine = in_bucket(object_store, bucket, tmp_path)
    object_store.put(bucket, f"studio/{NAME}", b"other")
    with pytest.raises(StoreError, match="other bytes"):
        mine.keep(written(mine, 10))


def test_the_check_says_that_there_is_no_such_bucket(object_store: ObjectStore, tmp_path: Path) -> None:
    in_bucket(object_store, object_store.bucket(), tmp_path).check()
    with pytest.raises(StoreError, match="There is no bucket"):
        in_bucket(object_store, "nowhere", tmp_path).check()


def test_the_check_says_that_nothing_answers_or_a_folder_is_closed(tmp_path: Path) -> None:
    dead = BucketStore(Bucket("http://127.0.0.1:9", "b", "", "key", "secret", "us-east-1", True), tmp_path, ANY_HOST)
    for ask in (dead.check, lambda: dead.is_there("results/r/t@5"), lambda: dead.open("results/r/t@5")):
        with pytest.raises(StoreError, match=r"127\.0\.0\.1:9") as refused:
            ask()
        assert refused.value.status == 503
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StoreError, match="mount it here"):
        FolderStore(tmp_path / "file").check()
    FolderStore(tmp_path / "new").check()


def options(**more: object) -> Any:
    from django.conf import settings

    return override_settings(OPTIONS={**settings.OPTIONS, **more})


@pytest.mark.django_db
def test_a_host_that_is_set_up_wrongly_does_not_start_and_says_why(tmp_path: Path) -> None:
    host_check.require_ready()
    with options(EXCHANGE_URL="s3://bucket", EXCHANGE_KEY="k"), pytest.raises(SystemExit) as refused:
        host_check.require_ready()
    words = str(refused.value)
    assert "also needs EXCHANGE_ENDPOINT, EXCHANGE_SECRET" in words
    assert "SQLite is for one" in words
    assert "SECRET_KEY must be set" in words
    assert "各主机" in words
    (tmp_path / "file").write_text("")
    with options(EXCHANGE_URL=f"file://{tmp_path}/file"), pytest.raises(SystemExit, match="mount it here"):
        host_check.require_ready()


@pytest.mark.django_db
def test_keys_that_open_nothing_are_noticed(tmp_path: Path) -> None:
    from security.secrets import seal

    seal("test", "a password")
    host_check.require_ready()
    with override_settings(KEY_FILE=tmp_path / "keys.json"), pytest.raises(SystemExit, match=r"copy keys\.json"):
        host_check.require_ready()


def test_places_follow_the_option(object_store: ObjectStore, tmp_path: Path) -> None:
    with options(EXCHANGE_URL=str(tmp_path)):
        path = places.result_file("r", "t", 1)
        pq.write_table(pa.table({"n": [1, 2]}), path)
        assert places.keep(path) == "results/r/t-1.parquet"
        assert path.is_relative_to(tmp_path)
    bucket = object_store.bucket()
    with options(**object_store.exchange(bucket)):
        path = places.result_file("r", "t", 1)
        pq.write_table(pa.table({"n": [1, 2]}), path)
        reference = places.keep(path)
        assert reference == f"results/r/t-1.parquet@{path.stat().st_size}"
        path.unlink()
        assert read_page(places.StoredFile(reference))["rows"] == [[1], [2]]
        assert places.is_there(reference)
        places.remove(reference)
        assert not places.is_there(reference)
