"""The API, put together from the packages' own routes."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from django.urls import include, path, re_path
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.views import SpectacularJSONAPIView

from studio import problems, views


def _routes(name: str) -> list[Any]:
    try:
        return list(import_module(f"{name}.api.urls").urlpatterns)
    except ModuleNotFoundError as error:  # while the packages are being written side by side
        print(f"{name}.api.urls: {error}")  # noqa: T201
        return []


urlpatterns = [
    path("schema/", SpectacularJSONAPIView.as_view(), name="schema"),
    path("docs/", views.ApiDocs.as_view(url_name="schema"), name="api-docs"),
    path("", include(_routes("security"))),
    path("", include(_routes("node_catalog"))),
    path("", include(_routes("flows"))),
    path("", include(_routes("runtime"))),
    re_path(r"", csrf_exempt(problems.not_found)),
]
