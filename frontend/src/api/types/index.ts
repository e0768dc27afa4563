/** The shapes that travel over /api/ and /ws/live, exactly as the server writes them: written by hand, in one place. */
export type * from "./common";
export type * from "./security";
export type * from "./catalogue";
export type * from "./flows";
export type * from "./runtime";
export type * from "./live";
export * from "./origin";
export * from "./insight";
