import { z } from "zod";
import type { Redact } from "./redact";

/** What happens to a resource, in the order in which people want to read it: what cannot be taken back comes first. */
export const ACTIONS = ["delete", "replace", "update", "create"] as const;
export type Action = (typeof ACTIONS)[number];

/** One resource that a deployment would touch. */
export interface Change {
  readonly action: Action;
  /** As the program calls it, such as `icinga-slave-frankfurt`. */
  readonly name: string;
  /** Last part of its type, such as `Service`. */
  readonly type: string;
  /** Such as `mode.replicated.replicas: 1 -> 2`; secrets are taken out. */
  readonly properties: readonly string[];
}

/** What a deployment of a stack would do, without secrets. */
export interface Plan {
  /** In the order of ACTIONS, then by name. */
  readonly changes: readonly Change[];
  /** Resources that stay as they are. */
  readonly unchanged: number;
}

/** Longer values are not shown: they are files, and what is in them is in the pull request. */
const LONGEST_VALUE = 80;

const difference = z.object({ kind: z.string().optional(), inputDiff: z.boolean().optional() });
const state = z.object({ custom: z.boolean().optional(), inputs: z.record(z.string(), z.unknown()).optional() });
const previewSchema = z.object({
  steps: z
    .array(
      z.object({
        op: z.string(),
        urn: z.string(),
        oldState: state.optional(),
        newState: state.optional(),
        diffReasons: z.array(z.string()).nullish(),
        replaceReasons: z.array(z.string()).nullish(),
        detailedDiff: z.record(z.string(), difference).nullish(),
      }),
    )
    .default([]),
});
type Step = z.infer<typeof previewSchema>["steps"][number];

/**
 * Reads what `pulumi preview --json` wrote.
 *
 * @param redact takes out the values that Pulumi does not know to be secret
 * @throws Error if it is no such thing
 */
export function readPlan(json: string, redact: Redact): Plan {
  // Components are names for what they consist of, which is listed as well.
  const steps = previewSchema.parse(JSON.parse(json)).steps.filter((step) => !isComponent(step));
  const changes = steps.flatMap((step): Change[] => {
    const action = ACTIONS.find((known) => known === step.op);
    return action === undefined ? [] : [changeOf(action, step, redact)];
  });
  const order = ({ action }: Change): number => ACTIONS.indexOf(action);
  return {
    changes: changes.sort((a, b) => order(a) - order(b) || a.name.localeCompare(b.name)),
    unchanged: steps.filter(({ op }) => op === "same").length,
  };
}

function isComponent({ oldState, newState }: Step): boolean {
  return (newState ?? oldState)?.custom === false;
}

/** The errors of a preview that failed, from what `pulumi preview --json` wrote; empty if it does not tell. */
export function readErrors(json: string): string {
  const schema = z.object({ diagnostics: z.array(z.object({ message: z.string(), severity: z.string() })) });
  try {
    const { diagnostics } = schema.parse(JSON.parse(json));
    return diagnostics
      .filter(({ severity }) => severity === "error")
      .map(({ message }) => message.trim())
      .join("\n");
  } catch {
    return "";
  }
}

function changeOf(action: Action, step: Step, redact: Redact): Change {
  // urn:pulumi:<stack>::<project>::<parents' types>$<type>::<name>
  const [, , types = "", ...name] = step.urn.split("::");
  const type = types.split("$").at(-1)?.split(/[:/]/).at(-1) ?? "";
  return {
    action,
    name: redact(name.join("::")),
    type,
    properties: action === "create" || action === "delete" ? [] : propertiesOf(step).map(redact),
  };
}

function propertiesOf(step: Step): string[] {
  const paths = Object.keys(step.detailedDiff ?? {});
  const names = paths.length > 0 ? paths : [...(step.diffReasons ?? []), ...(step.replaceReasons ?? [])];
  return [...new Set(names)].sort().map((path) => {
    const values = [step.oldState, step.newState].map((side) => shown(valueAt(side?.inputs, path)));
    const [before, after] = values;
    return before === undefined || after === undefined || before === after ? path : `${path}: ${before} -> ${after}`;
  });
}

/** @param path as Pulumi writes it: `mode.replicated.replicas`, `ports[0].target`, `labels["a.b"]` */
function valueAt(inputs: unknown, path: string): unknown {
  const keys = [...path.matchAll(/\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|([^.[\]]+)/g)];
  return keys.reduce<unknown>((value, [, quoted, index, name]) => {
    const key = quoted ?? index ?? name ?? "";
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[key] : undefined;
  }, inputs);
}

/** A value that fits into a line; undefined for any other, and for one that is not known before the deployment. */
function shown(value: unknown): string | undefined {
  if (value === undefined) return "none";
  if (value !== null && typeof value === "object") return undefined;
  const text = String(value);
  return text.length > LONGEST_VALUE || text.includes("\n") || isUnknown(text) ? undefined : text;
}

/** Pulumi's mark of a value that only the deployment will bring. */
function isUnknown(text: string): boolean {
  return /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/.test(text);
}
