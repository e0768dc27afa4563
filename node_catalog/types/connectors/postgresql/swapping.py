"""Replacing all rows of a PostgreSQL table by another table that takes its name.

The new table is made like the old one and filled while readers go on with the old one; what readers wait for is the
exchange of names. That is right only where nothing is lost with the old table, so it has to be a plain one of our own
user's on which nothing else hangs: no view, trigger, rule, policy, foreign key, sequence, publication, heir or setting
of its own. ``PLAIN`` asks for all of that at once; whatever it does not recognise counts as hanging on it. Indexes,
constraints, defaults, comments and grants go along, and ``DIFFERENCES`` is asked before the names are exchanged.
"""

from __future__ import annotations

from typing import Any

from node_catalog.sdk.sql_node import literal, quoted

PLAIN = """
select c.relkind = 'r' and c.relpersistence = 'p' and not c.relispartition and c.reloftype = 0
   and c.reloptions is null and c.reltablespace = 0 and c.relreplident = 'd' and not c.relrowsecurity
   and not c.relhasrules and not c.relhastriggers and not c.relhassubclass
   and c.relam = (select oid from pg_am where amname = 'heap') and pg_get_userbyid(c.relowner) = current_user
   and not exists (select from pg_inherits i where c.oid in (i.inhrelid, i.inhparent))
   and not exists (select from pg_seclabel s where s.objoid = c.oid and s.classoid = 'pg_class'::regclass)
   and not exists (select from pg_index i where i.indrelid = c.oid and (i.indisclustered or i.indisreplident
                   or not i.indisvalid))
   and not exists (select from pg_class t where t.oid = c.reltoastrelid and t.reloptions is not null)
   and not exists (select from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
                   and (a.attacl is not null or a.attoptions is not null or a.attidentity <> ''
                        or coalesce(a.attstattarget, -1) >= 0))
   and not exists (select from aclexplode(c.relacl) g where g.grantor <> c.relowner)
   and not exists (
     select from pg_depend d left join pg_class k on d.classid = 'pg_class'::regclass and k.oid = d.objid
     where d.refclassid = 'pg_class'::regclass and d.refobjid = c.oid
       and not (coalesce(k.relkind, ' ') = 'i' and d.deptype = 'a')
       and d.classid not in ('pg_attrdef'::regclass, 'pg_constraint'::regclass, 'pg_type'::regclass)
       and coalesce(k.relkind, ' ') <> 't')
   and not exists (
     select from pg_depend d join pg_type t on t.oid = c.reltype
     where d.refclassid = 'pg_type'::regclass and d.refobjid = t.oid
       and not (d.classid = 'pg_type'::regclass and d.objid = t.typarray))
from pg_class c where c.oid = %(table)s::regclass
"""
"""Whether another table may take this one's place without loss."""
_SHAPE = """
select 'column', a.attname::text, format_type(a.atttypid, a.atttypmod), a.attnotnull::text,
       a.attgenerated::text || a.attstorage::text || a.attcollation::text,
       coalesce(pg_get_expr(f.adbin, f.adrelid), ''), coalesce(col_description(a.attrelid, a.attnum), '')
from pg_attribute a left join pg_attrdef f on f.adrelid = a.attrelid and f.adnum = a.attnum
where a.attrelid = {0}::regclass and a.attnum > 0 and not a.attisdropped
union all
select 'index', '', substring(x.def from position(' USING ' in x.def)), i.indisunique::text, i.indisprimary::text,
       coalesce(k.contype::text || k.condeferrable::text || k.condeferred::text, ''),
       coalesce(obj_description(i.indexrelid, 'pg_class'), '')
from pg_index i cross join lateral (select pg_get_indexdef(i.indexrelid) as def) x
left join pg_constraint k on k.conindid = i.indexrelid and k.conrelid = i.indrelid
where i.indrelid = {0}::regclass
union all
select 'check', conname::text, pg_get_constraintdef(oid), convalidated::text, '', '',
       coalesce(obj_description(oid, 'pg_constraint'), '')
from pg_constraint where conrelid = {0}::regclass and contype not in ('p', 'u', 'x')
union all
select 'grant', grantee::text, privilege_type, is_grantable::text, '', '', ''
from pg_class c, aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) where c.oid = {0}::regclass
union all
select 'table', '', coalesce(obj_description({0}::regclass, 'pg_class'), ''), '', '', '', ''
"""
_OLD, _NEW = f"({_SHAPE.format('%(old)s')})", f"({_SHAPE.format('%(new)s')})"
DIFFERENCES = f"select count(*) from (({_OLD} except all {_NEW}) union all ({_NEW} except all {_OLD})) as differing"
"""In how many facts two tables differ, names of indexes aside."""
_GRANTS = """
select privilege_type, case when grantee = 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end, is_grantable
from pg_class c, aclexplode(c.relacl) where c.oid = %(old)s::regclass and c.relacl is not null
"""
_INDEXES = """
select c.relname from pg_index i join pg_class c on c.oid = i.indexrelid where i.indrelid = %(table)s::regclass
order by substring(pg_get_indexdef(c.oid) from position(' USING ' in pg_get_indexdef(c.oid))), i.indisprimary, c.oid
"""


def is_plain(connection: Any, table: str) -> bool:
    """Whether nothing would be lost with ``table`` (quoted, with its schema)."""
    row = connection.execute(PLAIN, {"table": table}).fetchone()
    return bool(row and row[0])


def make_like(connection: Any, new: str, old: str) -> None:
    """Make ``new`` with the columns, rules, indexes, comments and grants of ``old``."""
    connection.execute(f"create table {new} (like {old} including all)")
    comment = connection.execute("select obj_description(%s::regclass, 'pg_class')", (old,)).fetchone()[0]
    if comment is not None:
        connection.execute(f"comment on table {new} is {literal(comment)}")
    for right, who, is_grantable in connection.execute(_GRANTS, {"old": old}).fetchall():
        end = " with grant option" if is_grantable else ""
        connection.execute(f"grant {right} on {new} to {who}{end}")


def is_alike(connection: Any, new: str, old: str) -> bool:
    """Whether ``new`` may stand for ``old``: nothing has changed since it was made, and nothing was forgotten."""
    return bool(connection.execute(DIFFERENCES, {"old": old, "new": new}).fetchone()[0] == 0)


def exchange(connection: Any, new: str, old: str, schema: str, name: str) -> None:
    """``new`` takes the place and the names of ``old``, which is dropped; the caller holds the lock on it."""
    wanted, made = (
        [row[0] for row in connection.execute(_INDEXES, {"table": table}).fetchall()] for table in (old, new)
    )
    connection.execute(f"drop table {old}")
    connection.execute(f"alter table {new} rename to {quoted(name)}")
    for index, its_name in zip(made, wanted, strict=True):
        connection.execute(f"alter index {quoted(schema)}.{quoted(index)} rename to {quoted(its_name)}")
