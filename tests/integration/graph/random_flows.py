"""Random typed flows for Hypothesis: every step is built from the columns that really arrive."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from flows.graph.settings import parse_settings
from flows.graph.step_ports import end_of
from flows.graph.typecheck import evaluate, settings_key
from node_catalog.sdk.ports import Schema
from tests.integration.graph.random_tables import TYPED
from tests.unit.graph.support import AIR, STATIONS, Json, catalogue, flow, registry, step

NUMBERS = ("integer", "number", "decimal")
NUMBERS_OF = {"air": AIR, "stations": STATIONS}
MOST_COLUMNS = 24
MOMENTS = ("date", "timestamp")
KEYS = (("pm10", "people"), ("pm10", "people"), ("station", "id"), ("code", "district"))
"""Columns of one type, of air and of stations; those by which MySQL joins, too, are drawn more often."""


def family(kind: str) -> str:
    return kind.partition("(")[0]


@dataclass
class Drawn:
    """A flow while it grows: steps, wires, and the schemas of the ends that may still be read, and of all ends."""

    steps: dict[str, Json] = field(default_factory=dict)
    wires: list[str] = field(default_factory=list)
    schemas: dict[str, Schema] = field(default_factory=dict)
    known: dict[str, Schema] = field(default_factory=dict)

    def document(self) -> Json:
        return flow(self.steps, *self.wires)

    def is_exact(self, name: str) -> bool:
        """Whether a column still holds the quarters of ``tables``, whose sum is the same in any order."""
        plain = ("read", "table", "filter", "join", "union", "distinct", "sort", "limit", "select")
        return name == "pm25" and all(one["type"] in plain for one in self.steps.values())

    def try_add(self, kind: str, settings: Json, *sources: str) -> bool:
        """Add a step when its settings and its types are right."""
        name = f"n{len(self.steps)}"
        if kind in ("join", "nearest_join"):
            ports: tuple[str, ...] = ("left", "right")
        else:
            ports = ("in1", "in2")[: len(sources)] if kind == "sql" else ("in",) * len(sources)
        if len(set(zip(ports, sources))) < len(sources):
            return False  # one wire twice
        schemas = self._evaluated(kind, settings, [(port, self.schemas[end]) for port, end in zip(ports, sources)])
        if schemas is None or any(len(schema.fields) > MOST_COLUMNS for schema in schemas.values()):
            return False
        self.steps[name] = step(kind, **settings)
        self.wires.extend(f"{source} > {name}.{port}" for source, port in zip(sources, ports))
        ends = {end_of(name, port): schema for port, schema in schemas.items()}
        self.schemas |= ends
        self.known |= ends
        return True

    def _evaluated(self, kind: str, settings: Json, inputs: list[tuple[str, Schema]]) -> dict[str, Schema] | None:
        """The schemas of a step's out ports, by the product's own check of one step."""
        made = registry().transforms[kind]
        parsed, problems = parse_settings(made, settings)
        if problems:
            return None
        given: dict[str, tuple[Schema, ...]] = {}
        for port, schema in inputs:
            given[port] = (*given.get(port, ()), schema)
        if made.role == "source":
            given["dataset"] = (catalogue()[NUMBERS_OF[settings["dataset"]]].schema,)
        evaluated = evaluate(made, parsed, settings_key(parsed), given, {})
        return None if evaluated.failure else dict(evaluated.schemas)


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@st.composite
def scalars(draw: Any, schema: Schema) -> str:
    """An expression over the columns that stays small and never raises at run time."""
    columns = list(schema.fields)
    column = draw(st.sampled_from(columns))
    name, kind = quoted(column.name), family(column.type)
    if kind in NUMBERS:
        constant = draw(st.sampled_from(["1", "2", "0.5", "10", "0"]))
        return draw(
            st.sampled_from(
                [
                    f"{name} + {constant}",
                    f"{name} - {constant}",
                    f"{name} / {constant}",
                    f"abs({name})",
                    f"coalesce({name}, {constant})",
                    f"case when {name} > {constant} then 1 else 0 end",
                    f"round({name}, 1)",
                    f"{name} % {constant}",
                ]
            )
        )
    if kind == "text":
        return draw(
            st.sampled_from(
                [
                    f"upper({name})",
                    f"{name} || '-x'",
                    f"substring({name}, 1, 2)",
                    f"length({name})",
                    f"coalesce({name}, '–')",
                    f"try_cast({name} as integer)",
                    f"replace({name}, 'a', 'B')",
                ]
            )
        )
    if kind in MOMENTS:
        return draw(
            st.sampled_from(
                [
                    f"year({name})",
                    f"date_trunc('month', {name})",
                    f"{name} + interval '1' day",
                    f"date_diff('day', date '2024-01-01', {name})",
                    f"strftime({name}, '%Y-%m')",
                ]
            )
        )
    return draw(st.sampled_from([f"{name} is null", f"not {name}", f"if({name}, 'y', 'n')"]))


@st.composite
def conditions(draw: Any, schema: Schema) -> str:
    column = draw(st.sampled_from(list(schema.fields)))
    name, kind = quoted(column.name), family(column.type)
    operator = draw(st.sampled_from([">", ">=", "<", "<=", "=", "<>"]))
    if kind in NUMBERS:
        test = f"{name} {operator} {draw(st.sampled_from(['1', '2.5', '10', '-3', '1e0']))}"
    elif kind == "text":
        test = draw(st.sampled_from([f"{name} {operator} 'b'", f"{name} in ('a', 'B', '12')", f"{name} like '%a%'"]))
    elif kind in MOMENTS:
        test = f"{name} {operator} date '2024-01-03'"
    else:
        test = f"{name} is not true"
    more = draw(st.sampled_from(["", f" or {name} is null", f" and {name} is not null"]))
    return test + more


@st.composite
def flows(draw: Any, filtered: bool = False, typed: bool = False) -> Drawn:
    """A flow of up to a dozen steps with one to three outputs; ``filtered``: a condition stands right behind reads;
    ``typed``: rows typed by hand may take part.
    """
    made = Drawn()
    made.try_add("read", {"dataset": "air"})
    others = [(), ("stations",), ("stations",), ("air",), *([("",)] if typed else [])]
    for dataset in draw(st.sampled_from(others)):
        if dataset:
            made.try_add("read", {"dataset": dataset})
        else:
            _table(draw, made)
    for name in list(made.schemas) if filtered else ():
        if made.try_add("filter", {"where": draw(conditions(made.schemas[name]))}, name):
            _forget(made, name)
    for _ in range(draw(st.integers(1, 4))):
        _grow(draw, made)
    return _with_outputs(draw, made)


@st.composite
def server_flows(draw: Any) -> Drawn:
    """A flow that a server can do whole or nearly: a join by keys of one type, groups, or both, and perhaps more."""
    made = Drawn()
    joins, groups = draw(st.sampled_from([(True, True), (True, True), (True, False), (False, True)]))
    left = _read(draw, made, "air")
    if joins:
        other, keys = draw(st.sampled_from([*(("stations", pair) for pair in KEYS), ("air", ("day", "day"))]))
        right = _read(draw, made, other)
        how = draw(st.sampled_from(["inner", "inner", "left", "semi", "anti"]))
        made.try_add("join", {"how": how, "on": [dict(zip(("left", "right"), keys))]}, left, right)
        _forget(made, left, right)
    if groups:
        source = list(made.schemas)[-1]
        known = made.schemas[source].names
        every = ["station", "pm10", "day", "valid", "cost", "people", "district"]
        choice = st.sampled_from([name for name in every if name in known])
        by: list[Any] = draw(st.lists(choice, min_size=1, max_size=2, unique=True))
        if "ts" in known and draw(st.booleans()):
            unit = draw(st.sampled_from(["hour", "day", "week", "month"]))
            by[-1] = {"name": "part", "expression": f"date_trunc('{unit}', ts)"}
        _aggregate(draw, made, source, by, always=True)
        _forget(made, source)
    if draw(st.booleans()):
        _grow(draw, made)
    return _with_outputs(draw, made)


def _table(draw: Any, made: Drawn) -> None:
    """Rows typed by hand, with columns of the other tables' names and values like theirs."""
    some = draw(st.lists(st.sampled_from(list(TYPED)), min_size=1, max_size=4, unique=True))
    columns = [{"name": name, "type": TYPED[name][0]} for name in some]
    count = draw(st.integers(0, 4))
    rows = [[draw(st.sampled_from([None, *TYPED[name][1]])) for name in some] for _ in range(count)]
    made.try_add("table", {"columns": columns, "rows": rows})


