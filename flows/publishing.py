"""A flow becomes an API: its owner points it at a frozen version and says who may call it, and takes that back."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from flows.checking import draft_document
from flows.datasets import gather_sources
from flows.errors import FlowError
from flows.graph.document import Document
from flows.models import Flow, PublishedFlow
from flows.versions import save_version
from node_catalog.palette import registry
from node_catalog.sdk.text import text
from security import audit
from security.access import Principal
from security.errors import ForbiddenError
from security.models import User


@transaction.atomic
def publish_flow(flow: Flow, principal: Principal, audience: str) -> PublishedFlow:
    """Freeze the draft and let ``audience`` call it from now on; calls under way end with the version they began with.

    Raises ForbiddenError for all but the owner, and FlowError when the flow is not small enough to be waited for.
    """
    require_owner(flow, principal)
    document = draft_document(flow.draft.document)
    require_small(document)
    version = save_version(flow.app, principal.user, automatic=True, only_flow=flow.key)
    published, _ = PublishedFlow.objects.update_or_create(
        flow=flow,
        defaults={
            "version": version,
            "audience": audience,
            "columns": _columns(document, principal.user),
            "published_by": principal.user,
        },
    )
    detail = {"audience": audience, "version": version.number}
    audit.record("flow.publish", "flow", str(flow.pk), principal=principal, detail=detail)
    return published


@transaction.atomic
def withdraw_flow(flow: Flow, principal: Principal) -> None:
    """Nobody can call it any more, from the next request on."""
    require_owner(flow, principal)
    if PublishedFlow.objects.filter(flow=flow).delete()[0]:
        audit.record("flow.withdraw", "flow", str(flow.pk), principal=principal)


def publication_of(flow: Flow) -> PublishedFlow | None:
    """How a flow that somebody may see is published, whoever may call it."""
    return PublishedFlow.objects.filter(flow=flow).select_related("version").first()


def require_owner(flow: Flow, principal: Principal) -> None:
    """Raise ForbiddenError unless the app is the person's own."""
    if flow.app.owner_id != principal.id:
        raise ForbiddenError(
            "flow.not_owner",
            text(
                "Only the owner of the app may publish its flows as an API.",
                "只有应用的所有者可以把流程发布为接口。",
            ),
        )


def require_small(document: Document) -> None:
    """Raise FlowError unless the flow is one piece of work with one answer, and writes nothing."""
    types = registry().transforms
    kinds = {key: types[step.type] for key, step in document.steps.items()}
    sinks = [key for key, kind in kinds.items() if kind.role == "sink"]
    if len(sinks) != 1 or document.steps[sinks[0]].type != "output":
        raise FlowError(
            "call.one_result",
            text(
                "A flow that is called has exactly one Result step and writes nowhere else: a write needs a run, which "
                "survives being interrupted.",
                "可调用的流程只能有一个“输出结果”步骤，且不能写入其他目标：写入需要能在中断后继续的运行。",
            ),
        )
    large = next((key for key, kind in kinds.items() if kind.judges or kind.calls == "each"), "")
    if large:
        raise not_small(f"/steps/{large}")


def not_small(where: str = "") -> FlowError:
    """The flow has several stages: somebody who waits needs one."""
    return FlowError(
        "call.not_small",
        text(
            "This flow works in several stages (a check, a branch, a for-each, rows that are used twice). Start a run "
            "of it instead of calling it.",
            "该流程需要分多个阶段执行（检查、分支、逐项执行，或数据被多处使用），请启动运行，而不是直接调用。",
        ),
        where=where,
    )


def _columns(document: Document, user: User) -> list[dict[str, Any]]:
    """What arrives at the only result."""
    (sink,) = (key for key, step in document.steps.items() if step.type == "output")
    schemas = gather_sources(document, user).check(document).schemas
    port = next(wire.source for wire in document.wires if wire.target == f"{sink}.in")
    schema = schemas.get(port)
    return [{"name": field.name, "type": field.type} for field in schema.fields] if schema else []
