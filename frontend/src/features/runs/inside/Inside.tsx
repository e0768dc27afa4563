/** Open a step of a run: the flow that it calls, and for a for-each its iterations with the steps of each. */
import { Button, Drawer } from "antd";
import { useCallback, useState, type ComponentType } from "react";
import { useTranslation } from "react-i18next";

import type { RunSnapshot } from "@/api/types";
import type { StepTypes } from "@/graph/palette";
import type { FlowViewProps } from "@/graph/view";

import { InnerFlow } from "./InnerFlow";
import { Iterations } from "./Iterations";
import { progressInside } from "./progress";
import styles from "./inside.module.css";

interface InsideProps {
  run: RunSnapshot;
  step: string;
  title: string;
  types: StepTypes;
  Drawing: ComponentType<FlowViewProps>;
  onClose: () => void;
}

export function Inside({ run, step, title, types, Drawing, onClose }: InsideProps) {
  const { t } = useTranslation("runs");
  const isLoop = Boolean(run.steps[step]?.iterations);
  return (
    <Drawer
      open
      size="min(1080px, 92vw)"
      title={t("inside.title", { title })}
      onClose={onClose}
      styles={{ body: { padding: 0 } }}
      closable={{ "aria-label": t("common:close") }}
    >
      {isLoop ? (
        <Iterations run={run} step={step} types={types} Drawing={Drawing} />
      ) : (
        <Call run={run} step={step} types={types} Drawing={Drawing} />
      )}
    </Drawer>
  );
}

function Call({ run, step, types, Drawing }: Omit<InsideProps, "title" | "onClose">) {
  const { t } = useTranslation("runs");
  const [path, setPath] = useState<readonly string[]>([step]);
  const progressOf = useCallback(() => progressInside(run.steps, path), [run.steps, path]);
  return (
    <div className={styles.body}>
      <InnerFlow
        key={path.join("/")}
        run={run}
        path={path}
        types={types}
        Drawing={Drawing}
        progressOf={progressOf}
        onDeeper={(inner) => setPath([...path, inner])}
      >
        {path.length > 1 && (
          <Button size="small" onClick={() => setPath(path.slice(0, -1))}>
            {t("inside.back")}
          </Button>
        )}
      </InnerFlow>
    </div>
  );
}
