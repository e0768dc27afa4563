"""A stage's text may name its inputs and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from runtime.engine.cancel import Cancel
from runtime.engine.duck import Connection, open_main
from runtime.engine.errors import TextRefusedError
from runtime.engine.work import Limits


@pytest.fixture(scope="module")
def connection() -> Iterator[Connection]:
    with open_main(Limits(memory_mb=128), Cancel()) as opened:
        yield opened


ALLOWED = """
select a from s
with t as (select * from s) select * from t x join s y on x.a = y.a
select * from s pivot (sum(a) for b in ('1'))
select * from (values (1)) v(a)
select s.a, unnest([1, 2]) from s
select * from s where a in (select a from S)
select * from s, lateral (select s.a + 1) q
select a from s union all by name select a from s
with recursive r(n) as (select 1 union all select n + 1 from r where n < 4) select * from r
select * from s qualify row_number() over (order by a) = 1
select case when a is null then cast(b as varchar) else 'x' end from s order by 1 limit 3
select "t0"."a" from "s" as "t0" where exists (select 1 from s where s.a = "t0".a)
select struct_pack(a := 1), [x + 1 for x in [1, 2]], a::decimal(10, 2) from s
select distinct on (a) * from s order by b
select count(*) filter (where a > 1) over (partition by b order by a rows between 1 preceding and current row) from s
from s select a
select {'type': 'SHOW_REF', 'alias': 1, 'sample': 2} as harmless
select * from range(3)
""".strip().splitlines()

REFUSED = """
select * from '/etc/passwd'
from 'x.parquet'
select * from "/etc/passwd"
select * from read_csv('x')
select * from read_csv_auto('x')
select * from glob('*')
select * from s, read_text('/x')
select * from sqlite_scan('a', 'b')
select * from sqlite_query('a', 'select 1')
select * from postgres_scan('host=x', 'a', 'b')
select * from postgres_query('x', 'select 1')
select * from mysql_query('x', 'select 1')
select * from a.b
select * from main.s
select * from memory.main.s
select * from temp.s
select (select content from read_text('/etc/passwd'))
select * from s where a in (select a from '/x.csv')
select * from s order by (select count(*) from other)
select case when (select 1 from other) then 1 end from s
show tables
show all tables
describe s
summarize s
select * from (show tables)
select * from (describe s)
select * from (summarize s)
select 1; drop table s
select a from s; select a from s
copy s to 'x'
copy (select 1) to 'x'
attach 'x'
attach 'host=x' as y (type postgres)
detach s
install httpfs
load httpfs
set threads = 1
reset memory_limit
pragma database_list
pragma enable_profiling
call pragma_version()
create table x as select 1
create macro m() as table select * from read_text('/etc/passwd')
create secret (type s3)
insert into s values (1)
delete from s
update s set a = 1
drop table s
explain select 1
explain analyze select 1
export database 'x'
import database 'x'
prepare p as select 1
execute p
begin
checkpoint
vacuum
use s
select * from duckdb_settings()
select * from duckdb_secrets()
select * from duckdb_extensions()
select current_setting('threads')
select getenv('HOME')
select getvariable('x')
select * from query('select 1')
select * from query_table('s')
with x as (select * from read_csv('x')) select * from x
with s as materialized (from 'y.csv') select * from s
select * from s union select * from parquet_scan('x')
select * from information_schema.tables
select * from pg_catalog.pg_tables
select * from pg_tables
select * from sqlite_master
select * from pragma_database_list
select * from sniff_csv('x')
from (pivot 'x.csv' on a using sum(b))
select * from json_execute_serialized_sql('x')
select * from iceberg_scan('x')
select * from delta_scan('x')
select * from read_json('x')
select * from read_blob('x')
select * from other
select * from "s""; drop table x"
select /* from s */ * from /**/ read_text /**/ ('/etc/passwd')
""".strip().splitlines()


@pytest.mark.parametrize("sql", ALLOWED)
def test_a_select_over_its_inputs_passes(connection: Connection, sql: str) -> None:
    assert connection.check(sql, ("s",))


@pytest.mark.parametrize("sql", [*REFUSED, "", ";", "select", "\x00", "select * from s\x00", "select 'ü' from 表"])
def test_everything_else_is_refused(connection: Connection, sql: str) -> None:
    with pytest.raises(TextRefusedError) as caught:
        connection.check(sql, ("s",))
    assert caught.value.code == "engine.refused"
    assert set(caught.value.message) == {"en", "zh-CN"}


@pytest.mark.parametrize("depth", [300, 900])
def test_a_long_chain_of_fused_steps_passes(connection: Connection, depth: int) -> None:
    nested = "select a from (" * min(depth, 450) + "select a from s" + ")" * min(depth, 450)
    long = "select " + "+".join(["a"] * depth) + " from s"
    for sql in (nested, long):
        assert connection.check(sql, ("s",))


@pytest.mark.parametrize(
    "sql", ["select " + "not " * 5000 + "true", "select * from (" * 5000 + "select 1" + ")" * 5000]
)
def test_a_text_without_measure_ends_in_an_error_not_in_a_crash(connection: Connection, sql: str) -> None:
    with pytest.raises(TextRefusedError):
        connection.check(sql, ("s",))
