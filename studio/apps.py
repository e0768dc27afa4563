from django.apps import AppConfig


class StudioConfig(AppConfig):
    name = "studio"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Make the doorbell's application the one that shared tasks are rung through; arm failpoints of a test."""
        from django.conf import settings

        from node_catalog.sdk import failpoint
        from studio import celery  # noqa: F401  being imported is what sets the default application

        if settings.OPTIONS["FAILPOINTS"]:
            failpoint.arm(settings.OPTIONS["FAILPOINTS"])
