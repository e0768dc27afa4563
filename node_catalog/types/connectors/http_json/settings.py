"""What a web service is, as people type it: address, signing in, and its datasets with their paging."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Annotated, Literal

from node_catalog.sdk.contract import Settings
from node_catalog.sdk.errors import Problem
from node_catalog.sdk.fields import setting
from node_catalog.sdk.http_client import tls_context
from node_catalog.sdk.http_url import Url, UrlError, join, parse_url
from node_catalog.sdk.ports import is_type
from node_catalog.sdk.schema_problems import escape
from node_catalog.sdk.text import Text, text

SignIn = Literal["none", "basic", "bearer", "key_header", "key_query", "oauth2"]
Paging = Literal["none", "page", "offset", "cursor", "link"]

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_OWN_HEADERS = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "accept-encoding", "authorization", "cookie", "te",
     "upgrade", "trailer", "proxy-authorization", "expect"}
)  # fmt: skip
"""Headers that this side writes itself, or that must not lie open among the settings."""
_POINTER = r"^(/.*)?$"
_POINTER_WORDS = {"x-pattern-words": text("a JSON pointer such as /data/items", "形如 /data/items 的 JSON 指针")}


class HttpDataset(Settings):
    """One list of rows that the service offers."""

    name: Annotated[str, setting(text("Name", "名称"), min_length=1, max_length=200, pattern=r"^[^/\s][^/]*$",
        extra={"x-pattern-words": text("a name without /", "不含 / 的名称")})]  # fmt: skip
    path: Annotated[
        str,
        setting(
            text("Path", "路径"),
            text("Added to the base address, for example stations/list.", "附加在基础地址之后，例如 stations/list。"),
            max_length=2000,
        ),
    ] = ""
    rows_at: Annotated[
        str,
        setting(
            text("Where the rows are", "数据行位置"),
            text(
                "JSON pointer to the list in the answer, for example /data/items; empty when the answer is the list.",
                "指向返回内容中列表的 JSON 指针，例如 /data/items；返回内容本身就是列表时留空。",
            ),
            max_length=500,
            pattern=_POINTER,
            extra=_POINTER_WORDS,
        ),
    ] = ""
    method: Annotated[
        Literal["GET", "POST"],
        setting(
            text("Method", "请求方法"),
            choices={
                "GET": text("GET (reading)", "GET（读取）"),
                "POST": text("POST (the query is posted)", "POST（提交查询内容）"),
            },
        ),
    ] = "GET"
    query: Annotated[
        dict[str, str],
        setting(
            text("Query parameters", "查询参数"),
            text("Sent with every request. No secrets here.", "每次请求都会携带。请勿填写密钥。"),
            widget="pairs",
        ),
    ] = {}
    headers: Annotated[
        dict[str, str],
        setting(
            text("Headers", "请求头"),
            text("Sent with every request. No secrets here.", "每次请求都会携带。请勿填写密钥。"),
            widget="pairs",
        ),
    ] = {}
    body: Annotated[
        str,
        setting(
            text("Body (JSON)", "请求体（JSON）"),
            text("What is posted.", "以 POST 方式提交的内容。"),
            widget="textarea",
            max_length=100_000,
            extra={"x-when": {"method": ["POST"]}},
        ),
    ] = ""
    paging: Annotated[
        Paging,
        setting(
            text("Pages", "分页方式"),
            choices={
                "none": text("one answer holds everything", "一次返回全部"),
                "page": text("page number", "页码"),
                "offset": text("offset and limit", "偏移量与条数"),
                "cursor": text("token for the next page", "下一页令牌"),
                "link": text("address of the next page", "下一页地址"),
            },
        ),
    ] = "none"
    page_parameter: Annotated[
        str,
        setting(
            text("Parameter of the page", "分页参数名"),
            text(
                "Empty means page, offset or cursor, as the service pages.",
                "留空表示按分页方式使用 page、offset 或 cursor。",
            ),
            max_length=100,
            extra={"x-when": {"paging": ["page", "offset", "cursor"]}},
        ),
    ] = ""
    start: Annotated[
        int,
        setting(text("First page number", "起始页码"), ge=0, le=1_000_000, extra={"x-when": {"paging": ["page"]}}),
    ] = 1
    size_parameter: Annotated[
        str,
        setting(
            text("Parameter of the page size", "每页条数参数名"),
            text("For example limit or page_size; empty: it is not sent.", "例如 limit 或 page_size；留空则不发送。"),
            max_length=100,
            extra={"x-when": {"paging": ["page", "offset", "cursor", "link"]}},
        ),
    ] = ""
    page_size: Annotated[
        int,
        setting(
            text("Rows a page", "每页条数"),
            ge=1,
            le=100_000,
            extra={"x-when": {"paging": ["page", "offset", "cursor", "link"]}},
        ),
    ] = 500
    next_at: Annotated[
        str,
        setting(
            text("Where the next page is named", "下一页信息位置"),
            text(
                "JSON pointer to the token or address of the next page. For addresses it may be empty: then the Link "
                "header says it.",
                "指向下一页令牌或地址的 JSON 指针。按地址分页时可留空，表示取自 Link 响应头。",
            ),
            max_length=500,
            pattern=_POINTER,
            extra={**_POINTER_WORDS, "x-when": {"paging": ["cursor", "link"]}},
        ),
    ] = ""
    paging_in: Annotated[
        Literal["query", "body"],
        setting(
            text("Paging parameters go into", "分页参数位置"),
            choices={"query": text("the address", "地址"), "body": text("the posted JSON", "提交的 JSON")},
            extra={"x-when": {"method": ["POST"]}},
        ),
    ] = "query"

    @property
    def page_name(self) -> str:
        """The parameter that carries page number, offset or token."""
        return self.page_parameter or self.paging

    def found_problems(self, pointer: str, base: Url | None) -> Iterable[Problem]:
        """What is wrong between the fields of one dataset."""
        if base is not None:
            yield from _path_problems(f"{pointer}/path", self.path, base)
        if self.method == "GET" and self.body:
            yield _problem(
                f"{pointer}/body", "http.body", text("Only POST sends a body.", "只有 POST 才能携带请求体。")
            )
        if self.body and not isinstance(_json(self.body), dict | list):
            yield _problem(
                f"{pointer}/body",
                "http.body",
                text("The body is no JSON object or list.", "请求体不是合法的 JSON 对象或列表。"),
            )
        if self.paging_in == "body" and (self.method == "GET" or not isinstance(_json(self.body or "{}"), dict)):
            words = text(
                "Paging parameters can only go into a posted JSON object.",
                "分页参数只能放在以 POST 提交的 JSON 对象中。",
            )
            yield _problem(f"{pointer}/paging_in", "http.paging_in", words)
        if self.paging == "cursor" and not self.next_at:
            words = text("Say where the token of the next page is.", "请填写下一页令牌所在的位置。")
            yield _problem(f"{pointer}/next_at", "http.next_at", words)
        yield from header_problems(f"{pointer}/headers", self.headers)


class HttpJsonSettings(Settings):
    """The service's address, how to sign in, what it offers, and how gently it is asked."""

    url: Annotated[
        str,
        setting(
            text("Base address", "基础地址"),
            text(
                "Begins with https:// or http://. Private networks must be opened by the platform administrator under "
                "Administration → Outgoing openings.",
                "以 https:// 或 http:// 开头。内网地址需由平台管理员在“管理 → 出站放行”中开放。",
            ),
            min_length=1,
            max_length=2000,
        ),
    ]
    datasets: Annotated[
        tuple[HttpDataset, ...],
        setting(text("Datasets", "数据集"), text("What the service offers.", "该接口提供的数据。"), min_length=1,
            max_length=500),
    ]  # fmt: skip
    sign_in: Annotated[
        SignIn,
        setting(
            text("Signing in", "身份验证"),
            choices={
                "none": text("not needed", "无需验证"),
                "basic": text("user name and password", "用户名和密码"),
                "bearer": text("bearer token", "Bearer 令牌"),
                "key_header": text("key in a header", "请求头中的密钥"),
                "key_query": text("key in the address", "地址参数中的密钥"),
                "oauth2": text("OAuth 2 client credentials", "OAuth 2 客户端凭据"),
            },
        ),
    ] = "none"
    user: Annotated[
        str,
        setting(
            text("User name or client id", "用户名或客户端 ID"),
            max_length=300,
            extra={"x-when": {"sign_in": ["basic", "oauth2"]}},
        ),
    ] = ""
    secret: Annotated[
        str,
        setting(
            text("Password, token, key or client secret", "密码、令牌、密钥或客户端密钥"),
            text("Kept sealed and never shown again.", "加密保存，不再显示。"),
            secret=True,
            max_length=8000,
            extra={"x-when": {"sign_in": ["basic", "bearer", "key_header", "key_query", "oauth2"]}},
        ),
    ] = ""
    key_name: Annotated[
        str,
        setting(
            text("Name of the key", "密钥名称"),
            text("The header or parameter that carries the key.", "携带密钥的请求头或参数名。"),
            max_length=100,
            extra={"x-when": {"sign_in": ["key_header", "key_query"]}},
        ),
    ] = "X-API-Key"
    token_url: Annotated[
        str,
        setting(
            text("Address of the token service", "令牌服务地址"),
            max_length=2000,
            extra={"x-when": {"sign_in": ["oauth2"]}},
        ),
    ] = ""
    scope: Annotated[
        str, setting(text("Scope", "授权范围"), max_length=500, extra={"x-when": {"sign_in": ["oauth2"]}})
    ] = ""
    client_in: Annotated[
        Literal["header", "body"],
        setting(
            text("Client id and secret go into", "客户端凭据位置"),
            choices={
                "header": text("a header (usual)", "请求头（常用）"),
                "body": text("the posted form", "提交的表单"),
            },
            extra={"x-when": {"sign_in": ["oauth2"]}},
        ),
    ] = "header"
    certificates: Annotated[
        str,
        setting(
            text("Own certificate authority", "自建证书机构"),
            text(
                "Its certificate as PEM text, when the service's certificate comes from no public authority.",
                "当接口证书并非由公共机构签发时，填写该机构的 PEM 格式证书。",
            ),
            widget="textarea",
            max_length=100_000,
        ),
    ] = ""
    timeout_seconds: Annotated[
        float, setting(text("Longest request", "单次请求时限"), text("Seconds.", "秒。"), ge=1, le=600)
    ] = 30
    page_megabytes: Annotated[
        int,
        setting(text("Largest answer", "单次返回上限"), text("MiB, decompressed.", "MiB（解压后）。"), ge=1, le=512),
    ] = 32
    total_megabytes: Annotated[
        int,
        setting(text("Largest dataset", "数据集读取上限"), text("MiB, over all pages.", "MiB（所有页合计）。"), ge=1,
            le=1_048_576),
    ] = 4096  # fmt: skip
    max_pages: Annotated[
        int,
        setting(
            text("Most pages", "最大页数"),
            text("Reading stops with an error beyond it, never silently.", "超过时报错停止，不会静默截断。"),
            ge=1,
            le=1_000_000,
        ),
    ] = 10_000
    retries: Annotated[
        int,
        setting(
            text("Further tries", "重试次数"),
            text("When the service is overloaded or fails for a moment.", "接口繁忙或短暂故障时。"),
            ge=0,
            le=10,
        ),
    ] = 4
    pause_seconds: Annotated[
        float,
        setting(
            text("Pause between pages", "页间停顿"),
            text("Seconds; spares a weak service.", "秒；用于减轻对方负担。"),
            ge=0,
            le=60,
        ),
    ] = 0

    def problems(self) -> Iterable[Problem]:
        """Addresses that can be used, datasets with different names, and what the way of signing in needs."""
        base = _url(self.url)
        if base is None:
            yield _bad_url("/url", self.url)
        names: set[str] = set()
        for index, dataset in enumerate(self.datasets):
            yield from dataset.found_problems(f"/datasets/{index}", base)
            if dataset.name in names:
                words = text(
                    f"“{dataset.name}” is the name of another dataset too.", f"数据集名称“{dataset.name}”重复。"
                )
                yield _problem(f"/datasets/{index}/name", "http.name_taken", words)
            names.add(dataset.name)
        yield from self._sign_in_problems()
        try:
            tls_context(self.certificates)
        except ValueError:
            words = text("This is no certificate in PEM form.", "不是 PEM 格式的证书。")
            yield _problem("/certificates", "http.certificates", words)

    def _sign_in_problems(self) -> Iterable[Problem]:
        needed = {
            "basic": ("user",),
            "bearer": ("secret",),
            "key_header": ("secret", "key_name"),
            "key_query": ("secret", "key_name"),
            "oauth2": ("user", "secret", "token_url"),
        }.get(self.sign_in, ())
        for name in needed:
            if not getattr(self, name):
                words = text(
                    "This way of signing in needs it. Please fill it in.", "所选身份验证方式需要此项，请填写。"
                )
                yield _problem(f"/{name}", "settings.required", words)
        if self.sign_in in ("bearer", "key_header") and not _is_header_value(self.secret):
            words = text(
                "A header cannot carry this: only plain characters, no line breaks.",
                "请求头无法携带该内容：只能使用普通字符，不能换行。",
            )
            yield _problem("/secret", "http.secret", words)
        if self.sign_in == "key_header":
            words = text("This is no name of a header.", "不是合法的请求头名称。")
            if not _TOKEN.fullmatch(self.key_name) or self.key_name.lower() in _OWN_HEADERS - {"authorization"}:
                yield _problem("/key_name", "http.key_name", words)
        if self.token_url and _url(self.token_url) is None:
            yield _bad_url("/token_url", self.token_url)


