/** How much a node may be asked at once: the form of its load limits, and what is going on there now. */
import { useTranslation } from "react-i18next";

import { useGet } from "@/api/hooks";
import type { CatalogueNode, FieldProblem, JsonObject, NodeLoad, PaletteConnector } from "@/api/types";
import { Panel } from "@/components/ui";
import { SchemaForm } from "@/forms";

const POINTER = "/limits";

/** Problems of the two forms of a node, each relative to its own form. */
export function byForm(problems: readonly FieldProblem[]) {
  const isOfLimits = ({ pointer }: FieldProblem) => pointer.startsWith(`${POINTER}/`);
  return {
    settings: problems.filter((one) => !isOfLimits(one)),
    limits: problems.filter(isOfLimits).map((one) => ({ ...one, pointer: one.pointer.slice(POINTER.length) })),
  };
}

/** Problems of the limits, so that `byForm` finds them again. */
export function ofLimits(problems: readonly FieldProblem[]): FieldProblem[] {
  return problems.map((one) => ({ ...one, pointer: POINTER + one.pointer }));
}

export function LimitsPanel({
  connector,
  value,
  onChange,
  problems,
}: {
  connector: PaletteConnector;
  value: JsonObject;
  onChange: (value: JsonObject) => void;
  problems: readonly FieldProblem[];
}) {
  const { t } = useTranslation("catalogue");
  if (!connector.limits_schema.properties) return null;
  return (
    <Panel title={t("limits.title")}>
      <p className="secondary" style={{ marginBottom: 12 }}>
        {t("limits.hint")}
      </p>
      <SchemaForm
        schema={connector.limits_schema}
        value={value}
        onChange={onChange}
        problems={byForm(problems).limits}
        idPrefix="limits"
      />
    </Panel>
  );
}

/** Reads at work now, and who waits for a turn; asked again every few seconds. */
export function LoadNow({ node }: { node: CatalogueNode }) {
  const { t } = useTranslation("catalogue");
  const path = `/api/nodes/${node.id}/load`;
  const load = useGet<NodeLoad>(path, undefined, { staleTime: 0, refetchInterval: 5000 }).data;
  if (!load?.reads) return null;
  return (
    <>
      {" "}
      · {t("limits.now", { in_use: load.in_use, reads: load.reads })}
      {load.waiting > 0 && <> · {t("limits.waiting", { count: load.waiting })}</>}
    </>
  );
}
