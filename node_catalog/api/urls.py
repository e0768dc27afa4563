"""Routes of this package under /api/."""

from __future__ import annotations

from django.urls import path

from node_catalog.api import datasets, import_nodes, nodes, openings, subscriptions

urlpatterns = [
    path("palette", nodes.PaletteView.as_view()),
    path("catalogue/search", datasets.SearchView.as_view()),
    path("nodes", nodes.NodesView.as_view()),
    path("nodes/import", import_nodes.NodesImportView.as_view()),
    path("nodes/<uuid:node_id>", nodes.NodeView.as_view()),
    path("nodes/<uuid:node_id>/datasets", nodes.NodeDatasetsView.as_view()),
    path("n/<path:number>", nodes.NumberView.as_view()),
    path("datasets/<uuid:dataset_id>", datasets.DatasetView.as_view()),
    path("requests", subscriptions.RequestsView.as_view()),
    path("requests/<uuid:request_id>", subscriptions.RequestView.as_view()),
    path("requests/<uuid:request_id>/approve", subscriptions.ApproveView.as_view()),
    path("requests/<uuid:request_id>/reject", subscriptions.RejectView.as_view()),
    path("requests/<uuid:request_id>/withdraw", subscriptions.WithdrawView.as_view()),
    path("grants", subscriptions.GrantsView.as_view()),
    path("grants/<uuid:grant_id>/revoke", subscriptions.RevokeView.as_view()),
    path("openings", openings.OpeningsView.as_view()),
    path("openings/<uuid:opening_id>", openings.OpeningView.as_view()),
    path("files", datasets.FilesView.as_view()),
    path("files/<uuid:dataset_id>", datasets.FileView.as_view()),
]
