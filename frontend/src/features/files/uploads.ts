/** Uploads of this page: bytes on their way, then the task that reads the columns. */
import { useCallback, useState } from "react";

import { upload } from "@/api/client";
import { useRefresh } from "@/api/hooks";
import { ApiProblem, asProblem } from "@/api/problem";
import type { DatasetCard } from "@/api/types";

export interface Upload {
  key: string;
  name: string;
  size: number;
  /** Share of the bytes that is sent, 0…1. */
  share: number;
  problem: ApiProblem | null;
  dataset: DatasetCard | null;
  task: string | null;
  isNewVersion: boolean;
  cancel: () => void;
}

function tooLarge(limit: number): ApiProblem {
  return new ApiProblem({
    title: "too large",
    status: 413,
    code: "file.too_large",
    message: {
      en: `The file is larger than ${limit} MB. Split it, or ask a data admin to register its folder as a node.`,
      "zh-CN": `文件超过 ${limit} MB。请拆分后上传，或请数据管理员把所在文件夹登记为数据节点。`,
    },
  });
}

export function useUploads(limitMb: number | undefined) {
  const [uploads, setUploads] = useState<Upload[]>([]);
  const refresh = useRefresh();
  const change = useCallback(
    (key: string, next: Partial<Upload>) =>
      setUploads((all) => all.map((one) => (one.key === key ? { ...one, ...next } : one))),
    [],
  );

  const start = (file: File, replaces?: DatasetCard) => {
    const key = crypto.randomUUID();
    const stop = new AbortController();
    const isTooLarge = limitMb !== undefined && file.size > limitMb * 1024 * 1024;
    const row: Upload = {
      key,
      name: file.name,
      size: file.size,
      share: 0,
      problem: isTooLarge ? tooLarge(limitMb) : null,
      dataset: null,
      task: null,
      isNewVersion: Boolean(replaces),
      cancel: () => stop.abort(),
    };
    setUploads((all) => [row, ...all]);
    if (isTooLarge) return;
    const form = new FormData();
    form.append("file", file);
    form.append("name", replaces ? replaces.name : file.name);
    if (replaces) form.append("dataset", replaces.id);
    upload<{ dataset: DatasetCard; task: string | null }>(
      "/api/files",
      form,
      (share) => change(key, { share }),
      stop.signal,
    )
      .then(({ dataset, task }) => {
        change(key, { share: 1, dataset, task });
        return refresh("/api/files");
      })
      .catch((error: unknown) => {
        if (error instanceof DOMException) setUploads((all) => all.filter((one) => one.key !== key));
        else change(key, { problem: asProblem(error) });
      });
  };
  const dismiss = (key: string) => setUploads((all) => all.filter((one) => one.key !== key));
  return { uploads, start, dismiss };
}
