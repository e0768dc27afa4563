from django.apps import AppConfig


class NodeCatalogConfig(AppConfig):
    name = "node_catalog"
    default_auto_field = "django.db.models.BigAutoField"
