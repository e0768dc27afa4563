"""What decides whether a call may go the way it went before: read in one query, compared as it is.

A call that comes again is not looked up again object by object. What its rights, its version and its sources were
looked up from is one statement, kept as text: the token and its person, roles and department, the published flow as
this person sees it, the datasets with their nodes, columns and grants, openings and secrets. Equal rows, equal answer;
one value that differs, whoever has written it, and the call goes the thorough way. Nothing is interpreted here.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from flows.models import PublishedFlow
from node_catalog.grants import received_for
from node_catalog.models import Column, Dataset, OutgoingOpening
from security.access import Principal
from security.facts import Facts, facts_from
from security.models import RoleAssignment, Secret, Token

TOKEN = ("pk", "revoked_at", "expires_at", "user_id", "user__is_active", "user__must_change_password",
         "user__organisation_id", "user__organisation__path")  # fmt: skip
PUBLISHED = ("pk", "flow_id", "version_id", "audience", "flow__app_id", "flow__key")
DATASET = ("pk", "number", "state", "share", "path", "settings", "rows", "node_id")
NODE = ("node__number", "node__type", "node__settings", "node__secrets", "node__limits", "node__is_active",
        "node__owner_id", "node__organisation_id", "node__organisation__path")  # fmt: skip
COLUMN = ("dataset_id", "ordinal", "name", "type", "nullable", "sensitivity")
GRANT = ("number", "dataset_id", "epoch", "state", "columns", "masks", "row_filter", "valid_from", "valid_until",
         "created_at")  # fmt: skip
OPENING = ("connector", "network", "port")
SECRET = ("pk", "updated_at")


def facts_of(token: Token, principal: Principal, app: Any, flow: str, datasets: Collection[str]) -> Facts:
    """What a call by ``token`` of the flow with this key depends on, when it reads ``datasets`` (their numbers)."""
    read = Dataset.objects.filter(number__in=datasets)
    nodes = read.values_list("node__secrets", flat=True)
    secrets = [secret for sealed in nodes for secret in sealed.values()]
    return facts_from([
        ("token", Token.objects.filter(pk=token.pk), TOKEN),
        ("role", RoleAssignment.objects.filter(user=principal.user), ("role",)),
        ("flow", PublishedFlow.objects.visible_to(principal).filter(flow__app_id=app, flow__key=flow), PUBLISHED),
        ("dataset", read, (*DATASET, *NODE)),
        ("column", Column.objects.filter(dataset__number__in=datasets), COLUMN),
        ("grant", received_for(principal, datasets), GRANT),
        ("opening", OutgoingOpening.objects.all(), OPENING),
        ("secret", Secret.objects.filter(pk__in=secrets), SECRET),
    ])  # fmt: skip
