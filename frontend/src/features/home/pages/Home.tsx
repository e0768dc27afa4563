/** What shall I do now? Three ways to start, my apps, what ran, and what waits for me. */
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
  return (
    <div>
      <PageHeader title={t(`greeting.${partOfDay(new Date().getHours())}`, { name })} />
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
