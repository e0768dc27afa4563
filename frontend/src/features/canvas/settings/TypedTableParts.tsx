/** What stands around the grid of a typed table: ways to begin, what is wrong, and the buttons. */
import { Button, Input } from "antd";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import type { SettingsContext } from "./context";
import styles from "./settings.module.css";
import gridStyles from "./typedGrid.module.css";
import { blockOf, pasted, tableOfParameters, type Place, type TypedTable } from "./typedTable";

const TOLD = 5;

interface NoColumnsProps {
  id: string;
  label: string;
  context: SettingsContext;
  disabled: boolean;
  write: (table: TypedTable) => void;
}

/** Ways to begin besides adding columns one by one: a table from a spreadsheet, or a row of the flow's parameters. */
export function NoColumns({ id, label, context, disabled, write }: NoColumnsProps) {
  const { t } = useTranslation("canvas");
  const ofParameters = tableOfParameters(context.document.inputs);
  return (
    <div className={styles.list}>
      <Input
        id={id}
        className={gridStyles.paste}
        value=""
        placeholder={t("typed.paste_here")}
        onChange={() => undefined}
        onPaste={(event) => {
          const text = event.clipboardData.getData("text/plain");
          event.preventDefault();
          if (text.trim())
            write(
              pasted(
                { columns: [], rows: [] },
                { row: 0, column: 0 },
                blockOf(text) ?? [[text.trim()]],
                t("typed.new_name"),
              ),
            );
        }}
        aria-label={label}
        disabled={disabled}
      />
      {ofParameters.columns.length > 0 && (
        <Button size="small" onClick={() => write(ofParameters)} disabled={disabled}>
          {t("typed.take_parameters")}
        </Button>
      )}
    </div>
  );
}

interface ToldProps {
  told: readonly { pointer: string; words: string }[];
  below: string;
  onGo: (place: Place) => void;
}

/** The first of the cells that do not fit; a click goes there. */
export function Told({ told, below, onGo }: ToldProps) {
  const { t } = useTranslation("canvas");
  if (told.length === 0) return null;
  return (
    <ul className={gridStyles.told}>
      {told.slice(0, TOLD).map(({ pointer, words }) => {
        const [row, column = 0] = pointer.slice(below.length).split("/").map(Number);
        return (
          <li key={pointer}>
            <button type="button" className={`plain-button ${styles.problem}`} onClick={() => onGo({ row, column })}>
              {words}
            </button>
          </li>
        );
      })}
      {told.length > TOLD && <li className={styles.problem}>{t("typed.more", { count: told.length - TOLD })}</li>}
    </ul>
  );
}

interface ToolProps {
  label: string;
  icon: ReactNode;
  disabled?: boolean;
  onClick: () => void;
}

/** A button below the grid that is a picture alone. */
export function Tool({ label, ...rest }: ToolProps) {
  return <Button type="text" size="small" aria-label={label} title={label} {...rest} />;
}
