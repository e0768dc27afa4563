"""Plans of runs as structs, read from the database once per process: a run asks for its plan with every task."""

from __future__ import annotations

from functools import lru_cache

import msgspec

from flows.graph.plan import Iterations, Plan
from flows.models import StoredPlan


def plan_of(digest: str) -> Plan:
    """The stored plan; raises StoredPlan.DoesNotExist when retention has removed it."""
    return _load(digest)


@lru_cache(maxsize=32)
def _load(digest: str) -> Plan:
    return msgspec.convert(StoredPlan.objects.get(digest=digest).body, Plan)


def is_alone(plan: Plan) -> bool:
    """Whether a run of this plan is a single stage."""
    return len(plan.stages) == 1 and not plan.loops


def loop_of(plan: Plan, key: str) -> Iterations:
    """The for-each of a plan with this key."""
    return next(loop for loop in plan.loops if loop.key == key)
