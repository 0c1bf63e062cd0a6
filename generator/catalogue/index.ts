import type { z } from "zod";
import type { IcingaCheck } from "../model";
import { CLIENT_CHECKS } from "./client";
import type { NrpeConnection } from "./kind";
import { NETWORK_CHECKS } from "./network";
import { PASSIVE_CHECKS } from "./passive";

export type { NrpeConnection } from "./kind";

/** The checks there are. One entry is all that a new one needs: validation, documentation and rendering follow from it. */
export const CATALOGUE = { ...NETWORK_CHECKS, ...CLIENT_CHECKS, ...PASSIVE_CHECKS } as const;

/** Name of a kind of check. */
export type CheckName = keyof typeof CATALOGUE;

/** Names of all kinds of checks, in the catalogue's order. */
export const CHECK_NAMES = Object.keys(CATALOGUE) as CheckName[];

/** What a check can be told beside its kind's own settings. */
export interface CommonSettings {
  readonly name?: string | undefined;
  readonly interval?: string | undefined;
  readonly retryInterval?: string | undefined;
  readonly attempts?: number | undefined;
  readonly period?: string | undefined;
  readonly notify?: readonly string[] | undefined;
  readonly groups?: readonly string[] | undefined;
  readonly notes?: string | undefined;
  readonly runbook?: string | undefined;
  readonly dashboard?: string | undefined;
}

/** A kind whatever its settings are. The compiler cannot follow that settings belong to a kind; the schemas see to it. */
export function kindOf(check: CheckName): {
  readonly schema: z.ZodObject;
  readonly defaultName: (settings: CommonSettings) => string;
  readonly toIcinga: (settings: CommonSettings, nrpe: NrpeConnection) => IcingaCheck;
} {
  return CATALOGUE[check] as unknown as ReturnType<typeof kindOf>;
}

/** Whether a name is one of the catalogue's. */
export function isCheckName(check: string): check is CheckName {
  return Object.hasOwn(CATALOGUE, check);
}
