import { fileURLToPath } from "node:url";

import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** Where `vite dev` finds the studio; `make dev` sets it. */
const STUDIO = process.env.STUDIO_URL ?? "http://127.0.0.1:8000";

export default defineConfig(({ command }) => ({
  base: command === "build" ? "/static/app/" : "/",
  plugins: [react()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    outDir: "dist",
    emptyOutDir: true,
    manifest: true,
    target: "es2022",
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1200,
    rolldownOptions: {
      input: fileURLToPath(new URL("./src/main.tsx", import.meta.url)),
      output: {
        codeSplitting: {
          groups: [
            { name: "words-zh-CN", test: /src[\\/]locales[\\/]zh-CN/ },
            { name: "words-en", test: /src[\\/]locales[\\/]en[\\/]/ },
            { name: "react", test: /node_modules[\\/](react|react-dom|scheduler|react-router)[\\/]/ },
          ],
        },
      },
    },
  },
  server: {
    port: 5173,
    proxy: {
      "/api": { target: STUDIO, changeOrigin: false },
      "/ws": { target: STUDIO, ws: true, changeOrigin: false },
    },
  },
}));
