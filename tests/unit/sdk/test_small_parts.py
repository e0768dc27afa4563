"""Numbers, failpoints, paths, types that meet, and the dialect of text files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from node_catalog import numbers
from node_catalog.sdk.contract import ConnectContext
from node_catalog.sdk.csv_dialect import find_dialect, names_of, unique_names
from node_catalog.sdk.csv_read import read_csv
from node_catalog.sdk.csv_settings import FileSettings
from node_catalog.sdk.csv_types import infer_types
from node_catalog.sdk.errors import DataError, RefusedError, SourceError
from node_catalog.sdk.failpoint import FailpointError, arm, failpoint
from node_catalog.sdk.file_bytes import LocalFile, sample_of
from node_catalog.sdk.outgoing import pinned
from node_catalog.sdk.paths import allowed_path, inside
from node_catalog.sdk.relation import common_type
from security.outgoing import OutgoingGuard


def test_node_numbers() -> None:
    assert numbers.node_number("33A017", "DB", "00003F7K") == "33A017/DB00003F7K-E"
    assert numbers.is_node_number("33A017/DB00003F7K-E")
    made = {numbers.new_node_number("33A017", "FL") for _ in range(200)}
    assert len(made) == 200
    assert all(numbers.is_node_number(number) for number in made)
    assert numbers.dataset_number("33A017/DB00003F7K-E", 1) == "33A017/DB00003F7K-E.0001"
    assert numbers.is_dataset_number("33A017/DB00003F7K-E.0001")


def test_a_single_wrong_character_is_noticed() -> None:
    good = "33A017/DB00003F7K-E"
    for at in range(9, 17):
        for char in numbers.ALPHABET:
            changed = good[:at] + char + good[at + 1 :]
            assert numbers.is_node_number(changed) == (changed == good)


@pytest.mark.parametrize(
    "value", ["", "x", "33A017/XX00003F7K-E", "33A017/DB00003F7K-F", "33A017/DB0000IF7K-E", "33A017/DB00003F7K-E "]
)
def test_what_is_no_number(value: str) -> None:
    assert not numbers.is_node_number(value)
    assert not numbers.is_dataset_number(value)


def test_failpoints_strike_at_their_hit() -> None:
    try:
        arm("a=raise@2, b=enospc")
        failpoint("a")
        with pytest.raises(FailpointError):
            failpoint("a")
        failpoint("a")
        with pytest.raises(OSError, match="No space"):
            failpoint("b")
        failpoint("unarmed")
    finally:
        arm("")
    failpoint("b")
    for spec in ("a", "a=explode", "a=kill@x"):
        with pytest.raises(ValueError, match="failpoint"):
            arm(spec)


def test_paths_stay_under_their_roots(tmp_path: Path) -> None:
    root, other = tmp_path / "root", tmp_path / "other"
    (root / "in").mkdir(parents=True)
    other.mkdir()
    (other / "secret").write_text("x")
    os.symlink(other, root / "link")
    roots = (str(root),)
    assert allowed_path(root / "in", roots) == root / "in"
    for bad in (
        other,
        root / "link" / "secret",
        f"{root}/../other",
        "relative",
        "/etc/passwd",
        f"{root}/x\0y",
        str(root) + "2",
    ):
        with pytest.raises(RefusedError):
            allowed_path(bad, roots)
    with pytest.raises(SourceError):
        allowed_path(root / "gone", roots)
    for parts in ((), ("..",), ("a/b",), ("link", "secret"), ("",), ("a\\b",)):
        with pytest.raises(RefusedError):
            inside(root, parts)


def test_no_guard_no_connection() -> None:
    with pytest.raises(RefusedError):
        pinned(ConnectContext(), "93.184.215.14", 443)
    with pytest.raises(RefusedError) as caught:
        pinned(ConnectContext(guard=OutgoingGuard()), "169.254.169.254", 80)
    assert caught.value.message["zh-CN"]


@pytest.mark.parametrize(
    "first, second, wanted",
    [
        ("integer", "number", "number"), ("integer", "integer", "integer"), ("text", "integer", None),
        ("decimal(10,2)", "decimal(5,4)", "decimal(12,4)"), ("integer", "decimal(10,2)", "decimal(21,2)"),
        ("decimal(38,0)", "decimal(38,38)", "number"), ("date", "timestamp", None),
        ("number", "decimal(9,1)", "number"),
    ],
)  # fmt: skip
def test_types_that_meet(first: str, second: str, wanted: str | None) -> None:
    assert common_type(first, second) == wanted
    assert common_type(second, first) == wanted


def _dialect(tmp_path: Path, content: bytes) -> FileSettings:
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    return find_dialect(*sample_of(LocalFile(path)), {})


@pytest.mark.parametrize(
    "content, wanted",
    [
        (b"a,b\n1,2\n", {"delimiter": ",", "header": True, "encoding": "utf-8"}),
        (b"a;b\n1,5;2\n2,5;3\n", {"delimiter": ";"}),
        (b"a\tb\n1\t2\n", {"delimiter": "\t"}),
        (b"a|b\n1|2\n", {"delimiter": "|"}),
        (b"1,2\n3,4\n", {"header": False}),
        ("名,值\n北京,1\n".encode("gb18030"), {"encoding": "gb18030"}),
        ("名,值\n北京,1\n".encode("utf-16"), {"encoding": "utf-16"}),
        (b"\xef\xbb\xbfa,b\n1,2\n", {"encoding": "utf-8"}),
        (b"Title of it all\n\na,b\n1,2\n3,4\n", {"skip_rows": 2}),
        (b"a,b\n1,2\n3,4\n5,6\n7,8\n9,1\nTotal: 25\n", {"footer_rows": 1}),
        (b'a,b\n1,"x\ny"\n', {"multiline": True}),
        (b"a,b\n1,2\n3,4\n5\n", {"footer_rows": 0}),
    ],
)
def test_dialects(tmp_path: Path, content: bytes, wanted: dict[str, object]) -> None:
    found = _dialect(tmp_path, content)
    assert {name: getattr(found, name) for name in wanted} == wanted


def test_names_are_made_unique() -> None:
    assert unique_names(["a", "a", "", " b  c ", "a"]) == ("a", "a_2", "column3", "b c", "a_3")


@pytest.mark.parametrize(
    "values, kind",
    [
        (["1", "-2", "NA"], "integer"), (["1", "2.5"], "number"), (["1", "-"], "integer"), (["007", "12"], "text"),
        (["12345678901234567890"], "text"), (["2024-01-31", ""], "date"), (["2024-02-31"], "text"),
        (["2024/1/5"], "date"),
        (["2024年1月5日"], "date"), (["2024-01-31 08:00", "2024-01-31 08:00:01.5"], "timestamp"),
        (["2024/1/31 8:00:01"], "timestamp"), (["08:00", "23:59:59"], "time"), (["25:00"], "text"),
        (["true", "FALSE"], "boolean"),
        (["NA"], "text"), (["1e5", "2"], "number"), (["x"], "text"),
    ],
)  # fmt: skip
def test_types_are_found(tmp_path: Path, values: list[str], kind: str) -> None:
    path = tmp_path / "x.csv"
    path.write_text("v,w\n" + "".join(f"{value},x\n" for value in values))
    found = infer_types([(LocalFile(path), ("v", "w"))], FileSettings())
    assert found.types == {"v": kind, "w": "text"}
    assert found.rows == len(values)
    settings = FileSettings(null_values=(*FileSettings().null_values, *found.nulls), formats=found.formats)
    assert sum(batch.num_rows for batch in read_csv(LocalFile(path), settings, ("v", "w"), found.types)) == len(values)


@pytest.mark.parametrize(
    "content, settings, kinds, line, code",
    [
        (b"a,b\n1,2\n3\n", FileSettings(), {}, "3", "file.row_broken"),
        (b"a,b\n1,2\n3,4,5\n", FileSettings(), {}, "3", "file.row_broken"),
        (b"a,b\n1,2\n1,x\n", FileSettings(), {"b": "integer"}, "3", "file.value"),
        (b"T\n\na,b\n1,2\n1,x\n", FileSettings(skip_rows=2), {"b": "integer"}, "5", "file.value"),
        (b"a,b\n" + b"1,2\n" * 2_000_000 + b"3,x\n", FileSettings(), {"b": "integer"}, "2000002", "file.value"),
        (b"a,b\n1,2\n2,\xff\xfe\n", FileSettings(), {}, "3", "file.encoding"),
        (b"a,b\n1,2\n2,\xff\xff\n", FileSettings(encoding="gb18030"), {}, "3", "file.encoding"),
    ],
    ids=["short", "long", "value", "after titles", "far down", "utf-8", "gb18030"],
)
def test_errors_name_file_and_line(
    tmp_path: Path, content: bytes, settings: FileSettings, kinds: dict[str, str], line: str, code: str
) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        list(read_csv(LocalFile(path), settings, ("a", "b"), kinds))
    assert caught.value.code == code
    assert caught.value.where == f"rows.csv:{line}"
    assert line in caught.value.message["en"]
    assert line in caught.value.message["zh-CN"]


def test_names_of_a_file_without_header(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("1,2,3\n")
    assert names_of(sample_of(LocalFile(path))[0], FileSettings(header=False)) == ("column1", "column2", "column3")
