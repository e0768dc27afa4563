/** One cell of a pinned sample: its new value or none, or the row removed or repeated. */
import { Button, Checkbox, Input, Modal, Select } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import type { Cell, ColumnType } from "@/api/types";
import { ProblemNotice, TypeIcon } from "@/components/ui";

interface EditCellProps {
  column: { name: string; type: ColumnType };
  row: number;
  value: Cell;
  isBusy: boolean;
  error: Error | null;
  onSave: (value: Cell) => void;
  onRemove: () => void;
  onRepeat: () => void;
  onClose: () => void;
}

/** What was typed, as the API takes it: numbers as such where none of their digits is lost. */
function valueOf(typed: string, type: string): Cell {
  const number = Number(typed);
  const isNumber = /^(integer|number)/.test(type) && typed.trim() !== "" && String(number) === typed.trim();
  return isNumber ? number : typed;
}

export function EditCell({ column, row, value, isBusy, error, onSave, onRemove, onRepeat, onClose }: EditCellProps) {
  const { t } = useTranslation("canvas");
  const [typed, setTyped] = useState(value === null ? "" : String(value));
  const [isNull, setNull] = useState(value === null);
  const isBoolean = column.type === "boolean";
  const commit = (): void => onSave(isNull ? null : isBoolean ? typed === "true" : valueOf(typed, column.type));
  const name = t("held.cell", { row: row + 1, column: column.name });
  return (
    <Modal
      open
      width={420}
      title={
        <span style={{ display: "inline-flex", alignItems: "center", gap: 6 }}>
          <TypeIcon type={column.type} /> {name}
        </span>
      }
      okText={t("held.save")}
      cancelText={t("common:cancel")}
      onOk={commit}
      onCancel={onClose}
      confirmLoading={isBusy}
    >
      <div style={{ display: "grid", gap: 10 }}>
        {isBoolean ? (
          <Select
            value={typed === "true" ? "true" : "false"}
            disabled={isNull}
            onChange={setTyped}
            aria-label={name}
            options={["true", "false"].map((one) => ({ value: one, label: t(`boolean.${one}`) }))}
          />
        ) : (
          <Input
            autoFocus
            value={typed}
            disabled={isNull}
            onChange={(event) => setTyped(event.target.value)}
            onPressEnter={commit}
            aria-label={name}
          />
        )}
        <Checkbox checked={isNull} onChange={(event) => setNull(event.target.checked)}>
          {t("held.null")}
        </Checkbox>
        {error && <ProblemNotice error={error} />}
        <div style={{ display: "flex", gap: 8 }}>
          <Button size="small" onClick={onRepeat} disabled={isBusy}>
            {t("held.repeat_row")}
          </Button>
          <Button size="small" danger onClick={onRemove} disabled={isBusy}>
            {t("held.remove_row")}
          </Button>
        </div>
      </div>
    </Modal>
  );
}
