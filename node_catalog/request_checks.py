"""What can be wrong with a request and with its approval: everything at once, each at its field."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from django.utils import timezone

from node_catalog.models import Dataset, SubscriptionRequest
from node_catalog.sdk.grant import is_mask
from security.errors import Problem
from security.text import text


def narrowing_problems(
    asked: SubscriptionRequest, columns: list[str], masks: Mapping[str, str], until: date | None
) -> list[Problem]:
    """What is wrong with an approval: it may only take away, mask, or end earlier."""
    problems = []
    outside = [name for name in columns if name not in asked.columns]
    if outside:
        names = ", ".join(outside[:5])
        wrong = text(f"These columns were not asked for: {names}.", f"以下列不在申请范围内：{names}。")
        problems.append(Problem("/columns", "columns.outside", wrong))
    for name, mask in masks.items():
        if name not in columns or not is_mask(str(mask)):
            wrong = text(
                "A mask needs a granted column and one of: null, constant, year, keep_first:n, keep_last:n.",
                "脱敏需针对已授权的列，方式为：null、constant、year、keep_first:n、keep_last:n。",
            )
            problems.append(Problem(f"/masks/{name}", "mask.unknown", wrong))
    problems.extend(term_problems(until))
    if until and asked.valid_until and until > asked.valid_until:
        later = text("This is later than asked for.", "有效期晚于申请的期限。")
        problems.append(Problem("/valid_until", "term.later", later))
    return problems + column_problems(asked.dataset, columns)


def column_problems(dataset: Dataset, columns: list[str]) -> list[Problem]:
    """At least one column, all of them known."""
    if not columns:
        return [Problem("/columns", "columns.none", text("Choose at least one column.", "请至少选择一列。"))]
    known = set(dataset.columns.values_list("name", flat=True))
    unknown = [name for name in columns if name not in known]
    if not unknown:
        return []
    names = ", ".join(str(name)[:60] for name in unknown[:5])
    wrong = text(f"The dataset has no such columns: {names}.", f"该数据集没有以下列：{names}。")
    return [Problem("/columns", "column.unknown", wrong)]


def term_problems(until: date | None) -> list[Problem]:
    """A last day within ten years, or none."""
    today = timezone.localdate()
    if until is None or today <= until <= today + timedelta(days=366 * 10):
        return []
    wrong = text("Choose a day from today on, at most ten years ahead.", "请选择今天起十年以内的日期。")
    return [Problem("/valid_until", "term.range", wrong)]
