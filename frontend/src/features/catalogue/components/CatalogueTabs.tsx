/** The two ways into the catalogue: what one can use, and where it comes from. */
import { useTranslation } from "react-i18next";

import { paths } from "@/api/paths";
import { PlaceTabs } from "@/components/ui";

export function CatalogueTabs({ at }: { at: "datasets" | "nodes" }) {
  const { t } = useTranslation("catalogue");
  const places = [
    { key: "datasets", to: paths.catalogue(), title: t("tabs.datasets") },
    { key: "nodes", to: paths.nodes(), title: t("tabs.nodes") },
  ];
  return <PlaceTabs label={t("tabs.label")} at={at} places={places} />;
}
