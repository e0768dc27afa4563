"""The route that registers many nodes from a spreadsheet."""

from __future__ import annotations

import base64
import binascii

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from node_catalog.errors import invalid
from node_catalog.import_nodes import import_nodes
from node_catalog.spreadsheet import MAX_BYTES
from security.access import principal_of, require_right
from security.api.described import described
from security.api.inputs import Input, LocalText, read_input


class NodesImportInput(Input):
    """A CSV or .xlsx file in base64; a dry run changes nothing."""

    file = serializers.CharField(max_length=MAX_BYTES * 4 // 3 + 8)
    dry_run = serializers.BooleanField(default=False)


class ImportedNode(serializers.Serializer):  # type: ignore[type-arg]
    """A node of the file, with its number once it is created."""

    line = serializers.IntegerField()
    type = serializers.CharField()
    name = serializers.CharField()
    number = serializers.CharField(required=False)
    id = serializers.UUIDField(required=False)


class NodeLineProblem(serializers.Serializer):  # type: ignore[type-arg]
    """What is wrong with one line."""

    line = serializers.IntegerField()
    field = serializers.CharField(allow_blank=True)
    code = serializers.CharField()
    message = LocalText()


class NodesImportOutput(serializers.Serializer):  # type: ignore[type-arg]
    """What was or would be registered, or every problem by line."""

    created = serializers.IntegerField()
    dry_run = serializers.BooleanField()
    nodes = ImportedNode(many=True)
    problems = NodeLineProblem(many=True)


class NodesImportView(APIView):
    """Many nodes at once."""

    @described("nodes_import", NodesImportOutput, request=NodesImportInput, problems=(401, 403), tag="catalogue")
    def post(self, request: Request) -> Response:
        """Check every line, then register all nodes or none; nothing is connected to."""
        principal = principal_of(request)
        require_right(principal, "node.create")
        values = read_input(NodesImportInput, request.data)
        try:
            data = base64.b64decode(values["file"], validate=True)
        except (binascii.Error, ValueError) as error:
            raise invalid("/file", "file.base64", "The file is no base64.", "文件不是 base64 编码。") from error
        outcome = import_nodes(principal, data, values["dry_run"], request)
        is_done = not outcome.is_dry_run and not outcome.problems
        body = {
            "created": len(outcome.nodes) if is_done else 0,
            "dry_run": outcome.is_dry_run,
            "nodes": outcome.nodes,
            "problems": outcome.problems,
        }
        return Response(NodesImportOutput(body).data)
