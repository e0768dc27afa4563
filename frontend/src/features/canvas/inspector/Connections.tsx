/** The wires of a step as lists: the way to connect without dragging. */
import { CloseOutlined } from "@ant-design/icons";
import { Button, Select } from "antd";
import { useTranslation } from "react-i18next";

import { connect, disconnect } from "@/graph/commands";
import { portOf, stepOf, wiresInto, wiresOutOf, type Wire } from "@/graph/document";
import type { Port } from "@/graph/palette";
import { legalWires, portsOf } from "@/graph/ports";

import { PortShape } from "../drawing/PortShape";
import { usePortWords } from "../drawing/portWords";
import { useEditor, useTitleOf, useView, type StepInfo } from "../editor/hooks";
import styles from "./inspector.module.css";

export function Connections({ info }: { info: StepInfo }) {
  const { t } = useTranslation("canvas");
  return (
    <section className={styles.section} aria-label={t("connect.name")}>
      <h3 className={styles.sectionTitle}>{t("connect.name")}</h3>
      {info.ports.map((port) => (
        <PortWires key={port.name} info={info} port={port} />
      ))}
    </section>
  );
}

function PortWires({ info, port }: { info: StepInfo; port: Port }) {
  const { t } = useTranslation("canvas");
  const editor = useEditor();
  const { state, canEdit } = useView();
  const titleOf = useTitleOf();
  const portWords = usePortWords();
  const end = `${info.id}.${port.name}`;
  const isIn = port.direction === "in";
  const wires = isIn ? wiresInto(state.document, info.id, port.name) : wiresOutOf(state.document, info.id, port.name);
  const legal = canEdit ? legalWires(state, editor.types, end, port.direction) : [];
  const farEnd = (wire: Wire): string => (isIn ? wire.from : wire.to);
  const nameOf = (wire: Wire): string => {
    const far = farEnd(wire);
    const peers = portsOf(state.document, editor.types, stepOf(far)).filter((one) => one.direction !== port.direction);
    const other = peers.find((one) => one.name === portOf(far)) ?? { name: portOf(far) };
    const portName = peers.length > 1 ? ` · ${portWords(other)}` : "";
    return `${titleOf(stepOf(far))}${portName}`;
  };
  const words = portWords(port);
  const isOneOfMany = info.ports.filter((one) => one.direction === port.direction).length > 1;
  const label = t(isIn ? "connect.from" : "connect.to", { port: words });
  return (
    <div className={styles.port}>
      <span className={styles.portName}>
        <PortShape kind={port.kind} isError={port.is_error} isWired={wires.length > 0} />
        {isOneOfMany ? t(isIn ? "connect.in" : "connect.out", { port: words }) : words}
        {isIn && port.required && wires.length === 0 && (
          <span className={styles.errorIcon}>{t("connect.missing")}</span>
        )}
      </span>
      {wires.map((wire) => (
        <span key={`${wire.from}>${wire.to}`} className={styles.wired}>
          <button
            type="button"
            className="plain-button ellipsis"
            onClick={() => editor.reveal([stepOf(farEnd(wire))])}
            title={t("go_to", { title: nameOf(wire) })}
          >
            {isIn ? "← " : "→ "}
            {nameOf(wire)}
          </button>
          {canEdit && (
            <Button
              type="text"
              size="small"
              icon={<CloseOutlined aria-hidden="true" />}
              aria-label={t("connect.remove", { title: nameOf(wire) })}
              title={t("connect.remove", { title: nameOf(wire) })}
              onClick={() => editor.run(disconnect, wire)}
            />
          )}
        </span>
      ))}
      {canEdit && (isIn ? wires.length === 0 || port.many : true) && (legal.length > 0 || wires.length === 0) && (
        <Select
          size="small"
          value={null}
          placeholder={legal.length > 0 ? label : t("connect.none")}
          disabled={legal.length === 0}
          onChange={(far: string | null) =>
            far && editor.run(connect, isIn ? { from: far, to: end } : { from: end, to: far })
          }
          options={legal.map((wire) => ({ value: farEnd(wire), label: nameOf(wire) }))}
          aria-label={label}
          popupMatchSelectWidth={false}
        />
      )}
    </div>
  );
}
