"""Turns a stage of a plan into work for a child process, after checking that the plan still holds today.

Nothing is opened and no secret is unsealed before the rights and the schemas have been compared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from django.conf import settings

from flows.datasets import dataset_info, is_writer
from flows.graph.plan import HERE, Binding, Iterations, Plan, Sink, SourceRead, Stage
from flows.graph.shipping import may_receive
from flows.graph.sources import GIVEN
from node_catalog.grants import grants_for
from node_catalog.models import Dataset, Node
from node_catalog.openings import openings_for_work
from node_catalog.sdk.contract import Mode
from node_catalog.sdk.grant import GrantSpec
from node_catalog.sdk.text import text
from node_catalog.selectors import connector_settings, reading_settings, schema_of
from runtime import places, states
from runtime.engine.work import DeliverySpec, Limits, SinkSpec, SourceSpec, StageWork, outlet_path, source_alias
from runtime.errors import StalePlanError
from runtime.loads import load_of
from runtime.models import Run, Task
from security.models import User


@dataclass
class Today:
    """What the catalogue says now about what works read: looked up once for works that are made together."""

    numbers: tuple[str, ...] = ()
    datasets: dict[str, Dataset] = field(default_factory=dict)
    grants: dict[str, GrantSpec] = field(default_factory=dict)
    openings: tuple[tuple[str, str], ...] | None = None
    left: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """What stages have left that were done just now; not in the database yet."""
    coming: dict[str, str] = field(default_factory=dict)
    """The file that a stage at work will leave, when the work behind it is made already."""

    def look_up(self, stage: Stage, user: User) -> None:
        """For the datasets of ``stage`` and the rights of ``user``, who is the same each time."""
        reads = (read for binding in stage.bindings if binding.kind == "dataset" for read in binding.reads)
        numbers = tuple(read.dataset for read in reads)
        if self.openings is None:
            self.openings = openings_for_work()
        if numbers == self.numbers:
            return
        rows = Dataset.objects.filter(number__in=numbers).select_related("node").prefetch_related("columns")
        self.datasets = {row.number: row for row in rows}
        self.grants = grants_for(list(self.datasets.values()), user)
        self.numbers = numbers


def limits_for(task: Task, openings: tuple[tuple[str, str], ...] | None = None) -> Limits:
    """What one child may use, from the options; it makes its folder when it needs one."""
    options = settings.OPTIONS
    return Limits(
        memory_mb=options["CHILD_MEMORY_MB"],
        temp_folder=str(places.temporary_place(task.pk, _mark(task))),
        file_roots=tuple(settings.FILE_ROOTS),
        allowed_networks=tuple(options["ALLOWED_NETWORKS"]),
        openings=openings_for_work() if openings is None else openings,
        statement_seconds=options["STATEMENT_SECONDS"],
        span_rows=options["CHECKPOINT_ROWS"],
        time_zone=settings.TIME_ZONE,
    )


def _mark(task: Task) -> int | str:
    """What names the files of a try: its number; before its claim, the word of the claim behind which it is done."""
    return task.lot if task.state == states.PENDING else task.attempt


@dataclass(frozen=True)
class GivenRows:
    """Rows that the platform holds already: a file of ours, or some rows of it."""

    path: str
    skip: int = 0
    take: int | None = None


def stage_work(
    task: Task,
    plan: Plan,
    stage_key: str,
    reader: User | None,
    run: Run | None = None,
    given: Mapping[str, GivenRows] | None = None,
    today: Today | None = None,
) -> StageWork:
    """The work of one stage with the rights of ``reader``. Raises StalePlanError before anything is read.

    ``given`` are the rows behind bindings of that kind, by name; ``today`` is shared by works made together.
    """
    today = today or Today()
    user = _active(reader)

    def ends(stage: Stage) -> tuple[SinkSpec, Limits]:
        return _sink(task, stage, user, run), limits_for(task, today.openings)

    work = _work(plan, plan.stage(stage_key), user, run, given or {}, today, ends)
    if work.stage.engine == HERE:
        return work
    cluster = places.cluster(run.pk if run is not None else task.pk, task.pk, task.attempt)
    instead = work.instead and msgspec.structs.replace(work.instead, cluster=cluster)
    return msgspec.structs.replace(work, cluster=cluster, instead=instead)


def call_work(plan: Plan, reader: User, sink: SinkSpec, limits: Limits) -> StageWork:
    """The only stage of a plan whose rows somebody waits for, likewise; StalePlanError before anything is read."""
    today = Today()

    def ends(stage: Stage) -> tuple[SinkSpec, Limits]:
        return sink, msgspec.structs.replace(limits, openings=today.openings or ())

    return _work(plan, plan.stages[0], _active(reader), None, {}, today, ends)


def _work(
    plan: Plan,
    stage: Stage,
    user: User,
    run: Run | None,
    given: Mapping[str, GivenRows],
    today: Today,
    ends: Callable[[Stage], tuple[SinkSpec, Limits]],
) -> StageWork:
    today.look_up(stage, user)
    datasets, grants = today.datasets, today.grants
    for binding in stage.bindings:
        for read in binding.reads if binding.kind == "dataset" else ():
            check_read(read, datasets.get(read.dataset), grants.get(read.dataset))
    if stage.instead is not None and not _may_still_send(stage, datasets, grants, user):
        return _work(plan, stage.instead, user, run, given, today, ends)
    sink, limits = ends(stage)
    return StageWork(
        stage=stage,
        sources=tuple(spec for binding in stage.bindings for spec in _sources(binding, today, run, plan, given)),
        sink=sink,
        limits=limits,
        instead=_work(plan, stage.instead, user, run, given, today, ends) if stage.instead is not None else None,
    )


def _may_still_send(stage: Stage, datasets: Mapping[str, Dataset], grants: Mapping[str, GrantSpec], user: User) -> bool:
    """Whether the nodes still let the stage's rows be sent from one to another."""
    for binding in stage.bindings:
        for read in binding.sources:
            if read.shipped is None:
                continue
            small, large = dataset_info(datasets[read.dataset], user), dataset_info(datasets[binding.dataset], user)
            if may_receive(small, grants[read.dataset], large) is not None:
                return False
    return True


