import { z } from "zod";
import type { IcingaCheck } from "../model";
import { interval, line, name, responseTime, seconds, text, timeout, webPage } from "../units";

/** How often a check runs, and when its state counts. Every check has these; what is nearest fills the gaps. */
export const timing = {
  interval: interval.describe("how often to check, such as 1m").optional(),
  retryInterval: interval.describe("how often to check while a problem is not confirmed yet, such as 30s").optional(),
  attempts: z
    .int("must be a whole number")
    .min(1, "must be 1 or more")
    .max(100, "must be 100 or less")
    .describe("how many checks in a row must fail before a problem counts")
    .optional(),
};

/** Words and links for whoever looks at a problem. */
export const remarks = {
  notes: text.describe("what people should know").optional(),
  runbook: webPage.describe("the page that says what to do, such as https://wiki.example.com/disk-full").optional(),
  dashboard: webPage.describe("the page that shows more, such as https://grafana.example.com/d/1").optional(),
};

export const periodName = z.string().describe("name of a period, such as office-hours");
export const ruleNames = z.array(z.string()).describe("names of the rules in notifications; [] tells nobody");
export const groupNames = z.array(name);

/** What every check can be told. */
export const common = {
  name: name.describe("the service's name on its host; by default it follows from the check").optional(),
  ...timing,
  period: periodName.describe("name of the period in which to check; by default always").optional(),
  notify: ruleNames.optional(),
  groups: groupNames.describe("service groups, such as [storage]").optional(),
  ...remarks,
};

/** How NRPE clients are spoken to, where a check does not say it itself. */
export interface NrpeConnection {
  readonly port?: number | undefined;
  readonly protocol?: 2 | 3 | undefined;
  readonly ssl?: "anonymous" | "certificates" | "off" | undefined;
  readonly timeout?: string | undefined;
}

/** A kind of check: all there is to know of it. */
export interface CheckKind<Schema extends z.ZodObject> {
  /** One sentence for people. */
  readonly description: string;
  readonly schema: Schema;
  /** Name of the service where none is given. */
  readonly defaultName: (settings: z.output<Schema>) => string;
  readonly toIcinga: (settings: z.output<Schema>, nrpe: NrpeConnection) => IcingaCheck;
}

/** Lets the compiler tie a kind's functions to its schema. */
export function kind<Schema extends z.ZodObject>(definition: CheckKind<Schema>): CheckKind<Schema> {
  return definition;
}

/** Limits of an answer's time. */
export const responseTimes = {
  warning: responseTime.describe("response time from which the state is WARNING, such as 500ms").optional(),
  critical: responseTime.describe("response time from which the state is CRITICAL, such as 2s").optional(),
};

export const timeLimit = timeout.describe("how long to wait for the answer, such as 10s").optional();

/** Says which of two response times is the wrong way round, at the warning one. */
export function inOrder(limits: { warning?: unknown; critical?: unknown }, context: z.RefinementCtx): void {
  const { warning, critical } = limits;
  if (typeof warning !== "string" || typeof critical !== "string" || seconds(warning) <= seconds(critical)) return;
  notAbove(context, "warning", "critical", critical);
}

/** Says that one limit must not be above another one. */
export function notAbove(context: z.RefinementCtx, low: string, high: string, limit: unknown): void {
  const message = `must not be above ${JSON.stringify(high)} (${String(limit)}); swap them`;
  context.addIssue({ code: "custom", path: [low], message });
}

/** A number that warns below or at the one that is critical. */
export function numbersInOrder(limits: { warning?: unknown; critical?: unknown }, context: z.RefinementCtx): void {
  const { warning, critical } = limits;
  if (typeof warning !== "number" || typeof critical !== "number" || warning <= critical) return;
  notAbove(context, "warning", "critical", critical);
}

export function optionalSeconds(duration: string | undefined): number | undefined {
  return duration === undefined ? undefined : seconds(duration);
}

/** Text without line ends that is one argument. */
export const argument = line;
