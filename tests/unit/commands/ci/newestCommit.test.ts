import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { requireNewestCommit } from "../../../../commands/ci/newestCommit";

// A machine that is busy with other tests takes its time for so many programs.
jest.setTimeout(60_000);

let folder: string;
/** Of a developer, who pushes to the origin that pipelines clone. */
let desk: string;
let clone: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "icinga-swarm-newest-"));
  [desk, clone] = [join(folder, "desk"), join(folder, "clone")];
  git(folder, "init", "--quiet", "--bare", "--initial-branch=main", "origin");
  git(folder, "clone", "--quiet", `file://${folder}/origin`, "desk");
  commit("One");
  commit("Two");
  // As Bitbucket clones: less than the whole history, and then the commit of the pipeline.
  git(folder, "clone", "--quiet", "--depth=1", "--branch=main", `file://${folder}/origin`, "clone");
  git(clone, "checkout", "--quiet", "--detach");
});
afterEach(() => rmSync(folder, { recursive: true }));

function git(where: string, ...args: string[]): string {
  const who = ["-c", "user.name=a", "-c", "user.email=a@b.cd"];
  return execFileSync("git", ["-C", where, ...who, ...args], { encoding: "utf8", stdio: "pipe" }).trim();
}

function commit(subject: string): void {
  git(desk, "commit", "--quiet", "--allow-empty", `--message=${subject}`);
  git(desk, "push", "--quiet", "--force", "origin", "HEAD:refs/heads/main");
}

const head = (): string => git(clone, "rev-parse", "HEAD");
const deploy = (env: Readonly<Record<string, string>> = {}): Promise<void> =>
  requireNewestCommit({ BITBUCKET_BRANCH: "main", ...env }, clone);

it("lets the newest commit of the pipeline's branch be deployed", async () => {
  await deploy();
});

it("refuses an older one, names what it would undo and says what to do", async () => {
  commit("Three");
  commit("Four mends the gateway");
  const newest = git(desk, "rev-parse", "--short", "HEAD");
  await expect(deploy()).rejects.toThrow(
    `main has 2 newer commits, at last ${newest} "Four mends the gateway", which this deployment would undo. ` +
      "Start this step in the newest pipeline of main. " +
      `To deploy this one on purpose, set the variable DEPLOY_OLDER_COMMIT to ${head()}: docs/many-hands.md`,
  );
});

it("refuses one that the branch was taken back from", async () => {
  const second = git(desk, "rev-parse", "--short", "HEAD");
  commit("Three");
  git(clone, "fetch", "--quiet", "origin", "main");
  git(clone, "checkout", "--quiet", "FETCH_HEAD");
  git(desk, "push", "--quiet", "--force", "origin", "HEAD~1:main");
  await expect(deploy()).rejects.toThrow(
    `main was taken back to ${second} "Two", and this deployment would bring again`,
  );
});

it("deploys an older one where its own hash says that this is meant, also without origin", async () => {
  const older = head();
  commit("Three");
  await deploy({ DEPLOY_OLDER_COMMIT: older });
  git(clone, "remote", "set-url", "origin", `${folder}/gone`);
  await deploy({ DEPLOY_OLDER_COMMIT: older });
});

it("takes no other word for it: what was once set must not let others through", async () => {
  commit("Three");
  for (const word of ["true", head().slice(0, 12), git(desk, "rev-parse", "HEAD")]) {
    await expect(deploy({ DEPLOY_OLDER_COMMIT: word })).rejects.toThrow("main has 1 newer commit, at last");
  }
});

it("refuses where origin does not say", async () => {
  await expect(deploy({ BITBUCKET_BRANCH: "gone" })).rejects.toThrow(
    /^origin does not say what the newest commit of gone is \(fatal: couldn't find remote ref refs\/heads\/gone\), and/,
  );
  git(clone, "remote", "set-url", "origin", `${folder}/gone`);
  await expect(deploy()).rejects.toThrow(
    /^origin does not say .*gone' does not appear to be a git repository\).*Start this step again once it does\. To deploy this/,
  );
});

it("asks nothing of who deploys by hand", async () => {
  git(clone, "remote", "remove", "origin");
  await requireNewestCommit({}, clone);
});
