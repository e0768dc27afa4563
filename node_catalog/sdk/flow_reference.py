"""The setting that names another flow: pinned to a version, with the ports that follow from it."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from node_catalog.sdk.contract import Settings
from node_catalog.sdk.fields import setting
from node_catalog.sdk.text import Text, text


class GivenPort(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A named output of the sub-flow: the port is the output step's id, so that renaming a result breaks no wire."""

    port: Annotated[str, setting(text("Port", "端口"), min_length=1, max_length=60)]
    name: Annotated[str, setting(text("Result", "结果"), max_length=100)] = ""


class FlowReference(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which flow of which version of which app. ``takes`` and ``gives`` are copied from it, so that the ports are a
    function of the settings alone.
    """

    app: Annotated[str, setting(text("App", "应用"), min_length=1, max_length=40)]
    version: Annotated[int, setting(text("Version", "版本"), ge=1)]
    flow: Annotated[str, setting(text("Flow", "流程"), min_length=1, max_length=60)]
    digest: Annotated[str, setting(text("Digest of the version", "版本摘要"), min_length=1, max_length=64)]
    takes: Annotated[tuple[str, ...], setting(text("Data inputs", "数据输入"))] = ()
    gives: Annotated[tuple[GivenPort, ...], setting(text("Results", "输出结果"))] = ()


FLOW = setting(
    text("Sub-flow", "子流程"),
    text(
        "A flow of a saved version. It stays at that version until you choose a newer one.",
        "某个已保存版本中的流程。在您选择更新之前，始终使用该版本。",
    ),
    widget="sub_flow",
)


class CallingSettings(Settings):
    """What every step that uses another flow needs."""

    flow: Annotated[FlowReference, FLOW]
    parameters: Annotated[
        dict[str, Any],
        setting(
            text("Parameters", "参数"),
            text(
                "Values for the sub-flow's parameters. What you leave out has the sub-flow's default.",
                "子流程各参数的取值，未填写的使用子流程的默认值。",
            ),
            widget="sub_flow_parameters",
        ),
    ] = {}


def called_title(settings: Any) -> Text:
    """Which version is used, for the line on the step's box; bears half-filled settings."""
    flow = settings.get("flow")
    version = flow.get("version") if isinstance(flow, dict) else None
    if not version:
        return text("no flow chosen yet", "尚未选择流程")
    return text(f"version {version}", f"版本 {version}")
