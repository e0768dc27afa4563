"""Routes of this package under /api/."""

from __future__ import annotations

from django.urls import path

from runtime.api import call_views, held_views, inside_views, pool_views, result_views, rule_views, task_views, views

urlpatterns = [
    path("flows/<uuid:flow_id>/runs", views.FlowRunsView.as_view()),
    path("flows/<uuid:flow_id>/run-rule", rule_views.RunRuleView.as_view()),
    path("flows/<uuid:flow_id>/preview", views.PreviewView.as_view()),
    path("flows/<uuid:flow_id>/held", held_views.HeldView.as_view()),
    path("flows/<uuid:flow_id>/pins/<str:step>/<str:port>", held_views.PinView.as_view()),
    path("flows/<uuid:flow_id>/api", call_views.PublishedView.as_view()),
    path("call/<uuid:app_id>/<str:flow_key>", call_views.CallView.as_view()),
    path("runs", views.RunsView.as_view()),
    path("apps/<uuid:app_id>/grid", views.RunGridView.as_view()),
    path("runs/<uuid:run_id>", views.RunView.as_view()),
    path("runs/<uuid:run_id>/waits", views.RunWaitsView.as_view()),
    path("runs/<uuid:run_id>/cancel", views.RunCancelView.as_view()),
    path("runs/<uuid:run_id>/pause", views.RunPauseView.as_view()),
    path("runs/<uuid:run_id>/resume", views.RunResumeView.as_view()),
    path("runs/<uuid:run_id>/rerun", views.RunRepeatView.as_view()),
    path("runs/<uuid:run_id>/events", views.RunEventsView.as_view()),
    path("runs/<uuid:run_id>/inside/<path:path>", inside_views.InsideView.as_view()),
    path("runs/<uuid:run_id>/iterations/<str:step>", inside_views.IterationsView.as_view()),
    path("results/<uuid:result_id>/rows", result_views.RowsView.as_view()),
    path("results/<uuid:result_id>/cells", result_views.CellView.as_view()),
    path("results/<uuid:result_id>/chart", result_views.ChartView.as_view()),
    path("results/<uuid:result_id>/download", result_views.DownloadView.as_view()),
    path("datasets/<uuid:dataset_id>/sample", task_views.SampleView.as_view()),
    path("datasets/<uuid:dataset_id>/profile", task_views.ProfileView.as_view()),
    path("nodes/try", task_views.NodeTryView.as_view()),
    path("nodes/<uuid:node_id>/check", task_views.NodeCheckView.as_view()),
    path("nodes/<uuid:node_id>/load", task_views.NodeLoadView.as_view()),
    path("nodes/<uuid:node_id>/profile", task_views.NodeProfileView.as_view()),
    path("nodes/<uuid:node_id>/discover", task_views.NodeDiscoverView.as_view()),
    path("tasks/<uuid:task_id>", task_views.TaskView.as_view()),
    path("tasks/<uuid:task_id>/cancel", task_views.TaskCancelView.as_view()),
    path("pools", pool_views.PoolsView.as_view()),
    path("pools/<uuid:pool_id>", pool_views.PoolView.as_view()),
    path("monitor", views.MonitorView.as_view()),
]
