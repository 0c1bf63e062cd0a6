import { counted } from "../../generator/units";
import { ROOT } from "../repository";
import { UserError } from "../userError";
import { fetchBranch, git } from "./git";
import type { Environment } from "./pipeline";

/**
 * Sees to it that a pipeline deploys the newest commit of its branch: a step that is started late, by hand or after a
 * queue, would undo what was merged meanwhile.
 *
 * @param env where BITBUCKET_BRANCH is not set, somebody deploys by hand and sees what
 * @param folder of the clone. @default this project's
 * @throws UserError when there is a newer commit, or origin does not say, unless DEPLOY_OLDER_COMMIT is this very one
 */
export async function requireNewestCommit(env: Environment, folder = ROOT): Promise<void> {
  const { BITBUCKET_BRANCH: branch, DEPLOY_OLDER_COMMIT: wanted } = env;
  if (!branch) return;
  const head = await git(folder, "rev-parse", "HEAD");
  // Before origin is asked: who takes back a deployment in an emergency may have to do without it.
  if (wanted === head) return;
  const onPurpose = `To deploy this one on purpose, set the variable DEPLOY_OLDER_COMMIT to ${head}: docs/many-hands.md`;
  const tip = await tipAtOrigin(folder, branch).catch((error: unknown) => {
    const why = wordsOf(error);
    throw new UserError(
      `origin does not say what the newest commit of ${branch} is (${why}), and an older one would undo newer merges. ` +
        `Start this step again once it does. ${onPurpose}`,
    );
  });
  if (tip === head) return;
  const count = Number(await git(folder, "rev-list", "--count", `HEAD..${tip}`));
  const newest = await git(folder, "log", "-1", '--format=%h "%s"', tip);
  const what =
    count > 0
      ? `${branch} has ${counted(count, "newer commit")}, at last ${newest}, which this deployment would undo`
      : `${branch} was taken back to ${newest}, and this deployment would bring again what came after it`;
  throw new UserError(`${what}. Start this step in the newest pipeline of ${branch}. ${onPurpose}`);
}

async function tipAtOrigin(folder: string, branch: string): Promise<string> {
  return await git(folder, "rev-parse", await fetchBranch(folder, branch));
}

/** Git's first line, which names the cause; what follows is general advice. */
function wordsOf(error: unknown): string {
  const { stderr, message } = error as Error & { readonly stderr?: string };
  const lines = (stderr || message).split("\n");
  return lines.find((line) => line.trim() !== "" && !/^warning/i.test(line)) ?? message;
}