def _read(draw: Any, made: Drawn, dataset: str) -> str:
    """A read, perhaps with a condition right behind it; the end that gives its rows."""
    made.try_add("read", {"dataset": dataset})
    end = list(made.schemas)[-1]
    if draw(st.booleans()) and made.try_add("filter", {"where": draw(conditions(made.schemas[end]))}, end):
        _forget(made, end)
    return list(made.schemas)[-1]


def _forget(made: Drawn, *ends: str) -> None:
    """Nothing else reads these ends."""
    for end in ends:
        made.schemas.pop(end, None)


def _with_outputs(draw: Any, made: Drawn) -> Drawn:
    ends = [name for name in made.schemas if not any(wire.startswith(f"{name} >") for wire in made.wires)]
    more = draw(st.lists(st.sampled_from(list(made.schemas)), max_size=2, unique=True))
    for name in dict.fromkeys([*ends[:2], *more]):
        output = f"o_{name.replace('.', '_')}"
        made.steps[output] = step("output", name=output)
        made.wires.append(f"{name} > {output}")
    return made


def _grow(draw: Any, made: Drawn) -> None:
    source = draw(st.sampled_from(list(made.schemas)))
    schema = made.schemas[source]
    names = [column.name for column in schema.fields]
    kind = draw(
        st.sampled_from(
            [
                *("filter", "filter", "derive", "select", "cast", "join", "union", "aggregate", "sort", "limit"),
                *("distinct", "nearest_join", "intersect", "except", "window", "pivot", "unpivot", "fill", "grid"),
                *("switch", "check", "branch", "sql", "sql"),
            ]
        )
    )
    some = draw(st.lists(st.sampled_from(names), min_size=1, max_size=min(4, len(names)), unique=True))
    if kind == "filter":
        made.try_add("filter", {"where": draw(conditions(schema))}, source)
    elif kind == "derive":
        columns = [
            {"name": name, "expression": draw(scalars(schema))}
            for name in draw(st.sampled_from([["z1"], ["z1", "z2"], [names[0]]]))
        ]
        made.try_add("derive", {"columns": columns}, source)
    elif kind == "select":
        made.try_add(
            "select",
            {
                "columns": [
                    {"column": name, "as": f"r_{name}"[:40]} if i % 2 else {"column": name}
                    for i, name in enumerate(some)
                ]
            },
            source,
        )
    elif kind == "cast":
        target = draw(st.sampled_from(["text", "integer", "number", "decimal(20,3)"]))
        made.try_add("cast", {"columns": [{"column": some[0], "type": target, "on_error": "null"}]}, source)
    elif kind == "join":
        other = draw(st.sampled_from(list(made.schemas)))
        how = draw(st.sampled_from(["inner", "left", "right", "full", "semi", "anti"]))
        on = [{"left": some[0], "right": draw(st.sampled_from([column.name for column in made.schemas[other].fields]))}]
        settings = {"how": how, "on": on, "nulls_equal": draw(st.booleans())}
        made.try_add("join", settings, source, other)
    elif kind in ("union", "intersect", "except"):
        alike = [name for name, other in made.schemas.items() if name != source and set(other.names) == set(names)]
        if not alike and made.try_add("filter", {"where": draw(conditions(schema))}, source):
            alike = [list(made.schemas)[-1]]
        made.try_add(kind, {"distinct": draw(st.booleans())}, source, draw(st.sampled_from(alike or [source])))
    elif kind in AROUND:
        AROUND[kind](draw, made, source, some)
    elif kind == "aggregate":
        _aggregate(draw, made, source, some)
    elif kind == "distinct":
        made.try_add("distinct", {}, source)
    else:
        by = [{"column": name, "descending": draw(st.booleans())} for name in names]
        if made.try_add("sort", {"by": by}, source) and kind == "limit":
            made.try_add(
                "limit", {"rows": draw(st.integers(0, 20)), "offset": draw(st.integers(0, 2))}, list(made.schemas)[-1]
            )


