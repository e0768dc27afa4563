/** Is there data for this? One big search, facets at the left, cards. All of it is in the address. */
import { CloseOutlined, PlusOutlined } from "@ant-design/icons";
import { Button, Input } from "antd";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { useCursorList } from "@/api/hooks";
import { paths } from "@/api/paths";
import { useHasRole } from "@/api/session";
import type { DatasetCard as Card, SearchAnswer } from "@/api/types";
import { EmptyState, Loading, NumberText, PageHeader, ProblemNotice } from "@/components/ui";

import { CatalogueTabs } from "../components/CatalogueTabs";
import { DatasetCard } from "../components/DatasetCard";
import { Facets } from "../components/Facets";
import { useCatalogueSearch, type CatalogueFilters } from "../search";
import styles from "./Catalogue.module.css";

const TYPING_PAUSE_MS = 250;

function SearchBox({ value, onSearch }: { value: string; onSearch: (q: string) => void }) {
  const { t } = useTranslation("catalogue");
  const [draft, setDraft] = useState(value);
  const [shown, setShown] = useState(value);
  // Who goes from here to a card is on the way to it; a search that comes late must not call them back.
  const [isLeaving, setLeaving] = useState(false);
  if (shown !== value) {
    setShown(value);
    setDraft(value);
  }
  useEffect(() => {
    if (draft === value || isLeaving) return undefined;
    const timer = setTimeout(() => onSearch(draft), TYPING_PAUSE_MS);
    return () => clearTimeout(timer);
  }, [draft, value, isLeaving, onSearch]);
  return (
    <Input.Search
      size="large"
      allowClear
      value={draft}
      maxLength={200}
      placeholder={t("search.placeholder")}
      aria-label={t("search.label")}
      enterButton={t("search.button")}
      onChange={(event) => setDraft(event.target.value)}
      onSearch={onSearch}
      onFocus={() => setLeaving(false)}
      onBlur={(event) => setLeaving(event.relatedTarget instanceof HTMLAnchorElement)}
      className={styles.search}
    />
  );
}

export function Catalogue() {
  const { t } = useTranslation("catalogue");
  const { filters, change, clear, isFiltered } = useCatalogueSearch();
  const canRegister = useHasRole("data_admin", "platform_admin");
  const list = useCursorList<Card, SearchAnswer>("/api/catalogue/search", { ...filters, limit: 20 });
  const toggle = (name: keyof CatalogueFilters, value: string) =>
    change({ [name]: filters[name] === value ? "" : value });
  return (
    <div>
      <PageHeader
        title={t("title")}
        subtitle={t("subtitle")}
        actions={
          canRegister && (
            <Link to={paths.newNode()}>
              <Button icon={<PlusOutlined aria-hidden="true" />}>{t("nodes.register")}</Button>
            </Link>
          )
        }
      />
      <CatalogueTabs at="datasets" />
      <SearchBox value={filters.q} onSearch={(q) => change({ q })} />
      <div className={styles.columns}>
        <Facets facets={list.first?.facets} filters={filters} onToggle={toggle} />
        <section aria-label={t("results.label")} className={styles.results} aria-busy={list.isFetching}>
          <div className={styles.summary}>
            <span className="secondary" role="status" aria-live="polite">
              {list.total !== undefined && (
                <>
                  {t("results.found_before")} <NumberText value={list.total} exact />{" "}
                  {t("results.found_after", { count: list.total })}
                </>
              )}
            </span>
            {isFiltered && (
              <Button size="small" type="link" icon={<CloseOutlined aria-hidden="true" />} onClick={clear}>
                {t("results.clear")}
              </Button>
            )}
          </div>
          {list.error && <ProblemNotice error={list.error} onRetry={list.refetch} />}
          {list.isLoading && <Loading rows={8} />}
          {!list.isLoading && !list.error && list.items.length === 0 && (
            <EmptyState
              title={isFiltered || filters.q ? t("results.nothing") : t("results.empty")}
              hint={isFiltered || filters.q ? t("results.nothing_hint") : t("results.empty_hint")}
              action={
                (isFiltered || filters.q) && (
                  <Button onClick={() => change({ q: "", organisation: "", type: "", tag: "", right: "" })}>
                    {t("results.clear_all")}
                  </Button>
                )
              }
            />
          )}
          <ul className={styles.cards}>
            {list.items.map((card) => (
              <li key={card.id}>
                <DatasetCard card={card} />
              </li>
            ))}
          </ul>
          {list.hasMore && (
            <div className={styles.more}>
              <Button onClick={list.loadMore} loading={list.isLoadingMore}>
                {t("common:more")}
              </Button>
            </div>
          )}
        </section>
      </div>
    </div>
  );
}
