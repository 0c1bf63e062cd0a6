import { join } from "node:path";

/** The folder of Pulumi.yaml: commands work from any folder. */
export const ROOT = join(__dirname, "..");

/** Prefix of this project's keys in a stack's config. */
export const PROJECT = "icinga-swarm";

/** The stack of this machine alone, which `npm run up` makes. Everything of it is ignored by Git. */
export const LOCAL_STACK = "local";
