/** Messages of the socket. */
export interface LiveEvent {
  seq: number | null;
  kind: string;
  at?: string;
  data: unknown;
}
export type ServerMessage =
  | { type: "hello"; version: string }
  | { type: "snapshot"; topic: string; seq: number | null; data: unknown }
  | { type: "events"; topic: string; events: LiveEvent[] }
  | { type: "tail"; topic: string; seq: number }
  | { type: "ping"; at: string }
  | { type: "refused"; topic: string; code: string }
  | { type: "close"; topic: string };
