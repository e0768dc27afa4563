"""What the catalogue's objects look like to the policy (``security.policy``): whose they are."""

from __future__ import annotations

from typing import Any

from security.policy import Target


def node_target(node: Any) -> Target:
    """A node belongs to its department, or to the one person whose files it holds."""
    return Target(organisation_path=node.organisation.path, owner=node.owner_id)


def request_target(request: Any) -> Target:
    """A request is decided where its dataset is kept, never by its applicant."""
    node = request.dataset.node
    return Target(organisation_path=node.organisation.path, owner=node.owner_id, applicant=request.applicant_id)