def _aggregate(draw: Any, made: Drawn, source: str, by: list[Any], always: bool = False) -> None:
    measures: list[Json] = [{"name": "rows", "function": "count"}]
    for column in draw(st.lists(st.sampled_from(made.schemas[source].fields), max_size=2)):
        numeric = family(column.type) in NUMBERS
        function = draw(st.sampled_from(["sum", "min", "max", "mean"] if numeric else ["min", "max", "count_distinct"]))
        if column.type == "number" and function in ("sum", "mean") and not made.is_exact(column.name):
            function = "max"
        measures.append({"name": f"m{len(measures)}", "function": function, "column": column.name})
    made.try_add("aggregate", {"by": by if always or draw(st.booleans()) else [], "measures": measures}, source)


def _nearest_join(draw: Any, made: Drawn, source: str, some: list[str]) -> None:
    other = draw(st.sampled_from(list(made.schemas)))
    pairs = [
        (left.name, right.name)
        for left in made.schemas[source].fields
        for right in made.schemas[other].fields
        if (family(left.type) in MOMENTS and family(right.type) in MOMENTS)
        or (family(left.type) in NUMBERS and family(right.type) in NUMBERS)
    ]
    if not pairs:
        return
    left, right = draw(st.sampled_from(pairs))
    moments = next(column for column in made.schemas[source].fields if column.name == left).type in MOMENTS
    settings = {
        "by": {"left": left, "right": right},
        "direction": draw(st.sampled_from(["backward", "forward", "nearest"])),
        "on": draw(st.sampled_from([[], [{"left": some[0], "right": some[0]}]])),
        "tolerance": draw(st.sampled_from(["", "PT6H", "P3D", "P1M"])) if moments else "",
    }
    made.try_add("nearest_join", settings, source, other)


