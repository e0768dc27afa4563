export * from "./hooks";
export * from "./reduce";
export { liveSocket, STALE_AFTER_MS, type LinkState } from "./socket";
