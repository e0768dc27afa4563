/** What shall I do now? Three ways to start, my apps, what ran, and what waits for me. */
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useMe } from "@/api/session";
import { PageHeader } from "@/components/ui";

import { MyApps } from "../components/MyApps";
import { RecentRuns } from "../components/RecentRuns";
import { Starters } from "../components/Starters";
import { Waiting } from "../components/Waiting";
import styles from "./Home.module.css";

function partOfDay(hour: number): "morning" | "afternoon" | "evening" {
  return hour < 12 ? "morning" : hour < 18 ? "afternoon" : "evening";
}

export function Home() {
  const { t } = useTranslation("home");
  const { name } = useMe();
  const [hour] = useState(() => new Date().getHours());
  return (
    <div>
      <PageHeader title={t(`greeting.${partOfDay(hour)}`, { name })} />
      <Starters />
      <div className={styles.columns}>
        <MyApps />
        <div className={styles.side}>
          <Waiting />
          <RecentRuns />
        </div>
      </div>
    </div>
  );
}
