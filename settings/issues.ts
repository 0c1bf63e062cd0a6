import type { z } from "zod";
import { PROJECT, settingsSchema } from "./schema";

/**
 * What a schema found wrong with a setting.
 *
 * @param issue its path begins with the setting's key
 * @returns a line for each problem, its key path first: `icinga-swarm:locations[1].nodes: needs at least one swarm node`
 */
export function describeIssue(issue: z.core.$ZodIssue): string[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => `${keyPath([...issue.path, key])}: unknown setting; ${knownKeys(issue.path)}`);
  }
  return [`${keyPath(issue.path)}: ${wordsOf(issue)}`];
}

/** What is wrong, without the place. */
export function wordsOf(issue: z.core.$ZodIssue): string {
  const missing = issue.code === "invalid_type" && issue.message.endsWith("received undefined");
  return missing ? issue.message.replace("Invalid input", "missing") : issue.message;
}

function knownKeys(at: readonly PropertyKey[]): string {
  const schema = at.length === 0 ? settingsSchema : undefined;
  return schema === undefined
    ? "see README.md for the settings there are"
    : `known are ${Object.keys(schema.shape).join(", ")}`;
}

function keyPath(parts: readonly PropertyKey[]): string {
  const [first, ...rest] = parts;
  const tail = rest.map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`)).join("");
  return `${PROJECT}:${String(first ?? "")}${tail}`;
}
