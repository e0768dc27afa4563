/** An empty canvas shows the three ways to start, not a blank grid. */
import { AppstoreOutlined, DatabaseOutlined, PlusSquareOutlined } from "@ant-design/icons";
import { Button, Modal } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";

import { api } from "@/api/client";
import { useAction, useCursorList, useGet } from "@/api/hooks";
import { paths } from "@/api/paths";
import { usePick } from "@/api/preferences";
import type { AppCard, DatasetCard, Page, SearchAnswer, Template } from "@/api/types";
import { ProblemNotice, QueryView } from "@/components/ui";

import { useAdd } from "../editor/add";
import { useEditor, useView } from "../editor/hooks";
import { DatasetItem } from "../palette/Items";
import styles from "./dialogs.module.css";

export function EmptyCanvas({ onQuickAdd }: { onQuickAdd: () => void }) {
  const { t } = useTranslation("canvas");
  const [open, setOpen] = useState<"data" | "template" | null>(null);
  const ways = [
    { key: "data", icon: <DatabaseOutlined style={{ fontSize: 22 }} aria-hidden="true" />, act: () => setOpen("data") },
    {
      key: "template",
      icon: <AppstoreOutlined style={{ fontSize: 22 }} aria-hidden="true" />,
      act: () => setOpen("template"),
    },
    { key: "blank", icon: <PlusSquareOutlined style={{ fontSize: 22 }} aria-hidden="true" />, act: onQuickAdd },
  ] as const;
  return (
    <div className={styles.starts}>
      <h2 className={styles.startTitle}>{t("start.title")}</h2>
      <div className={styles.cards}>
        {ways.map(({ key, icon, act }) => (
          <button key={key} type="button" className={styles.card} onClick={act}>
            {icon}
            <span className={styles.cardTitle}>{t(`start.${key}`)}</span>
            <span className="tertiary">{t(`start.${key}_hint`)}</span>
          </button>
        ))}
      </div>
      {open === "data" && <PickData onClose={() => setOpen(null)} />}
      {open === "template" && <PickTemplate onClose={() => setOpen(null)} />}
    </div>
  );
}

function PickData({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation("canvas");
  const editor = useEditor();
  const add = useAdd();
  const found = useCursorList<DatasetCard, SearchAnswer>("/api/catalogue/search", {
    right: "usable",
    kind: "dataset",
    limit: 30,
  });
  const readKey = [...editor.types.values()].find((type) => type.role === "source")?.key ?? "read";
  return (
    <Modal open title={t("start.data")} footer={null} onCancel={onClose}>
      {found.items.map((card) => (
        <DatasetItem
          key={card.id}
          card={card}
          readKey={readKey}
          onAdd={(addition) => {
            add(addition);
            onClose();
          }}
        />
      ))}
      {found.error ? <ProblemNotice error={found.error} /> : null}
      {!found.isLoading && !found.error && found.items.length === 0 && (
        <p className="secondary">{t("start.no_data")}</p>
      )}
    </Modal>
  );
}

/** A template makes an app of its own: nothing here is overwritten. */
function PickTemplate({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation("canvas");
  const words = usePick();
  const navigate = useNavigate();
  const { app } = useView();
  const templates = useGet<Page<Template>>("/api/templates");
  const create = useAction(
    (template: Template) =>
      api.post<AppCard>("/api/apps", { title: template.title ?? app.title, template: template.key }),
    {
      refresh: ["/api/apps"],
      onDone: (made) => void navigate(paths.app(made.id)),
    },
  );
  return (
    <Modal open title={t("start.template")} footer={null} onCancel={onClose}>
      {create.error && <ProblemNotice error={create.error} />}
      <QueryView query={templates}>
        {({ results }) =>
          results.map((template) => (
            <div key={template.key} style={{ display: "flex", gap: 12, padding: "10px 0", alignItems: "center" }}>
              <div style={{ flex: 1 }}>
                <strong>{words(template.title)}</strong>
                <div className="tertiary">{words(template.summary)}</div>
              </div>
              <Button
                loading={create.isPending}
                onClick={() => create.mutate(template)}
                aria-label={t("start.use_template", { title: words(template.title) })}
              >
                {t("start.use")}
              </Button>
            </div>
          ))
        }
      </QueryView>
    </Modal>
  );
}
