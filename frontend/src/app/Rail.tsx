/** The left rail: where one is and where one can go; folds to icons. */
import {
  AppstoreOutlined,
  AuditOutlined,
  DashboardOutlined,
  DatabaseOutlined,
  FileTextOutlined,
  HistoryOutlined,
  HomeOutlined,
  MenuFoldOutlined,
  MenuUnfoldOutlined,
  SettingOutlined,
} from "@ant-design/icons";
import { Tooltip } from "antd";
import type { ReactNode } from "react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { NavLink } from "react-router";

import { paths } from "@/api/paths";
import { setPreferences, usePreferences } from "@/api/preferences";
import { useMe } from "@/api/session";
import type { Role } from "@/api/types";

import { Brand } from "./Brand";
import styles from "./Rail.module.css";

export interface RailPlace {
  key: string;
  to: string;
  icon: ReactNode;
  /** Only people with one of these roles see it. */
  roles?: Role[];
}

export const RAIL: RailPlace[] = [
  { key: "home", to: paths.home(), icon: <HomeOutlined aria-hidden="true" /> },
  { key: "apps", to: paths.apps(), icon: <AppstoreOutlined aria-hidden="true" /> },
  { key: "catalogue", to: paths.catalogue(), icon: <DatabaseOutlined aria-hidden="true" /> },
  { key: "files", to: paths.files(), icon: <FileTextOutlined aria-hidden="true" /> },
  { key: "requests", to: paths.requests(), icon: <AuditOutlined aria-hidden="true" /> },
  { key: "runs", to: paths.runs(), icon: <HistoryOutlined aria-hidden="true" /> },
  {
    key: "monitor",
    to: paths.monitor(),
    icon: <DashboardOutlined aria-hidden="true" />,
    roles: ["operator", "platform_admin"],
  },
  { key: "admin", to: "/admin", icon: <SettingOutlined aria-hidden="true" />, roles: ["platform_admin"] },
];

export function placesFor(roles: Role[]): RailPlace[] {
  return RAIL.filter((place) => !place.roles || place.roles.some((role) => roles.includes(role)));
}

/** `isTight`: the page (the canvas) needs the width, so the rail starts folded there, whatever was chosen elsewhere. */
export function Rail({ isTight = false }: { isTight?: boolean }) {
  const { t } = useTranslation();
  const preferences = usePreferences();
  const [isOpenHere, setOpenHere] = useState(false);
  const isRailFolded = isTight ? !isOpenHere : preferences.isRailFolded;
  const toggle = () => (isTight ? setOpenHere(!isOpenHere) : setPreferences({ isRailFolded: !isRailFolded }));
  const { roles } = useMe();
  const fold = t(isRailFolded ? "nav.unfold" : "nav.fold");
  return (
    <nav className={`${styles.rail} ${isRailFolded ? styles.folded : ""}`} aria-label={t("nav.label")}>
      <NavLink to={paths.home()} className={styles.brand} aria-label={t("brand")}>
        <Brand />
        {!isRailFolded && <span className={styles.brandName}>CityGo Studio</span>}
      </NavLink>
      <ul className={styles.places}>
        {placesFor(roles).map((place) => (
          <li key={place.key}>
            <Tooltip title={isRailFolded ? t(`nav.${place.key}`) : ""} placement="right">
              <NavLink
                to={place.to}
                end={place.key === "home"}
                className={({ isActive }) => `${styles.place} ${isActive ? styles.active : ""}`}
                aria-label={isRailFolded ? t(`nav.${place.key}`) : undefined}
              >
                <span className={styles.icon} aria-hidden="true">
                  {place.icon}
                </span>
                {!isRailFolded && t(`nav.${place.key}`)}
              </NavLink>
            </Tooltip>
          </li>
        ))}
      </ul>
      <button type="button" className={styles.fold} onClick={toggle} aria-label={fold} title={fold}>
        {isRailFolded ? <MenuUnfoldOutlined aria-hidden="true" /> : <MenuFoldOutlined aria-hidden="true" />}
      </button>
    </nav>
  );
}
