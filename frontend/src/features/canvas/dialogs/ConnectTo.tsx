/** "Connect to …": every legal wire of one step as a list; the keyboard's way to draw a wire. */
import { useTranslation } from "react-i18next";

import { connect } from "@/graph/commands";
import { portOf, stepOf, type Wire } from "@/graph/document";
import { legalWires, portAt, portsOf } from "@/graph/ports";

import { PortShape } from "../drawing/PortShape";
import { usePortWords } from "../drawing/portWords";
import { useEditor, useTitleOf, useView } from "../editor/hooks";
import { PickList, type Choice } from "./PickList";

export function ConnectTo({ step, onClose }: { step: string; onClose: () => void }) {
  const { t } = useTranslation("canvas");
  const editor = useEditor();
  const { state } = useView();
  const titleOf = useTitleOf();
  const portWords = usePortWords();
  const portName = (end: string): string =>
    portWords(portAt(state.document, editor.types, end) ?? { name: portOf(end) });
  const wires = new Map<string, Wire>();
  const choices: Choice[] = [];
  for (const port of portsOf(state.document, editor.types, step)) {
    const isOut = port.direction === "out";
    for (const wire of legalWires(state, editor.types, `${step}.${port.name}`, port.direction)) {
      const key = `${wire.from}>${wire.to}`;
      if (wires.has(key)) continue;
      wires.set(key, wire);
      const far = isOut ? wire.to : wire.from;
      choices.push({
        key,
        label: `${isOut ? "→" : "←"} ${titleOf(stepOf(far))}`,
        hint: `${portName(wire.from)} → ${portName(wire.to)}`,
        icon: <PortShape kind={port.kind} isWired={false} isError={port.is_error} />,
      });
    }
  }
  return (
    <PickList
      title={t("connect.title", { title: titleOf(step) })}
      placeholder={t("connect.search")}
      nothing={t("connect.none_legal")}
      choices={choices}
      onPick={(key) => {
        const wire = wires.get(key);
        if (wire) editor.run(connect, wire);
      }}
      onClose={onClose}
    />
  );
}
