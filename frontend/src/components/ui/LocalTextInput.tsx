/** A text in both languages: Chinese first, English beside it. Works inside a Form.Item. */
import { Input } from "antd";
import { useTranslation } from "react-i18next";

import type { Language, Text } from "@/api/types";

import styles from "./LocalTextInput.module.css";

interface LocalTextInputProps {
  id?: string;
  value?: Text;
  onChange?: (value: Text) => void;
  maxLength?: number;
  rows?: number;
  /** What the text is, for screen readers: "名称". */
  label: string;
}

const LANGUAGES: [Language, string][] = [
  ["zh-CN", "中文"],
  ["en", "EN"],
];

export function LocalTextInput({ id, value, onChange, maxLength = 200, rows, label }: LocalTextInputProps) {
  const { i18n } = useTranslation();
  const ordered = i18n.language === "en" ? [...LANGUAGES].reverse() : LANGUAGES;
  return (
    <div className={styles.pair}>
      {ordered.map(([language, mark], index) => {
        const shared = {
          id: index === 0 ? id : undefined,
          value: value?.[language] ?? "",
          maxLength,
          "aria-label": `${label} (${mark})`,
          lang: language,
          onChange: (event: { target: { value: string } }) => onChange?.({ ...value, [language]: event.target.value }),
        };
        return (
          <div key={language} className={styles.one}>
            <span className={styles.mark} aria-hidden="true">
              {mark}
            </span>
            {rows ? <Input.TextArea {...shared} rows={rows} /> : <Input {...shared} />}
          </div>
        );
      })}
    </div>
  );
}
