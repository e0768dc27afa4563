/** The flow as an API: the switch, who may call it, how it is called, and how that went. */
import { Alert, Drawer, Select, Switch, Typography } from "antd";
import { useTranslation } from "react-i18next";

import { api } from "@/api/client";
import { useAction, useGet } from "@/api/hooks";
import type { Audience, FlowApi as Facts } from "@/api/types";
import { ProblemNotice, QueryView, TimeText, typeFamily } from "@/components/ui";

import { useEditor } from "../editor/hooks";
import { CallCounts } from "./CallCounts";
import { exampleOf } from "./exampleCall";
import styles from "./dialogs.module.css";

const AUDIENCES: Audience[] = ["owner", "department", "everyone"];

export function FlowApi({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation("canvas");
  const editor = useEditor();
  const address = `/api/flows/${editor.flow}/api`;
  const facts = useGet<Facts>(address, undefined, { staleTime: 0 });
  const change = useAction(
    async (audience: Audience | null) => {
      await editor.flush();
      return audience === null ? api.delete<Facts>(address) : api.put<Facts>(address, { audience });
    },
    { refresh: [address] },
  );
  return (
    <Drawer open title={t("api.name")} onClose={onClose} size={560} closable={{ "aria-label": t("common:close") }}>
      <p className="secondary">{t("api.what")}</p>
      {change.error && <ProblemNotice error={change.error} />}
      <QueryView query={facts}>
        {(now) => (
          <>
            <div className={styles.apiSwitch}>
              <Switch
                checked={now.is_on}
                disabled={!now.can_change}
                loading={change.isPending}
                onChange={(on) => change.mutate(on ? "owner" : null)}
                aria-label={t("api.switch")}
              />
              <span>{t("api.switch")}</span>
              {now.is_on && (
                <Select<Audience>
                  value={now.audience}
                  disabled={!now.can_change || change.isPending}
                  onChange={(audience) => change.mutate(audience)}
                  aria-label={t("api.audience")}
                  options={AUDIENCES.map((one) => ({ value: one, label: t(`api.for.${one}`) }))}
                  style={{ minWidth: 200 }}
                />
              )}
            </div>
            {!now.can_change && <p className="tertiary">{t("api.owner_only")}</p>}
            {now.is_on && <Published facts={now} />}
          </>
        )}
      </QueryView>
    </Drawer>
  );
}

function Published({ facts }: { facts: Facts }) {
  const { t } = useTranslation("canvas");
  const example = exampleOf(facts, window.location.origin);
  return (
    <div className={styles.apiFacts}>
      <p className="tertiary">
        {t("api.version", { number: facts.version })} · <TimeText value={facts.published_at} />
      </p>
      <Alert type="info" showIcon title={t("api.rights")} />
      <h3>{t("api.address")}</h3>
      <Typography.Text code copyable={{ text: `${window.location.origin}${facts.address}`, tooltips: false }}>
        {facts.address}
      </Typography.Text>
      <h3>
        {t("api.example")} <Typography.Text copyable={{ text: example, tooltips: false }} />
      </h3>
      <pre tabIndex={0} aria-label={t("api.example")}>
        {example}
      </pre>
      <h3>{t("api.inputs")}</h3>
      <pre tabIndex={0} aria-label={t("api.inputs")}>
        {JSON.stringify(facts.inputs ?? {}, null, 2)}
      </pre>
      <h3>{t("api.answer")}</h3>
      <ul aria-label={t("api.answer")}>
        {(facts.columns ?? []).map((column) => (
          <li key={column.name}>
            <code>{column.name}</code> <span className="secondary">{t(`common:type.${typeFamily(column.type)}`)}</span>
          </li>
        ))}
      </ul>
      <p className="tertiary">
        {t("api.limits", { ...facts.limits, minute: facts.limits.a_minute || "∞" })} {t("api.forms")}
      </p>
      <CallCounts hours={facts.hours ?? []} />
    </div>
  );
}
