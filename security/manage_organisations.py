"""Add and change departments; moving one moves its whole subtree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from security import audit
from security.access import Principal, require_right
from security.errors import ConflictError, InvalidError, Problem
from security.models import Organisation, User
from security.policy import within
from security.text import text

MAX_DEPTH = 12


def create_organisation(
    principal: Principal, code: str, name: dict[str, str], parent: Organisation | None, request: Any = None
) -> Organisation:
    """A new department below ``parent`` (or a root). Codes are unique without case."""
    require_right(principal, "organisation.manage")
    _check_code(code, None)
    _check_depth(parent, 1)
    with transaction.atomic():
        organisation = Organisation.objects.create(code=code, name=name, parent=parent)
        audit.record(
            "organisation.create", "organisation", organisation.pk, principal, detail={"code": code}, request=request
        )
    return organisation


def change_organisation(
    principal: Principal, organisation: Organisation, values: Mapping[str, Any], request: Any = None
) -> Organisation:
    """Apply ``values`` (code, name, parent, is_active). Raises ConflictError when people still work there."""
    require_right(principal, "organisation.manage")
    if "code" in values:
        _check_code(values["code"], organisation)
    is_moved = "parent" in values and getattr(values["parent"], "pk", None) != organisation.parent_id
    if is_moved:
        _check_parent(organisation, values["parent"])
    if values.get("is_active") is False:
        _check_empty(organisation)
    with transaction.atomic():
        for field in ("code", "name", "parent", "is_active"):
            if field in values:
                setattr(organisation, field, values[field])
        organisation.save()
        if is_moved:
            _move_children(organisation)
        detail = {"fields": sorted(values), "code": organisation.code}
        audit.record("organisation.change", "organisation", organisation.pk, principal, detail=detail, request=request)
    return organisation


def _move_children(organisation: Organisation) -> None:
    """Rewrite the paths below a moved department, parents before children."""
    for child in Organisation.objects.filter(parent=organisation):
        child.parent = organisation
        child.save(update_fields=["path"])
        _move_children(child)


def _check_code(code: str, organisation: Organisation | None) -> None:
    same = Organisation.objects.filter(code__iexact=code)
    if organisation is not None:
        same = same.exclude(pk=organisation.pk)
    if same.exists():
        message = text("This code is in use by another department.", "该编码已被其他部门使用。")
        raise InvalidError(problems=[Problem("/code", "code.taken", message)])


def _check_parent(organisation: Organisation, parent: Organisation | None) -> None:
    if parent is not None and within(parent.path, organisation.path):
        message = text("A department cannot lie below itself.", "部门不能移到自己的下级。")
        raise InvalidError(problems=[Problem("/parent", "parent.cycle", message)])
    paths = Organisation.objects.filter(path__startswith=organisation.path).values_list("path", flat=True)
    height = max((path.count("/") for path in paths), default=0) - organisation.path.count("/") + 1
    _check_depth(parent, height)


def _check_depth(parent: Organisation | None, height: int) -> None:
    if parent is not None and parent.path.count("/") - 1 + height > MAX_DEPTH:
        message = text(f"At most {MAX_DEPTH} levels of departments.", f"部门层级最多 {MAX_DEPTH} 级。")
        raise InvalidError(problems=[Problem("/parent", "parent.too_deep", message)])


def _check_empty(organisation: Organisation) -> None:
    below = Organisation.objects.filter(path__startswith=organisation.path)
    if User.objects.filter(organisation__in=below, is_active=True).exists():
        raise ConflictError(
            "organisation.in_use",
            text(
                "People still work in this department. Move them first, then close it.",
                "该部门仍有在用人员，请先将人员调出后再停用。",
            ),
        )
