"""Add many people from CSV text: everything is checked first, each problem with its line; then all or nobody."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from security.access import Principal, require_right
from security.create_person import PersonInput, create_person, person_problems
from security.errors import InvalidError, Problem
from security.models import Organisation
from security.text import Text, text

MAX_LINES = 500
HEADINGS = {
    "username": ("username", "用户名", "账号"),
    "name": ("name", "姓名"),
    "email": ("email", "e-mail", "邮箱"),
    "organisation": ("organisation", "department", "部门", "部门编码"),
    "roles": ("roles", "role", "角色"),
}
REQUIRED = ("username", "name", "organisation", "roles")
ROLE_NAMES = {
    "business": ("business", "business staff", "业务人员"),
    "data_admin": ("data_admin", "data admin", "数据管理员"),
    "operator": ("operator", "运维", "运维人员"),
    "platform_admin": ("platform_admin", "platform admin", "平台管理员"),
}
_ROLE_OF = {name: key for key, names in ROLE_NAMES.items() for name in names}
_FIELD_OF = {name: key for key, names in HEADINGS.items() for name in names}


@dataclass(frozen=True)
class LineProblem:
    """One problem of one line (1 is the heading)."""

    line: int
    field: str
    code: str
    message: Text


@dataclass(frozen=True)
class ImportOutcome:
    """``people`` are line, username, name and (unless a dry run) the first password."""

    people: tuple[Mapping[str, Any], ...]
    problems: tuple[LineProblem, ...]
    is_dry_run: bool


def import_people(principal: Principal, source: str, dry_run: bool, request: Any = None) -> ImportOutcome:
    """Read ``username,name,email,organisation,roles`` and create the people, unless any line has a problem.

    ``organisation`` is a department's code; roles are parted by ``;``, ``|``, ``、`` or spaces between keys.
    """
    require_right(principal, "people.manage")
    rows, problems = _read(source)
    people: list[tuple[int, PersonInput]] = []
    taken: set[str] = set()
    organisations = {organisation.code.lower(): organisation for organisation in Organisation.objects.all()}
    for line, row in rows:
        person = PersonInput(
            username=row.get("username", ""),
            name=row.get("name", ""),
            email=row.get("email", ""),
            organisation=organisations.get(row.get("organisation", "").lower()),
            roles=_roles(row.get("roles", "")),
            language=principal.language,
        )
        problems.extend(
            LineProblem(line, item.pointer.lstrip("/"), item.code, item.message)
            for item in person_problems(person, taken)
        )
        taken.add(person.username.lower())
        people.append((line, person))
    if problems or dry_run:
        found = tuple({"line": line, "username": person.username, "name": person.name} for line, person in people)
        return ImportOutcome(found, tuple(sorted(problems, key=lambda item: item.line)), dry_run)
    created = []
    with transaction.atomic():
        for line, person in people:
            user, password = create_person(principal, person, request)
            created.append({"line": line, "username": user.username, "name": user.name, "password": password})
    return ImportOutcome(tuple(created), (), False)


def _roles(value: str) -> tuple[str, ...]:
    parts = [part.strip() for part in re.split(r"[;；|、,，]", value) if part.strip()]
    return tuple(dict.fromkeys(_ROLE_OF.get(part.lower(), part) for part in parts))


def _read(source: str) -> tuple[list[tuple[int, dict[str, str]]], list[LineProblem]]:
    """The rows by field, with their line numbers, and what is wrong with the table itself."""
    reader = csv.reader(io.StringIO(source.lstrip("\ufeff")), strict=True)
    problems: list[LineProblem] = []
    rows: list[tuple[int, dict[str, str]]] = []
    try:
        heading = [_FIELD_OF.get(cell.strip().lower(), "") for cell in next(reader, [])]
        _check_heading(heading)
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            line = reader.line_num
            if len(cells) != len(heading):
                problems.append(
                    LineProblem(
                        line,
                        "",
                        "line.cells",
                        text(
                            f"This line has {len(cells)} cells, the heading has {len(heading)}.",
                            f"本行有 {len(cells)} 列，表头有 {len(heading)} 列。",
                        ),
                    )
                )
                continue
            rows.append((line, {key: cell.strip() for key, cell in zip(heading, cells, strict=True) if key}))
            if len(rows) > MAX_LINES:
                raise _refuse(
                    "csv.too_long",
                    f"At most {MAX_LINES} people at a time; split the file.",
                    f"一次最多导入 {MAX_LINES} 人，请拆分文件。",
                )
    except csv.Error as error:
        raise _refuse(
            "csv.broken",
            f"Line {reader.line_num} is no proper CSV: a quote is not closed or stands in the wrong place.",
            f"第 {reader.line_num} 行不是合法的 CSV：引号未闭合或位置不对。",
        ) from error
    if not rows and not problems:
        raise _refuse("csv.empty", "There is no line below the heading.", "表头下面没有数据行。")
    return rows, problems


def _check_heading(heading: list[str]) -> None:
    missing = [field for field in REQUIRED if field not in heading]
    doubled = sorted({field for field in heading if field and heading.count(field) > 1})
    if missing or doubled:
        names = ", ".join(missing or doubled)
        zh = "、".join(HEADINGS[field][-1] for field in missing or doubled)
        if missing:
            raise _refuse(
                "csv.heading", f"The first line must name these columns too: {names}.", f"表头缺少以下列：{zh}。"
            )
        raise _refuse("csv.heading", f"These columns are there twice: {names}.", f"以下列重复出现：{zh}。")


def _refuse(code: str, en: str, zh: str) -> InvalidError:
    return InvalidError(problems=[Problem("/csv", code, text(en, zh))])
