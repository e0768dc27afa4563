"""What goes wrong on the way to a web service, in words."""

from __future__ import annotations

import http.client
import ssl

from node_catalog.sdk.errors import ConnectError, DataError, NodeTypeError, RefusedError, SourceBusyError
from node_catalog.sdk.http_url import Url
from node_catalog.sdk.text import text


def of_network(error: Exception, url: Url) -> NodeTypeError:
    """What the network or TLS did, as our error."""
    where = f"{url.host}:{url.port}"
    if isinstance(error, ssl.SSLCertVerificationError):
        message = text(
            f"The certificate of “{url.host}” cannot be trusted ({error.verify_message}). If it comes from an "
            "authority of your own, enter that authority's certificate in the settings.",
            f"“{url.host}”的证书不受信任（{error.verify_message}）。如为自建证书机构，请在设置中填写该机构的证书。",
        )
        return RefusedError("http.certificate", message, where)
    if isinstance(error, ssl.SSLError):
        message = text(
            f"“{url.host}” does not speak TLS as expected. Check whether the address should begin with http://.",
            f"无法与“{url.host}”建立 TLS 连接。请检查地址是否应以 http:// 开头。",
        )
        return RefusedError("http.tls", message, where, str(error)[:400])
    if isinstance(error, http.client.IncompleteRead | ConnectionResetError | BrokenPipeError):
        return broken_off(url, str(error))
    if isinstance(error, OSError) and not isinstance(error, http.client.HTTPException):
        message = text(
            f"Nothing answers at {url.host}, port {url.port}. Check the address, and whether a firewall lies between.",
            f"{url.host} 的 {url.port} 端口没有响应。请检查地址，以及中间是否有防火墙。",
        )
        return ConnectError("http.unreachable", message, where)
    return DataError("http.broken", _NOT_HTTP, where, str(error)[:400])


_NOT_HTTP = text("The answer is no proper HTTP.", "返回内容不是合法的 HTTP 响应。")


def broken_off(url: Url, detail: str = "") -> ConnectError:
    """The connection ended in the middle of an answer."""
    message = text(
        f"“{url.host}” broke off in the middle of its answer. It is tried again.",
        f"“{url.host}”在返回数据时中断连接，将会重试。",
    )
    return ConnectError("http.broken_off", message, f"{url.host}:{url.port}", detail[:400])


def too_slow(url: Url) -> SourceBusyError:
    """The time for one request is up."""
    message = text(
        f"“{url.host}” did not answer in time. Try again later, ask for smaller pages, or allow more time in the "
        "node's settings.",
        f"“{url.host}”未在限定时间内返回。请稍后重试、减小每页行数，或在节点设置中延长时限。",
    )
    return SourceBusyError("http.timeout", message, f"{url.host}:{url.port}")


def too_large(url: Url, max_bytes: int) -> DataError:
    """The answer is larger than allowed."""
    most = f"{max_bytes / (1 << 20):g} MiB"
    message = text(
        f"An answer of “{url.host}” is larger than {most}. Ask for smaller pages, or raise the limit in the node's "
        "settings.",
        f"“{url.host}”的一次返回超过 {most}。请减小每页行数，或在节点设置中提高上限。",
    )
    return DataError("http.too_large", message, url.host)


def broken_packing(url: Url) -> DataError:
    """Compressed bytes that are none."""
    message = text(f"The compressed answer of “{url.host}” is damaged.", f"“{url.host}”返回的压缩数据已损坏。")
    return DataError("http.packing", message, url.host)
