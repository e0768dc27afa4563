import { createRoot } from "react-dom/client";

import { Studio } from "./app/Studio";
import { startWords } from "./app/i18n";
import "./styles/base.css";

void startWords().then(() => createRoot(document.getElementById("root") as HTMLElement).render(<Studio />));
