"""What a Spark server says, in words for people. Pure: it sees only the kind and the text of an error.

The words never quote a value; the server's own sentence (which may) goes into ``detail``.
"""

from __future__ import annotations

from node_catalog.sdk.text import text
from runtime.engine.errors import CancelledError, ClusterFailedError, EngineError, ValueFailedError, WorkError

_DETAIL = 1000
_VALUE = text(
    "A calculation on the Spark cluster leaves the range of its type (a number too large, a value that cannot be "
    "converted). Cast the column to a wider type before calculating, or filter such rows out.",
    "在 Spark 集群上计算时超出了类型的取值范围（数值过大，或有值无法转换）。请先转换为范围更大的类型，或筛掉这些行。",
)
_PLAN = text(
    "The Spark cluster does not accept the statement of this stage. Choose “on the worker's machine” in the flow's run "
    "settings to run it without the cluster, and report it together with the run's number.",
    "Spark 集群不接受该阶段的语句。请在流程的运行设置中改选“工作进程所在的机器”以绕开集群，并连同运行编号一起反馈。",
)
_FILES = text(
    "The Spark cluster does not find the rows that this stage left for it. SPARK_EXCHANGE must name, as the cluster "
    "sees it, the folder or bucket of EXCHANGE_URL, and the cluster must be allowed to read it.",
    "Spark 集群找不到本阶段为其准备的数据。SPARK_EXCHANGE 须为集群所见的、"
    "与 EXCHANGE_URL 相同的目录或存储桶，且集群须有读取权限。",
)


def cluster_error(kind: str, message: str, host: str, where: str = "") -> EngineError:
    """The error behind what the client raised: the name of its class, and its text."""
    detail = f"{kind}: {message}".split("\n\nJVM stacktrace")[0][:_DETAIL]
    lower = message.lower()
    if "path_not_found" in lower or "path does not exist" in lower or "no files found" in lower:
        return WorkError("engine.spark_files", _FILES, where, detail)
    if "operation_canceled" in lower or "operation was canceled" in lower or "interrupted" in lower:
        return CancelledError(where=where)
    if "rpcerror" in kind.lower() or "Grpc" in kind or "Retries" in kind or "Multicallable" in kind:
        return _lost(host, where, detail) if _is_transport(lower, kind) else _failed(host, where, detail)
    if kind in ("ArithmeticException", "NumberFormatException", "DateTimeException"):
        return ValueFailedError("engine.range", _VALUE, where, detail)
    if kind in ("AnalysisException", "ParseException", "UnsupportedOperationException"):
        return WorkError("engine.spark_plan", _PLAN, where, detail)
    if "overflow" in lower or "divide by zero" in lower or "cannot be cast" in lower:
        return ValueFailedError("engine.range", _VALUE, where, detail)
    return _failed(host, where, detail)


def _is_transport(lower: str, kind: str) -> bool:
    words = ("unavailable", "deadline", "connection", "socket closed", "goaway", "session_closed", "session_not_found")
    return any(word in lower for word in words) or "Retries" in kind or "Multicallable" in kind


def not_reachable(host: str, where: str = "", detail: str = "") -> ClusterFailedError:
    """Nobody answers at the server's address."""
    words = text(
        f"The Spark server at {host} cannot be reached. It is tried again; if it stays so, start the server, or choose "
        "“on the worker's machine” in the flow's run settings.",
        f"无法连接 Spark 服务器 {host}，系统会重试。若一直如此，请启动该服务器，或在流程的运行设置中"
        "改选“工作进程所在的机器”。",
    )
    return ClusterFailedError("engine.spark_unreachable", words, where, detail[:_DETAIL])


def _lost(host: str, where: str, detail: str) -> ClusterFailedError:
    words = text(
        f"The Spark server at {host} broke off while it worked. Nothing was delivered; the stage is tried again.",
        f"Spark 服务器 {host} 在计算过程中断开。没有写出任何数据，系统会重试该阶段。",
    )
    return ClusterFailedError("engine.spark_lost", words, where, detail)


def _failed(host: str, where: str, detail: str) -> ClusterFailedError:
    words = text(
        f"The Spark server at {host} failed on this stage. Nothing was delivered; it is tried again. If it fails "
        "again, look into the server's log (memory of its executors, storage), or choose “on the worker's machine” in "
        "the flow's run settings.",
        f"Spark 服务器 {host} 在执行该阶段时出错。没有写出任何数据，系统会重试。若再次失败，请查看服务器日志"
        "（执行器内存、存储），或在流程的运行设置中改选“工作进程所在的机器”。",
    )
    return ClusterFailedError("engine.spark_failed", words, where, detail)


def no_client(where: str = "", detail: str = "") -> WorkError:
    """This worker cannot speak to Spark."""
    words = text(
        "This worker has no client for Spark. Install requirements-spark.txt on every worker that is to use it.",
        "当前工作进程未安装 Spark 客户端。请在需要使用 Spark 的所有工作进程上安装 requirements-spark.txt。",
    )
    return WorkError("engine.no_spark", words, where, detail)


def no_cluster(where: str = "") -> WorkError:
    """The plan leaves a stage to Spark, and this worker was not told where it is."""
    words = text(
        "This stage is planned for Spark, but this worker has no SPARK_URL. Give all workers the same options, or run "
        "again for a new plan.",
        "该阶段计划由 Spark 执行，但当前工作进程没有设置 SPARK_URL。请为所有工作进程设置相同的选项，"
        "或重新运行以生成新的计划。",
    )
    return WorkError("engine.no_spark_url", words, where)


def too_much_to_send(most: int, where: str = "") -> WorkError:
    """More rows than may be sent along with the question."""
    words = text(
        f"The Spark cluster shares no storage with the studio, and more than {most >> 20} MiB of rows would have to be "
        "sent to it. Set SPARK_EXCHANGE, or choose “on the worker's machine” in the flow's run settings.",
        f"Spark 集群与平台没有共享存储，而需要发送的数据超过 {most >> 20} MiB。请设置 SPARK_EXCHANGE，"
        "或在流程的运行设置中改选“工作进程所在的机器”。",
    )
    return WorkError("engine.spark_too_much", words, where)
