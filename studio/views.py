"""The shell page of the browser application, and the JSON Schemas of our documents."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe
from drf_spectacular.views import SpectacularSwaggerSplitView

from studio.frontend import assets
from studio.problems import language_of
from studio.schemas import schemas


@require_safe
@ensure_csrf_cookie
def shell(request: HttpRequest) -> HttpResponse:
    """The one page of the browser application; which view it shows is the browser's matter."""
    built = assets()
    user = getattr(request, "user", None)
    context = {
        "assets": built,
        "language": language_of(request),
        "theme": getattr(user, "theme", "") or "light",
        "nonce": getattr(request, "csp_nonce", ""),
        "version": settings.VERSION,
    }
    response = render(request, "shell.html" if built else "not_built.html", context, status=200 if built else 503)
    response.headers["Cache-Control"] = "no-store"
    return response


@require_safe
def schema(request: HttpRequest, name: str) -> JsonResponse:
    """One of the published JSON Schemas, by its file name."""
    published = schemas()
    if name not in published:
        raise Http404(name)
    return JsonResponse(published[name], content_type="application/schema+json")


@require_safe
def schema_index(request: HttpRequest) -> JsonResponse:
    """The names of the published JSON Schemas."""
    return JsonResponse({"schemas": [f"/schema/{name}" for name in schemas()]})


class ApiDocs(SpectacularSwaggerSplitView):
    """The API description to browse, without any file from elsewhere; strangers are sent to sign in first."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        user = getattr(request, "user", None)
        if not getattr(user, "is_authenticated", False):
            return redirect("/sign-in?next=/api/docs/")
        return super().dispatch(request, *args, **kwargs)
