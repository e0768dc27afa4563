/** A name outside the set that we ship is drawn as a plain box, so that a type from elsewhere still has a picture. */
import type { ComponentType } from "react";

import * as shipped from "./kindIcons";

const ICONS: Record<string, ComponentType> = shipped;

export function KindIcon({ name }: { name: string }) {
  const Icon = ICONS[name] ?? shipped.AppstoreOutlined;
  return (
    <span aria-hidden="true">
      <Icon />
    </span>
  );
}
