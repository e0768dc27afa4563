"""Add, change and take away nodes. A node's number is issued once and never used again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings as django_settings
from django.db import IntegrityError, transaction

from node_catalog.errors import invalid
from node_catalog.models import Dataset, Grant, Node
from node_catalog.node_settings import check_limits, check_settings, connector_of, forget_secrets, store_secrets
from node_catalog.numbers import new_node_number
from node_catalog.policy import node_target
from node_catalog.search_text import refresh_node
from node_catalog.tags import set_tags
from security import audit, clock
from security.access import Principal, require_right
from security.models import Organisation
from security.notices import notify_all
from security.policy import Target, within
from security.text import text

ISSUER = "33A017"
TRIES = 5


def issuer_prefix() -> str:
    """Six characters that say who issues the numbers."""
    return str(getattr(django_settings, "NODE_PREFIX", ISSUER))


def create_node(
    principal: Principal, values: Mapping[str, Any], request: Any = None, number: str | None = None
) -> Node:
    """A new node of ``values``: type, name, settings; optional description, tags, load
    limits, organisation (default: one's own).

    ``number`` fixes the number (demo data). Raises InvalidError with all problems of the settings.
    """
    organisation: Organisation = values.get("organisation") or principal.user.organisation
    require_right(principal, "node.create")
    require_right(principal, "node.edit", Target(organisation_path=organisation.path))
    connector = connector_of(values["type"])
    checked = check_settings(values["type"], values["settings"])
    limits = check_limits(values["type"], values.get("limits") or {})
    node = Node(
        type=values["type"],
        name=values["name"],
        description=values.get("description") or {},
        organisation=organisation,
        settings=checked.open,
        limits=limits,
        created_by=principal.user,
    )
    with transaction.atomic():
        save_numbered(node, connector.kind_code, number)
        store_secrets(node, checked.secrets)
        node.save(update_fields=["secrets"])
        set_tags(node, values.get("tags") or [])
        refresh_node(node)
        detail = {"number": node.number, "type": node.type, "organisation": organisation.code}
        audit.record("node.create", "node", node.pk, principal, detail=detail, request=request)
    return node


def save_numbered(node: Node, kind_code: str, number: str | None = None) -> None:
    """Store a new node under a fresh number; the unique key decides, a taken number is drawn again."""
    for attempt in range(TRIES):
        node.number = number or new_node_number(issuer_prefix(), kind_code)
        try:
            with transaction.atomic():
                node.save(force_insert=True)
            return
        except IntegrityError:
            if number or attempt == TRIES - 1:
                raise


def change_node(principal: Principal, node: Node, values: Mapping[str, Any], request: Any = None) -> Node:
    """Apply ``values``; what is absent stays. Secrets: absent or empty stays, text replaces, null forgets."""
    require_right(principal, "node.edit", node_target(node))
    changed = sorted(values)
    if "organisation" in values:
        _move(principal, node, values["organisation"])
    with transaction.atomic():
        given: Mapping[str, Any] = {}
        if "settings" in values:
            checked = check_settings(node.type, values["settings"], node)
            given = {name: secret for name, secret in checked.secrets.items() if secret}
            is_other = checked.open != node.settings or bool(checked.secrets)
            node.settings = checked.open
            store_secrets(node, checked.secrets)
            if is_other:
                node.health, node.health_detail, node.checked_at = Node.Health.UNKNOWN, {}, None
        if "limits" in values:
            node.limits = check_limits(node.type, values["limits"], node, given)
        for field in ("name", "description"):
            if field in values:
                setattr(node, field, values[field])
        node.save()
        if "tags" in values:
            set_tags(node, values["tags"])
        refresh_node(node)
        audit.record("node.change", "node", node.pk, principal, detail={"fields": changed}, request=request)
    return node


def _move(principal: Principal, node: Node, organisation: Organisation) -> None:
    """Give the node to another department, within those that the person looks after."""
    if node.owner_id is not None:
        raise invalid(
            "/organisation", "node.personal", "Personal files stay with their person.", "个人文件不能转给其他部门。"
        )
    if not within(organisation.path, principal.organisation_path):
        raise invalid(
            "/organisation",
            "organisation.outside",
            "You can only choose your own department and those below it.",
            "只能选择本部门及其下级部门。",
        )
    node.organisation = organisation


def delete_node(principal: Principal, node: Node, request: Any = None) -> None:
    """Take a node away: its secrets are destroyed, its datasets are gone, grants on them end. The number stays used."""
    require_right(principal, "node.edit", node_target(node))
    with transaction.atomic():
        forget_secrets(node)
        node.is_active = False
        node.save()
        Dataset.objects.filter(node=node).update(state=Dataset.State.GONE, updated_at=clock.now())
        _end_grants(principal, node)
        audit.record("node.delete", "node", node.pk, principal, detail={"number": node.number}, request=request)


def _end_grants(principal: Principal, node: Node) -> None:
    ended = list(Grant.objects.in_force().filter(dataset__node=node).select_related("dataset", "request__applicant"))
    for grant in ended:
        grant.state, grant.epoch = Grant.State.REVOKED, grant.epoch + 1
        grant.revoked_by, grant.revoked_at = principal.user, clock.now()
        grant.revoked_reason = "node deleted"
        grant.save()
    notify_all(
        [grant.request.applicant for grant in ended if grant.request],
        "grant.revoked",
        text(f"A source was taken away: {node.number}", f"数据源已撤下：{node.number}"),
        text("Apps that read it will stop. Look for another dataset.", "使用它的应用将无法运行，请改用其他数据集。"),
        "/requests",
    )
