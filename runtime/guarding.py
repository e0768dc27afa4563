"""The guard on kept rows: results, previews and samples are shown under today's rights, not those of yesterday.

A *policy* is, for each dataset behind some rows, the digest of the grant they were read with. Rows are open to a
person whose grants of today have exactly these digests; a withdrawn or changed grant closes them at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flows.graph.plan import Plan, digest_of
from node_catalog.grants import grants_for
from node_catalog.models import Dataset
from node_catalog.sdk.text import text
from runtime.errors import WithheldError
from security.models import User

Policy = Mapping[str, str]
"""Dataset number → digest of the grant."""


def policy_of(plan: Plan, stage_key: str) -> dict[str, str]:
    """The policy of a stage's rows: its own sources and those of every stage before it."""
    policy: dict[str, str] = {}
    waiting = [stage_key]
    seen: set[str] = set()
    while waiting:
        key = waiting.pop()
        if key in seen:
            continue
        seen.add(key)
        loop = next((loop for loop in plan.loops if loop.key == key), None)
        if loop is not None:
            policy.update(loop.datasets)
            waiting.append(loop.items)
            continue
        for binding in plan.stage(key).bindings:
            if binding.kind == "dataset":
                policy.update({read.dataset: read.grant_digest for read in binding.reads})
            elif binding.kind == "exchange":
                waiting.append(binding.stage)
    return dict(sorted(policy.items()))


def policy_digest(policy: Policy) -> str:
    """One hash of a policy: kept with the rows and part of every cache key."""
    return digest_of(sorted(policy.items()))


def is_open(policy: Policy, user: User) -> bool:
    """Whether the rights of ``user`` today are those that the rows were read with (two queries)."""
    if not user.is_active:
        return False
    grants = grants_for(_datasets(policy), user)
    return all(number in grants and grants[number].digest == digest for number, digest in policy.items())


def require_open(policy: Policy, user: User) -> None:
    """Raise WithheldError unless the rows are open to ``user`` today."""
    if not is_open(policy, user):
        raise WithheldError(
            "rows.withheld",
            text(
                "These rows were read under rights that you do not hold today: a grant was withdrawn, has ended or has "
                "changed. Ask for the data again in the catalogue, then run once more.",
                "这些数据是按另一份授权读取的，您今天没有相同的权限：授权可能已撤回、到期或变更。"
                "请在目录中重新申请，再运行一次。",
            ),
        )


def _datasets(policy: Policy) -> list[Any]:
    return list(Dataset.objects.filter(number__in=list(policy)).select_related("node"))
