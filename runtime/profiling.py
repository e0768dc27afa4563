"""Profiles: one scan of a dataset through the grant of the person who asked; the catalogue keeps the statistics."""

from __future__ import annotations

from flows.datasets import dataset_info
from flows.graph.planner import profile_binding
from node_catalog.catalogue import apply_profile
from node_catalog.grants import grants_for
from node_catalog.models import Dataset
from node_catalog.sdk.text import text
from runtime.bindings import check_binding, limits_for, source_of
from runtime.claims import Claim
from runtime.endings import Ending
from runtime.engine.work import ProfileOutcome, ProfileWork
from runtime.errors import StalePlanError
from runtime.handling import Handler
from runtime.reporting import Fact
from security.models import User


def _dataset_of(claim: Claim) -> Dataset:
    rows = Dataset.objects.select_related("node__organisation").prefetch_related("columns")
    dataset = rows.filter(pk=claim.task.payload["dataset"]).first()
    if dataset is None or dataset.state == Dataset.State.GONE:
        raise StalePlanError("dataset.gone", text("This dataset is no longer there.", "该数据集已不存在。"))
    return dataset


def prepare(claim: Claim) -> ProfileWork:
    """The dataset through ``narrow()`` with today's grant; no grant, no scan."""
    dataset = _dataset_of(claim)
    user = User.objects.select_related("organisation").filter(pk=claim.task.requested_by_id, is_active=True).first()
    grant = grants_for([dataset], user).get(dataset.number) if user is not None else None
    if user is None or grant is None:
        raise StalePlanError(
            "grant.withdrawn",
            text(
                "You have no right to read this dataset. Ask for it in the catalogue.",
                "您没有读取该数据集的权限，请在目录中申请。",
            ),
        )
    binding = profile_binding(dataset_info(dataset, user), grant)
    check_binding(binding, dataset, grant)
    return ProfileWork(binding=binding, source=source_of(binding.alias, dataset), limits=limits_for(claim.task))


def finish(claim: Claim, outcome: ProfileOutcome) -> Ending:
    """Statistics go to the catalogue, which shows values only to those who may see them; the task keeps counts."""
    dataset = _dataset_of(claim)
    result = {
        "dataset": str(dataset.pk),
        "rows": outcome.rows,
        "columns": len(outcome.columns),
        "sample_rows": outcome.sample_rows,
        "seconds": outcome.seconds,
    }

    def apply() -> list[Fact]:
        apply_profile(dataset, {"rows": outcome.rows, "columns": outcome.columns, "sample_rows": outcome.sample_rows})
        return []

    return Ending(result=result, apply=apply)


HANDLER = Handler(prepare=prepare, finish=finish)