def _active(reader: User | None) -> User:
    if reader is None or not reader.is_active:
        raise StalePlanError(
            "run.no_reader",
            text(
                "The person whose rights this uses has left or is disabled. Somebody else must start it.",
                "此次执行所依据权限的用户已离开或被停用，请由其他人员重新启动。",
            ),
        )
    return reader


def check_binding(binding: Binding, dataset: Dataset | None, grant: GrantSpec | None) -> None:
    """``check_read`` for the only dataset of a binding."""
    (read,) = binding.reads
    check_read(read, dataset, grant)


def check_read(read: SourceRead, dataset: Dataset | None, grant: GrantSpec | None) -> None:
    """Raise StalePlanError when the dataset, the right or a needed column is not what the plan was made for."""
    where = f"/steps/{read.step}" if read.step else ""
    if dataset is None or dataset.state == Dataset.State.GONE or not dataset.node.is_active:
        raise StalePlanError(
            "dataset.gone",
            text(
                f"Dataset {read.dataset} is no longer there. Choose another one in the step.",
                f"数据集 {read.dataset} 已不存在，请在步骤中改选其他数据集。",
            ),
            where,
        )
    if grant is None or grant.digest != read.grant_digest:
        raise StalePlanError(
            "grant.withdrawn" if grant is None else "grant.changed",
            text(
                f"The right to read {read.dataset} was withdrawn or has changed since the plan was made. "
                "Run again; if the step turns red, ask for the data in the catalogue.",
                f"读取 {read.dataset} 的授权在计划生成后已被撤回或变更。请重新运行；如步骤变红，请在目录中重新申请。",
            ),
            where,
        )
    _check_columns(read, dataset, grant, where)


def _check_columns(read: SourceRead, dataset: Dataset, grant: GrantSpec, where: str) -> None:
    today = schema_of(dataset)
    for name in read.columns:
        now, planned = today.get(name), read.schema.get(name)
        is_moved = now is not None and planned is not None and name not in grant.masks and now.type != planned.type
        if now is None or is_moved:
            raise StalePlanError(
                "dataset.changed",
                text(
                    f"Column “{name}” of {read.dataset} has gone or changed its type since the plan was made. "
                    "Open the step, look at its columns and run again.",
                    f"{read.dataset} 的列“{name}”在计划生成后已消失或类型已变。请打开步骤核对列，然后重新运行。",
                ),
                where,
            )


def _sources(
    binding: Binding, today: Today, run: Run | None, plan: Plan, given: Mapping[str, GivenRows]
) -> list[SourceSpec]:
    """How a binding's rows are reached: one source, or several of one node under names of their own."""
    if not binding.sources:
        return [_source(binding, today, run, plan, given)]
    return [
        msgspec.structs.replace(
            source_of(source_alias(binding, read), today.datasets[read.dataset]),
            compared=read.compared,
            bounds=read.bounds,
        )
        for read in binding.sources
    ]


