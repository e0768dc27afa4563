/** The editors that this feature brings for the forms of steps, by `x-widget`. */
import type { FormWidgets } from "@/forms";

import { CastListWidget, ColumnWidget, ColumnsWidget, SelectListWidget, SortWidget } from "./columnWidgets";
import { DatasetWidget, NodeWidget } from "./DatasetWidget";
import ExpressionWidget from "./ExpressionWidget";
import { JoinKeysWidget } from "./JoinKeysWidget";
import { FillListWidget, LeftColumnWidget, PivotIntoWidget, RightColumnWidget } from "./fillWidgets";
import { CheckRulesWidget, SwitchWaysWidget } from "./flowWidgets";
import { DurationWidget } from "./DurationWidget";
import { DeriveListWidget, GroupByWidget, PathWidget } from "./makingWidgets";
import { MeasuresWidget } from "./MeasuresWidget";
import { SqlInputsWidget, SqlWidget } from "./sqlWidgets";
import { SubFlowInputWidget, SubFlowOutputWidget, SubFlowParametersWidget } from "./SubFlowParameters";
import { SubFlowWidget } from "./SubFlowWidget";
import { TypedColumnsWidget, TypedRowsWidget } from "./TypedTableWidgets";
import { WindowColumnsWidget } from "./WindowColumnsWidget";

export const STEP_WIDGETS: FormWidgets = {
  column: ColumnWidget,
  columns: ColumnsWidget,
  sort: SortWidget,
  "select-list": SelectListWidget,
  "cast-list": CastListWidget,
  "derive-list": DeriveListWidget,
  "group-by": GroupByWidget,
  measures: MeasuresWidget,
  "join-keys": JoinKeysWidget,
  "column-left": LeftColumnWidget,
  "column-right": RightColumnWidget,
  "fill-list": FillListWidget,
  "pivot-into": PivotIntoWidget,
  "window-columns": WindowColumnsWidget,
  duration: DurationWidget,
  sql: SqlWidget,
  "sql-inputs": SqlInputsWidget,
  expression: ExpressionWidget,
  dataset: DatasetWidget,
  node: NodeWidget,
  path: PathWidget,
  "switch-ways": SwitchWaysWidget,
  "check-rules": CheckRulesWidget,
  "table-columns": TypedColumnsWidget,
  "table-rows": TypedRowsWidget,
  sub_flow: SubFlowWidget,
  sub_flow_parameters: SubFlowParametersWidget,
  sub_flow_output: SubFlowOutputWidget,
  sub_flow_input: SubFlowInputWidget,
};
