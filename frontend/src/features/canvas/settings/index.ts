/** The editors that this feature brings for the forms of steps, by `x-widget`. */
import type { FormWidgets } from "@/forms";

import { CastListWidget, ColumnWidget, ColumnsWidget, SelectListWidget, SortWidget } from "./columnWidgets";
import { DatasetWidget, NodeWidget } from "./DatasetWidget";
import ExpressionWidget from "./ExpressionWidget";
import { JoinKeysWidget } from "./JoinKeysWidget";
import { DeriveListWidget, GroupByWidget, MeasuresWidget, PathWidget } from "./makingWidgets";

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
  expression: ExpressionWidget,
  dataset: DatasetWidget,
  node: NodeWidget,
  path: PathWidget,
};
