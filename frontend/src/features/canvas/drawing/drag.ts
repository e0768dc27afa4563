/** What the palette puts into a drag. */
export const DRAG_TYPE = "application/x-citygo-step";
