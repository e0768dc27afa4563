"""What decides whether a call may go the way it went before: read in one query, compared as it is.

A call that comes again is not looked up again object by object. What its rights, its version and its sources were
looked up from is one statement, kept as text: the token and its person, roles and department, the published flow as
this person sees it, the datasets with their nodes, columns and grants, openings and secrets. Equal rows, equal answer;
one value that differs, whoever has written it, and the call goes the thorough way. Nothing is interpreted here.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import QuerySet, TextField, Value
from django.db.models.functions import Cast

from flows.models import PublishedFlow
from node_catalog.models import Column, Dataset, Grant, OutgoingOpening
from security.access import Principal
from security.models import RoleAssignment, Secret, Token

Rows = frozenset[tuple[Any, ...]]

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
WIDTH = len(DATASET) + len(NODE)


@dataclass(frozen=True)
class Facts:
    """The statement that reads them, for one token, flow and set of datasets."""

    sql: str
    values: tuple[Any, ...]

    def read(self) -> Rows:
        """The rows of this moment."""
        with connection.cursor() as cursor:
            cursor.execute(self.sql, self.values)
            return frozenset(map(tuple, cursor.fetchall()))


def facts_of(token: Token, principal: Principal, app: Any, flow: str, datasets: Collection[str]) -> Facts:
    """What a call by ``token`` of the flow with this key depends on, when it reads ``datasets`` (their numbers)."""
    read = Dataset.objects.filter(number__in=datasets)
    nodes = read.values_list("node__secrets", flat=True)
    secrets = [secret for sealed in nodes for secret in sealed.values()]
    parts = [
        _texts(Token.objects.filter(pk=token.pk), "token", TOKEN),
        _texts(RoleAssignment.objects.filter(user=principal.user), "role", ("role",)),
        _texts(PublishedFlow.objects.visible_to(principal).filter(flow__app_id=app, flow__key=flow), "flow", PUBLISHED),
        _texts(read, "dataset", (*DATASET, *NODE)),
        _texts(Column.objects.filter(dataset__number__in=datasets), "column", COLUMN),
        _texts(_grants(principal, datasets), "grant", GRANT),
        _texts(OutgoingOpening.objects.all(), "opening", OPENING),
        _texts(Secret.objects.filter(pk__in=secrets), "secret", SECRET),
    ]
    # A part that can have no rows (no dataset, no secret) has no SQL either.
    whole = parts[0].union(*parts[1:], all=True)
    sql, values = whole.query.get_compiler(connection=connection).as_sql()
    return Facts(sql, tuple(values))


def next_term(principal: Principal, datasets: Collection[str], now: datetime) -> datetime | None:
    """When the next grant begins or ends by itself: no row changes then."""
    terms = _grants(principal, datasets).values_list("valid_from", "valid_until")
    return min((term for pair in terms for term in pair if term is not None and term > now), default=None)


def _grants(principal: Principal, datasets: Collection[str]) -> Any:
    return Grant.objects.received_by(principal).filter(dataset__number__in=datasets)


def _texts(rows: QuerySet[Any], kind: str, names: tuple[str, ...]) -> Any:
    """Columns of a query as texts, all parts as wide as the widest."""
    columns = [Cast(name, TextField()) for name in names]
    padding = [Value("", output_field=TextField()) for _ in range(WIDTH - len(names))]
    return rows.order_by().values_list(Value(kind, output_field=TextField()), *columns, *padding)
