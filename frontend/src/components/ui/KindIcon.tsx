/** Icons by the names that step types and connectors give; a plain box for a name nobody has drawn. */
import {
  AppstoreOutlined,
  BgColorsOutlined,
  BlockOutlined,
  CalculatorOutlined,
  CloudServerOutlined,
  ColumnWidthOutlined,
  ClusterOutlined,
  DatabaseOutlined,
  DownloadOutlined,
  EditOutlined,
  ExportOutlined,
  FileTextOutlined,
  FilterOutlined,
  FolderOpenOutlined,
  FunctionOutlined,
  ImportOutlined,
  MergeCellsOutlined,
  NodeIndexOutlined,
  SaveOutlined,
  ScissorOutlined,
  SortAscendingOutlined,
  SwapOutlined,
  TableOutlined,
  UnorderedListOutlined,
  VerticalAlignTopOutlined,
} from "@ant-design/icons";
import type { ComponentType } from "react";

const ICONS: Record<string, ComponentType> = {
  aggregate: BlockOutlined,
  sigma: CalculatorOutlined,
  calculator: CalculatorOutlined,
  cast: SwapOutlined,
  swap: SwapOutlined,
  columns: ColumnWidthOutlined,
  select: UnorderedListOutlined,
  list: UnorderedListOutlined,
  cloud: CloudServerOutlined,
  postgresql: DatabaseOutlined,
  database: DatabaseOutlined,
  sqlite: TableOutlined,
  derive: FunctionOutlined,
  function: FunctionOutlined,
  formula: FunctionOutlined,
  distinct: BgColorsOutlined,
  download: DownloadOutlined,
  read: ImportOutlined,
  import: ImportOutlined,
  edit: EditOutlined,
  export: ExportOutlined,
  output: TableOutlined,
  table: TableOutlined,
  file: FileTextOutlined,
  files: FolderOpenOutlined,
  folder: FolderOpenOutlined,
  filter: FilterOutlined,
  join: NodeIndexOutlined,
  union: MergeCellsOutlined,
  merge: MergeCellsOutlined,
  layers: ClusterOutlined,
  limit: VerticalAlignTopOutlined,
  scissors: ScissorOutlined,
  sort: SortAscendingOutlined,
  save: SaveOutlined,
  write: SaveOutlined,
};

export function KindIcon({ name }: { name: string }) {
  const Icon = ICONS[name] ?? AppstoreOutlined;
  return (
    <span aria-hidden="true">
      <Icon />
    </span>
  );
}
