"""Small worlds for runtime tests: departments, people, an app with a version, and runs with hand-made plans."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec
from django.db import transaction

from flows.graph.plan import Binding, Iterations, Plan, Sink, Stage, digest_of
from flows.models import App, Draft, Flow, StoredPlan, Version
from node_catalog.sdk.ports import Schema
from runtime import scheduler
from runtime.models import Run
from runtime.starting import Start, look_around
from security.models import Organisation, RoleAssignment, User

SCHEMA = Schema.of([("n", "integer")])


def make_organisation(code: str) -> Organisation:
    organisation = Organisation.objects.create(code=code, name={"en": code, "zh-CN": code})
    organisation.path = f"/{organisation.pk}/"
    organisation.save()
    return organisation


def make_user(name: str, organisation: Organisation, *roles: str) -> User:
    user = User(username=name, name=name, organisation=organisation, language="en")
    user.set_password("Long-enough-2026")
    user.save()
    for role in roles or ("business",):
        RoleAssignment.objects.create(user=user, role=role)
    return user


def stage(key: str, after: tuple[str, ...] = (), sink: str = "exchange") -> Stage:
    """A stage that reads the exchange of ``after``."""
    bindings = tuple(Binding(alias=f"in_{name}", kind="exchange", schema=SCHEMA, stage=name) for name in after)
    return Stage(
        key=key,
        steps=(f"step_{key}",),
        bindings=bindings,
        text="select 1 as n",
        schema=SCHEMA,
        sink=Sink(kind=sink, step=f"step_{key}", schema=SCHEMA, name=key if sink == "result" else ""),  # type: ignore[arg-type]
    )


@dataclass
class World:
    """Two departments; ``staff`` works in the first, which owns the app."""

    organisation: Organisation
    other: Organisation
    staff: User
    stranger: User
    operator: User
    admin: User
    app: App
    flow: Flow
    version: Version
    plans: list[StoredPlan] = field(default_factory=list)

    def make_run(
        self,
        *stages: Stage,
        user: User | None = None,
        loops: tuple[Iterations, ...] = (),
        parameters: dict[str, Any] | None = None,
    ) -> Run:
        """A run of a plan with these stages, as the scheduler stores it."""
        plan = Plan(stages=stages, loops=loops)
        body = msgspec.to_builtins(plan)
        stored, _ = StoredPlan.objects.get_or_create(digest=digest_of(body), defaults={"body": body})
        start = Start(self.flow, self.version, stored, plan, look_around(plan))
        return scheduler.start_again(start, user or self.staff, parameters or {})


def make_world() -> World:
    with transaction.atomic():
        organisation, other = make_organisation("env"), make_organisation("tax")
        staff = make_user("staff", organisation, "business", "data_admin")
        app = App.objects.create(title={"en": "Air", "zh-CN": "空气"}, owner=staff, organisation=organisation)
        flow = Flow.objects.create(app=app, key="main", title={"en": "Main", "zh-CN": "主流程"})
        document: dict[str, Any] = {
            "kind": "flow", "spec": "1", "title": {"en": "Main"},
            "steps": {"step_a": {"type": "limit", "version": 1, "settings": {"rows": 4711004711}}}, "wires": [],
        }  # fmt: skip
        Draft.objects.create(flow=flow, document=document)
        version = Version.objects.create(
            app=app, number=1, document={"flows": {"main": {"document": document, "layout": {}}}}, digest="0" * 64
        )
        return World(
            organisation, other, staff, make_user("stranger", other, "business", "data_admin"),
            make_user("operator", other, "operator"), make_user("admin", other, "platform_admin"), app, flow, version,
        )  # fmt: skip
