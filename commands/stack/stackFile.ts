import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { load } from "js-yaml";
import { type Location, locationSchema } from "../../generator/location";
import { z } from "zod";
import { centralNodeOf } from "../../settings/crossChecks";
import { settingsSchema } from "../../settings/schema";
import { LOCAL_DOCKER_HOST } from "../docker/connection";
import { LOCAL_STACK, PROJECT, ROOT } from "../repository";
import { UserError } from "../userError";

/** What commands that do not run Pulumi need of a stack's file. */
export interface StackFile {
  readonly dockerHost: string;
  readonly locations: readonly Location[];
  /** Host name of the node that holds the centre, or `self`. */
  readonly centralNode: string;
}

/** Path of a stack's file, whether it exists or not. */
export function stackFilePath(stack: string): string {
  return join(ROOT, `Pulumi.${stack}.yaml`);
}

/** Keys and values of a stack's file as they stand there, encrypted ones included. */
export function readStackConfig(stack: string): Record<string, unknown> {
  const document = load(readFileSync(stackFilePath(stack), "utf8")) as { config?: Record<string, unknown> } | undefined;
  return document?.config ?? {};
}

/**
 * Reads a stack's file without Pulumi, which would need its backend, its passphrase and some seconds.
 *
 * @throws UserError when there is no such file or what is read of it is not valid
 */
export function readStackFile(stack: string): StackFile {
  if (!existsSync(stackFilePath(stack))) {
    const hint = stack === LOCAL_STACK ? "; npm run up makes it" : "";
    throw new UserError(`there is no stack file Pulumi.${stack}.yaml${hint}`);
  }
  const config = readStackConfig(stack);
  const locations = validSetting(stack, config, "locations", z.array(locationSchema));
  const central = validSetting(stack, config, "central", settingsSchema.shape.central);
  const dockerHost = config["docker:host"];
  return {
    dockerHost: typeof dockerHost === "string" ? dockerHost : LOCAL_DOCKER_HOST,
    locations,
    centralNode: centralNodeOf({ central, locations }),
  };
}

/**
 * A setting as the program takes it: what is empty is not set.
 *
 * @param config of the stack's file
 * @param key without the project's prefix
 * @throws UserError when it is not valid
 */
export function validSetting<T extends z.ZodType>(
  stack: string,
  config: Readonly<Record<string, unknown>>,
  key: string,
  schema: T,
): z.output<T> {
  const { success, data } = schema.safeParse(config[`${PROJECT}:${key}`] || undefined);
  if (success) return data;
  throw new UserError(`Pulumi.${stack}.yaml: ${PROJECT}:${key} is not valid; pulumi preview says what is wrong`);
}
