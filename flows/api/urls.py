"""Routes of this package under /api/."""

from __future__ import annotations

from django.urls import path

from flows.api import comment_views, insight_views, language_views, sub_flow_views, views

urlpatterns = [
    path("apps", views.AppsView.as_view()),
    path("apps/import", views.ImportView.as_view()),
    path("apps/<uuid:app_id>", views.AppView.as_view()),
    path("apps/<uuid:app_id>/versions", views.VersionsView.as_view()),
    path("templates", views.TemplatesView.as_view()),
    path("sub-flows", sub_flow_views.SubFlowsView.as_view()),
    path("sub-flows/<uuid:app_id>/<int:number>/<str:key>", sub_flow_views.SubFlowView.as_view()),
    path("functions", language_views.FunctionsView.as_view()),
    path("flows/check", views.CheckView.as_view()),
    path("flows/<uuid:flow_id>/draft", views.DraftView.as_view()),
    path("flows/<uuid:flow_id>/operations", views.OperationsView.as_view()),
    path("flows/<uuid:flow_id>/presence", views.PresenceView.as_view()),
    path("flows/<uuid:flow_id>/export", views.ExportView.as_view()),
    path("flows/<uuid:flow_id>/plan", insight_views.PlanView.as_view()),
    path("flows/<uuid:flow_id>/comments", comment_views.CommentsView.as_view()),
    path("comments/<uuid:comment_id>", comment_views.CommentView.as_view()),
    path("flows/<uuid:flow_id>/compare", insight_views.CompareView.as_view()),
    path("datasets/<uuid:dataset_id>/uses", insight_views.UsesView.as_view()),
    path("versions/<uuid:version_id>", views.VersionView.as_view()),
    path("versions/<uuid:version_id>/restore", views.RestoreView.as_view()),
    path("versions/<uuid:version_id>/diff/<uuid:other_id>", views.DifferenceView.as_view()),
]