def _window(draw: Any, made: Drawn, source: str, some: list[str]) -> None:
    fields = made.schemas[source].fields
    column = draw(st.sampled_from(fields))
    functions = ["lag", "lead", "first", "last", "min", "max", "count", "rank", "dense_rank", "ntile"]
    functions += ["sum", "mean"] if family(column.type) in ("integer", "decimal") else []
    function = draw(st.sampled_from(functions))
    new: Json = {"name": "w1", "function": function}
    if function not in ("rank", "dense_rank", "ntile"):
        new["column"] = column.name
    if function in ("lag", "lead", "ntile"):
        new["offset"] = draw(st.integers(1, 3))
    elif function not in ("rank", "dense_rank"):
        new["frame"] = {
            "unit": "rows",
            "from": draw(st.sampled_from([None, -2, 0])),
            "to": draw(st.sampled_from([None, 0, 1])),
        }
    # every column is in the order, so that rows that tie are the same rows
    order = [{"column": one.name, "descending": draw(st.booleans())} for one in fields]
    made.try_add(
        "window", {"partition_by": draw(st.sampled_from([[], some[:1]])), "order_by": order, "columns": [new]}, source
    )


def _pivot(draw: Any, made: Drawn, source: str, some: list[str]) -> None:
    if len(some) < 2:
        return
    fields = {column.name: family(column.type) for column in made.schemas[source].fields}
    value = {"text": "a", "boolean": True, "date": "2024-01-03", "timestamp": "2024-01-03"}.get(fields[some[0]], 1)
    settings = {
        "names": some[0],
        "values": some[1],
        "function": draw(st.sampled_from(["min", "max", "count", "count_distinct"])),
        "into": [{"value": value, "name": "p1"}, {"value": None, "name": "p2"}],
    }
    made.try_add("pivot", settings, source)


def _unpivot(draw: Any, made: Drawn, source: str, some: list[str]) -> None:
    fields = {column.name: column.type for column in made.schemas[source].fields}
    alike = [name for name, kind in fields.items() if kind == fields[some[0]]]
    made.try_add("unpivot", {"columns": alike[: draw(st.integers(1, 3))], "name": "u1", "value": "u2"}, source)


