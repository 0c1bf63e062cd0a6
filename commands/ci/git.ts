import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { ROOT } from "../repository";
import { UserError } from "../userError";

const runFile = promisify(execFile);

/**
 * The commit that a pull request began at, as far as its destination has come by now.
 *
 * @param destination branch that it is to be merged into; a pipeline's clone has only the other one, so it is fetched
 * @returns the commit's hash, shortened
 * @throws UserError when the clone does not reach back so far, or knows no such branch
 */
export async function baseOfPullRequest(destination: string): Promise<string> {
  const branch = `refs/remotes/origin/${destination}`;
  // Without a remote, or without a network, what is here has to do.
  await git("fetch", "--quiet", "origin", `+refs/heads/${destination}:${branch}`).catch(() => undefined);
  for (const known of [branch, `refs/heads/${destination}`]) {
    const base = await git("merge-base", "HEAD", known).catch(() => undefined);
    if (base !== undefined) return base.slice(0, 12);
  }
  throw new UserError(
    `git finds no commit that this one shares with ${destination}: the clone has to have that branch and all of the ` +
      "history (clone: depth: full)",
  );
}

async function git(...args: readonly string[]): Promise<string> {
  const { stdout } = await runFile("git", ["-C", ROOT, ...args], { timeout: 120_000 });
  return stdout.trim();
}
