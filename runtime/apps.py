from django.apps import AppConfig


class RuntimeConfig(AppConfig):
    name = "runtime"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Models can be imported only now.
        from node_catalog.uploads import discoverers
        from runtime import signals
        from runtime.requests import request_discovery

        signals.connect()
        if request_discovery not in discoverers:
            discoverers.append(request_discovery)
