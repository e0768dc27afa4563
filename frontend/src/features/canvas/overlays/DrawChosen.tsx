/** One or two versions are chosen: draw their difference, or that of one and the draft. */
import { Button } from "antd";
import { useTranslation } from "react-i18next";

import { useEditor } from "../editor/hooks";
import type { Compared } from "./Difference";

interface DrawChosenProps {
  /** By number. */
  versions: { id: string; number: number }[];
  onDraw: (compared: Compared) => void;
}

export function DrawChosen({ versions: [old, next], onDraw }: DrawChosenProps) {
  const { t } = useTranslation("canvas");
  const editor = useEditor();
  if (!old) return null;
  const draw = (): void => void editor.flush().then(() => onDraw({ old, next: next ?? null }));
  return (
    <Button block onClick={draw} style={{ marginTop: 8 }}>
      {next ? t("overlay.draw", { old: old.number, new: next.number }) : t("overlay.draw_draft", { old: old.number })}
    </Button>
  );
}
