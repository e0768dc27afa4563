/** A dataset in the list: name, right, whose, how much, how fresh, first columns. */
import { ClockCircleOutlined, TableOutlined } from "@ant-design/icons";
import { Tag } from "antd";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { paths } from "@/api/paths";
import { usePick } from "@/api/preferences";
import type { DatasetCard as Card } from "@/api/types";
import { NumberText, RightTag, TimeText, TypeIcon } from "@/components/ui";

import styles from "./DatasetCard.module.css";

export function DatasetCard({ card }: { card: Card }) {
  const { t } = useTranslation("catalogue");
  const words = usePick();
  const title = words(card.title) || card.name;
  return (
    <article className={styles.card}>
      <div className={styles.head}>
        <Link to={paths.dataset(card.id)} className={styles.title}>
          {title}
        </Link>
        {title !== card.name && <code className={`${styles.name} ellipsis`}>{card.name}</code>}
        <span className={styles.right}>
          <RightTag right={card.right} />
        </span>
      </div>
      {words(card.summary) && <p className={styles.summary}>{words(card.summary)}</p>}
      <ul className={styles.columns} aria-label={t("card.columns")}>
        {card.columns.map((column) => (
          <li key={column.name} className={styles.column}>
            <TypeIcon type={column.type} />
            <span className="ellipsis">{words(column.title) || column.name}</span>
          </li>
        ))}
        {card.columns_total > card.columns.length && (
          <li className="tertiary">{t("card.more_columns", { count: card.columns_total })}</li>
        )}
      </ul>
      <div className={styles.facts}>
        <span>{words(card.organisation.name)}</span>
        <span>
          <TableOutlined aria-hidden="true" />{" "}
          <NumberText value={card.rows} isEstimate={card.rows !== null && !card.rows_exact} /> {t("card.rows")}
        </span>
        <span>
          <ClockCircleOutlined aria-hidden="true" />{" "}
          <TimeText value={card.refreshed_at} relative fallback={t("card.not_refreshed")} />
        </span>
        <span className={`${styles.number} mono`}>{card.number}</span>
        {card.tags.length > 0 && (
          <span className={styles.tags}>
            {card.tags.slice(0, 4).map((tag) => (
              <Tag key={tag}>{tag}</Tag>
            ))}
          </span>
        )}
      </div>
    </article>
  );
}
