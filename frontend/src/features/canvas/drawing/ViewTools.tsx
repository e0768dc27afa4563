/** Zoom and fit, as buttons with names. */
import { ExpandOutlined, MinusOutlined, PlusOutlined } from "@ant-design/icons";
import { Button } from "antd";
import { useTranslation } from "react-i18next";

import styles from "./drawing.module.css";

interface ViewToolsProps {
  onZoomIn: () => void;
  onZoomOut: () => void;
  onFit: () => void;
}

export function ViewTools({ onZoomIn, onZoomOut, onFit }: ViewToolsProps) {
  const { t } = useTranslation("canvas");
  const tools = [
    { name: "zoom_out", icon: <MinusOutlined aria-hidden="true" />, act: onZoomOut },
    { name: "zoom_in", icon: <PlusOutlined aria-hidden="true" />, act: onZoomIn },
    { name: "fit", icon: <ExpandOutlined aria-hidden="true" />, act: onFit },
  ];
  return (
    <div className={styles.tools} role="group" aria-label={t("tools.view")}>
      {tools.map(({ name, icon, act }) => (
        <Button
          key={name}
          type="text"
          size="small"
          icon={icon}
          aria-label={t(`tools.${name}`)}
          title={t(`tools.${name}`)}
          onClick={act}
        />
      ))}
    </div>
  );
}
