"""Routes of nodes, of the palette, and of numbers."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Q
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from node_catalog.api.inputs import NodeChange, NodeInput
from node_catalog.api.outputs import DatasetCard, Found, NodeOutput, PaletteOutput
from node_catalog.cards import cards, for_cards, node_json
from node_catalog.models import Dataset, Node
from node_catalog.nodes import change_node, create_node, delete_node
from node_catalog.palette import palette
from node_catalog.search import search_nodes
from security.access import Principal, principal_of, require_right
from security.api.described import PAGING, described, list_of, query
from security.api.inputs import read_input
from security.api.organisations import find_organisation
from security.errors import NotFoundError
from security.paging import page_of

TAG = "catalogue"


class PaletteView(APIView):
    """All types."""

    @described("palette_read", PaletteOutput, problems=(401,), tag=TAG)
    def get(self, request: Request) -> Response:
        """Step types and connectors with their words, ports and settings schemas."""
        return Response(palette())


def find_node(principal: Principal, node_id: Any) -> Node:
    """The visible node with what its JSON needs, or NotFoundError."""
    nodes = Node.objects.select_related("organisation").prefetch_related("tags")
    total = Count("datasets", filter=Q(datasets__state=Dataset.State.PUBLISHED))
    return nodes.annotate(datasets_total=total).get_visible(principal, pk=node_id)  # type: ignore[no-any-return]


def _answer(principal: Principal, node: Node) -> Any:
    return NodeOutput(node_json(find_node(principal, node.pk), principal)).data


class NodesView(APIView):
    """Nodes."""

    @described(
        "nodes_list",
        list_of(NodeOutput),
        problems=(401,),
        parameters=(
            *PAGING,
            query("q", "Words of a name, number or tag."),
            query("organisation", "A department's id; those below it count too."),
            query("type", "A connector's key."),
        ),
        tag=TAG,
    )
    def get(self, request: Request) -> Response:
        """Nodes of one's department and those below it; platform administrators see all."""
        principal = principal_of(request)
        organisation = find_organisation(principal, request.GET.get("organisation") or None, "/organisation")
        found = search_nodes(principal, request.GET.get("q", ""), organisation, request.GET.get("type", ""))
        page = page_of(found, request, ("number",))
        results = NodeOutput([node_json(node, principal) for node in page.objects], many=True).data
        return Response({"results": results, "next": page.next})

    @described("nodes_create", NodeOutput, request=NodeInput, status=201, problems=(401, 403), tag=TAG)
    def post(self, request: Request) -> Response:
        """Add a node; secrets in the settings are sealed and never sent out again."""
        principal = principal_of(request)
        require_right(principal, "node.create")
        values = read_input(NodeInput, request.data)
        values["organisation"] = find_organisation(principal, values.get("organisation"), "/organisation")
        return Response(_answer(principal, create_node(principal, values, request)), status=201)


class NodeView(APIView):
    """One node."""

    @described("nodes_read", NodeOutput, problems=(401, 404), tag=TAG)
    def get(self, request: Request, node_id: str) -> Response:
        """The node; settings without secrets, and only for those who keep it."""
        principal = principal_of(request)
        return Response(NodeOutput(node_json(find_node(principal, node_id), principal)).data)

    @described("nodes_change", NodeOutput, request=NodeChange, tag=TAG)
    def patch(self, request: Request, node_id: str) -> Response:
        """Change it; absent or empty secrets stay, null forgets them."""
        principal = principal_of(request)
        node = find_node(principal, node_id)
        values = read_input(NodeChange, request.data, partial=True)
        if "organisation" in values:
            values["organisation"] = find_organisation(principal, values["organisation"], "/organisation")
        return Response(_answer(principal, change_node(principal, node, values, request)))

    @described("nodes_delete", tag=TAG)
    def delete(self, request: Request, node_id: str) -> Response:
        """Take it away: its secrets are destroyed and its datasets are gone."""
        principal = principal_of(request)
        delete_node(principal, find_node(principal, node_id), request)
        return Response(status=204)


class NodeDatasetsView(APIView):
    """The datasets of a node."""

    @described("nodes_datasets", list_of(DatasetCard), problems=(401, 404), parameters=PAGING, tag=TAG)
    def get(self, request: Request, node_id: str) -> Response:
        """Cards by number, also of datasets that are gone from the source."""
        principal = principal_of(request)
        node = Node.objects.get_visible(principal, pk=node_id)
        page = page_of(
            for_cards(Dataset.objects.visible_to(principal).filter(node=node), principal), request, ("number",)
        )
        return Response({"results": DatasetCard(cards(page.objects), many=True).data, "next": page.next})


class NumberView(APIView):
    """What a printed number stands for."""

    @described("numbers_resolve", Found, problems=(401, 404), tag=TAG)
    def get(self, request: Request, number: str) -> Response:
        """A node's or a dataset's number → its kind and id."""
        principal = principal_of(request)
        node = Node.objects.visible_to(principal).filter(number=number).first()
        if node is not None:
            return Response({"kind": "node", "id": str(node.pk)})
        dataset = Dataset.objects.visible_to(principal).filter(number=number).first()
        if dataset is None:
            raise NotFoundError()
        return Response({"kind": "dataset", "id": str(dataset.pk)})
