"""Ask to use a dataset, and decide on it: the decision may narrow what was asked, and nobody decides for themselves."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from node_catalog.errors import invalid
from node_catalog.grants import grant_for
from node_catalog.models import Dataset, Grant, SubscriptionRequest
from node_catalog.numbers import ALPHABET
from node_catalog.policy import node_target, request_target
from node_catalog.request_checks import column_problems, narrowing_problems, term_problems
from node_catalog.selectors import title_of
from security import audit, clock
from security.access import Principal, require_right
from security.errors import ConflictError, InvalidError, Problem
from security.models import User
from security.notices import notify, notify_all
from security.policy import DATA_ADMIN, Target
from security.text import Text, text

State = SubscriptionRequest.State
MIN_PURPOSE = 4


# ── Ask ───────────────────────────────────────────────────────────────────────────────────────────────────


def submit_request(
    principal: Principal,
    dataset: Dataset,
    columns: Iterable[str],
    purpose: str,
    valid_until: date | None = None,
    request: Any = None,
) -> SubscriptionRequest:
    """Ask for some columns of a visible dataset; the data admins who keep it are told. Raises all problems at once."""
    require_right(principal, "request.submit")
    wanted = list(dict.fromkeys(columns))
    problems = column_problems(dataset, wanted) + term_problems(valid_until)
    if len(purpose.strip()) < MIN_PURPOSE:
        why = text("Say in a few words what the data is for.", "请简要说明数据用途。")
        problems.append(Problem("/purpose", "purpose.short", why))
    if problems:
        raise InvalidError(problems=problems)
    _check_need(principal, dataset, wanted)
    with transaction.atomic():
        asked = _save_numbered(
            "SQ",
            lambda number: SubscriptionRequest(
                number=number,
                applicant=principal.user,
                organisation=principal.user.organisation,
                dataset=dataset,
                columns=wanted,
                purpose=purpose.strip(),
                valid_until=valid_until,
            ),
        )
        detail = {"number": asked.number, "dataset": dataset.number, "columns": wanted}
        audit.record("request.submit", "request", asked.pk, principal, detail=detail, request=request)
        notify_all(
            deciders(dataset, principal),
            "request.submitted",
            text(f"{principal.user.name} asks for data", f"{principal.user.name} 申请使用数据"),
            _about(dataset),
            "/requests?box=inbox",
        )
    return asked


def deciders(dataset: Dataset, but: Principal | None = None) -> list[User]:
    """The active data admins of the dataset's department and of those above it."""
    path = dataset.node.organisation.path
    steps = [part for part in path.split("/") if part]
    above = ["/" + "/".join(steps[: count + 1]) + "/" for count in range(len(steps))]
    found = User.objects.filter(
        is_active=True, role_assignments__role=DATA_ADMIN, organisation__path__in=above
    ).distinct()
    return [user for user in found if but is None or user.pk != but.id]


def _check_need(principal: Principal, dataset: Dataset, wanted: list[str]) -> None:
    """No request for what is there already, for what is never shared, or twice."""
    if dataset.state == Dataset.State.GONE or dataset.share == Dataset.Share.NONE:
        raise ConflictError(
            "dataset.not_offered",
            text("This dataset is not offered for use.", "该数据集不提供共享，无法申请。"),
        )
    grant = grant_for(dataset, principal)
    if grant is not None and set(wanted) <= set(grant.columns) - set(grant.masks):
        raise ConflictError(
            "request.needless",
            text("You may use these columns already.", "您已有这些列的使用权限，无需申请。"),
        )
    mine = SubscriptionRequest.objects.filter(applicant_id=principal.id, dataset=dataset, state=State.SUBMITTED)
    if mine.exists():
        raise ConflictError(
            "request.open",
            text(
                "Your request for this dataset is still waiting. Withdraw it to ask anew.",
                "您对该数据集的申请正在等待审批；如需更改，请先撤回。",
            ),
        )


# ── Decide ────────────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def approve_request(
    principal: Principal, asked: SubscriptionRequest, narrowed: Mapping[str, Any], request: Any = None
) -> Grant:
    """Give the department a grant, possibly narrower: fewer ``columns``, ``masks``, an earlier ``valid_until``."""
    asked = _locked(principal, asked)
    columns = list(dict.fromkeys(narrowed.get("columns") or asked.columns))
    masks = dict(narrowed.get("masks") or {})
    until = narrowed.get("valid_until") or asked.valid_until
    problems = narrowing_problems(asked, columns, masks, until)
    if problems:
        raise InvalidError(problems=problems)
    grant = _save_numbered(
        "GR",
        lambda number: Grant(
            number=number,
            dataset=asked.dataset,
            organisation=asked.organisation,
            request=asked,
            columns=_with_free_columns(asked.dataset, columns, masks),
            masks=masks,
            purpose=asked.purpose,
            valid_from=clock.now(),
            valid_until=_end_of(until),
        ),
    )
    _decide(principal, asked, State.APPROVED, narrowed.get("reason") or "")
    is_narrower = set(columns) != set(asked.columns) or bool(masks) or until != asked.valid_until
    detail = {"grant": grant.number, "columns": columns, "masks": masks, "until": until, "narrowed": is_narrower}
    audit.record("request.approve", "request", asked.pk, principal, detail=detail, request=request)
    title = (
        text("Approved, with less than you asked for", "申请已批准（范围有缩减）")
        if is_narrower
        else text("Your request was approved", "您的申请已批准")
    )
    notify(asked.applicant, "request.approved", title, _about(asked.dataset), "/requests?box=mine")
    return grant


