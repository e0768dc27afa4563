"""What operators do with pools: make one, change its name and places, remove one that no flow uses."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from django.db import IntegrityError, transaction

from node_catalog.sdk.text import text
from runtime.models import Pool
from runtime.node_slots import ring_next
from runtime.pools import key_of, places_taken, waiting_for
from runtime.uses import uses_text
from security import audit
from security.access import Principal, require_right
from security.errors import ConflictError, InvalidError, Problem

MANAGE = "pool.manage"


def create_pool(principal: Principal, values: Mapping[str, Any], request: Any = None) -> Pool:
    """A new pool of ``values``: name, note, places. Raises InvalidError for a name that is taken."""
    require_right(principal, MANAGE)
    return _save(Pool(), principal, values, "pool.create", request)


def change_pool(principal: Principal, pool: Pool, values: Mapping[str, Any], request: Any = None) -> Pool:
    """Change name, note or places. With fewer places than are taken nothing is stopped: nothing begins until enough
    has ended.
    """
    require_right(principal, MANAGE)
    changed = _save(pool, principal, values, "pool.change", request)
    # More places: those that wait may begin.
    transaction.on_commit(partial(ring_next, uses_text({key_of(changed): 1})), robust=True)
    return changed


def remove_pool(principal: Principal, pool: Pool, request: Any = None) -> None:
    """Remove a pool. Raises ConflictError while a flow's run settings name it."""
    require_right(principal, MANAGE)
    with transaction.atomic():
        list(Pool.objects.select_for_update().filter(pk=pool.pk))
        flows = pool.rules.count()
        if flows:
            raise ConflictError(
                "pool.used",
                text(
                    f"“{pool.name}” is still the pool of {flows} {'flow' if flows == 1 else 'flows'}. Close it with 0 "
                    "places, or have another one chosen in the run settings.",
                    f"有 {flows} 个流程正在使用资源池“{pool.name}”。可将名额设为 0 以关闭，"
                    "或请流程负责人在运行设置中改选其他资源池。",
                ),
            )
        audit.record("pool.delete", "pool", str(pool.pk), principal, detail={"name": pool.name}, request=request)
        pool.delete()


def pool_card(pool: Pool) -> dict[str, Any]:
    """A pool as the monitor shows it: places, how many are taken, how many tasks wait, how many flows use it."""
    return {
        "id": str(pool.pk),
        "name": pool.name,
        "note": pool.note,
        "places": pool.places,
        "in_use": places_taken([pool])[pool.pk],
        "waiting": waiting_for(pool),
        "flows": pool.rules.count(),
    }


def _save(pool: Pool, principal: Principal, values: Mapping[str, Any], action: str, request: Any) -> Pool:
    pool.name, pool.note, pool.places = values["name"].strip(), values.get("note") or "", values["places"]
    detail = {"name": pool.name, "places": pool.places}
    try:
        with transaction.atomic():
            pool.save()
            audit.record(action, "pool", str(pool.pk), principal, detail=detail, request=request)
    except IntegrityError as error:
        message = text("There is a pool of this name already.", "已有同名的资源池。")
        raise InvalidError(problems=[Problem("/name", "pool.taken", message)]) from error
    return pool
