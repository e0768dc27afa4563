from __future__ import annotations

from typing import Any

from django.apps import AppConfig


class FlowsConfig(AppConfig):
    name = "flows"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Tell the packages below what this one owns and counts."""
        from flows.change_app import hand_over_apps  # models exist only now
        from flows.models import DatasetUse
        from node_catalog.selectors import usage_counters
        from security.hand_over import movers

        def apps_using(dataset: Any) -> int:
            uses = DatasetUse.objects.filter(dataset=dataset, version__app__deleted_at=None)
            return uses.values("version__app").distinct().count()

        movers.append(hand_over_apps)
        usage_counters.append(apps_using)
