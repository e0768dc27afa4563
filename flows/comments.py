"""Comments on a flow and its steps: threads that are resolved, and people who are mentioned and told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.db import transaction

from flows.errors import FlowError, FlowRightError
from flows.models import Comment, Flow
from node_catalog.sdk.text import shortened, text
from security import clock
from security.access import Principal
from security.models import User
from security.notices import notify_all

MOST_MENTIONS = 20
LONGEST = 4000
Json = dict[str, Any]


@transaction.atomic
def add_comment(
    flow: Flow, author: User, body: str, *, step: str = "", thread: Comment | None = None, mentions: Iterable[Any] = ()
) -> Comment:
    """A remark on the flow or one of its steps, or an answer in ``thread`` (which it opens again).

    Whoever is mentioned (people of the app's department) and whoever has written in the thread gets a notice.
    """
    body = body.strip()
    if not body or len(body) > LONGEST:
        raise FlowError(
            "comment.length",
            text(f"Write between 1 and {LONGEST} characters.", f"评论需为 1 到 {LONGEST} 个字。"),
            where="/body",
        )
    if thread is not None and thread.thread_id is not None:
        thread = thread.thread
    comment = Comment.objects.create(
        flow=flow, author=author, body=body, step=thread.step if thread else step, thread=thread
    )
    told = list(people_of(flow).filter(pk__in=list(mentions)[:MOST_MENTIONS]))
    comment.mentions.set(told)
    if thread is not None:
        Comment.objects.filter(pk=thread.pk).update(resolved_at=None, resolved_by=None)
    _tell(comment, told, thread)
    return comment


def _tell(comment: Comment, mentioned: list[User], thread: Comment | None) -> None:
    flow, author = comment.flow, comment.author
    assert author is not None
    title, link = flow.app.title, f"/flows/{flow.pk}"
    short = shortened(comment.body, 120)
    body = text(short, short)
    named = text(
        f"{author.name} mentioned you in “{title.get('en', '')}”",
        f"{author.name} 在“{title.get('zh-CN', '')}”的评论中提到了您",
    )
    notify_all([one for one in mentioned if one.pk != author.pk], "comment", named, body, link)
    if thread is None:
        return
    already = {author.pk, *(one.pk for one in mentioned)}
    writers = people_of(flow).filter(pk__in=[thread.author_id, *thread.answers.values_list("author_id", flat=True)])
    answered = text(
        f"{author.name} answered in “{title.get('en', '')}”", f"{author.name} 回复了“{title.get('zh-CN', '')}”中的评论"
    )
    notify_all([one for one in writers if one.pk not in already], "comment", answered, body, link)


def resolve(comment: Comment, user: User, is_resolved: bool) -> None:
    """Close a thread, or open it again."""
    first = comment.thread or comment
    first.resolved_at = clock.now() if is_resolved else None
    first.resolved_by = user if is_resolved else None
    first.save(update_fields=["resolved_at", "resolved_by"])


def remove(comment: Comment, user: User) -> None:
    """Take one's own comment back; with the first of a thread the answers go. Raises FlowRightError for others'."""
    if comment.author_id != user.pk:
        raise FlowRightError("comment.not_own", text("You can only remove your own comments.", "只能删除自己的评论。"))
    comment.delete()


def people_of(flow: Flow) -> Any:
    """Who may see the flow and so be mentioned: the department's people, and the owner."""
    department = User.objects.filter(organisation_id=flow.app.organisation_id, is_active=True)
    return (department | User.objects.filter(pk=flow.app.owner_id, is_active=True)).distinct().order_by("name")


def threads_as_json(flow: Flow, principal: Principal) -> list[Json]:
    """All threads, the newest first; answers in their order."""
    rows = Comment.objects.visible_to(principal).filter(flow=flow).select_related("author", "resolved_by")
    answers: dict[Any, list[Json]] = defaultdict(list)
    firsts = []
    for row in rows.prefetch_related("mentions").order_by("created_at", "pk"):
        if row.thread_id is None:
            firsts.append(row)
        else:
            answers[row.thread_id].append(_as_json(row, principal))
    return [
        {
            **_as_json(row, principal),
            "step": row.step,
            "resolved_at": row.resolved_at,
            "resolved_by": row.resolved_by and {"name": row.resolved_by.name},
            "answers": answers[row.pk],
        }
        for row in reversed(firsts)
    ]


def _as_json(row: Comment, principal: Principal) -> Json:
    return {
        "id": str(row.pk),
        "author": row.author and {"id": str(row.author_id), "name": row.author.name},
        "body": row.body,
        "mentions": [{"id": str(one.pk), "name": one.name} for one in row.mentions.all()],
        "created_at": row.created_at,
        "is_own": row.author_id == principal.user.pk,
    }


def newest_comments(flow_ids: Iterable[Any]) -> dict[str, str]:
    """A mark per flow that changes whenever its comments do (two queries)."""
    found = {str(flow_id): "" for flow_id in flow_ids}
    rows = Comment.objects.filter(flow_id__in=list(found)).values_list("flow_id", "pk", "resolved_at").order_by("pk")
    count: dict[str, list[str]] = defaultdict(list)
    for flow_id, key, resolved_at in rows:
        count[str(flow_id)].append(f"{key}{bool(resolved_at)}")
    for flow_id, parts in count.items():
        found[flow_id] = f"{len(parts)}.{sum('True' in part for part in parts)}.{parts[-1][:36]}"
    return found
