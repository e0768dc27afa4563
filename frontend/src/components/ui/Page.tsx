/** The frame of a page: what it is, what can be done, and its parts. */
import { ArrowLeftOutlined } from "@ant-design/icons";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import styles from "./Page.module.css";

interface PageHeaderProps {
  title: ReactNode;
  subtitle?: ReactNode;
  /** Small marks after the title. */
  marks?: ReactNode;
  /** Where "back" leads; only where the depth is more than two. */
  back?: { to: string; label: string };
  actions?: ReactNode;
}

export function PageHeader({ title, subtitle, marks, back, actions }: PageHeaderProps) {
  const { t } = useTranslation();
  return (
    <header className={styles.header}>
      <div className={styles.words}>
        {back && (
          <Link to={back.to} className={styles.back} aria-label={t("back_to", { name: back.label })}>
            <ArrowLeftOutlined aria-hidden="true" /> {back.label}
          </Link>
        )}
        <div className={styles.titleLine}>
          <h1 className={styles.title}>{title}</h1>
          {marks}
        </div>
        {subtitle && <div className={styles.subtitle}>{subtitle}</div>}
      </div>
      {actions && <div className={styles.actions}>{actions}</div>}
    </header>
  );
}

interface PanelProps {
  title?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
  /** Without inner space: for tables that reach the border. */
  isFlush?: boolean;
  className?: string;
  label?: string;
}

export function Panel({ title, actions, children, isFlush, className, label }: PanelProps) {
  return (
    <section className={`${styles.panel} ${className ?? ""}`} aria-label={label}>
      {(title || actions) && (
        <div className={styles.panelHead}>
          <h2 className={styles.panelTitle}>{title}</h2>
          {actions}
        </div>
      )}
      <div className={isFlush ? styles.flush : styles.body}>{children}</div>
    </section>
  );
}
