"""Who sees which app, flow and version: the only way a view may fetch them.

An app belongs to a department. Its people work on it together; nobody else sees it.
"""

from __future__ import annotations

from typing import Self

from django.db import models

from security.access import Principal, VisibleQuerySet


class AppQuerySet(VisibleQuerySet):
    """Apps of the principal's department (and the apps they own wherever they now work)."""

    def visible_to(self, principal: Principal) -> Self:
        mine = models.Q(organisation_id=principal.organisation_id) | models.Q(owner_id=principal.user.pk)
        return self.filter(mine, deleted_at__isnull=True)


class FlowQuerySet(VisibleQuerySet):
    """Flows of visible apps."""

    def visible_to(self, principal: Principal) -> Self:
        mine = models.Q(app__organisation_id=principal.organisation_id) | models.Q(app__owner_id=principal.user.pk)
        return self.filter(mine, app__deleted_at__isnull=True)


class VersionQuerySet(VisibleQuerySet):
    """Versions of visible apps."""

    def visible_to(self, principal: Principal) -> Self:
        mine = models.Q(app__organisation_id=principal.organisation_id) | models.Q(app__owner_id=principal.user.pk)
        return self.filter(mine, app__deleted_at__isnull=True)


class PublishedQuerySet(VisibleQuerySet):
    """Flows published as an API that the principal may call: what is somebody else's audience does not exist."""

    def visible_to(self, principal: Principal) -> Self:
        owned = models.Q(flow__app__owner_id=principal.user.pk)
        department = models.Q(audience="department", flow__app__organisation_id=principal.organisation_id)
        everybody = models.Q(audience="everyone")
        return self.filter(owned | department | everybody, flow__app__deleted_at__isnull=True)


class CommentQuerySet(VisibleQuerySet):
    """Comments on flows of visible apps."""

    def visible_to(self, principal: Principal) -> Self:
        mine = models.Q(flow__app__organisation_id=principal.organisation_id) | models.Q(
            flow__app__owner_id=principal.user.pk
        )
        return self.filter(mine, flow__app__deleted_at__isnull=True)
