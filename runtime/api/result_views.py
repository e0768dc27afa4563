"""Routes of results: rows, charts, downloads. Each opens the result under today's rights."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header
from drf_spectacular.types import OpenApiTypes
from rest_framework import status
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from node_catalog.sdk.text import text
from runtime.api import serializers
from runtime.api.views import JSON, parsed
from runtime.cells import cell_as_json, open_cell, request_cell_rows
from runtime.charts import ChartRequest, chart
from runtime.results import csv_chunks, file_chunks, open_result, rows_page
from security import audit
from security.access import principal_of
from security.api.described import described, query
from security.errors import InvalidError, Problem

GUARDED = (401, 403, 404, 410)
FORMATS = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}


class RowsView(APIView):
    """A page of a result's rows."""

    @described(
        "results_rows",
        JSON,
        parameters=[
            query("offset", kind=int),
            query("limit", kind=int),
            query("sort", "column, or -column for descending"),
        ],
        problems=GUARDED,
        tag="results",
    )
    def get(self, request: Request, result_id: UUID) -> Response:
        _, path = open_result(principal_of(request), result_id)
        return Response(
            rows_page(
                path,
                _whole(request, "offset", 0, 2**53),
                _whole(request, "limit", 100, 1000),
                request.query_params.get("sort", ""),
            )
        )


def _whole(request: Request, name: str, default: int, most: int) -> int:
    raw = request.query_params.get(name)
    if raw in (None, ""):
        return default
    if not raw.isdecimal() or int(raw) > most:
        message = text(f"“{name}” must be a whole number up to {most}.", f"“{name}”应为不超过 {most} 的整数。")
        raise InvalidError(problems=[Problem(f"/{name}", "number.range", message)])
    return int(raw)


class ChartView(APIView):
    """A result aggregated for a chart."""

    @described(
        "results_chart",
        JSON,
        parameters=[
            query("x", "The column along the axis."),
            query("y", "The column to aggregate; empty: rows are counted."),
            query("agg", "count, sum, mean, min, max"),
            query("series", "One line for each value of this column."),
        ],
        problems=GUARDED,
        tag="results",
    )
    def get(self, request: Request, result_id: UUID) -> Response:
        _, path = open_result(principal_of(request), result_id)
        query = request.query_params
        wanted = ChartRequest(
            x=query.get("x", ""), y=query.get("y", ""), agg=query.get("agg") or "count", series=query.get("series", "")
        )
        return Response(chart(path, wanted))


class OneAnswer(DefaultContentNegotiation):
    """``format`` is our own parameter here, not a choice among renderers."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type


class CellView(APIView):
    """Where the number in one cell comes from, and the rows behind it."""

    @described(
        "results_cell",
        JSON,
        parameters=[
            query("row", "Counted from 0 in the order of ``sort``.", kind=int),
            query("column"),
            query("sort", "column, or -column for descending"),
        ],
        problems=GUARDED,
        tag="results",
    )
    def get(self, request: Request, result_id: UUID) -> Response:
        cell = open_cell(
            principal_of(request),
            result_id,
            _whole(request, "row", 0, 2**53),
            request.query_params.get("column", ""),
            request.query_params.get("sort", ""),
        )
        return Response(cell_as_json(cell))

    @described(
        "results_cell_rows", JSON, request=serializers.CellRowsSerializer, status=202, problems=GUARDED, tag="results"
    )
    def post(self, request: Request, result_id: UUID) -> Response:
        principal = principal_of(request)
        body = parsed(serializers.CellRowsSerializer, request)
        cell = open_cell(principal, result_id, body["row"], body["column"], body["sort"])
        task = request_cell_rows(cell, body["step"], principal)
        return Response({"task": str(task.pk)}, status=status.HTTP_202_ACCEPTED)


class DownloadView(APIView):
    """A result as a file; the audit trail remembers who took it."""

    content_negotiation_class = OneAnswer

    @described(
        "results_download",
        OpenApiTypes.BINARY,
        parameters=[query("format", "What kind of file.", enum=("csv", "parquet"))],
        problems=GUARDED,
        tag="results",
    )
    def get(self, request: Request, result_id: UUID) -> StreamingHttpResponse:
        principal = principal_of(request)
        result, path = open_result(principal, result_id)
        kind = request.query_params.get("format", "csv")
        if kind not in FORMATS:
            message = text("Choose csv or parquet.", "请选择 csv 或 parquet。")
            raise InvalidError(problems=[Problem("/format", "format.unknown", message)])
        audit.record(
            "result.download", "result", str(result.pk), principal=principal, detail={"format": kind}, request=request
        )
        chunks = csv_chunks(path) if kind == "csv" else file_chunks(path)
        response = StreamingHttpResponse(_suited(request, chunks), content_type=FORMATS[kind])
        name = f"{result.name}-{result.run.number}.{kind}"
        response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name)
        return response


def _suited(request: Request, chunks: Iterator[bytes]) -> Any:
    """The chunks as the server wants them: asynchronous under ASGI, plain otherwise."""
    return _slowly(chunks) if hasattr(request._request, "scope") else chunks


async def _slowly(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Each chunk is made on a thread, so that a large download holds nobody up."""
    take = sync_to_async(lambda: next(chunks, None), thread_sensitive=False)
    while (chunk := await take()) is not None:
        yield chunk
