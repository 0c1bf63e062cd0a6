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
  // Without a remote, or without a network, what is here has to do.
  await fetchBranch(ROOT, destination).catch(() => undefined);
  for (const known of [remoteBranch(destination), `refs/heads/${destination}`]) {
    const base = await git(ROOT, "merge-base", "HEAD", known).catch(() => undefined);
    if (base !== undefined) return base.slice(0, 12);
  }
  throw new UserError(
    `git finds no commit that this one shares with ${destination}: the clone has to have that branch and all of the ` +
      "history (clone: depth: full)",
  );
}

/**
 * Brings a branch as it is at origin now; a pipeline's clone has only the one that it is about, as it was.
 *
 * @returns the name by which the clone knows it
 * @throws Error with git's words in `stderr` when origin does not answer or has no such branch
 */
export async function fetchBranch(folder: string, branch: string): Promise<string> {
  const here = remoteBranch(branch);
  await git(folder, "fetch", "--quiet", "--no-tags", "origin", `+refs/heads/${branch}:${here}`);
  return here;
}

function remoteBranch(branch: string): string {
  return `refs/remotes/origin/${branch}`;
}

/** Runs a command of git's in a clone. @returns what it printed @throws Error when it fails */
export async function git(folder: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await runFile("git", ["-C", folder, ...args], { timeout: 120_000 });
  return stdout.trim();
}