def _source(binding: Binding, today: Today, run: Run | None, plan: Plan, given: Mapping[str, GivenRows]) -> SourceSpec:
    if binding.kind == "given":
        rows = given.get(binding.dataset.removeprefix(GIVEN))
        if rows is None:
            raise _rows_gone()
        return SourceSpec(alias=binding.alias, kind="given", exchange_path=rows.path, skip=rows.skip, take=rows.take)
    if binding.kind == "exchange":
        loop = next((loop for loop in plan.loops if loop.key == binding.stage), None)
        if loop is not None and run is not None:
            return _iterations(binding, loop, run)
        coming = today.coming.get(binding.stage)
        if coming is not None:
            path = outlet_path(coming, binding.port) if binding.port else coming
        else:
            path = exchange_path(run, binding.stage, binding.port, today.left.get(binding.stage))
        return SourceSpec(alias=binding.alias, kind="exchange", schema=binding.schema, exchange_path=path)
    return msgspec.structs.replace(source_of(binding.alias, today.datasets[binding.dataset]), bounds=binding.bounds)


def source_of(alias: str, dataset: Dataset) -> SourceSpec:
    """How a dataset is reached, with its node's settings unsealed: for a child process alone, never kept or logged."""
    return SourceSpec(
        alias=alias,
        connector=dataset.node.type,
        settings=reading_settings(dataset.node),
        load=load_of(dataset.node, dataset.rows),
        path=tuple(dataset.path),
        schema=schema_of(dataset),
        dataset_settings=dict(dataset.settings),
    )


def _iterations(binding: Binding, loop: Iterations, run: Run) -> SourceSpec:
    """The rows of all iterations that are done, each with the key columns of its item."""
    done = run.tasks.filter(stage__startswith=f"{loop.key}{states.ITERATION}", state=states.DONE).order_by("stage")
    parts = tuple(
        (int(payload["index"]), str(places.absolute((result or {}).get("file", ""))))
        for payload, result in done.values_list("payload", "result")
    )
    return SourceSpec(
        alias=binding.alias,
        kind="iterations",
        schema=binding.schema,
        exchange_path=exchange_path(run, loop.items),
        parts=parts,
        keys=loop.keys,
    )


def exchange_path(run: Run | None, stage: str, port: str = "", left: Mapping[str, Any] | None = None) -> str:
    """The file with the rows of an earlier stage; nothing when that one was skipped and so has no rows.

    ``left``: what it has left, when that is known. Raises StalePlanError when the file is gone.
    """
    if left is None:
        earlier = run.tasks.filter(stage=stage).first() if run is not None else None
        if earlier is not None and earlier.state == states.SKIPPED:
            return ""
        left = (earlier.result or {}) if earlier is not None else {}
    reference = left.get("files", {}).get(port, "") if port else left.get("file", "")
    path = places.absolute(reference) if reference else None
    if path is None or not path.exists():
        raise _rows_gone()
    return str(path)


def _rows_gone() -> StalePlanError:
    return StalePlanError(
        "exchange.gone",
        text(
            "Rows that an earlier stage had computed are no longer there. Run again from the start.",
            "前一阶段计算出的中间数据已不存在，请从头重新运行。",
        ),
    )


def _sink(task: Task, stage: Stage, user: User, run: Run | None) -> SinkSpec:
    sink = stage.sink
    if sink.kind == "collect":
        return SinkSpec(kind="collect", limit=sink.limit or 100)
    owner = run.pk if run is not None else task.pk
    if sink.kind == "exchange":
        return SinkSpec(kind="exchange", path=str(places.exchange_file(owner, task.pk, _mark(task))))
    if sink.kind == "result":
        return SinkSpec(kind="result", path=str(places.result_file(owner, task.pk, _mark(task))))
    return _write_sink(task, sink, user, str(owner))


def _write_sink(task: Task, sink: Sink, user: User, run: str) -> SinkSpec:
    dataset = Dataset.objects.filter(number=sink.dataset).select_related("node").first() if sink.dataset else None
    node: Any = dataset.node if dataset else Node.objects.filter(number=sink.node, is_active=True).first()
    if node is None or not is_writer(node, user):
        raise StalePlanError(
            "target.refused",
            text(
                "The node to write to is gone, or you may not write into it any more. Choose another target.",
                "要写入的节点已不存在，或您已无写入权限，请改选其他目标。",
            ),
            f"/steps/{sink.step}",
        )
    path = tuple(dataset.path) if dataset else sink.path
    return SinkSpec(
        kind="write",
        connector=node.type,
        settings=connector_settings(node),
        target_path=path,
        target_settings=dict(dataset.settings) if dataset else {},
        mode=_mode(sink.mode),
        create=sink.create,
        key=sink.key,
        delivery=DeliverySpec(
            sink=f"{node.number}/{'/'.join(path)}"[:120], run=run, task=str(task.pk), attempt=task.attempt
        ),
    )


def _mode(name: str) -> Mode:
    """Plans made before upsert was there know two modes; anything else must never become an append."""
    modes: dict[str, Mode] = {"append": "append", "replace": "replace", "upsert": "upsert"}
    return modes[name]
