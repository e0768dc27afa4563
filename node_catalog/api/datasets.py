"""Routes of search, datasets, and my files."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from node_catalog.api.inputs import DatasetChange
from node_catalog.api.outputs import DatasetCard, DatasetDetail, Facets
from node_catalog.cards import cards, cards_by_id, dataset_detail, for_cards
from node_catalog.change_dataset import change_dataset
from node_catalog.errors import invalid
from node_catalog.models import Dataset
from node_catalog.search import FACETS, ORDER, search_datasets
from node_catalog.uploads import ask_discovery, delete_file, store_upload
from security.access import Principal, principal_of
from security.api.described import PAGING, described, list_of, query
from security.api.inputs import Input, read_input
from security.paging import page_of

TAG = "catalogue"
MAX_QUERY = 200


class UploadFields(Input):
    """What goes with an uploaded file."""

    name = serializers.CharField(max_length=255, required=False, allow_blank=True)
    dataset = serializers.UUIDField(required=False)


class UploadInput(UploadFields):
    """An upload."""

    file = serializers.FileField()


class Uploaded(serializers.Serializer):  # type: ignore[type-arg]
    """The file's dataset and the task that reads its columns."""

    dataset = DatasetCard()
    task = serializers.UUIDField(allow_null=True)


class SearchView(APIView):
    """Search over the catalogue."""

    @described(
        "catalogue_search",
        list_of(DatasetCard, facets=Facets(), total=serializers.IntegerField()),
        problems=(401,),
        parameters=(
            *PAGING,
            query("q", "Words that all must occur in names, titles, tags or columns, zh or en."),
            query("organisation", "A department's id; several by comma."),
            query("type", "A connector's key; several by comma."),
            query("tag", "A tag; several by comma."),
            query("right", "usable, pending, request, none; several by comma."),
            query("kind", "table, view or file."),
        ),
        tag=TAG,
    )
    def get(self, request: Request) -> Response:
        """Cards, the best fit first, with facets and how many there are."""
        principal = principal_of(request)
        chosen = {name: _values(request, name) for name in FACETS}
        _check_ids(chosen["organisation"])
        found = search_datasets(
            principal, request.GET.get("q", "")[:MAX_QUERY], chosen, request.GET.get("kind", "")[:20]
        )
        page = page_of(found.datasets, request, ORDER)
        shown = cards_by_id([dataset.pk for dataset in page.objects], principal)
        return Response(
            {
                "results": DatasetCard([shown[dataset.pk] for dataset in page.objects], many=True).data,
                "next": page.next,
                "total": found.total,
                "facets": found.facets,
            }
        )


def _values(request: Request, name: str) -> list[str]:
    given = [part.strip() for raw in request.GET.getlist(name) for part in raw.split(",")]
    return [part.replace("\0", "") for part in given if part][:50]


def _check_ids(values: list[str]) -> None:
    try:
        for value in values:
            serializers.UUIDField().to_internal_value(value)
    except serializers.ValidationError as error:
        raise invalid(
            "/organisation", "organisation.unknown", "This is no department's id.", "部门编号无效。"
        ) from error


def find_dataset(principal: Principal, dataset_id: Any) -> Any:
    """The visible dataset with what its JSON needs, or NotFoundError."""
    datasets = for_cards(Dataset.objects.visible_to(principal), principal).prefetch_related("columns", "versions")
    return datasets.get_visible(principal, pk=dataset_id)


class DatasetView(APIView):
    """One dataset."""

    @described("datasets_read", DatasetDetail, problems=(401, 404), tag=TAG)
    def get(self, request: Request, dataset_id: str) -> Response:
        """Everything about it; profile values only of columns that the person may read unmasked."""
        principal = principal_of(request)
        return Response(DatasetDetail(dataset_detail(find_dataset(principal, dataset_id), principal)).data)

    @described("datasets_change", DatasetDetail, request=DatasetChange, tag=TAG)
    def patch(self, request: Request, dataset_id: str) -> Response:
        """Describe it: words, tags, sharing, columns, corrected reading settings."""
        principal = principal_of(request)
        dataset = find_dataset(principal, dataset_id)
        change_dataset(principal, dataset, read_input(DatasetChange, request.data, partial=True), request)
        return Response(DatasetDetail(dataset_detail(find_dataset(principal, dataset_id), principal)).data)


class FilesView(APIView):
    """My files."""

    parser_classes = (MultiPartParser,)

    @described("files_list", list_of(DatasetCard), problems=(401,), parameters=PAGING, tag="files")
    def get(self, request: Request) -> Response:
        """Datasets of my uploaded files, newest first."""
        principal = principal_of(request)
        mine = Dataset.objects.visible_to(principal).filter(node__owner_id=principal.id, state="published")
        page = page_of(for_cards(mine, principal), request, ("-created_at", "-id"))
        return Response({"results": DatasetCard(cards(page.objects), many=True).data, "next": page.next})

    @described(
        "files_upload",
        Uploaded,
        request={"multipart/form-data": UploadInput},
        status=201,
        problems=(401, 403, 413, 415),
        tag="files",
    )
    def post(self, request: Request) -> Response:
        """Upload a CSV, CSV.GZ or Parquet file; with `dataset`, a new version of that one. Columns come by `task`."""
        principal = principal_of(request)
        file = request.FILES.get("file")
        if file is None:
            raise invalid("/file", "file.missing", "Choose a file.", "请选择文件。")
        values = read_input(UploadFields, {key: value for key, value in request.data.items() if key != "file"})
        known = None
        if values.get("dataset"):
            mine = Dataset.objects.select_related("node")
            known = mine.get_visible(principal, pk=values["dataset"], node__owner_id=principal.id)
        stored = store_upload(principal, file, values.get("name") or file.name or "", known, request)
        task = ask_discovery(stored, principal.user)
        return Response({"dataset": _card(principal, stored), "task": task}, status=201)


def _card(principal: Principal, dataset: Dataset) -> Any:
    found = for_cards(Dataset.objects.visible_to(principal).filter(pk=dataset.pk), principal)
    return DatasetCard(cards(found), many=True).data[0]


class FileView(APIView):
    """One of my files."""

    @described("files_delete", problems=(401, 404), tag="files")
    def delete(self, request: Request, dataset_id: str) -> Response:
        """Remove it for good."""
        principal = principal_of(request)
        mine = Dataset.objects.select_related("node")
        delete_file(principal, mine.get_visible(principal, pk=dataset_id, state="published"), request)
        return Response(status=204)
