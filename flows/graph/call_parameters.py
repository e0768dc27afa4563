"""The parameters of a called flow: values from the call's settings, the caller's inputs, or a column of the items."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from flows.graph.document import Step
from flows.graph.expressions.parameters import Parameter, read_parameters
from flows.graph.expressions.values import MISSING
from flows.graph.findings import Finding
from flows.graph.fixes import make_fix
from flows.graph.subflows import SubFlow
from node_catalog.sdk.text import Text, text


@dataclass(frozen=True)
class Bound:
    """What ``:name`` means inside the call. ``columns`` are those that each iteration takes from its row."""

    parameters: Mapping[str, Parameter]
    constants: Mapping[str, Parameter] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)


class _Misfit(Exception):
    def __init__(self, code: str, message: Text) -> None:
        super().__init__(code)
        self.code, self.message = code, message


def bind_parameters(
    name: str, step: Step, flow: SubFlow, own: Mapping[str, Parameter], mode: str
) -> tuple[Bound | None, list[Finding]]:
    """The parameters inside the call ``name``; None with findings when a value is missing or does not fit."""
    given = step.settings.get("parameters")
    given = given if isinstance(given, Mapping) else {}
    properties = flow.document.inputs.get("properties")
    properties = properties if isinstance(properties, Mapping) else {}
    findings = list(_unknown(name, step, given, properties))
    parameters: dict[str, Parameter] = {}
    columns: dict[str, str] = {}
    for key, schema in properties.items():
        column = _column(given.get(key)) if mode == "each" else None
        try:
            if column is not None:
                kind = read_parameters({"properties": {key: _bare(schema)}})[key]
                if kind.is_list or kind.type == "interval":
                    raise _Misfit("call.parameter_type", _no_column(key))
                columns[key], parameters[key] = column, kind
            else:
                parameters[key] = _value(key, schema, given, own)
        except _Misfit as error:
            pointer = f"/steps/{name}/settings/parameters/{key}"
            findings.append(Finding(error.code, "L2", error.message, pointer=pointer, step=name))
    if any(finding.severity == "error" for finding in findings):
        return None, findings
    constants = {key: value for key, value in parameters.items() if key not in columns}
    return Bound(parameters, constants, columns), findings


def json_value(parameter: Parameter) -> Any:
    """A parameter's value as JSON, as a run is given it."""
    if parameter.type == "interval" and parameter.value is not None:
        return "P" + "".join(f"{amount}{unit[0].upper()}" for amount, unit in parameter.value)
    return msgspec.to_builtins(parameter.value)


def fits(column: str, parameter: str) -> bool:
    """Whether a column of this type can give a parameter of that type its value."""
    family = column.partition("(")[0]
    return family == parameter or (family in ("integer", "decimal") and parameter == "number")


def _value(key: str, schema: Any, given: Mapping[str, Any], own: Mapping[str, Parameter]) -> Parameter:
    kind = read_parameters({"properties": {key: _bare(schema)}})[key]
    if key in given and not (isinstance(given[key], Mapping) and len(given[key]) == 1 and "input" in given[key]):
        try:
            return read_parameters({"properties": {key: schema}}, {key: given[key]})[key]
        except ValueError:
            message = text(
                f"The value for “{key}” does not fit its type ({kind.type}).",
                f"参数“{key}”的取值与类型（{kind.type}）不符。",
            )
            raise _Misfit("call.parameter_value", message) from None
    if key in given:
        return _from_caller(key, kind, str(given[key]["input"]), own)
    try:
        default = read_parameters({"properties": {key: schema}})[key]
    except ValueError:
        default = kind
    if default.value is MISSING:
        message = text(f"The sub-flow needs a value for “{key}”.", f"子流程的参数“{key}”需要填写取值。")
        raise _Misfit("call.parameter_missing", message)
    return default


def _from_caller(key: str, kind: Parameter, name: str, own: Mapping[str, Parameter]) -> Parameter:
    source = own.get(name)
    if source is None:
        raise _Misfit("input.unknown", text(f"The flow has no input “{name}”.", f"流程没有参数“{name}”。"))
    is_wider = source.type == "integer" and kind.type == "number"
    if source.is_list != kind.is_list or (source.type != kind.type and not is_wider):
        message = text(
            f"The input “{name}” is {source.type}, but the sub-flow's “{key}” is {kind.type}.",
            f"参数“{name}”的类型是 {source.type}，而子流程的“{key}”是 {kind.type}。",
        )
        raise _Misfit("call.parameter_type", message)
    if source.type == kind.type:
        return source  # its value need not be known
    return Parameter(kind.type, kind.is_list, source.value)


def _unknown(name: str, step: Step, given: Mapping[str, Any], properties: Mapping[str, Any]) -> Iterator[Finding]:
    for key in given:
        if key not in properties:
            message = text(
                f"The sub-flow has no parameter “{key}” (any more). Remove the value.",
                f"子流程没有参数“{key}”，请删除这个取值。",
            )
            kept = {other: value for other, value in given.items() if other in properties}
            settings = {**step.settings, "parameters": kept}
            fix = make_fix(
                text("Remove the value", "删除取值"), {"op": "set_settings", "id": name, "settings": settings}
            )
            pointer = f"/steps/{name}/settings/parameters/{key}"
            yield Finding("call.parameter_unknown", "L2", message, pointer=pointer, step=name, fix=fix)


def _column(value: Any) -> str | None:
    if isinstance(value, Mapping) and len(value) == 1 and isinstance(value.get("column"), str):
        return str(value["column"])
    return None


def _bare(schema: Any) -> Any:
    return {key: value for key, value in schema.items() if key != "default"} if isinstance(schema, Mapping) else {}


def _no_column(key: str) -> Text:
    return text(
        f"“{key}” takes a list or a duration, which no column gives. Enter a value.",
        f"参数“{key}”需要列表或时长，不能取自列，请直接填写取值。",
    )
