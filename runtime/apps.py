from __future__ import annotations

from typing import Any

from django.apps import AppConfig


def _discover(node: Any, user: Any) -> Any:
    # Imported when it is first needed: it brings the planner, which not every command wants to wait for.
    from runtime.requests import request_discovery

    return request_discovery(node, user)


class RuntimeConfig(AppConfig):
    name = "runtime"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Listen to changes of rights, and answer the packages below that ask for work."""
        from node_catalog.uploads import discoverers  # models exist only now
        from runtime import signals

        signals.connect()
        discoverers.append(_discover)
