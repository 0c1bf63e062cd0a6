import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { GitFailed, type RunGit } from "../../../generator/gitProgram";
import { FetchedRepository } from "../../../generator/gitRepository";

const SETTINGS = { url: "https://git.example.com/a.git", branch: "feature/x", path: "sites/prod" };

let folder: string;
let calls: { args: string; input: string | undefined; where: "remote" | "local" }[];
/** Answers by the git command; an error is thrown. */
let answers: Record<string, string | Buffer | Error>;

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "git-repository-"));
  calls = [];
  answers = { "rev-parse": "abc123\n" };
});
afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

function git(where: "remote" | "local"): RunGit {
  return async (args, { input }) => {
    calls.push({ args: args.join(" "), input, where });
    const command = args.find((arg) => /^(init|fetch|rev-parse|ls-tree|cat-file)$/.test(arg)) ?? "";
    const answer = answers[command] ?? "";
    if (answer instanceof Error) throw answer;
    if (command === "init") {
      fs.mkdirSync(folder);
      fs.writeFileSync(path.join(folder, "HEAD"), "");
    }
    return Buffer.from(answer);
  };
}

function repository(settings = SETTINGS): FetchedRepository {
  return new FetchedRepository(settings, folder, git("remote"), git("local"));
}

/** As `git ls-tree -r -z --long` prints it. */
function listing(...entries: readonly [mode: string, path: string, size?: number][]): string {
  return entries
    .map(
      ([mode, file, size = 10]) =>
        `${mode} ${mode === "160000" ? "commit" : "blob"} 1234 ${String(size).padStart(7)}\t${file}\0`,
    )
    .join("");
}

describe("fetching", () => {
  it("asks for the newest commit of the branch alone, and returns its id", async () => {
    const fetched = repository();
    expect(await fetched.fetch()).toBe("abc123");
    await fetched.fetch();
    expect(calls.filter(({ args }) => args.startsWith("init"))).toHaveLength(1);
    const fetch = calls.find(({ where }) => where === "remote");
    expect(fetch?.args).toContain("fetch --quiet --depth=1 --no-tags");
    expect(fetch?.args).toMatch(
      / -- https:\/\/git\.example\.com\/a\.git \+refs\/heads\/feature\/x:refs\/heads\/fetched$/,
    );
  });

  it.each<[string, string, number]>([
    ["at its start", "", 0],
    ["after two failed fetches in a row", "fetch", 2],
    ["after a failure of its own", "rev-parse", 1],
  ])("throws away what may be half done: %s", async (_when, command, failures) => {
    const fetched = repository();
    const answer = answers[command] ?? "";
    for (let turn = 0; turn < failures; turn += 1) {
      answers[command] = new GitFailed("Unable to create 'shallow.lock': File exists");
      await expect(fetched.fetch()).rejects.toThrow("shallow.lock");
    }
    answers[command] = answer;
    fs.mkdirSync(folder, { recursive: true });
    fs.writeFileSync(path.join(folder, "shallow.lock"), "");
    await fetched.fetch();
    expect(fs.readdirSync(folder)).toEqual(["HEAD"]);
  });

  it("keeps its copy when the server is away for once, however often that happens", async () => {
    const fetched = repository();
    for (let turn = 0; turn < 3; turn += 1) {
      answers.fetch = new GitFailed("Connection timed out");
      await expect(fetched.fetch()).rejects.toThrow("timed out");
      answers.fetch = "";
      await fetched.fetch();
    }
    expect(calls.filter(({ args }) => args.startsWith("init"))).toHaveLength(1);
  });

  it("makes its copy anew after a commit could not be read from it", async () => {
    const fetched = repository();
    await fetched.fetch();
    answers["ls-tree"] = new GitFailed("fatal: loose object 12 is corrupt");
    await expect(fetched.read("abc")).rejects.toThrow("corrupt");
    await fetched.fetch();
    expect(calls.filter(({ args }) => args.startsWith("init"))).toHaveLength(2);
  });

  it("fails, and ends nothing, when the old copy cannot be removed", async () => {
    fs.writeFileSync(path.join(folder, "file"), "");
    const unremovable = new FetchedRepository(SETTINGS, path.join(folder, "file", "copy"), git("remote"), git("local"));
    await expect(unremovable.fetch()).rejects.toThrow(GitFailed);
    expect(calls).toEqual([]);
  });

  it("gives up on a web server that accepts and says nothing", async () => {
    await repository().fetch();
    const fetch = calls.find(({ where }) => where === "remote");
    expect(fetch?.args).toContain("-c http.lowSpeedLimit=1000 -c http.lowSpeedTime=30 ");
  });
});

