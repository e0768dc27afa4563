/** Beside a preview: pin what is seen, or edit and unpin what is pinned, for the port that is looked at. */
import { EditOutlined, FlagOutlined, PushpinFilled, PushpinOutlined } from "@ant-design/icons";
import { Button } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { stepOf } from "@/graph/document";

import { useView } from "../editor/hooks";
import { useHeld, useHeldAt } from "./context";
import { EditSample } from "./EditSample";
import { pinOf } from "./lines";
import { useRunTo } from "./useRunTo";

export function SampleTools({ end }: { end: string | undefined }) {
  const { t } = useTranslation("canvas");
  const { canEdit } = useView();
  const held = useHeld();
  const lines = useHeldAt(end && stepOf(end));
  const runTo = useRunTo();
  const [isEditing, setEditing] = useState(false);
  if (!end || !canEdit) return null;
  const pin = pinOf(lines, end);
  const tools = [
    ...(pin
      ? [
          ...(pin.state === "used"
            ? [{ key: "edit", Icon: EditOutlined, label: t("held.edit"), act: () => setEditing(true) }]
            : []),
          { key: "unpin", Icon: PushpinFilled, label: t("held.unpin"), act: () => held.unpin(end) },
        ]
      : [{ key: "pin", Icon: PushpinOutlined, label: t("held.pin"), act: () => held.pin(end) }]),
    { key: "run", Icon: FlagOutlined, label: t("held.run"), act: () => runTo(end) },
  ];
  return (
    <>
      <span style={{ display: "inline-flex", gap: 4, marginLeft: "auto" }} role="group" aria-label={t("held.name")}>
        {tools.map(({ key, Icon, label, act }) => (
          <Button
            key={key}
            size="small"
            type="text"
            icon={<Icon aria-hidden="true" />}
            disabled={held.isBusy}
            onClick={act}
            aria-label={label}
            title={label}
          />
        ))}
      </span>
      {isEditing && <EditSample end={end} onClose={() => setEditing(false)} />}
    </>
  );
}
