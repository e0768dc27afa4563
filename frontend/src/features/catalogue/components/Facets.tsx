/** Facets: departments, right, source, tags – with counts; one value of each at a time. */
import { CheckOutlined } from "@ant-design/icons";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { usePick } from "@/api/preferences";
import type { FacetName, FacetValue, SearchAnswer } from "@/api/types";
import { NumberText } from "@/components/ui";

import type { CatalogueFilters } from "../search";
import styles from "./Facets.module.css";

const ORDER: FacetName[] = ["right", "organisation", "type", "tag"];
const SHOWN = 8;

interface FacetProps {
  name: FacetName;
  values: FacetValue[];
  chosen: string;
  onToggle: (value: string) => void;
}

function Facet({ name, values, chosen, onToggle }: FacetProps) {
  const { t } = useTranslation("catalogue");
  const words = usePick();
  const [isWhole, setWhole] = useState(false);
  const shown = isWhole ? values : values.slice(0, SHOWN);
  return (
    <section className={styles.facet}>
      <h2 className={styles.title} id={`facet-${name}`}>
        {t(`facet.${name}`)}
      </h2>
      <ul className={styles.values} aria-labelledby={`facet-${name}`}>
        {shown.map((value) => {
          const isChosen = value.value === chosen;
          const label = name === "right" ? t(`common:right.${value.value}`) : words(value.label) || value.value;
          return (
            <li key={value.value}>
              <button
                type="button"
                className={`${styles.value} ${isChosen ? styles.chosen : ""}`}
                aria-pressed={isChosen}
                onClick={() => onToggle(value.value)}
              >
                <span className="ellipsis" title={label}>
                  {isChosen && <CheckOutlined aria-hidden="true" />} {label}
                </span>
                <span className={styles.count}>
                  <NumberText value={value.count} />
                </span>
              </button>
            </li>
          );
        })}
      </ul>
      {values.length > SHOWN && (
        <button
          type="button"
          className={`plain-button ${styles.more}`}
          aria-expanded={isWhole}
          onClick={() => setWhole(!isWhole)}
        >
          {t(isWhole ? "facet.less" : "facet.more", { count: values.length - SHOWN })}
        </button>
      )}
    </section>
  );
}

interface FacetsProps {
  facets: SearchAnswer["facets"] | undefined;
  filters: CatalogueFilters;
  onToggle: (name: FacetName, value: string) => void;
}

export function Facets({ facets, filters, onToggle }: FacetsProps) {
  const { t } = useTranslation("catalogue");
  return (
    <aside aria-label={t("facet.label")} className={styles.facets}>
      {ORDER.map((name) => {
        const values = facets?.[name] ?? [];
        return values.length ? (
          <Facet
            key={name}
            name={name}
            values={values}
            chosen={filters[name]}
            onToggle={(value) => onToggle(name, value)}
          />
        ) : null;
      })}
    </aside>
  );
}
