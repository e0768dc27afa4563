/** Which dataset a step reads or writes: the one it has, and a search to take another. */
import { Select } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useCursorList, useGet } from "@/api/hooks";
import { usePick } from "@/api/preferences";
import type { CatalogueNode, DatasetCard, Page, SearchAnswer } from "@/api/types";
import { RightTag } from "@/components/ui";
import type { FormWidgetProps } from "@/forms";

import type { SettingsContext } from "./context";
import styles from "./settings.module.css";

export function DatasetWidget({ id, label, disabled, context, isInvalid }: FormWidgetProps<string, SettingsContext>) {
  const { t } = useTranslation("canvas");
  const words = usePick();
  const [query, setQuery] = useState("");
  const found = useCursorList<DatasetCard, SearchAnswer>("/api/catalogue/search", { q: query, limit: 20 });
  const { dataset } = context;
  const current = dataset
    ? [{ value: dataset.number, label: words(dataset.title) || dataset.name, card: undefined }]
    : [];
  const options = [
    ...current,
    ...found.items
      .filter((card) => card.number !== dataset?.number)
      .map((card) => ({ value: card.number, label: words(card.title) || card.name, card })),
  ];
  return (
    <div className={styles.list}>
      <Select
        id={id}
        showSearch={{ filterOption: false, onSearch: setQuery }}
        value={dataset?.number}
        onChange={(number: string) => {
          const card = found.items.find((one) => one.number === number);
          context.onPickDataset(number, card?.title);
        }}
        options={options}
        optionRender={(option) => {
          const { card } = option.data as { card?: DatasetCard };
          return (
            <span className={styles.bar}>
              <span className="ellipsis">{option.label}</span>
              {card && <RightTag right={card.right} />}
            </span>
          );
        }}
        placeholder={t("pick_dataset")}
        notFoundContent={t(found.isLoading ? "common:loading" : "dataset.none")}
        aria-label={label}
        disabled={disabled}
        status={isInvalid ? "error" : undefined}
      />
      {dataset && (
        <span className={styles.note}>
          {dataset.number} · {t("dataset.columns", { count: dataset.columns.length })}
        </span>
      )}
    </div>
  );
}

export function NodeWidget({ id, label, value = "", onChange, disabled }: FormWidgetProps<string, SettingsContext>) {
  const { t } = useTranslation("canvas");
  const words = usePick();
  const nodes = useGet<Page<CatalogueNode>>("/api/nodes");
  const mine = (nodes.data?.results ?? []).filter((node) => node.can_edit);
  return (
    <Select
      id={id}
      style={{ width: "100%" }}
      allowClear
      showSearch={{ optionFilterProp: "label" }}
      value={value || undefined}
      onChange={(number?: string) => onChange(number ?? "")}
      options={mine.map((node) => ({ value: node.number, label: words(node.name) }))}
      placeholder={t("pick_node")}
      aria-label={label}
      disabled={disabled}
    />
  );
}
