import * as fs from "node:fs";
import * as path from "node:path";
import { GitFailed, type RunGit } from "./gitProgram";
import type { InventoryFiles, Problem } from "./inventoryFiles";

/** What a commit has of an inventory. Paths are those of the repository. */
export interface CommitContent {
  readonly files: InventoryFiles;
  readonly problems: readonly Problem[];
}

/** A branch of a repository somewhere else. Every method throws GitFailed. */
export interface Repository {
  /** Fetches the branch; returns the id of its newest commit. */
  fetch(): Promise<string>;
  /** The YAML files of a fetched commit. */
  read(commit: string): Promise<CommitContent>;
}

export interface RepositorySettings {
  readonly url: string;
  readonly branch: string;
  /** The inventory's folder in the repository; `.` for all of it. */
  readonly path: string;
}

/** A first fetch may be a large one over a long line. */
const FETCH_SECONDS = 300;
const LOCAL_SECONDS = 60;
/** After this time with hardly a byte a web server counts as away. */
const SILENCE_SECONDS = 30;
/** Bytes of YAML that are an inventory; more is a mistake. */
const MAXIMUM_BYTES = 100_000_000;
const REF = "refs/heads/fetched";

/** A file of a tree, or a link, with its path below the inventory's folder. */
interface Entry {
  readonly bytes: number;
  readonly path: string;
}

/**
 * A copy of the newest commits of one branch, in a bare repository: files are read from a commit, never from a work tree
 * that may be half written. The copy is made anew at the start of this program, after anything went wrong with it, and
 * from the second fetch in a row that failed: a server that is away for once is no reason to fetch all of it again.
 */
export class FetchedRepository implements Repository {
  private isMade = false;
  private failedFetches = 0;

  /**
   * @param folder where the copy is
   * @param remote runs git where it speaks to the server
   * @param local runs git where it does not
   */
  constructor(
    private readonly settings: RepositorySettings,
    private readonly folder: string,
    private readonly remote: RunGit,
    private readonly local: RunGit,
  ) {}

  async fetch(): Promise<string> {
    if (!this.isMade) await this.create();
    await this.fetchBranch();
    const args = ["-C", this.folder, "rev-parse", "--verify", REF];
    const commit = await this.orAnew(this.local(args, { seconds: LOCAL_SECONDS }));
    return commit.toString("utf8").trim();
  }

  read(commit: string): Promise<CommitContent> {
    return this.orAnew(this.contentOfCommit(commit));
  }

  /** A copy that something went wrong with is not used again. */
  private async orAnew<Result>(work: Promise<Result>): Promise<Result> {
    try {
      return await work;
    } catch (error) {
      this.isMade = false;
      throw error;
    }
  }

  private async fetchBranch(): Promise<void> {
    const { url, branch } = this.settings;
    // The clean-up that git does now and then belongs to the call, or nobody would wait for it.
    const inForeground = ["-c", "gc.autoDetach=false", "-c", "maintenance.autoDetach=false"];
    // A web server that takes the question and says nothing; before TLS is up only the call's own limit helps. Ssh has its own.
    const notHanging = ["-c", "http.lowSpeedLimit=1000", "-c", `http.lowSpeedTime=${SILENCE_SECONDS}`];
    const quiet = ["fetch", "--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules", "--force"];
    const what = ["--no-write-fetch-head", "--", url, `+refs/heads/${branch}:${REF}`];
    try {
      await this.remote([...inForeground, ...notHanging, "-C", this.folder, ...quiet, ...what], {
        seconds: FETCH_SECONDS,
      });
      this.failedFetches = 0;
    } catch (error) {
      this.failedFetches += 1;
      // Not the server's fault, perhaps, but that of locks which a killed git has left.
      if (this.failedFetches > 1) this.isMade = false;
      throw error;
    }
  }

