import * as fs from "node:fs";
import { z } from "zod";
import { GitFailed } from "./gitProgram";
import type { Repository } from "./gitRepository";
import type { InventorySource, Sighting, Snapshot, Trouble } from "./inventorySource";
import { type GitSettings, nextTime } from "./serviceSettings";

/** As long as there is no content at all, it is tried again sooner than the schedule says: somebody waits. */
const RETRY_FIRST_MILLISECONDS = 30_000;

/** Causes that time will not mend, by git's and ssh's own words, and what to do about them. */
const DEFINITE: readonly (readonly [RegExp, (settings: GitSettings) => string])[] = [
  [
    /host key verification failed|host key is known|HOST IDENTIFICATION HAS CHANGED/i,
    () =>
      "the server's host key is none of icinga-swarm:generator.git.knownHosts; ask its operators which one is right",
  ],
  [/the deploy key cannot be used/, () => "icinga-swarm:generatorDeployKey must be a private key without a passphrase"],
  [
    /permission denied \(/i,
    () => "the server does not know the public half of icinga-swarm:generatorDeployKey, or does not let it read",
  ],
  [
    /couldn't find remote ref/i,
    ({ branch }) => `the repository has no branch ${branch}; see icinga-swarm:generator.git.branch`,
  ],
  [
    /could not read (username|password)|authentication failed|terminal prompts disabled/i,
    () => "the server asks for a login; use its ssh address and a deploy key",
  ],
  [
    /repository .*not found|does not appear to be a git repository|project you were looking for could not be found/i,
    () => "there is no such repository, or it may not be read; see icinga-swarm:generator.git.url",
  ],
];

/** The inventory in a Git repository, pulled when its schedule says so, and at once at the start. */
export class GitSource implements InventorySource {
  private dueAt = 0;
  private commit: string | undefined;
  private newest: Snapshot | undefined;
  private good: Snapshot | undefined;
  private trouble: Trouble | undefined;

  /**
   * @param goodFile where the content that was last active is kept, for a start at which the server is away
   * @param now milliseconds
   */
  constructor(
    private readonly settings: GitSettings,
    private readonly repository: Repository,
    private readonly goodFile: string,
    private readonly now: () => number = Date.now,
  ) {
    this.good = readSnapshot(goodFile);
  }

  async look(): Promise<Sighting> {
    if (this.now() >= this.dueAt) await this.pull();
    return { newest: this.newest, good: this.good, trouble: this.trouble };
  }

  accept(snapshot: Snapshot): void {
    if (this.good === snapshot) return;
    this.good = snapshot;
    writeSnapshot(this.goodFile, snapshot);
  }

  private async pull(): Promise<void> {
    const next = nextTime(this.settings.schedule, new Date(this.now()));
    this.dueAt = next?.getTime() ?? Number.POSITIVE_INFINITY;
    try {
      const commit = await this.repository.fetch();
      if (commit !== this.commit) {
        const content = await this.repository.read(commit);
        this.newest = { ...content, origin: `commit ${commit.slice(0, 7)}` };
        this.commit = commit;
      }
      this.trouble = undefined;
    } catch (error) {
      if (!(error instanceof GitFailed)) throw error;
      this.meet(error);
    }
  }

  private meet(error: GitFailed): void {
    const advice = DEFINITE.find(([words]) => words.test(error.message))?.[1](this.settings);
    const isDefinite = advice !== undefined;
    if (this.newest === undefined && !isDefinite) {
      this.dueAt = Math.min(this.dueAt, this.now() + RETRY_FIRST_MILLISECONDS);
    }
    const what = `the Git repository ${this.settings.url} cannot be pulled (${lastWords(error.message)})`;
    const next = `next try at ${new Date(this.dueAt).toISOString().slice(11, 19)} UTC`;
    this.trouble = { message: `${what}; ${advice ?? next}`, isDefinite };
  }
}

/** What git printed last is its own error; what ssh said before tells why. */
function lastWords(text: string): string {
  const noise = /^(fatal: Could not read from remote repository|Please make sure|and the repository exists|@+$|\s*$)/;
  const lines = text.split("\n").map((line) => line.trim());
  return lines
    .filter((line) => !noise.test(line))
    .slice(-2)
    .join("; ")
    .replace(/^(fatal|error): /, "");
}

const snapshotSchema = z.object({
  files: z.record(z.string(), z.string()),
  problems: z.tuple([]),
  origin: z.string().optional(),
});

/** What cannot be read counts as not there: it is only a help. */
function readSnapshot(file: string): Snapshot | undefined {
  try {
    return snapshotSchema.parse(JSON.parse(fs.readFileSync(file, "utf8")));
  } catch {
    return undefined;
  }
}

function writeSnapshot(file: string, snapshot: Snapshot): void {
  try {
    fs.writeFileSync(`${file}.new`, JSON.stringify(snapshot));
    fs.renameSync(`${file}.new`, file);
  } catch {
    // A full disk must not end the service; what it lacks then is this help, at a start.
  }
}
