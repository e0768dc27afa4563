/** Three ways to start: a template (with its picture), data one has found, or a blank app. */
import { FileAddOutlined, UploadOutlined } from "@ant-design/icons";
import { App } from "antd";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { useGet } from "@/api/hooks";
import { paths } from "@/api/paths";
import { usePick } from "@/api/preferences";
import type { Page, Template } from "@/api/types";

import { useNewApp } from "../newApp";
import { DataPicture, TemplatePicture } from "./TemplatePicture";
import styles from "./Starters.module.css";

function Body({ title, hint }: { title: ReactNode; hint: ReactNode }) {
  return (
    <span className={styles.words}>
      <span className={styles.title}>{title}</span>
      <span className={styles.hint}>{hint}</span>
    </span>
  );
}

export function Starters() {
  const { t } = useTranslation("home");
  const words = usePick();
  const { message } = App.useApp();
  const templates = useGet<Page<Template> | Template[]>("/api/templates", undefined, { staleTime: 300_000 });
  const create = useNewApp();
  const list = Array.isArray(templates.data) ? templates.data : (templates.data?.results ?? []);
  const begin = (body: Parameters<typeof create.mutate>[0]) =>
    create.mutate(body, { onError: (problem) => void message.error(words(problem.text)) });
  return (
    <section aria-label={t("start.label")}>
      <ul className={styles.ways}>
        {list.slice(0, 3).map((template) => (
          <li key={template.key}>
            <button
              type="button"
              className={styles.way}
              disabled={create.isPending}
              onClick={() => begin({ title: template.title, template: template.key })}
            >
              <span className={styles.picture}>
                <TemplatePicture name={template.picture || template.key} />
              </span>
              <Body
                title={
                  <>
                    <span className={styles.kind}>{t("start.template")}</span> {words(template.title)}
                  </>
                }
                hint={words(template.summary)}
              />
            </button>
          </li>
        ))}
        <li>
          <Link to={paths.catalogue()} className={styles.way}>
            <span className={styles.picture}>
              <DataPicture />
            </span>
            <Body title={t("start.data")} hint={t("start.data_hint")} />
          </Link>
        </li>
        <li className={styles.pair}>
          <button
            type="button"
            className={`${styles.way} ${styles.flat}`}
            disabled={create.isPending}
            onClick={() => begin({ title: { "zh-CN": "未命名应用", en: "Untitled app" } })}
          >
            <span className={styles.small}>
              <FileAddOutlined aria-hidden="true" />
            </span>
            <Body title={t("start.blank")} hint={t("start.blank_hint")} />
          </button>
          <Link to={paths.files()} className={`${styles.way} ${styles.flat}`}>
            <span className={styles.small}>
              <UploadOutlined aria-hidden="true" />
            </span>
            <Body title={t("start.file")} hint={t("start.file_hint")} />
          </Link>
        </li>
      </ul>
    </section>
  );
}
