"""PostgreSQL: a database (one schema of it) is the node; its tables and views are the datasets."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Annotated, Any, Literal

from node_catalog.sdk.access import Access, DatasetRef, Given, Remote, Span
from node_catalog.sdk.bounds import by_column
from node_catalog.sdk.contract import Check, ConnectContext, Connector, DiscoveredDataset, Settings
from node_catalog.sdk.errors import NodeTypeError, Problem
from node_catalog.sdk.fields import setting
from node_catalog.sdk.names import OWN_RECORDS
from node_catalog.sdk.ports import Schema
from node_catalog.sdk.server_fields import HOST, PASSWORD, PORT, TAKES_ROWS, nul_problems
from node_catalog.sdk.sql_node import check_promised, missing_table, place_of, quoted
from node_catalog.sdk.table_patterns import EXCLUDE, INCLUDE, TablePatterns, pattern_problems
from node_catalog.sdk.text import text
from node_catalog.types.connectors.postgresql.catalog import columns_of, count_tables, find_table, tables_of
from node_catalog.types.connectors.postgresql.connection import arrow, control
from node_catalog.types.connectors.postgresql.giving import bind_arrow, given
from node_catalog.types.connectors.postgresql.own_work import OWN
from node_catalog.types.connectors.postgresql.spans import BY_PAGES, spans_of
from node_catalog.types.connectors.postgresql.writing import PostgresqlOutput

BATCH_BYTES = 4 << 20
"""The driver cuts its Arrow batches at about this size; without the hint one batch may hold hundreds of MB."""

ROW_BYTES = 64
"""What a row is taken for when batches shall be small, for a node that may only be read slowly."""

_INFINITE_DAYS = (-2147472692, -2147472691)
"""What the driver makes of ``infinity`` and ``-infinity``: days since 2000 carried over to 1970, wrapped around."""
_INFINITE_MICROS = (-9222425352054775809, -9222425352054775808)


_TRANSACTIONS = """
select sum(xact_commit + xact_rollback) from pg_stat_database
where datname is not null
  and datname not in (select datname from pg_stat_activity where application_name = %s and datname is not null)
