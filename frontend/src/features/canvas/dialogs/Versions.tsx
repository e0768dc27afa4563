/** Saved versions of the app: list, bring one back, compare two. */
import { HistoryOutlined } from "@ant-design/icons";
import { App, Button, Checkbox, Drawer, Popconfirm } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api } from "@/api/client";
import { useAction, useGet } from "@/api/hooks";
import { usePick } from "@/api/preferences";
import { asProblem } from "@/api/problem";
import type { DiffEntry, Page, Version } from "@/api/types";
import { EmptyState, ProblemNotice, QueryView, TimeText } from "@/components/ui";

import { useEditor, useTitleOf, useView } from "../editor/hooks";
import type { Compared } from "../overlays/Difference";
import { DrawChosen } from "../overlays/DrawChosen";
import styles from "./dialogs.module.css";

type Saved = Version & { is_automatic?: boolean };

export function Versions({ onClose, onCompare }: { onClose: () => void; onCompare: (compared: Compared) => void }) {
  const { t } = useTranslation("canvas");
  const { app, canEdit } = useView();
  const editor = useEditor();
  const { message } = App.useApp();
  const [chosen, setChosen] = useState<string[]>([]);
  const versions = useGet<Page<Saved>>(`/api/apps/${app.id}/versions`, undefined, { staleTime: 0 });
  const restore = useAction((version: Saved) => api.post(`/api/versions/${version.id}/restore`), {
    refresh: [`/api/apps/${app.id}`],
    onDone: (_answer, version) => {
      void editor.refresh().then(() => message.success(t("versions.restored", { number: version.number })));
    },
  });
  const toggle = (id: string): void =>
    setChosen((now) => (now.includes(id) ? now.filter((one) => one !== id) : [...now, id].slice(-2)));
  return (
    <Drawer open title={t("versions.name")} onClose={onClose} size={440} closable={{ "aria-label": t("common:close") }}>
      {restore.error && <ProblemNotice error={asProblem(restore.error)} />}
      <QueryView query={versions}>
        {({ results }) =>
          results.length === 0 ? (
            <EmptyState isSmall title={t("versions.none")} hint={t("versions.none_hint")} />
          ) : (
            <>
              <p className="tertiary">{t("versions.compare_hint")}</p>
              <ul className={styles.versions} aria-label={t("versions.name")}>
                {results.map((version) => (
                  <li key={version.id} className={styles.version}>
                    <Checkbox
                      checked={chosen.includes(version.id)}
                      onChange={() => toggle(version.id)}
                      aria-label={t("versions.choose", { number: version.number })}
                    />
                    <div className={styles.grow}>
                      <strong>{t("versions.number", { number: version.number })}</strong>{" "}
                      <span className="secondary">
                        {version.note ||
                          t((version.is_automatic ?? version.automatic) ? "versions.automatic" : "versions.no_note")}
                      </span>
                      <div className="tertiary">
                        {version.created_by?.name} · <TimeText value={version.created_at} />
                      </div>
                    </div>
                    {canEdit && (
                      <Popconfirm
                        title={t("versions.restore_sure", { number: version.number })}
                        okText={t("versions.restore")}
                        cancelText={t("common:cancel")}
                        onConfirm={() => restore.mutate(version)}
                      >
                        <Button
                          size="small"
                          icon={<HistoryOutlined aria-hidden="true" />}
                          aria-label={t("versions.restore_number", { number: version.number })}
                        >
                          {t("versions.restore")}
                        </Button>
                      </Popconfirm>
                    )}
                  </li>
                ))}
              </ul>
              <DrawChosen
                versions={results.filter((one) => chosen.includes(one.id)).sort((a, b) => a.number - b.number)}
                onDraw={(compared) => {
                  onCompare(compared);
                  onClose();
                }}
              />
              {chosen.length === 2 && (
                <Difference
                  versions={results.filter((one) => chosen.includes(one.id)).sort((a, b) => a.number - b.number)}
                />
              )}
            </>
          )
        }
      </QueryView>
    </Drawer>
  );
}

function Difference({ versions: [old, next] }: { versions: Saved[] }) {
  const { t } = useTranslation("canvas");
  const words = usePick();
  const titleOf = useTitleOf();
  const answer = useGet<{ flows: Record<string, DiffEntry[]> } | DiffEntry[]>(
    old && next ? `/api/versions/${old.id}/diff/${next.id}` : null,
  );
  if (!old || !next) return null;
  return (
    <section aria-label={t("versions.difference", { old: old.number, new: next.number })} className={styles.difference}>
      <h3 style={{ fontSize: 14 }}>{t("versions.difference", { old: old.number, new: next.number })}</h3>
      <QueryView query={answer}>
        {(data) => {
          const entries = Array.isArray(data) ? data : Object.values(data.flows).flat();
          if (entries.length === 0) return <p className="secondary">{t("versions.same")}</p>;
          return (
            <ul className={styles.entries}>
              {entries.map((entry, index) => (
                <li key={index} data-kind={entry.kind}>
                  <span className={styles.kind}>{t(`diff.${entry.kind}`, { defaultValue: entry.kind })}</span>
                  <span>{words(entry.message) || titleOf(entry.step)}</span>
                </li>
              ))}
            </ul>
          );
        }}
      </QueryView>
    </section>
  );
}