def _fill(draw: Any, made: Drawn, source: str, some: list[str]) -> None:
    fields = made.schemas[source].fields
    way = draw(st.sampled_from(["forward", "linear"]))
    order = [{"column": one.name} for one in fields] if way == "forward" else [{"column": some[-1]}]
    column: Json = {"column": some[0], "with": way, "max_gap": draw(st.sampled_from([None, 1, 2]))}
    if way == "linear":
        # rows that tie on the axis would be told apart by chance: keep one of each
        keys = [one.name for one in fields]
        if not made.try_add("distinct", {"on": [some[-1]], "order_by": [{"column": name} for name in keys]}, source):
            return
        source = list(made.schemas)[-1]
    made.try_add("fill", {"columns": [column], "order_by": order}, source)


def _sql(draw: Any, made: Drawn, source: str, some: list[str]) -> None:
    """One of the forms of a query, over one input or two."""
    schema, other = made.schemas[source], draw(st.sampled_from(list(made.schemas)))
    key, last = quoted(some[0]), quoted(some[-1])
    every = ", ".join(quoted(name) for name in schema.names)
    where, value = draw(conditions(schema)), draw(scalars(schema))
    second = quoted(draw(st.sampled_from(made.schemas[other].names)))
    query, inputs = draw(
        st.sampled_from(
            [
                (f"select {every}, {value} as v from in1 where {where}", 1),
                (
                    f"select {key}, count(*), min({last}) lo, max({last}) hi from in1 group by 1 having count(*) > 1",
                    1,
                ),
                (f"select {key}, count(distinct {last}) filter (where {where}) as n from in1 group by all", 1),
                (f"select *, row_number() over (partition by {key} order by {every}) as place from in1", 1),
                (f"select * from in1 qualify count(*) over (partition by {key}) > 1", 1),
                (f"select * from in1 order by {every} limit 7 offset 1", 1),
                (
                    f"with a as (select {key} k, max({last}) m from in1 group by 1) from a where k is not null",
                    1,
                ),
                (f"select {key} from in1 union all select max({key}) from in1 where {where}", 1),
                (f"select a.* from in1 a semi join in2 b on a.{key} = b.{second}", 2),
                (f"select a.{key} as x, b.{second} as y from in1 a left join in2 b on a.{key} = b.{second}", 2),
                (f"select * from in1 where {key} not in (select {second} from in2 where {second} is not null)", 2),
                (f"select {key}, (select count({second}) from in2) as n from in1 where exists (select * from in2)", 2),
                (f"select distinct {key} as k from in1 intersect select {second} from in2 order by k", 2),
            ]
        )
    )
    names = ["in1", "in2"][:inputs]
    made.try_add("sql", {"inputs": names, "query": query}, *(source, other)[:inputs])


def _switch(draw: Any, made: Drawn, source: str, some: list[str]) -> None:
    ways = [{"port": f"w{n}", "where": draw(conditions(made.schemas[source]))} for n in range(draw(st.integers(1, 2)))]
    made.try_add("switch", {"ways": ways}, source)


def _check(draw: Any, made: Drawn, source: str, some: list[str]) -> None:
    rules = [{"name": f"rule {n}", "expression": draw(conditions(made.schemas[source]))} for n in range(2)]
    made.try_add("check", {"rules": rules, "on_fail": "report"}, source)


def _branch(draw: Any, made: Drawn, source: str, some: list[str]) -> None:
    made.try_add("branch", {"when": draw(st.sampled_from(["count(*) > 40", "count(*) > 1000"]))}, source)


def _grid(draw: Any, made: Drawn, source: str, some: list[str]) -> None:
    moments = [column.name for column in made.schemas[source].fields if family(column.type) in MOMENTS]
    if moments:
        column = draw(st.sampled_from(moments))
        groups = [name for name in some[:1] if name != column and draw(st.booleans())]
        every = draw(st.sampled_from(["P1D", "P1M", "P1W"]))
        made.try_add("grid", {"column": column, "every": every, "partition_by": groups}, source)


AROUND = {
    "nearest_join": _nearest_join,
    "window": _window,
    "pivot": _pivot,
    "unpivot": _unpivot,
    "fill": _fill,
    "grid": _grid,
    "switch": _switch,
    "check": _check,
    "branch": _branch,
    "sql": _sql,
}
