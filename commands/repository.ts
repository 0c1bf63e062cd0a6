import { join } from "node:path";

/** The folder of Pulumi.yaml: commands work from any folder. */
export const ROOT = join(__dirname, "..");

/** Prefix of this project's keys in a stack's config. */
export const PROJECT = "icinga-swarm";
