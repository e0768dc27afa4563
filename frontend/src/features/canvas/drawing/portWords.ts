/** What people read for a port: the name they gave it, else a word for what it is. */
import { useTranslation } from "react-i18next";

import { usePick } from "@/api/preferences";
import type { Port } from "@/graph/palette";

export function usePortWords(): (port: Pick<Port, "name" | "title">) => string {
  const { t } = useTranslation("canvas");
  const words = usePick();
  return ({ name, title }) => words(title) || t(`port.${name}`, { defaultValue: name });
}
