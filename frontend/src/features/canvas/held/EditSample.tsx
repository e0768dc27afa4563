/** The rows of a pinned sample, to be changed cell by cell; the server checks that a value fits its column. */
import { Modal } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api } from "@/api/client";
import { useAction, useGet } from "@/api/hooks";
import type { Cell, PinnedSample } from "@/api/types";
import { DataTable, Loading, ProblemNotice } from "@/components/ui";
import { stepOf } from "@/graph/document";

import { useEditor, useTitleOf } from "../editor/hooks";
import { EditCell } from "./EditCell";
import { useHeld } from "./context";
import { pinPath } from "./useHeldRows";

interface Place {
  row: number;
  column: number;
}

export function EditSample({ end, onClose }: { end: string; onClose: () => void }) {
  const { t } = useTranslation("canvas");
  const titleOf = useTitleOf();
  const { flow } = useEditor();
  const { renew } = useHeld();
  const path = pinPath(flow, end);
  const answer = useGet<PinnedSample>(path, undefined, { staleTime: 0 });
  const [place, setPlace] = useState<Place | null>(null);
  const save = useAction((rows: Cell[][]) => api.put(path, { rows }), {
    refresh: [path],
    onDone: () => {
      setPlace(null);
      renew();
    },
  });
  const pin = answer.data;
  const column = place && pin?.columns[place.column];
  return (
    <Modal
      open
      width={960}
      title={t("held.edit_title", { step: titleOf(stepOf(end)) })}
      footer={null}
      onCancel={onClose}
      destroyOnHidden
    >
      <p className="secondary">{t("held.edit_hint")}</p>
      {answer.error && <ProblemNotice error={answer.error} />}
      {!pin && !answer.error && <Loading rows={6} />}
      {pin && (
        <DataTable
          columns={pin.columns}
          rows={pin.rows}
          label={t("held.edit_title", { step: titleOf(stepOf(end)) })}
          height={380}
          onCell={(row, name) => {
            save.reset();
            setPlace({ row, column: pin.columns.findIndex((one) => one.name === name) });
          }}
        />
      )}
      {pin && place && column && (
        <EditCell
          key={`${place.row},${place.column}`}
          column={column}
          row={place.row}
          value={pin.rows[place.row]?.[place.column] ?? null}
          isBusy={save.isPending}
          error={save.error}
          onSave={(value) => save.mutate(withCell(pin.rows, place, value))}
          onRemove={() => save.mutate(pin.rows.filter((_, index) => index !== place.row))}
          onRepeat={() => save.mutate(pin.rows.toSpliced(place.row, 0, pin.rows[place.row]))}
          onClose={() => setPlace(null)}
        />
      )}
    </Modal>
  );
}

function withCell(rows: Cell[][], { row, column }: Place, value: Cell): Cell[][] {
  return rows.map((cells, index) => (index === row ? cells.with(column, value) : cells));
}
