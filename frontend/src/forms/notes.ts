/** What a feature adds below single fields of a form, by JSON pointer into its value. */
import { createContext, type ReactNode } from "react";

export type FieldNotes = ReadonlyMap<string, ReactNode>;

export const Notes = createContext<FieldNotes>(new Map());
