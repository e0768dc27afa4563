"""HTTP JSON: a web service is the node; the lists that its settings name are the datasets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

import msgspec

from node_catalog.sdk.access import Access, DatasetRef, Stream
from node_catalog.sdk.contract import Check, ConnectContext, Connector, DiscoveredColumn, DiscoveredDataset
from node_catalog.sdk.errors import NodeTypeError, SourceError
from node_catalog.sdk.json_rows import find_columns, to_batch
from node_catalog.sdk.ports import is_type
from node_catalog.sdk.schema import parse
from node_catalog.sdk.text import Text, text
from node_catalog.types.connectors.http_json.asking import Conversation
from node_catalog.types.connectors.http_json.paging import Page, pages
from node_catalog.types.connectors.http_json.settings import HttpDataset, HttpDatasetSettings, HttpJsonSettings


class HttpJson(Connector):
    """A web service that answers with JSON. Pages are read one after the other and streamed as Arrow."""

    key = "http_json"
    kind_code = "AP"
    title = text("HTTP JSON API", "HTTP JSON 接口")
    summary = text("Lists of a web service", "Web 接口返回的列表")
    help = text(
        "Reads lists of rows from a web service. Say for each list its path, where the rows are in the answer, and how "
        "its pages are asked for; columns and types come from the first page and can be corrected. Nested values "
        "become JSON text. Services that are busy are tried again as they ask; pages that turn in circles are noticed. "
        "Addresses in private networks must be opened by a platform administrator.",
        "从 Web 接口读取数据列表。为每个列表填写路径、数据行在返回内容中的位置和分页方式；列和类型按第一页识别，"
        "可以修正。嵌套的值保存为 JSON 文本。接口繁忙时按其要求重试，分页循环会被发现。内网地址需由平台管理员放行。",
    )
    icon = "ApiOutlined"
    Settings = HttpJsonSettings
    DatasetSettings = HttpDatasetSettings
    limits = ("reads", "rows_per_second", "requests_per_second")

    @classmethod
    def check(cls, settings: HttpJsonSettings, context: ConnectContext) -> Check:
        """Sign in and ask for the first page of the first dataset."""
        dataset = settings.datasets[0]
        patient = msgspec.structs.replace(settings, retries=min(settings.retries, 1))
        try:
            with Conversation(patient, context) as conversation:
                page = _first_page(conversation, patient, dataset)
        except NodeTypeError as error:
            return Check(False, error.code, error.message)
        facts = {"datasets": len(settings.datasets), "rows_of_first_page": page.count}
        message = text(
            f"The service answers; the first page of “{dataset.name}” has {page.count} rows.",
            f"接口可用，“{dataset.name}”的第一页有 {page.count} 行。",
        )
        return Check(True, "ok", message, facts)

    @classmethod
    def discover(
        cls,
        settings: HttpJsonSettings,
        context: ConnectContext,
        known: Mapping[tuple[str, ...], Mapping[str, Any]] | None = None,
    ) -> Iterator[DiscoveredDataset]:
        """The datasets of the settings, with columns and types as their first pages show them."""
        with Conversation(settings, context) as conversation:
            for dataset in settings.datasets:
                corrections = (known or {}).get((dataset.name,), {})
                try:
                    page = _first_page(conversation, settings, dataset)
                    yield _described(dataset, page, corrections)
                except NodeTypeError as error:
                    if len(settings.datasets) == 1:
                        raise
                    yield DiscoveredDataset(
                        (dataset.name,), "table", (), settings=dict(corrections), warnings=(error.message,)
                    )

    @classmethod
    def access(cls, settings: HttpJsonSettings, dataset: DatasetRef, context: ConnectContext) -> Access:
        """Rows are read here; what is left of the query runs in the engine."""
        _dataset_of(settings, dataset)
        return Stream()

    @classmethod
    def read(
        cls, settings: HttpJsonSettings, dataset: DatasetRef, columns: Sequence[str], context: ConnectContext
    ) -> Iterator[Any]:
        """One batch a page. A column that a whole page lacks is an error, unless it may be missing."""
        asked = _dataset_of(settings, dataset)
        described = parse(HttpDatasetSettings, dict(dataset.settings))
        kinds = {field.name: field.type for field in dataset.schema.fields}
        optional = frozenset(described.optional)
        with Conversation(settings, context) as conversation, closing(pages(conversation, settings, asked)) as found:
            for page in found:
                if not page.count:
                    continue
                batch, absent = to_batch(page.rows, columns, kinds, described.formats, page.where)
                if absent - optional:
                    raise _moved(asked, sorted(absent - optional))
                yield batch


def _dataset_of(settings: HttpJsonSettings, dataset: DatasetRef) -> HttpDataset:
    name = dataset.path[-1]
    found = next((one for one in settings.datasets if one.name == name), None)
    if found is None:
        message = text(
            f"The node's settings have no dataset “{name}” any more. Add it again, or choose another dataset.",
            f"节点设置中已没有数据集“{name}”。请重新添加，或选择其他数据集。",
        )
        raise SourceError("http.no_dataset", message, name)
    return found


def _first_page(conversation: Conversation, settings: HttpJsonSettings, dataset: HttpDataset) -> Page:
    with closing(pages(conversation, settings, dataset)) as found:
        return next(found)


def _described(dataset: HttpDataset, page: Page, corrections: Mapping[str, Any]) -> DiscoveredDataset:
    known = parse(HttpDatasetSettings, dict(corrections))
    found = find_columns(page.rows, page.where)
    columns = [
        DiscoveredColumn(
            column.name,
            column.native,
            known.types[column.name] if is_type(known.types.get(column.name, "")) else column.type,
            nullable=column.has_nulls,
        )
        for column in found
    ]
    names = {column.name for column in found}
    # A field that the first page happens to lack stays, when somebody has said what it is.
    columns += [DiscoveredColumn(name, "corrected", kind) for name, kind in known.types.items() if name not in names]
    optional = [column.name for column in found if column.is_optional] + [n for n in known.types if n not in names]
    settings = HttpDatasetSettings(
        types={column.name: column.type for column in columns},
        formats=known.formats,
        optional=tuple(dict.fromkeys((*optional, *known.optional))),
    )
    return DiscoveredDataset(
        (dataset.name,),
        "table",
        tuple(columns),
        rows=page.count if dataset.paging == "none" else None,
        rows_exact=dataset.paging == "none",
        settings=msgspec.to_builtins(settings),
        warnings=_warnings(page, [column.name for column in found if column.native in ("mixed", "null")]),
    )


def _warnings(page: Page, unclear: Sequence[str]) -> tuple[Text, ...]:
    if not page.count:
        return (
            text(
                "The first page has no rows, so the columns are not known yet. Discover again when there are some.",
                "第一页没有数据行，暂时无法识别列。有数据后请重新发现。",
            ),
        )
    if not unclear:
        return ()
    listed = ", ".join(unclear[:10])
    return (
        text(
            f"The first page does not show one type for: {listed}. They are read as text; correct them if you know "
            "better.",
            f"以下列在第一页中类型不明确：{listed}。暂按文本读取，可自行修正。",
        ),
    )


def _moved(dataset: HttpDataset, missing: Sequence[str]) -> SourceError:
    listed = ", ".join(missing[:5])
    message = text(
        f"“{dataset.name}” answers without {listed}. Discover the node again and adjust the flow, or list the column "
        "under “Columns that may be missing”.",
        f"“{dataset.name}”的返回内容中没有 {listed}。请重新发现该节点并调整流程，或将该列加入“可缺失的列”。",
    )
    return SourceError("source.columns_moved", message, dataset.name)
