"""Switch: every row leaves by the first way whose condition it fulfils."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

from node_catalog.sdk.constants import Scalar, constant
from node_catalog.sdk.contract import BuildContext, Example, Settings, Transform
from node_catalog.sdk.errors import Problem
from node_catalog.sdk.fields import setting
from node_catalog.sdk.ports import Port, PortList
from node_catalog.sdk.relation import condition, find_column, listed
from node_catalog.sdk.text import Text, text

REST = "rest"
MOST_WAYS = 50


class Way(Settings):
    """One way out: its port, what people call it, and which rows take it."""

    port: Annotated[
        str,
        setting(
            text("Port", "端口"),
            text("The port's id in the flow; it stays when the way is renamed.", "流程中的端口标识，改名后保持不变。"),
            pattern=r"^[a-z][a-z0-9_]{0,39}$",
        ),
    ]
    name: Annotated[str, setting(text("Name", "名称"), max_length=100)] = ""
    where: Annotated[
        str,
        setting(
            text("Rows where", "符合条件的行"),
            widget="expression",
            extra={"x-expression-type": "boolean"},
        ),
    ] = ""
    values: Annotated[
        tuple[Scalar, ...],
        setting(
            text("Rows with one of these values", "取值为其中之一的行"),
            text("Used when a column is chosen.", "选择了列时使用。"),
            widget="values",
        ),
    ] = ()


class SwitchSettings(Settings, kw_only=True):
    """The ways, in the order in which they are tried."""

    column: Annotated[
        str,
        setting(
            text("Column", "列"),
            text(
                "Chosen: each way lists values of this column. Empty: each way has a condition.",
                "选择列后，每条去向列出该列的取值；留空则每条去向使用条件。",
            ),
            widget="column",
        ),
    ] = ""
    ways: Annotated[
        tuple[Way, ...],
        setting(
            text("Ways", "去向"),
            text(
                "Tried from the top; a row takes the first that fits, otherwise “rest”.",
                "自上而下依次判断，一行数据进入第一个符合的去向；都不符合则进入“其余”。",
            ),
            widget="switch-ways",
            min_length=1,
            max_length=MOST_WAYS,
        ),
    ]

    def problems(self) -> Iterable[Problem]:
        """Ports given twice, and ways without a condition or values."""
        seen: set[str] = set()
        for index, way in enumerate(self.ways):
            if way.port in seen or way.port == REST:
                message = text(
                    f"The port “{way.port}” is taken. Give each way a port of its own.",
                    f"端口“{way.port}”已被占用，请为每条去向使用不同的端口。",
                )
                yield Problem(f"/ways/{index}/port", "switch.port_twice", message)
            seen.add(way.port)
            if self.column and not way.values:
                message = text(
                    "Say which values take this way, or remove it.", "请填写进入该去向的取值，或删除该去向。"
                )
                yield Problem(f"/ways/{index}/values", "switch.no_values", message)
            elif not self.column and not way.where.strip():
                message = text("Say which rows take this way, or remove it.", "请填写进入该去向的条件，或删除该去向。")
                yield Problem(f"/ways/{index}/where", "switch.no_condition", message)


class Switch(Transform):
    """Sends every row out by one of several ports."""

    key = "switch"
    title = text("Switch", "分流")
    summary = text("Send rows different ways", "把数据行分到不同去向")
    help = text(
        "Each way has a port of its own. A row leaves by the first way, from the top, whose condition is true (or "
        "whose values hold the row's value), and by “rest” when none fits: no row is lost, none is doubled. An empty "
        "value makes a condition uncertain, so the row goes on to the next way. To choose a way for the whole run "
        "instead of for each row, use “Branch”.",
        "每条去向有自己的端口。一行数据自上而下进入第一个条件成立（或取值匹配）的去向，都不符合则从“其余”流出：既不会丢失，也不会重复。"
        "空值会使条件无法判断，该行会继续尝试下一条去向。若要为整次运行选择一条路，而不是逐行选择，请使用“条件分支”。",
    )
    icon = "PartitionOutlined"
    group = "flow"
    rank = 10
    Settings = SwitchSettings
    port_lists = (PortList("ways", "out", name="port", title="name", required=False, many=True),)
    ports = (Port("in", "in"), Port(REST, "out", required=False))
    keeps_order = True
    examples = (
        Example(
            title=text("Bad, fair and other hours", "污染、良好与其他时段"),
            settings={
                "ways": [
                    {"port": "bad", "name": "Bad air", "where": "pm25 > 75"},
                    {"port": "fair", "name": "Fair", "where": "pm25 > 35"},
                ]
            },
            inputs={"in": ({"id": "integer", "pm25": "number"}, [[1, 80.0], [2, 40.0], [3, 10.0], [4, None]])},
            outputs={
                "bad": ({"id": "integer", "pm25": "number"}, [[1, 80.0]]),
                "fair": ({"id": "integer", "pm25": "number"}, [[2, 40.0]]),
                REST: ({"id": "integer", "pm25": "number"}, [[3, 10.0], [4, None]]),
            },
        ),
        Example(
            title=text("By the value of a column", "按某一列的取值"),
            settings={"column": "kind", "ways": [{"port": "road", "name": "Roads", "values": ["A", "B"]}]},
            inputs={"in": ({"kind": "text"}, [["A"], ["B"], ["C"], [None]])},
            outputs={"road": ({"kind": "text"}, [["A"], ["B"]]), REST: ({"kind": "text"}, [["C"], [None]])},
        ),
    )

    @classmethod
    def apply(cls, inputs: Mapping[str, Sequence[Any]], settings: SwitchSettings, context: BuildContext) -> Any:
        """The rows by port; the tests are one CASE, so that they are tried in order."""
        import ibis

        table = inputs["in"][0]
        tests = [
            _test(table, settings.column, way, f"/ways/{index}", context) for index, way in enumerate(settings.ways)
        ]
        way = ibis.cases(*((test, number) for number, test in enumerate(tests)), else_=len(tests))
        ports = [*(item.port for item in settings.ways), REST]
        return {port: table.filter(way == number) for number, port in enumerate(ports)}

    @classmethod
    def summarise(cls, settings: Mapping[str, Any]) -> Text:
        """The names of the ways."""
        ways = [item for item in settings.get("ways") or () if isinstance(item, Mapping)]
        names = listed(item.get("name") or item.get("port") for item in ways)
        return text(names or "no ways yet", names or "尚未设置去向")


def _test(table: Any, column: str, way: Way, pointer: str, context: BuildContext) -> Any:
    if not column:
        return condition(context, way.where, table, f"{pointer}/where")
    value = find_column(context, table, column, "/column")
    return value.isin(
        [constant(context, item, value.type(), f"{pointer}/values/{at}") for at, item in enumerate(way.values)]
    )
