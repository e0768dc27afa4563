/** Where a remark is written; "@" offers the people who may see the flow. */
import { Button, Mentions } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api } from "@/api/client";
import { useAction } from "@/api/hooks";
import { asProblem } from "@/api/problem";
import { ProblemNotice } from "@/components/ui";

import { useEditor } from "../editor/hooks";
import styles from "./comments.module.css";

interface WriteProps {
  people: { id: string; name: string }[];
  step: string;
  thread?: string;
  label: string;
  onSent?: () => void;
}

export function Write({ people, step, thread, label, onSent }: WriteProps) {
  const { t } = useTranslation("canvas");
  const editor = useEditor();
  const [body, setBody] = useState("");
  const send = useAction(
    () => {
      const mentions = people.filter((one) => body.includes(`@${one.name}`)).map((one) => one.id);
      return api.post(`/api/flows/${editor.flow}/comments`, { body, step, thread: thread ?? null, mentions });
    },
    {
      refresh: [`/api/flows/${editor.flow}/comments`],
      onDone: () => {
        setBody("");
        onSent?.();
      },
    },
  );
  return (
    <form
      className={styles.form}
      onSubmit={(event) => {
        event.preventDefault();
        if (body.trim()) send.mutate(undefined);
      }}
    >
      <Mentions
        value={body}
        onChange={setBody}
        options={people.map((one) => ({ value: one.name, label: one.name, key: one.id }))}
        autoSize={{ minRows: 1, maxRows: 5 }}
        maxLength={4000}
        placeholder={label}
        aria-label={label}
      />
      <Button htmlType="submit" disabled={!body.trim()} loading={send.isPending}>
        {t("comments.send")}
      </Button>
      {send.error && <ProblemNotice error={asProblem(send.error)} />}
    </form>
  );
}
