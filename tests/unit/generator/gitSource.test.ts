import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { GitFailed } from "../../../generator/gitProgram";
import type { CommitContent, Repository } from "../../../generator/gitRepository";
import { GitSource } from "../../../generator/gitSource";

const SETTINGS = {
  url: "git@git.example.com:monitoring.git",
  branch: "main",
  path: ".",
  schedule: "0 * * * *",
  knownHosts: "x",
};
const COMMITS = ["1111111aaaa", "2222222bbbb"] as const;

class FakeRepository implements Repository {
  commit: string = COMMITS[0];
  failure: Error | undefined;
  fetches = 0;
  reads = 0;

  async fetch(): Promise<string> {
    this.fetches += 1;
    if (this.failure !== undefined) throw this.failure;
    return this.commit;
  }

  async read(commit: string): Promise<CommitContent> {
    this.reads += 1;
    return { files: { "hosts.yaml": commit }, problems: [] };
  }
}

let folder: string;
let repository: FakeRepository;
let now: number;
let source: GitSource;

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "git-source-"));
  repository = new FakeRepository();
  now = Date.parse("2026-11-23T03:12:14Z");
  source = newSource();
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

const newSource = () => new GitSource(SETTINGS, repository, path.join(folder, "last-good.json"), () => now);
const NEXT = Date.parse("2026-11-23T04:00:00Z");

describe("an inventory in Git", () => {
  it("is pulled at the start, and then when the schedule says so", async () => {
    const { newest } = await source.look();
    expect(newest).toEqual({ files: { "hosts.yaml": COMMITS[0] }, problems: [], origin: "commit 1111111" });
    now = NEXT - 1;
    await source.look();
    expect(repository.fetches).toBe(1);
    now = NEXT;
    await source.look();
    expect(repository.fetches).toBe(2);
    now = NEXT + 60_000;
    await source.look();
    expect(repository.fetches).toBe(2);
  });

  it("is the same object, read once, as long as the commit is the same", async () => {
    const { newest } = await source.look();
    now = NEXT;
    expect((await source.look()).newest).toBe(newest);
    expect(repository.reads).toBe(1);
    repository.commit = COMMITS[1];
    now += 3_600_000;
    expect((await source.look()).newest?.origin).toBe("commit 2222222");
  });

  it("stays as it was when a pull fails, which is said until one succeeds", async () => {
    const { newest } = await source.look();
    repository.failure = new GitFailed(
      "ssh: connect to host git.example.com port 22: Connection refused\nfatal: Could not read from remote repository.\n\nPlease make sure you have the correct access rights\nand the repository exists.",
    );
    now = NEXT;
    const sighting = await source.look();
    expect(sighting.newest).toBe(newest);
    expect(sighting.trouble).toEqual({
      message:
        "the Git repository git@git.example.com:monitoring.git cannot be pulled " +
        "(ssh: connect to host git.example.com port 22: Connection refused); next try at 05:00:00 UTC",
      isDefinite: false,
    });
    expect((await source.look()).trouble).toBe(sighting.trouble);
    expect(repository.fetches).toBe(2);
    repository.failure = undefined;
    now = NEXT + 3_600_000;
    expect((await source.look()).trouble).toBeUndefined();
  });

  it("is tried again soon as long as there is nothing at all, unless it is of no use", async () => {
    repository.failure = new GitFailed("fatal: unable to access: Could not resolve host");
    expect((await source.look()).newest).toBeUndefined();
    now += 30_000;
    await source.look();
    expect(repository.fetches).toBe(2);
    repository.failure = new GitFailed("git@git.example.com: Permission denied (publickey).");
    now += 30_000;
    await source.look();
    now += 600_000;
    await source.look();
    expect(repository.fetches).toBe(3);
  });

  it.each([
    ["Host key verification failed.", "none of icinga-swarm:generator.git.knownHosts"],
    ["No ED25519 host key is known for h and you have requested strict checking.", "generator.git.knownHosts"],
    ["git@h: Permission denied (publickey).", "does not know the public half of icinga-swarm:generatorDeployKey"],
    ["the deploy key cannot be used: error in libcrypto", "must be a private key without a passphrase"],
    ["fatal: couldn't find remote ref refs/heads/main", "the repository has no branch main"],
    [
      "fatal: could not read Username for 'https://h': terminal prompts disabled",
      "use its ssh address and a deploy key",
    ],
    ["remote: Repository not found.", "there is no such repository, or it may not be read"],
  ])("that cannot be had for a reason that stays says what to do: %s", async (complaint, advice) => {
    repository.failure = new GitFailed(complaint);
    const { trouble } = await source.look();
    expect(trouble?.isDefinite).toBe(true);
    expect(trouble?.message).toContain(complaint.replace(/^fatal: /, ""));
    expect(trouble?.message).toContain(advice);
  });

  it("that was active once is there at the next start, also without its server", async () => {
    const { newest, good } = await source.look();
    expect(good).toBeUndefined();
    source.accept(newest ?? { files: {}, problems: [] });
    expect((await source.look()).good).toBe(newest);
    repository.failure = new GitFailed("gone");
    expect(await newSource().look()).toMatchObject({ newest: undefined, good: newest });
  });

  it.each(['{"files":', '{"files":["a"]}', "null"])("whose memory is no good is one without: %s", async (text) => {
    fs.writeFileSync(path.join(folder, "last-good.json"), text);
    expect((await newSource().look()).good).toBeUndefined();
  });

  it("goes on when it cannot remember", async () => {
    const { newest } = await source.look();
    fs.mkdirSync(path.join(folder, "last-good.json.new"));
    source.accept(newest ?? { files: {}, problems: [] });
    expect((await source.look()).good).toBe(newest);
  });

  it("does not hide mistakes of this program", async () => {
    repository.failure = new TypeError("a bug");
    await expect(source.look()).rejects.toThrow("a bug");
  });
});
