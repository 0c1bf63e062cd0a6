import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { load } from "js-yaml";
import { z } from "zod";
import { LOCAL_STACK, ROOT } from "../repository";
import { stackFilePath } from "../stack/stackFile";
import { UserError } from "../userError";
import type { Plan } from "./plan";

export type Environment = Readonly<Record<string, string | undefined>>;

/** Where steps leave for later ones what they found: a folder that Git ignores and pipelines hand on as an artifact. */
const RESULTS = join(ROOT, "ci-results");

/**
 * The stack that a step is about.
 *
 * @param args behind the script's name
 * @param script such as `ci:preview`
 * @throws UserError unless it is one stack of those that are in Git
 */
export function sharedStack(args: readonly string[], script: string): string {
  const [stack, ...others] = args;
  if (stack === undefined || others.length > 0) throw new UserError(`say which stack: npm run ${script} -- dev`);
  return existingStack(stack);
}

/** @throws UserError */
export function existingStack(stack: string): string {
  if (stack === LOCAL_STACK) throw new UserError(`the stack ${LOCAL_STACK} is of one machine alone; name a shared one`);
  if (!/^[\w.-]{1,100}$/.test(stack) || !existsSync(stackFilePath(stack))) {
    throw new UserError(`there is no stack file Pulumi.${stack}.yaml`);
  }
  return stack;
}

/**
 * The backend that a team shares: PULUMI_BACKEND_URL or, without it, `backend.url` of Pulumi.yaml.
 *
 * @throws UserError if there is none, or one that is a folder of the machine: a pipeline's is gone with it
 */
export function sharedBackend(env: Environment, projectFile = readFileSync(join(ROOT, "Pulumi.yaml"), "utf8")): string {
  const project = z.object({ backend: z.object({ url: z.string() }).optional() }).parse(load(projectFile));
  const url = env["PULUMI_BACKEND_URL"] || project.backend?.url;
  const how = "set the variable PULUMI_BACKEND_URL (such as s3://bucket?region=eu-central-1), see docs/many-hands.md";
  if (!url) throw new UserError(`no state backend is chosen: ${how}`);
  if (/^file:|^~|^[./]/.test(url)) {
    throw new UserError(
      `the state backend ${url} is a folder of this machine, which a pipeline loses with its machine and nobody else ` +
        `sees. A pipeline needs one that is shared: ${how}`,
    );
  }
  return url;
}

const changeSchema = z.object({
  action: z.enum(["delete", "replace", "update", "create"]),
  name: z.string(),
  type: z.string(),
  properties: z.array(z.string()),
});
const resultSchema = z.union([
  z.object({ changes: z.array(changeSchema), unchanged: z.number() }),
  z.object({ problem: z.string() }),
]);

/** What a preview found: a plan, or why there is none. Free of secrets, for whoever may read the pipeline. */
export type PreviewResult = Plan | { readonly problem: string };

export function writeResult(stack: string, result: PreviewResult): void {
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(resultFile(stack), `${JSON.stringify(result, undefined, 2)}\n`);
}

/** Undefined before the preview of that stack. */
export function readResult(stack: string): PreviewResult | undefined {
  if (!existsSync(resultFile(stack))) return undefined;
  return resultSchema.parse(JSON.parse(readFileSync(resultFile(stack), "utf8")));
}

function resultFile(stack: string): string {
  return join(RESULTS, `${stack}.json`);
}
