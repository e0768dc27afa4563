"""Call: another flow as one step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from node_catalog.sdk.contract import BuildContext, Example, Transform
from node_catalog.sdk.flow_reference import CallingSettings, called_title
from node_catalog.sdk.ports import PortList
from node_catalog.sdk.text import Text, text


class Call(Transform):
    """Uses another flow as a step: its parameters are settings, its datasets may be fed by wires, its results are
    out ports. Before a plan is made its steps take this step's place, so it costs nothing at run time.
    """

    key = "call"
    title = text("Sub-flow", "子流程")
    summary = text("Use another flow as one step", "把另一个流程当作一个步骤使用")
    help = text(
        "Uses a flow of a saved version as one step. Its parameters are set here; each of its results is an output of "
        "this step. Every dataset that the flow reads by a short name is an input: connect a wire and those rows are "
        "used instead, leave it open and the flow reads its own dataset. The step stays at its version until you "
        "choose a newer one. You need the right to whatever the sub-flow reads.",
        "把已保存版本中的一个流程当作一个步骤。参数在此填写，它的每个结果是本步骤的一个输出端口。流程中以别名读取的数据集都是输入端口："
        "接上连线就改用连线送来的数据，不接则读取它自己的数据集。步骤固定使用所选版本，直到您改选更新的版本。"
        "您需要拥有子流程所读数据的权限。",
    )
    icon = "SubnodeOutlined"
    Settings = CallingSettings
    group = "flow"
    rank = 10
    ports = ()
    port_lists = (
        PortList("flow.takes", "in", required=False),
        PortList("flow.gives", "out", name="port", title="name", otherwise=("out",)),
    )
    """An in port for each dataset that may be fed, an out port for each result."""
    calls = "once"
    examples = (
        Example(
            title=text("A cleaned-up dataset, made once and used everywhere", "一次整理、多处使用的数据"),
            settings={
                "flow": {
                    "app": "0190c2a4-0000-7000-8000-000000000001",
                    "version": 3,
                    "flow": "main",
                    "digest": "5f3c",
                    "takes": ["air"],
                    "gives": [{"port": "out", "name": "bad_hours"}],
                },
                "parameters": {"threshold": 75},
            },
        ),
    )

    @classmethod
    def apply(cls, inputs: Mapping[str, Sequence[Any]], settings: CallingSettings, context: BuildContext) -> Any:
        """Never part of a plan: the sub-flow's own steps are."""
        message = text("Choose the sub-flow again.", "请重新选择子流程。")
        raise context.problem("call.not_expanded", message, "/flow")

    @classmethod
    def summarise(cls, settings: Mapping[str, Any]) -> Text:
        """The version that is used."""
        return called_title(settings)