  private async contentOfCommit(commit: string): Promise<CommitContent> {
    const found = await this.list(commit);
    if (found === undefined) return problem(this.settings.path, `there is no such folder in ${this.settings.branch}`);
    const files = found.filter((entry) => isYaml(entry.path));
    if (files.length === 0)
      return problem(this.settings.path, "holds no YAML file; put the hosts there, in hosts.yaml");
    const bytes = files.reduce((sum, entry) => sum + entry.bytes, 0);
    if (bytes > MAXIMUM_BYTES)
      return problem(this.settings.path, `holds ${bytes} bytes of YAML; no inventory has so many`);
    const paths = files.map((entry) => path.posix.join(this.settings.path, entry.path)).sort();
    // Links are followed by Git itself, which stays inside the commit.
    const input = paths.map((file) => `${commit}:${file}\0`).join("");
    const args = ["-C", this.folder, "cat-file", "--batch", "--follow-symlinks", "-z"];
    return contentOf(paths, await this.local(args, { input, seconds: LOCAL_SECONDS }));
  }

  private async create(): Promise<void> {
    // Locks of a killed git, and files that a power cut left empty, would refuse every later fetch.
    try {
      fs.rmSync(this.folder, { recursive: true, force: true });
    } catch (error) {
      throw new GitFailed(`the old copy cannot be removed: ${(error as Error).message}`);
    }
    await this.local(["init", "--quiet", "--bare", "--template=", this.folder], { seconds: LOCAL_SECONDS });
    this.isMade = true;
  }

  /** Files and links below the inventory's folder; undefined if there is no such folder. */
  private async list(commit: string): Promise<Entry[] | undefined> {
    const tree = this.settings.path === "." ? commit : `${commit}:${this.settings.path}`;
    try {
      const args = ["-C", this.folder, "ls-tree", "-r", "-z", "--long", tree];
      return entriesOf((await this.local(args, { seconds: LOCAL_SECONDS })).toString("utf8"));
    } catch (error) {
      if (error instanceof GitFailed && /not a valid object name|not a tree object/i.test(error.message))
        return undefined;
      throw error;
    }
  }
}

function problem(file: string, message: string): CommitContent {
  return { files: {}, problems: [{ file, line: 1, column: 1, message }] };
}

/** Lines `<mode> <type> <id> <size>\t<path>`, each ended by a NUL. Submodules are left out. */
function entriesOf(listing: string): Entry[] {
  return listing.split("\0").flatMap((line): Entry[] => {
    const [, size, file] = /^\d+ blob \S+ +(\d+)\t(.*)$/s.exec(line) ?? [];
    return file === undefined ? [] : [{ bytes: Number(size), path: file }];
  });
}

/** As in a folder: hidden files and folders, and other kinds of files, are left alone. */
function isYaml(file: string): boolean {
  return /\.ya?ml$/.test(file) && !file.split("/").some((part) => part.startsWith("."));
}

/** Answers of `git cat-file --batch --follow-symlinks`, one for each path. */
function contentOf(paths: readonly string[], output: Buffer): CommitContent {
  const files: Record<string, string> = {};
  const problems: Problem[] = [];
  let offset = 0;
  for (const file of paths) {
    const end = output.indexOf("\n", offset);
    const header = output.toString("utf8", offset, end).split(" ");
    const size = Number(header.at(-1));
    if (end < 0 || !Number.isInteger(size)) throw new GitFailed(`git does not return ${file}: ${header.join(" ")}`);
    const content = output.subarray(end + 1, end + 1 + size);
    if (content.length < size) throw new GitFailed(`git returns only a part of ${file}`);
    offset = end + 1 + size + 1;
    const text = header[1] === "blob" ? decode(content) : undefined;
    if (text !== undefined) files[file] = text;
    else problems.push({ file, line: 1, column: 1, message: complaint(header, content) });
  }
  return { files, problems };
}

function decode(content: Buffer): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(content);
  } catch {
    return undefined;
  }
}

function complaint([what, kind]: readonly string[], content: Buffer): string {
  if (kind === "blob") return "is not UTF-8 text; save the file as UTF-8";
  if (kind === "tree") return "is a folder, or a link to one; name it without .yaml";
  if (what === "symlink") return `is a link out of the repository, to ${content.toString("utf8")}; it is not followed`;
  return "is a link to nothing in the repository";
}
