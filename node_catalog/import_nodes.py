"""Register many nodes from a spreadsheet: everything is checked first, each problem with its line; then all or none.

One line is one node. Besides ``type``, ``name`` and ``organisation`` every column is a setting, named by its key or by
its title on screen; cells of settings that a line's type does not have stay empty.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from node_catalog.models import Node
from node_catalog.node_settings import check_settings
from node_catalog.nodes import create_node
from node_catalog.palette import registry
from node_catalog.sdk.contract import Connector
from node_catalog.sdk.schema import json_schema
from node_catalog.spreadsheet import Line, read_table
from security.access import Principal, require_right
from security.errors import InvalidError, Problem
from security.models import Organisation
from security.policy import Target, within
from security.text import Text, text

MAX_LINES = 2000
HEADINGS = {
    "type": ("type", "node type", "类型", "节点类型"),
    "name": ("name", "名称", "节点名称"),
    "name_en": ("name_en", "english name", "英文名称"),
    "organisation": ("organisation", "department", "部门", "部门编码"),
    "description": ("description", "说明"),
    "tags": ("tags", "标签"),
}
REQUIRED = ("type", "name")
_FIELD_OF = {word: key for key, words in HEADINGS.items() for word in words}
_YES, _NO = ("true", "yes", "1", "是"), ("false", "no", "0", "否")


@dataclass(frozen=True)
class LineProblem:
    """One problem of one line (1 is the heading)."""

    line: int
    field: str
    code: str
    message: Text


@dataclass(frozen=True)
class ImportOutcome:
    """``nodes`` are line, type and name, with number and id once they are created."""

    nodes: tuple[Mapping[str, Any], ...]
    problems: tuple[LineProblem, ...]
    is_dry_run: bool


def import_nodes(principal: Principal, data: bytes, dry_run: bool, request: Any = None) -> ImportOutcome:
    """Read CSV or .xlsx and create the nodes, unless any line has a problem. Nothing is connected to."""
    require_right(principal, "node.create")
    heading, *lines = read_table(data, MAX_LINES + 1)
    columns = _columns(heading)
    checked = [_Row(principal, line, columns) for line in lines]
    problems = [problem for row in checked for problem in row.problems]
    problems += _doubled(principal, checked)
    if not lines:
        problems.append(
            LineProblem(heading[0], "", "table.empty", text("No line below the heading.", "表头下面没有数据行。"))
        )
    if problems or dry_run:
        found = tuple({"line": row.line, "type": row.type, "name": row.name} for row in checked)
        return ImportOutcome(found, tuple(sorted(problems, key=lambda item: item.line)), dry_run)
    created = []
    with transaction.atomic():
        for row in checked:
            node = create_node(principal, row.values, request)
            created.append(
                {"line": row.line, "type": row.type, "name": row.name, "number": node.number, "id": str(node.pk)}
            )
    return ImportOutcome(tuple(created), (), False)


class _Row:
    """One line: what it says, and what is wrong with it."""

    def __init__(self, principal: Principal, line: Line, columns: list[str]) -> None:
        self.line, cells = line
        self.problems: list[LineProblem] = []
        given = {column: cell for column, cell in zip(columns, cells) if column and cell}
        if len(cells) > len(columns) and any(cells[len(columns) :]):
            self._wrong("", "line.cells", "This line has more cells than the heading.", "本行的列数多于表头。")
        self.type = given.pop("type", "")
        self.name = given.pop("name", "")
        self.organisation = self._organisation(principal, given.pop("organisation", ""))
        name = {"zh-CN": self.name, "en": given.pop("name_en", "") or self.name}
        description, tags = given.pop("description", ""), given.pop("tags", "")
        if not self.name or len(self.name) > 100:
            self._wrong("name", "name.missing", "Give a name of 1 to 100 letters.", "请填写 1 至 100 个字符的名称。")
        self.settings = self._settings(given)
        self.values = {
            "type": self.type,
            "name": name,
            "description": {"zh-CN": description} if description else {},
            "organisation": self.organisation,
            "tags": [tag.strip() for tag in tags.replace("；", ";").replace("，", ";").split(";") if tag.strip()],
            "settings": self.settings,
        }

    def _organisation(self, principal: Principal, code: str) -> Organisation | None:
        if not code:
            return None
        found = Organisation.objects.visible_to(principal).filter(code__iexact=code).first()
        if found is None:
            self._wrong("organisation", "organisation.unknown", "This department does not exist.", "部门不存在。")
        elif not within(found.path, principal.organisation_path) or not principal.may(
            "node.edit", Target(organisation_path=found.path)
        ):
            self._wrong(
                "organisation",
                "organisation.outside",
                "You may only register nodes of your own department and those below it.",
                "只能为本部门及其下级部门登记节点。",
            )
        return found

    def _settings(self, given: Mapping[str, str]) -> dict[str, Any]:
        connector = registry().connectors.get(self.type)
        if connector is None:
            self._wrong(
                "type",
                "type.unknown",
                f"There is no node type “{self.type[:40]}”. Known: {', '.join(registry().connectors)}.",
                f"没有名为“{self.type[:40]}”的节点类型，可用的有：{'、'.join(registry().connectors)}。",
            )
            return {}
        settings: dict[str, Any] = {}
        fields = _fields(connector)
        for column, cell in given.items():
            name = fields.get(column.lower())
            if name is None:
                self._wrong(
                    column,
                    "settings.unknown",
                    f"Nodes of the type “{self.type}” have no setting “{column}”. Empty this cell.",
                    f"“{self.type}”类型的节点没有“{column}”这项设置，请清空该单元格。",
                )
                continue
            try:
                settings[name] = _value(cell, json_schema(connector.Settings)["properties"][name])
            except ValueError:
                self._wrong(column, "settings.type", f"“{column}” cannot be read.", f"“{column}”的内容无法识别。")
        try:
            check_settings(self.type, settings)
        except InvalidError as error:
            for problem in error.problems:
                field = problem.pointer.removeprefix("/settings").lstrip("/")
                self.problems.append(LineProblem(self.line, field, problem.code, problem.message))
        return settings

    def _wrong(self, field: str, code: str, en: str, zh: str) -> None:
        self.problems.append(LineProblem(self.line, field, code, text(en, zh)))


def _columns(heading: Line) -> list[str]:
    """What each column is: one of our words, or the name of a setting. Raises InvalidError naming what is neither."""
    known = {word for connector in registry().connectors.values() for word in _fields(connector)}
    columns = [_FIELD_OF.get(cell.lower(), cell) for cell in heading[1]]
    problems = [
        _heading_problem(
            f"“{cell}” is neither a column nor a setting of any node type.", f"“{cell}”不是可识别的列或设置。"
        )
        for cell in columns
        if cell and cell not in HEADINGS and cell.lower() not in known
    ]
    problems += [
        _heading_problem(f"The column “{field}” is missing.", f"缺少“{HEADINGS[field][-1]}”列。")
        for field in REQUIRED
        if field not in columns
    ]
    doubled = sorted({cell for cell in columns if cell and columns.count(cell) > 1})
    problems += [_heading_problem(f"“{cell}” is there twice.", f"“{cell}”列重复。") for cell in doubled]
    if problems:
        raise InvalidError(problems=problems)
    return columns


def _heading_problem(en: str, zh: str) -> Problem:
    return Problem("/file", "table.heading", text(en, zh))


def _fields(connector: type[Connector]) -> dict[str, str]:
    """Every word for a setting (its key, its titles) → its key."""
    found: dict[str, str] = {}
    for name, part in json_schema(connector.Settings).get("properties", {}).items():
        for word in (*part.get("x-title", {}).values(), name):
            found[word.lower()] = name
    return found


def _value(cell: str, part: Mapping[str, Any]) -> Any:
    """A cell as the setting wants it; lists are parted by ``;``, groups are JSON. Raises ValueError."""
    match part.get("type"):
        case "integer":
            return int(float(cell)) if float(cell).is_integer() else float(cell)
        case "number":
            return float(cell)
        case "boolean":
            if cell.lower() not in (*_YES, *_NO):
                raise ValueError(cell)
            return cell.lower() in _YES
        case "array" if part.get("items", {}).get("type") == "string":
            return [one.strip() for one in cell.replace("；", ";").split(";") if one.strip()]
        case "array" | "object":
            return json.loads(cell)
        case _:
            return cell


def _doubled(principal: Principal, rows: list[_Row]) -> list[LineProblem]:
    """The same name twice in the file, or a node that the department already has."""
    seen: dict[tuple[str, str], int] = {}
    kept = {
        (str(node.organisation_id), str(node.name.get("zh-CN", "")).lower())
        for node in Node.objects.visible_to(principal).filter(owner=None).only("organisation_id", "name")
    }
    problems = []
    for row in rows:
        where = row.organisation.pk if row.organisation else principal.organisation_id
        key = (str(where), row.name.lower())
        if row.name and key in seen:
            message = text(f"Line {seen[key]} has the same name.", f"与第 {seen[key]} 行同名。")
            problems.append(LineProblem(row.line, "name", "name.twice", message))
        elif row.name and key in kept:
            message = text("The department already has a node of this name.", "该部门已有同名节点。")
            problems.append(LineProblem(row.line, "name", "name.taken", message))
        seen.setdefault(key, row.line)
    return problems
