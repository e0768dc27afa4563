/**
 * Icons by the names that step types, connectors and templates give: those of Ant Design that we ship. A name outside
 * this set is drawn as a plain box, so that a type from elsewhere still has a picture.
 */
import {
  AppstoreOutlined,
  BarChartOutlined,
  BlockOutlined,
  BorderInnerOutlined,
  BranchesOutlined,
  CalculatorOutlined,
  CalendarOutlined,
  CarOutlined,
  CheckSquareOutlined,
  ClockCircleOutlined,
  CloudOutlined,
  CloudServerOutlined,
  ClusterOutlined,
  ColumnHeightOutlined,
  DatabaseOutlined,
  EnvironmentOutlined,
  ExportOutlined,
  FieldTimeOutlined,
  FileTextOutlined,
  FilterOutlined,
  FolderOpenOutlined,
  ForkOutlined,
  FormatPainterOutlined,
  FunctionOutlined,
  GroupOutlined,
  ImportOutlined,
  InsertRowBelowOutlined,
  LineChartOutlined,
  MergeCellsOutlined,
  MinusSquareOutlined,
  NodeIndexOutlined,
  SaveOutlined,
  ScissorOutlined,
  SortAscendingOutlined,
  SplitCellsOutlined,
  SwapOutlined,
  TableOutlined,
  TeamOutlined,
  UnorderedListOutlined,
  VerticalAlignTopOutlined,
} from "@ant-design/icons";
import type { ComponentType } from "react";

const ICONS: Record<string, ComponentType> = {
  AppstoreOutlined,
  BarChartOutlined,
  BlockOutlined,
  BorderInnerOutlined,
  BranchesOutlined,
  CalculatorOutlined,
  CalendarOutlined,
  CarOutlined,
  CheckSquareOutlined,
  ClockCircleOutlined,
  CloudOutlined,
  CloudServerOutlined,
  ClusterOutlined,
  ColumnHeightOutlined,
  DatabaseOutlined,
  EnvironmentOutlined,
  ExportOutlined,
  FieldTimeOutlined,
  FileTextOutlined,
  FilterOutlined,
  FolderOpenOutlined,
  ForkOutlined,
  FormatPainterOutlined,
  FunctionOutlined,
  GroupOutlined,
  ImportOutlined,
  InsertRowBelowOutlined,
  LineChartOutlined,
  MergeCellsOutlined,
  MinusSquareOutlined,
  NodeIndexOutlined,
  SaveOutlined,
  ScissorOutlined,
  SortAscendingOutlined,
  SplitCellsOutlined,
  SwapOutlined,
  TableOutlined,
  TeamOutlined,
  UnorderedListOutlined,
  VerticalAlignTopOutlined,
};

export function KindIcon({ name }: { name: string }) {
  const Icon = ICONS[name] ?? AppstoreOutlined;
  return (
    <span aria-hidden="true">
      <Icon />
    </span>
  );
}
