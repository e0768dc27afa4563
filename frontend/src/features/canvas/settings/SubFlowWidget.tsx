/** Which flow a step calls: choose it, see its version, look inside, and take a newer version after seeing what changes. */
import { Alert, Button, Select } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { usePick } from "@/api/preferences";
import type { FormWidgetProps } from "@/forms";

import type { SettingsContext } from "./context";
import styles from "./settings.module.css";
import { useSubFlow, useSubFlows, type FlowReference, type SubFlow } from "./subFlow";

type Props = FormWidgetProps<FlowReference, SettingsContext>;

function keyOf(flow: FlowReference): string {
  return `${flow.app}/${flow.flow}`;
}

export function SubFlowWidget({ id, label, value, onChange, disabled, isInvalid }: Props) {
  const { t } = useTranslation("canvas");
  const words = usePick();
  const list = useSubFlows();
  const current = useSubFlow(value?.app ? value : undefined);
  const flows = list.data?.results ?? [];
  const nameOf = (flow: SubFlow): string => {
    const [app, title] = [words(flow.app_title), words(flow.title)];
    return !title || app === title ? app : `${app} · ${title}`;
  };
  const known = current.data && !flows.some((one) => keyOf(one.settings) === keyOf(current.data.settings));
  const options = [...(known ? [current.data] : []), ...flows];
  return (
    <div className={styles.list}>
      <Select
        id={id}
        showSearch={{ optionFilterProp: "label" }}
        value={value?.app ? keyOf(value) : undefined}
        onChange={(key: string) => onChange(options.find((one) => keyOf(one.settings) === key)?.settings)}
        options={options.map((one) => ({ value: keyOf(one.settings), label: nameOf(one) }))}
        placeholder={t("sub_flow.pick")}
        notFoundContent={t(list.isLoading ? "common:loading" : "sub_flow.none")}
        aria-label={label}
        disabled={disabled}
        status={isInvalid ? "error" : undefined}
      />
      {value?.app && (
        <span className={styles.note}>
          {t("sub_flow.version", { number: value.version })}
          {current.data && (
            <>
              {" · "}
              <Link to={`/apps/${value.app}`} target="_blank" rel="noreferrer">
                {t("sub_flow.open")}
              </Link>
            </>
          )}
        </span>
      )}
      {current.data?.newest_settings && (
        <Update
          flow={current.data}
          onUse={() => onChange(current.data.newest_settings ?? undefined)}
          disabled={disabled}
        />
      )}
    </div>
  );
}

function Update({ flow, onUse, disabled }: { flow: SubFlow; onUse: () => void; disabled: boolean }) {
  const { t } = useTranslation("canvas");
  const words = usePick();
  const [isOpen, setOpen] = useState(false);
  const changes = flow.changes ?? [];
  return (
    <Alert
      type="info"
      title={t("sub_flow.newer", { number: flow.newest })}
      description={
        isOpen && (
          <ul className={styles.note}>
            {changes.length === 0 && <li>{t("sub_flow.same")}</li>}
            {changes.map((entry, index) => (
              <li key={index}>{words(entry.message) || entry.step}</li>
            ))}
          </ul>
        )
      }
      action={
        <span className={styles.bar}>
          <Button size="small" aria-expanded={isOpen} onClick={() => setOpen((now) => !now)}>
            {t("sub_flow.difference")}
          </Button>
          <Button size="small" type="primary" onClick={onUse} disabled={disabled}>
            {t("sub_flow.use", { number: flow.newest })}
          </Button>
        </span>
      }
    />
  );
}