@transaction.atomic
def reject_request(
    principal: Principal, asked: SubscriptionRequest, reason: str, request: Any = None
) -> SubscriptionRequest:
    """Refuse, with a reason that the applicant reads."""
    asked = _locked(principal, asked)
    if not reason.strip():
        raise _no_reason()
    _decide(principal, asked, State.REJECTED, reason.strip())
    audit.record("request.reject", "request", asked.pk, principal, detail={"reason": reason}, request=request)
    notify(
        asked.applicant,
        "request.rejected",
        text("Your request was refused", "您的申请未通过"),
        text(reason.strip(), reason.strip()),
        "/requests?box=mine",
    )
    return asked


@transaction.atomic
def withdraw_request(principal: Principal, asked: SubscriptionRequest, request: Any = None) -> SubscriptionRequest:
    """Take one's own waiting request back."""
    require_right(principal, "request.withdraw", _own_target(asked))
    asked = _open_request(asked)
    asked.state = State.WITHDRAWN
    asked.save(update_fields=["state"])
    audit.record("request.withdraw", "request", asked.pk, principal, request=request)
    return asked


@transaction.atomic
def revoke_grant(principal: Principal, grant: Grant, reason: str, request: Any = None) -> Grant:
    """End a grant at once: its epoch moves, so every plan made with it is refused from now on."""
    grant = Grant.objects.select_for_update().get(pk=grant.pk)
    require_right(principal, "grant.revoke", node_target(grant.dataset.node))
    if not reason.strip():
        raise _no_reason()
    if grant.state != Grant.State.ACTIVE:
        raise ConflictError("grant.ended", text("This grant has ended already.", "该授权已经结束。"))
    grant.state, grant.epoch = Grant.State.REVOKED, grant.epoch + 1
    grant.revoked_by, grant.revoked_at, grant.revoked_reason = principal.user, clock.now(), reason.strip()
    grant.save()
    audit.record("grant.revoke", "grant", grant.pk, principal, detail={"reason": reason}, request=request)
    if grant.request is not None:
        notify(
            grant.request.applicant,
            "grant.revoked",
            text("A grant was withdrawn", "授权已被撤回"),
            text(reason.strip(), reason.strip()),
            "/requests?box=mine",
        )
    return grant


# ── Parts ─────────────────────────────────────────────────────────────────────────────────────────────────


def _own_target(asked: SubscriptionRequest) -> Any:
    return Target(owner=asked.applicant_id)


def _open_request(asked: SubscriptionRequest) -> SubscriptionRequest:
    """The request under a lock, still waiting."""
    found = SubscriptionRequest.objects.select_for_update().get(pk=asked.pk)
    if found.state != State.SUBMITTED:
        raise ConflictError(
            "request.decided",
            text("This request has been decided or withdrawn already.", "该申请已处理或已撤回，请刷新后查看。"),
        )
    return found


def _locked(principal: Principal, asked: SubscriptionRequest) -> SubscriptionRequest:
    require_right(principal, "request.decide", request_target(asked))
    return _open_request(asked)


def _decide(principal: Principal, asked: SubscriptionRequest, state: str, reason: str) -> None:
    asked.state, asked.reason = state, reason
    asked.decided_by, asked.decided_at = principal.user, clock.now()
    asked.save(update_fields=["state", "reason", "decided_by", "decided_at"])


def _with_free_columns(dataset: Dataset, columns: list[str], masks: Mapping[str, str]) -> list[str]:
    """A grant on an unconditionally shared dataset keeps what everybody may read, so that it is never less."""
    if dataset.share != Dataset.Share.UNCONDITIONAL or masks:
        return columns
    free = dataset.columns.filter(sensitivity="").values_list("name", flat=True)
    return list(dict.fromkeys([*free, *columns]))


def _end_of(day: date | None) -> datetime | None:
    """The first moment after ``day`` in the city's zone."""
    return None if day is None else timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min))


def _about(dataset: Dataset) -> Text:
    title = title_of(dataset)
    return {language: f"{words} · {dataset.number}" for language, words in title.items()}


def _no_reason() -> InvalidError:
    return invalid("/reason", "reason.needed", "Say why, so that people know what to do.", "请填写理由，便于对方了解。")


def _save_numbered(prefix: str, make: Callable[[str], Any]) -> Any:
    """Store what ``make`` builds under a fresh number like ``SQ20261122-7K3F9A2B4C``."""
    body = "".join(secrets.choice(ALPHABET) for _ in range(10))  # 31^10: a second draw is never needed
    thing = make(f"{prefix}{timezone.localdate():%Y%m%d}-{body}")
    thing.save(force_insert=True)
    return thing