class HttpDatasetSettings(Settings):
    """What discovery found out about the columns; people may correct it."""

    types: Annotated[
        dict[str, str],
        setting(
            text("Types of columns", "列的类型"),
            text("Column → type; what is not listed is text.", "列 → 类型；未列出的按文本读取。"),
            widget="types",
        ),
    ] = {}
    formats: Annotated[
        dict[str, str],
        setting(
            text("Forms of dates", "日期写法"),
            text(
                "Column → unix, unix_ms, unix_us, or a pattern like %Y/%m/%d, when it is not 2024-01-31T10:00:00Z.",
                "列 → unix、unix_ms、unix_us，或 %Y/%m/%d 等写法；2024-01-31T10:00:00Z 形式无需填写。",
            ),
            widget="pairs",
        ),
    ] = {}
    optional: Annotated[
        tuple[str, ...],
        setting(
            text("Columns that may be missing", "可缺失的列"),
            text(
                "Fields that rows may leave out. Any other column that a whole page lacks is an error.",
                "数据行中可能不出现的字段。其他列若整页缺失则视为错误。",
            ),
        ),
    ] = ()

    def problems(self) -> Iterable[Problem]:
        """Types must be ours."""
        for column, kind in self.types.items():
            if not is_type(kind):
                words = text(f"“{kind}” is no type for a column.", f"“{kind}”不是可用的列类型。")
                yield _problem(f"/types/{escape(column)}", "file.type_unknown", words)


