"""Who may do what to whom, as one pure function: (subject, action, object) → allow, or deny with the reason.

Reading *rows* is not decided here but by grants (``node_catalog.grants``): no role opens data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from security.text import Text, text

BUSINESS, DATA_ADMIN, OPERATOR, PLATFORM_ADMIN = "business", "data_admin", "operator", "platform_admin"
ROLES = (BUSINESS, DATA_ADMIN, OPERATOR, PLATFORM_ADMIN)


@dataclass(frozen=True)
class Subject:
    """The acting person: id, department as its path from the root, roles."""

    id: Any
    organisation_path: str
    roles: frozenset[str]


@dataclass(frozen=True)
class Target:
    """What is acted on; fields that do not apply stay empty."""

    organisation_path: str = ""
    owner: Any = None
    """The person it belongs to (a personal node, an app, a token)."""
    applicant: Any = None
    """Who asked, for requests."""


@dataclass(frozen=True)
class Decision:
    """The answer; ``reason`` is for people and empty when allowed."""

    is_allowed: bool
    reason: Text


ALLOW = Decision(True, {})
Rule = Callable[[Subject, Target], Decision]


def within(path: str, ancestor: str) -> bool:
    """Whether the department at ``path`` is ``ancestor`` or lies below it. Empty paths lie nowhere."""
    return bool(path and ancestor) and path.startswith(ancestor)


def deny(en: str, zh: str) -> Decision:
    """A refusal with its reason in both languages."""
    return Decision(False, text(en, zh))


def needs_role(*roles: str) -> Rule:
    """A rule that one of ``roles`` is enough for."""

    def rule(subject: Subject, target: Target) -> Decision:
        if subject.roles & set(roles):
            return ALLOW
        return deny("This needs another role. Ask a platform administrator.", "该操作需要相应角色，请联系平台管理员。")

    return rule


def _own_data(subject: Subject, target: Target) -> Decision:
    """Nodes and datasets are kept by their owner, or by the data admins of the department or one above it."""
    if target.owner is not None:
        if target.owner == subject.id:
            return ALLOW
        return deny("These are another person's files.", "这是他人的个人文件。")
    if DATA_ADMIN in subject.roles and within(target.organisation_path, subject.organisation_path):
        return ALLOW
    return deny("Only data administrators of this department may change it.", "只有该部门的数据管理员可以修改。")


def _decide_request(subject: Subject, target: Target) -> Decision:
    if target.applicant == subject.id:
        return deny("Nobody decides on a request of their own.", "不能审批自己提交的申请。")
    return _own_data(subject, target)


def _own_only(subject: Subject, target: Target) -> Decision:
    if target.owner is not None and target.owner == subject.id:
        return ALLOW
    return deny("This belongs to another person.", "这属于其他用户。")


def _submit_request(subject: Subject, target: Target) -> Decision:
    return needs_role(BUSINESS, DATA_ADMIN)(subject, target)


RULES: Mapping[str, Rule] = {
    "people.manage": needs_role(PLATFORM_ADMIN),
    "organisation.manage": needs_role(PLATFORM_ADMIN),
    "opening.manage": needs_role(PLATFORM_ADMIN),
    "audit.read": needs_role(PLATFORM_ADMIN),
    "monitor.read": needs_role(OPERATOR, PLATFORM_ADMIN),
    "pool.manage": needs_role(OPERATOR, PLATFORM_ADMIN),
    "node.create": needs_role(DATA_ADMIN),
    "node.edit": _own_data,
    "dataset.edit": _own_data,
    "request.submit": _submit_request,
    "request.decide": _decide_request,
    "request.withdraw": _own_only,
    "grant.revoke": _own_data,
    "file.upload": needs_role(BUSINESS, DATA_ADMIN),
}


def decide(subject: Subject, action: str, target: Target | None = None, rules: Mapping[str, Rule] = RULES) -> Decision:
    """Allow or deny ``action``; an action without a rule is denied."""
    rule = rules.get(action)
    if rule is None:
        return deny("This action is not known.", "未知操作。")
    return rule(subject, target or Target())