describe("reading a commit", () => {
  it("takes the YAML files below the folder, with their paths in the repository", async () => {
    answers["ls-tree"] = listing(
      ["100644", "b.yaml"],
      ["100755", "a/c.yml"],
      ["100644", "README.md"],
      ["160000", "sub.yaml"],
    );
    answers["cat-file"] = "1 blob 2\nhi\n2 blob 3\nü\n\n";
    expect(await repository().read("abc")).toEqual({
      files: { "sites/prod/a/c.yml": "hi", "sites/prod/b.yaml": "ü\n" },
      problems: [],
    });
    expect(calls.map(({ input }) => input).at(-1)).toBe("abc:sites/prod/a/c.yml\0abc:sites/prod/b.yaml\0");
    expect(calls.map(({ args }) => args).at(-1)).toContain("--follow-symlinks");
  });

  it("leaves hidden files and folders alone", async () => {
    answers["ls-tree"] = listing(
      ["100644", ".ci.yml"],
      ["100644", ".github/a.yaml"],
      ["100644", "x/.y/z.yaml"],
      ["100644", "h.yaml"],
    );
    answers["cat-file"] = "1 blob 0\n\n";
    expect((await repository().read("abc")).files).toEqual({ "sites/prod/h.yaml": "" });
  });

  it("reads the whole repository where no folder is named", async () => {
    answers["ls-tree"] = listing(["100644", "h.yaml"]);
    answers["cat-file"] = "1 blob 1\nx\n";
    expect((await repository({ ...SETTINGS, path: "." }).read("abc")).files).toEqual({ "h.yaml": "x" });
    expect(calls[0]?.args).toMatch(/ls-tree -r -z --long abc$/);
  });

  it.each<[string, string | Buffer, string]>([
    ["a link out of the repository", "symlink 11\n/etc/passwd\n", "is a link out of the repository, to /etc/passwd"],
    ["a link to nothing", "dangling 5\nabc:x\n", "is a link to nothing in the repository"],
    ["a link to a folder", "1 tree 3\n\u0001\u0002\u0003\n", "is a folder, or a link to one"],
    ["another encoding", Buffer.from([...Buffer.from("1 blob 1\n"), 0xfc, 10]), "is not UTF-8 text"],
  ])("says where a file is no good: %s", async (_what, answer, message) => {
    answers["ls-tree"] = listing(["120000", "bad.yaml"]);
    answers["cat-file"] = answer;
    const { files, problems } = await repository().read("abc");
    expect(files).toEqual({});
    expect(problems).toEqual([
      { file: "sites/prod/bad.yaml", line: 1, column: 1, message: expect.stringContaining(message) as string },
    ]);
  });

  it.each<[string, string | Error, string]>([
    [
      "no such folder",
      new GitFailed("fatal: Not a valid object name abc:sites/prod"),
      "there is no such folder in feature/x",
    ],
    ["a file of that name", new GitFailed("fatal: not a tree object"), "there is no such folder in feature/x"],
    ["nothing in it", listing(["100644", "README.md"]), "holds no YAML file"],
    [
      "far too much in it",
      listing(["100644", "a.yaml", 99_000_000], ["100644", "b.yaml", 2_000_000]),
      "holds 101000000 bytes",
    ],
  ])("says what is wrong with the folder: %s", async (_what, answer, message) => {
    answers["ls-tree"] = answer;
    const { problems } = await repository().read("abc");
    expect(problems).toEqual([
      expect.objectContaining({ file: "sites/prod", message: expect.stringContaining(message) }),
    ]);
  });

  it("takes an answer that ends too early for a failure, not for an empty file", async () => {
    answers["ls-tree"] = listing(["100644", "a.yaml"], ["100644", "b.yaml"]);
    answers["cat-file"] = "1 blob 1\nx\n";
    await expect(repository().read("abc")).rejects.toThrow(GitFailed);
    answers["cat-file"] = "1 blob 1\nx\n2 blob 9\nxyz";
    await expect(repository().read("abc")).rejects.toThrow(GitFailed);
  });
});
