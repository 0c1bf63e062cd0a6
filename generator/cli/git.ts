import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { GitFailed, type RunGit } from "../gitProgram";
import { type CommitContent, FetchedRepository } from "../gitRepository";
import { UsageError } from "./command";

/** No inventory is so large; what is larger must not take all memory. */
const MAXIMUM_OUTPUT = 256 * 1024 * 1024;

/** The user's own git, with their settings: it reads a repository that is theirs. */
const git: RunGit = (args, { input = "", seconds }) => {
  const { status, stdout, stderr, error } = spawnSync("git", args, {
    input,
    timeout: seconds * 1000,
    maxBuffer: MAXIMUM_OUTPUT,
  });
  if (error !== undefined) return Promise.reject(new GitFailed(`git cannot be run: ${error.message}`));
  if (status !== 0) return Promise.reject(new GitFailed(stderr.toString("utf8").trim()));
  return Promise.resolve(stdout);
};

const SECONDS = 60;

/** A commit of the repository that a file or folder is in. */
export class Commit {
  private constructor(
    private readonly top: string,
    private readonly id: string,
  ) {}

  /**
   * Looks up what a user calls a commit.
   *
   * @param ref a branch, a tag, or anything else that git takes for a commit
   * @param near a file or folder of the repository; it need not be there any more
   * @throws UsageError if there is no such commit, or no repository
   */
  static async find(ref: string, near: string): Promise<Commit> {
    const top = await topOf(near);
    if (top === undefined) throw new UsageError(`${near} is in no Git repository`);
    const args = ["-C", top, "rev-parse", "--verify", "--quiet", "--end-of-options", `${ref}^{commit}`];
    try {
      const id = await git(args, { seconds: SECONDS });
      return new Commit(top, id.toString("utf8").trim());
    } catch (error) {
      if (!(error instanceof GitFailed)) throw error;
      throw new UsageError(
        `git knows no commit ${ref}; name a branch, a tag or a commit that is here (git fetch gets others)`,
      );
    }
  }

  /** The text of a file; undefined if the commit has none, as of a file outside of its repository. */
  async text(file: string): Promise<string | undefined> {
    const name = this.nameOf(file);
    if (!(await this.has(name))) return undefined;
    const content = await git(["-C", this.top, "cat-file", "blob", name], { seconds: SECONDS });
    return content.toString("utf8");
  }

  /** The YAML files below a folder, by their paths in it; undefined if the commit has no such folder. */
  async inventory(folder: string): Promise<CommitContent | undefined> {
    if (!(await this.has(this.nameOf(folder)))) return undefined;
    const inside = this.inside(folder) || ".";
    const settings = { url: "", branch: this.id, path: inside };
    const { files, problems } = await explained(new FetchedRepository(settings, this.top, git, git).read(this.id));
    const below = (file: string) => path.posix.relative(inside, file);
    return {
      files: Object.fromEntries(Object.entries(files).map(([file, text]) => [below(file), text])),
      problems: problems.map((problem) => ({ ...problem, file: below(problem.file) })),
    };
  }

  private async has(name: string): Promise<boolean> {
    try {
      await git(["-C", this.top, "cat-file", "-e", name], { seconds: SECONDS });
      return true;
    } catch (error) {
      if (error instanceof GitFailed) return false;
      throw error;
    }
  }

  /** As git takes it: `<commit>:<path>`. */
  private nameOf(file: string): string {
    return `${this.id}:${this.inside(file)}`;
  }

  private inside(file: string): string {
    return path.relative(this.top, real(file)).split(path.sep).join("/");
  }
}

/** What git cannot do is for the user to mend: an old git, or a damaged repository. */
async function explained<T>(step: Promise<T>): Promise<T> {
  try {
    return await step;
  } catch (error) {
    if (error instanceof GitFailed) throw new UsageError(`git says: ${error.message}`);
    throw error;
  }
}

async function topOf(file: string): Promise<string | undefined> {
  try {
    const folder = existing(file);
    const args = ["-C", fs.statSync(folder).isDirectory() ? folder : path.dirname(folder)];
    const top = await git([...args, "rev-parse", "--show-toplevel"], { seconds: SECONDS });
    return fs.realpathSync(top.toString("utf8").replace(/\n$/, ""));
  } catch (error) {
    if (error instanceof GitFailed) return undefined;
    throw error;
  }
}

/** The path without symbolic links, also of what is not there any more. */
function real(file: string): string {
  const there = existing(file);
  return path.join(fs.realpathSync(there), path.relative(there, file));
}

function existing(file: string): string {
  return fs.existsSync(file) ? file : existing(path.dirname(file));
}
