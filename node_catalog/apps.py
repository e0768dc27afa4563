from django.apps import AppConfig


class NodeCatalogConfig(AppConfig):
    name = "node_catalog"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Models can be imported only when all packages are loaded.
        from node_catalog.uploads import move_files
        from security.hand_over import movers

        if move_files not in movers:
            movers.append(move_files)
