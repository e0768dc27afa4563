"""All addresses: the API, health, published schemas, and the shell page for everything else."""

from __future__ import annotations

from django.conf import settings
from django.urls import include, path, re_path

from studio import health, problems, views
from studio.demo import service

_demo = [path(service.PATH, service.docks)] if settings.OPTIONS["DEMO"] else []
urlpatterns = [
    *_demo,
    path("api/", include("studio.api")),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("schema/", views.schema_index),
    path("schema/<str:name>", views.schema),
    re_path(r"^(static|ws)/", problems.not_found),
    re_path(r"", views.shell),
]

handler400 = problems.bad_request
handler403 = problems.forbidden
handler404 = problems.not_found
handler500 = problems.server_error
