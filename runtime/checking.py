"""Connection tests: of a catalogued node, or of settings that somebody is still typing (they travel sealed)."""

from __future__ import annotations

import json
from typing import Any

from node_catalog.models import Node
from node_catalog.selectors import connector_settings, load_limits, reading_settings
from runtime.bindings import limits_for
from runtime.claims import Claim
from runtime.discovering import node_of
from runtime.endings import Ending
from runtime.engine.work import CheckOutcome, CheckWork
from runtime.handling import Handler
from runtime.loads import load_of
from runtime.reporting import Fact
from security import clock
from security.secrets import delete_secrets, open_secret


def prepare(claim: Claim) -> CheckWork:
    """Settings are unsealed only here, in the worker that owns the claim."""
    payload = claim.task.payload
    if "sealed" in payload:
        plain: dict[str, Any] = json.loads(open_secret(payload["sealed"]))
        stored = _stored_secrets(payload)
        is_left_empty = {name for name in stored if plain["settings"].get(name) in (None, "")}
        typed = {name: value for name, value in plain["settings"].items() if name not in is_left_empty}
        values = {**stored, **typed}
        return CheckWork(connector=plain["type"], settings=values, limits=limits_for(claim.task))
    node = node_of(claim.task)
    return CheckWork(
        connector=node.type,
        settings=connector_settings(node),
        limits=limits_for(claim.task),
        load=load_of(node),
        replica=reading_settings(node) if load_limits(node).replica else None,
    )


def _stored_secrets(payload: dict[str, Any]) -> dict[str, Any]:
    """Secrets of the node that is being edited, for fields that were left empty."""
    node = Node.objects.filter(pk=payload["secrets_of"]).first() if "secrets_of" in payload else None
    return {name: open_secret(secret) for name, secret in node.secrets.items()} if node is not None else {}


def finish(claim: Claim, outcome: CheckOutcome) -> Ending:
    """The answer in words; a catalogued node also keeps it as its health."""
    check = outcome.check
    answer = {
        "ok": check.ok,
        "code": check.code,
        "message": dict(check.message),
        "facts": dict(check.facts),
        "seconds": round(outcome.seconds, 3),
    }
    payload = claim.task.payload

    def apply() -> list[Fact]:
        if "sealed" in payload:
            delete_secrets([payload["sealed"]])
        else:
            Node.objects.filter(pk=payload["node"]).update(
                health=Node.Health.OK if check.ok else Node.Health.FAILING,
                health_detail={key: answer[key] for key in ("code", "message", "facts")},
                checked_at=clock.now(),
            )
        return []

    return Ending(result=answer, apply=apply)


HANDLER = Handler(prepare=prepare, finish=finish, is_light=True)
