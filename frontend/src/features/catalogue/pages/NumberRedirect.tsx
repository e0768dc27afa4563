/** /n/33A017/DB00003F7K-E: the page behind a printed number. */
import { Navigate, useParams } from "react-router";

import { useGet } from "@/api/hooks";
import { paths } from "@/api/paths";
import { QueryView } from "@/components/ui";

export function NumberRedirect() {
  const number = useParams()["*"] ?? "";
  const found = useGet<{ kind: "node" | "dataset"; id: string }>(`/api/n/${number}`);
  return (
    <QueryView query={found}>
      {({ kind, id }) => <Navigate to={kind === "node" ? paths.node(id) : paths.dataset(id)} replace />}
    </QueryView>
  );
}