def dataset_url(settings: HttpJsonSettings, dataset: HttpDataset) -> Url:
    """Where a dataset is asked for: below the base address, on the same host."""
    base = settings.url if settings.url.endswith("/") or not dataset.path else settings.url + "/"
    return join(parse_url(base), dataset.path) if dataset.path else parse_url(base)


def header_problems(pointer: str, headers: dict[str, str]) -> Iterable[Problem]:
    """Headers that are none, or that are not for people to set."""
    for name, value in headers.items():
        at = f"{pointer}/{escape(name)}"
        if not _TOKEN.fullmatch(name) or not _is_header_value(value):
            yield _problem(at, "http.header", text("This is no proper header.", "不是合法的请求头。"))
        elif name.lower() in _OWN_HEADERS:
            words = text(
                f"“{name}” is set by the studio. What signs in belongs into the fields above.",
                f"“{name}”由平台设置。身份验证信息请填写在相应字段中。",
            )
            yield _problem(at, "http.header_own", words)


def _path_problems(pointer: str, path: str, base: Url) -> Iterable[Problem]:
    try:
        found = join(parse_url(str(base).rstrip("/") + "/"), path) if path else base
    except UrlError as error:
        yield _problem(pointer, error.code, error.message)
        return
    if found.origin != base.origin:
        words = text(
            "The path leads to another host than the base address. Register that host as a node of its own.",
            "该路径指向其他主机。请把那台主机登记为单独的节点。",
        )
        yield _problem(pointer, "http.other_host", words)


def _url(words: str) -> Url | None:
    try:
        return parse_url(words)
    except UrlError:
        return None


def _bad_url(pointer: str, words: str) -> Problem:
    try:
        parse_url(words)
    except UrlError as error:
        return _problem(pointer, error.code, error.message)
    raise AssertionError(words)


def _is_header_value(value: str) -> bool:
    return value.isprintable() and value.isascii()


def _json(words: str) -> object:
    try:
        return json.loads(words)
    except (ValueError, RecursionError):
        return None


def _problem(pointer: str, code: str, message: Text) -> Problem:
    return Problem(pointer, code, message)