"""


class PostgresqlSettings(Settings):
    """Where the server is and as whom to sign in."""

    host: Annotated[str, HOST]
    database: Annotated[str, setting(text("Database", "数据库"), min_length=1, max_length=63)]
    user: Annotated[str, setting(text("User", "用户"), min_length=1, max_length=63)]
    password: Annotated[str, PASSWORD] = ""
    port: Annotated[int, PORT] = 5432
    schema: Annotated[
        str,
        setting(
            text("Schema", "模式"),
            text("Whose tables are the node's datasets.", "该模式下的表即为节点的数据集。"),
            min_length=1,
            max_length=63,
        ),
    ] = "public"
    sslmode: Annotated[
        Literal["disable", "prefer", "require", "verify-full"],
        setting(
            text("Encryption", "加密方式"),
            choices={
                "disable": text("none", "不加密"),
                "prefer": text("if the server offers it", "服务器支持时加密"),
                "require": text("always", "始终加密"),
                "verify-full": text("always, and check the server's certificate", "始终加密并校验服务器证书"),
            },
        ),
    ] = "prefer"
    takes_rows: Annotated[Literal["never", "own", "open"], TAKES_ROWS] = "own"
    include: Annotated[tuple[str, ...], INCLUDE] = ()
    exclude: Annotated[tuple[str, ...], EXCLUDE] = ()

    def problems(self) -> Iterable[Problem]:
        """NUL characters end a parameter early in the driver; patterns must be able to match something."""
        yield from pattern_problems(self.include, self.exclude)
        yield from nul_problems(self, "database", "user", "password", "schema")


class Postgresql(Connector):
    """A PostgreSQL database. Filters and column lists run in the server; rows arrive as Arrow."""

    key = "postgresql"
    title = text("PostgreSQL", "PostgreSQL")
    summary = text("Tables of a PostgreSQL database", "PostgreSQL 数据库中的表")
    help = text(
        "Reads tables and views of one schema; filters and the choice of columns run in the server, read-only "
        "and with a time "
        "limit. Writing goes through a staging table and one transaction, so each row arrives once. Replacing all "
        "rows exchanges a plain table for a new one with its indexes, rules and grants; where views, triggers, keys of "
        "other tables or sequences hang on it, its rows are deleted and inserted instead, so that nothing is lost. "
        "Readers see the old rows until the new ones are complete. The user needs SELECT, and for writing also CREATE "
        "on the schema.",
        "读取一个模式下的表和视图，筛选和选列在服务器内以只读、限时方式执行。写入先进入暂存表，再在一个事务中完成，每行只写入一次。"
        "全部替换时，普通表会由带有相同索引、约束和授权的新表接替；若有视图、触发器、外键或序列依附于该表，"
        "则改为删除后插入，不丢失任何依附对象。新数据写完之前，读者看到的始终是旧数据。"
        "读取需要 SELECT 权限，写入还需要在该模式上的 CREATE 权限。",
    )
    icon = "DatabaseOutlined"
    Settings = PostgresqlSettings
    limits = ("reads", "rows_per_second", "statement_seconds", "when_busy", "replica")
    takes_rows = True
    output = PostgresqlOutput

    @classmethod
    def dialect(cls) -> str:
        """Texts run in the server."""
        return "postgres"

    @classmethod
    def check(cls, settings: PostgresqlSettings, context: ConnectContext) -> Check:
        """Sign in and count the tables."""
        try:
            with control(settings, context, read_only=True) as connection:
                version = connection.execute("show server_version").fetchone()[0]
                tables = count_tables(connection, settings.schema)
                there = connection.execute(
                    "select 1 from pg_namespace where nspname = %s", (settings.schema,)
                ).fetchone()
                encrypted = bool(connection.pgconn.ssl_in_use)
        except NodeTypeError as error:
            return Check(False, error.code, error.message)
        if not there:
            message = text(
                f"The database has no schema “{settings.schema}”, or the user may not see it.",
                f"数据库中没有模式“{settings.schema}”，或当前用户无权查看。",
            )
            return Check(False, "postgresql.no_schema", message)
        facts = {"product": "PostgreSQL", "version": version, "tables": tables, "encrypted": encrypted}
        words_ = text(
            f"Connected; schema “{settings.schema}” has {tables} tables.",
            f"连接成功，模式“{settings.schema}”下有 {tables} 张表。",
        )
        return Check(True, "ok", words_, facts)

    @classmethod
    def discover(
        cls,
        settings: PostgresqlSettings,
        context: ConnectContext,
        known: Mapping[tuple[str, ...], Mapping[str, Any]] | None = None,
    ) -> Iterator[DiscoveredDataset]:
        """Tables and views with keys, comments and sizes; small tables are counted, large ones estimated."""
        with control(settings, context, read_only=True) as connection:
            yield from tables_of(
                connection, settings.schema, TablePatterns(settings.include, settings.exclude), context.described
            )

    @classmethod
    def access(cls, settings: PostgresqlSettings, dataset: DatasetRef, context: ConnectContext) -> Access:
        """The SQL runs in the server, over a subquery that gives the promised columns in our types."""
        schema, name = place_of(dataset.path, settings.schema)
        with control(settings, context, read_only=True) as connection:
            table = find_table(connection, schema, name)
            if table is None:
                raise missing_table(f"{schema}.{name}")
            columns = {column.name: column for column in columns_of(connection, [table[0]])[table[0]]}
        check_promised(dataset.schema, list(columns), f"{schema}.{name}")
        chosen, tests, bounded = [], _within(dataset.span) if dataset.span else [], by_column(dataset.bounds)
        for field in dataset.schema.fields:
            part, column = field.name, columns[field.name]
            within = bounded.get(part, ()) if column.type == field.type else ()
            value, more = column.read(within, is_compared=part in dataset.compared)
            chosen.append(f"{value} AS {quoted(part)}")
            tests += more
        where = f" WHERE {' AND '.join(tests)}" if tests else ""
        relation = f"(SELECT {', '.join(chosen)} FROM {quoted(schema)}.{quoted(name)}{where})"
        return Remote(relation, "postgres", BY_PAGES if dataset.span else {})

    @classmethod
    def spans(
        cls, settings: PostgresqlSettings, dataset: DatasetRef, rows: int, after: int | None, context: ConnectContext
    ) -> Sequence[Span]:
        """Ranges of an integer primary key."""
        schema, name = place_of(dataset.path, settings.schema)
        with control(settings, context, read_only=True) as connection:
            return spans_of(connection, schema, name, rows, after)

    @classmethod
    def run_sql(
        cls,
        settings: PostgresqlSettings,
        sql: str,
        context: ConnectContext,
        values: Mapping[str, str] | None = None,
    ) -> Iterator[Any]:
        """Batches of one SELECT, streamed by binary COPY inside the driver."""
        with arrow(settings, context) as connection:
            with connection.cursor() as cursor:
                bind_arrow(cursor, values or {})
                size = min(BATCH_BYTES, context.batch_rows * ROW_BYTES)
                cursor.adbc_statement.set_options(**{"adbc.postgresql.batch_size_hint_bytes": str(size)})
                cursor.execute(sql)
                with cursor.fetch_record_batch() as reader:
                    for batch in reader:
                        yield plain_batch(batch)
            connection.rollback()  # a connection that is kept holds no snapshot between two tables

    @classmethod
    @contextmanager
    def work_done(cls, settings: PostgresqlSettings, context: ConnectContext) -> Iterator[Callable[[], int]]:
        """Transactions in all databases of the server but those in which the studio keeps its own records, without
        what this process has done there itself.
        """
        with control(settings, context, read_only=True) as connection:

            def ask() -> int:
                done = int(connection.execute(_TRANSACTIONS, (OWN_RECORDS,)).fetchone()[0] or 0)
                return done - OWN.of(settings.host, settings.port)

            yield ask

    @classmethod
    def get_ready(cls, settings: PostgresqlSettings, context: ConnectContext) -> None:
        """Open the connection over which ``run_sql`` reads."""
        with arrow(settings, context):
            pass

    @classmethod
    def give(cls, name: str, schema: Schema, rows: Any, compared: Collection[str] = ()) -> Given | None:
        """Arrays that the statement unnests."""
        return given(name, schema, rows, compared)


def _within(span: Span) -> list[str]:
    ends = ((">=", span.low), ("<", span.high))
    return [f"{quoted(span.column)} {sign} {value}" for sign, value in ends if value is not None]


def plain_batch(batch: Any) -> Any:
    """Types that only the driver knows (numeric as text, zoned timestamps, infinite dates) in plain Arrow."""
    import pyarrow as pa

    arrays = [_plain(array) for array in batch.columns]
    if all(new is old for new, old in zip(arrays, batch.columns, strict=True)):
        return batch
    return pa.RecordBatch.from_arrays(arrays, names=batch.schema.names)


def _plain(array: Any) -> Any:
    import pyarrow as pa

    if isinstance(array, pa.ExtensionArray):
        return array.storage
    if pa.types.is_timestamp(array.type):
        micros = array.cast(pa.timestamp("us", array.type.tz))
        return _finite(micros.cast(pa.timestamp("us")), pa.int64(), _INFINITE_MICROS)
    return _finite(array, pa.int32(), _INFINITE_DAYS) if pa.types.is_date32(array.type) else array


def _finite(array: Any, storage: Any, infinite: tuple[int, int]) -> Any:
    """``infinity`` has no counterpart among our types: it is read as NULL."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found = pc.is_in(array.view(storage), value_set=pa.array(infinite, storage))
    return pc.if_else(found, pa.scalar(None, array.type), array) if pc.any(found).as_py() else array
