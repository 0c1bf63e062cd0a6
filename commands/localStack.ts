import { existsSync } from "node:fs";
import { join } from "node:path";
import { PROJECT, ROOT } from "./repository";

/** The stack of this machine alone, which `npm run up` makes. Everything of it is ignored by Git. */
export const LOCAL_STACK = "local";
export const LOCAL_DIRECTORY = join(ROOT, ".local");
export const PASSPHRASE_FILE = join(LOCAL_DIRECTORY, "passphrase");
export const STATE_DIRECTORY = join(LOCAL_DIRECTORY, "state");

/** Where Pulumi keeps and how it opens the local stack; the same variables that the README gives for use by hand. */
export const LOCAL_STACK_ENV = {
  PULUMI_BACKEND_URL: `file://${STATE_DIRECTORY}`,
  PULUMI_CONFIG_PASSPHRASE_FILE: PASSPHRASE_FILE,
} as const;

/** Whether Pulumi knows the local stack. Asking Pulumi would take a second. */
export function localStackExists(): boolean {
  return existsSync(join(STATE_DIRECTORY, ".pulumi", "stacks", PROJECT, `${LOCAL_STACK}.json`));
}
