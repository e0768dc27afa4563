"""The API, put together from the packages' own routes."""

from __future__ import annotations

from django.urls import include, path, re_path
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.views import SpectacularJSONAPIView

from studio import problems, views

urlpatterns = [
    path("schema/", SpectacularJSONAPIView.as_view(), name="schema"),
    path("docs/", views.ApiDocs.as_view(url_name="schema"), name="api-docs"),
    path("", include("security.api.urls")),
    path("", include("node_catalog.api.urls")),
    path("", include("flows.api.urls")),
    path("", include("runtime.api.urls")),
    re_path(r"", csrf_exempt(problems.not_found)),
]
