import { readdirSync } from "node:fs";
import { publish, type PullRequest } from "./ci/bitbucket";
import { buildOf, renderComment, type ReportedBuild, type StackReport } from "./ci/comment";
import { baseOfPullRequest } from "./ci/git";
import { inventoryDifference } from "./ci/inventoryDifference";
import { type Environment, existingStack, readResult } from "./ci/pipeline";
import { redactor, secretsOfEnvironment } from "./ci/redact";
import { LOCAL_STACK, ROOT } from "./repository";
import { UserError } from "./userError";

const BITBUCKET_API = "https://api.bitbucket.org/2.0";

/**
 * `npm run ci:comment -- <stack> ...`: one comment on the pull request, made once and then updated in place: for each
 * shared stack what monitoring would gain and lose, and for those that are named, what `npm run ci:preview` found. Outside
 * of a pull request, or without a token, it only shows the comment.
 */
export async function main(planned: readonly string[]): Promise<number> {
  planned.forEach(existingStack);
  const env = process.env;
  const destination = env["BITBUCKET_PR_DESTINATION_BRANCH"] || "main";
  const base = await baseOfPullRequest(destination);
  const reports: StackReport[] = [];
  for (const stack of sharedStacks()) {
    reports.push({ stack, inventory: await inventoryDifference(stack, base), plan: planOf(stack, planned) });
  }
  const build = buildFrom(env, destination);
  const text = redactor(secretsOfEnvironment(env))(renderComment(build, reports));
  console.log(text);
  const pullRequest = pullRequestFrom(env);
  if (pullRequest === undefined) return 0;
  console.log(await publish(pullRequest, text, buildOf));
  return 0;
}

/** Stacks whose files are in Git, by name. */
function sharedStacks(): string[] {
  const names = readdirSync(ROOT).flatMap((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1] ?? []);
  return names.filter((name) => name !== LOCAL_STACK).sort();
}

function planOf(stack: string, planned: readonly string[]): StackReport["plan"] {
  if (!planned.includes(stack)) {
    return {
      withheld:
        "no plan here. The passphrase of this stack reaches pipelines of protected branches only; " +
        "they show the plan before anything is deployed.",
    };
  }
  return readResult(stack) ?? { withheld: "the plan is not made yet; a step before it runs, or failed." };
}

function buildFrom(env: Environment, destination: string): ReportedBuild {
  return {
    number: Number(env["BITBUCKET_BUILD_NUMBER"] || "0"),
    commit: env["BITBUCKET_COMMIT"] ?? "",
    destination,
  };
}

/** @throws UserError when there is a pull request, but nothing to speak for it with */
function pullRequestFrom(env: Environment): PullRequest | undefined {
  const { BITBUCKET_PR_ID: id, BITBUCKET_REPO_FULL_NAME: repository } = env;
  if (!id || !repository) return undefined;
  const { BITBUCKET_ACCESS_TOKEN: token, BITBUCKET_USERNAME: user, BITBUCKET_API_TOKEN: password } = env;
  if (!token && !(user && password)) {
    throw new UserError(
      "the comment was not sent: set the secured variable BITBUCKET_ACCESS_TOKEN (a repository access token that may " +
        "write to pull requests), or BITBUCKET_USERNAME and BITBUCKET_API_TOKEN: docs/many-hands.md",
    );
  }
  const basic = Buffer.from(`${user}:${password}`, "utf8").toString("base64");
  return {
    api: (env["BITBUCKET_API_URL"] || BITBUCKET_API).replace(/\/+$/, ""),
    repository,
    id,
    authorization: token ? `Bearer ${token}` : `Basic ${basic}`,
  };
}
