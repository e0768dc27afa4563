/** Left of the canvas: data from the catalogue and the step types in their groups. */
import { DoubleLeftOutlined, DoubleRightOutlined, SearchOutlined } from "@ant-design/icons";
import { Button, Input } from "antd";
import { useDeferredValue, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { useCursorList } from "@/api/hooks";
import { paths } from "@/api/paths";
import type { DatasetCard, SearchAnswer } from "@/api/types";
import type { StepTypes } from "@/graph/palette";

import { useAdd } from "../editor/add";
import { DatasetItem, TypeItem } from "./Items";
import styles from "./palette.module.css";
import { GROUPS, findTypes } from "./search";

interface PaletteProps {
  types: StepTypes;
  disabled: boolean;
}

export function Palette({ types, disabled }: PaletteProps) {
  const { t } = useTranslation("canvas");
  const [isFolded, setFolded] = useState(false);
  const [query, setQuery] = useState("");
  const settled = useDeferredValue(query);
  const add = useAdd();
  if (isFolded) {
    return (
      <div className={styles.palette} style={{ width: 40, alignItems: "center", paddingTop: 8 }}>
        <Button
          type="text"
          icon={<DoubleRightOutlined aria-hidden="true" />}
          aria-label={t("palette.unfold")}
          title={t("palette.unfold")}
          onClick={() => setFolded(false)}
        />
      </div>
    );
  }
  const found = findTypes(types.values(), query);
  const groups = GROUPS.map((group) => ({ group, members: found.filter((type) => type.group === group) })).filter(
    ({ members }) => members.length > 0,
  );
  const readKey = [...types.values()].find((type) => type.role === "source")?.key ?? "read";
  return (
    <aside className={styles.palette} aria-label={t("palette.name")}>
      <div className={styles.search} style={{ display: "flex", gap: 4 }}>
        <Input
          allowClear
          prefix={<SearchOutlined aria-hidden="true" />}
          value={query}
          onChange={(event) => setQuery(event.target.value)}
          placeholder={t("palette.find")}
          aria-label={t("palette.search")}
        />
        <Button
          type="text"
          icon={<DoubleLeftOutlined aria-hidden="true" />}
          aria-label={t("palette.fold")}
          title={t("palette.fold")}
          onClick={() => setFolded(true)}
        />
      </div>
      <div className={styles.scroll} tabIndex={-1}>
        <div className={styles.head}>
          <h2 style={{ fontSize: 12, fontWeight: 600 }}>{t("palette.data")}</h2>
          <Link to={paths.catalogue(query)} style={{ fontWeight: 400 }}>
            {t("palette.catalogue")}
          </Link>
        </div>
        <Data query={settled} readKey={readKey} disabled={disabled} />
        <div className={styles.head}>
          <h2 style={{ fontSize: 12, fontWeight: 600 }}>{t("palette.steps")}</h2>
        </div>
        {groups.map(({ group, members }) => (
          <div key={group} role="group" aria-label={t(`group_name.${group}`)}>
            <div className={styles.group} aria-hidden="true">
              {t(`group_name.${group}`)}
            </div>
            {members.map((type) => (
              <TypeItem key={type.key} type={type} onAdd={add} disabled={disabled} />
            ))}
          </div>
        ))}
        {groups.length === 0 && <p className={styles.hint}>{t("palette.no_steps", { query })}</p>}
      </div>
    </aside>
  );
}

function Data({ query, readKey, disabled }: { query: string; readKey: string; disabled: boolean }) {
  const { t } = useTranslation("canvas");
  const add = useAdd();
  const found = useCursorList<DatasetCard, SearchAnswer>("/api/catalogue/search", {
    q: query,
    kind: "dataset",
    limit: query ? 20 : 8,
  });
  if (found.error) return <p className={styles.hint}>{found.error.message}</p>;
  return (
    <div role="group" aria-label={t("palette.data")}>
      {found.items.map((card) => (
        <DatasetItem key={card.id} card={card} readKey={readKey} onAdd={add} disabled={disabled} />
      ))}
      {!found.isLoading && found.items.length === 0 && <p className={styles.hint}>{t("palette.no_data", { query })}</p>}
      {found.hasMore && (
        <Button
          type="link"
          size="small"
          style={{ marginLeft: 6 }}
          loading={found.isLoadingMore}
          onClick={found.loadMore}
        >
          {t("palette.more", { total: found.total ?? "" })}
        </Button>
      )}
    </div>
  );
}
