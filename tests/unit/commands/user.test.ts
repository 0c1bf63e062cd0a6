import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compareSync } from "bcryptjs";
import type { PulumiCli } from "../../../commands/stack/pulumiCli";
import { readStackConfig } from "../../../commands/stack/stackFile";
import {
  checkPassword,
  ensureFirstUser,
  listUsers,
  parseArguments,
  randomPassword,
  removeUser,
  setUser,
} from "../../../commands/user";

jest.mock("../../../commands/stack/stackFile");

// bcrypt takes its time on purpose.
jest.setTimeout(60_000);

const KEY = "icinga-swarm:users";

/** Stands for Pulumi and the stack's file: keeps what is set, and how it was given. */
function fakeStack(users: Record<string, string>[] | undefined) {
  const config: Record<string, unknown> = { [KEY]: users };
  const calls: { args: readonly string[]; stdin: string }[] = [];
  jest.mocked(readStackConfig).mockImplementation(() => config);
  const output = (args: readonly string[], stdin = ""): Promise<string> => {
    calls.push({ args, stdin });
    const [, index, field] = /\[(\d+)\]\.(\w+)$/.exec(args[3] ?? "") ?? [];
    if (args[1] === "set" && index !== undefined && field !== undefined) {
      const list = ((config[KEY] as Record<string, string>[] | undefined) ?? []).slice();
      list[Number(index)] = { ...list[Number(index)], [field]: stdin };
      config[KEY] = list;
    }
    return Promise.resolve("");
  };
  return { pulumi: { stack: "prod", output } as unknown as PulumiCli, calls, config };
}

describe("the command line", () => {
  test.each([
    [["prod"], { what: "list", stack: "prod" }],
    [["prod", "j.doe", "viewer"], { what: "set", stack: "prod", name: "j.doe", role: "viewer", generate: false }],
    [
      ["prod", "j.doe", "admin", "--generate"],
      { what: "set", stack: "prod", name: "j.doe", role: "admin", generate: true },
    ],
    [["prod", "j.doe", "--remove"], { what: "remove", stack: "prod", name: "j.doe" }],
  ])("%j", (args, expected) => {
    expect(parseArguments(args)).toEqual(expected);
  });

  test.each([
    [[], "npm run user -- <stack>"],
    [["prod", "--remove"], "npm run user -- <stack>"],
    [["prod", "--force"], "npm run user -- <stack>"],
    [["prod", "j.doe", "viewer", "--remove"], "npm run user -- <stack>"],
    [["prod", "j.doe", "viewer", "secret"], "npm run user -- <stack>"],
    [["prod", "j.doe"], "say which role j.doe has: admin, operator, viewer"],
    [["prod", "j.doe", "root"], "say which role j.doe has"],
    [["prod", "J.Doe", "viewer"], 'the name "J.Doe" must be lower case letters'],
  ])("%j is not understood", (args, expected) => {
    expect(() => parseArguments(args)).toThrow(expected);
  });
});

test.each([
  ["short", "at least 10 characters"],
  ["a".repeat(73), "72 bytes"],
  ["ü".repeat(37), "72 bytes"],
  ["tabs\tin it are no", "control characters"],
])("the password %j is refused without printing it", (password, expected) => {
  expect(() => checkPassword(password)).toThrow(expected);
  expect(() => checkPassword(password)).not.toThrow(password);
});

it("makes passwords that differ and can be used", () => {
  const made = [randomPassword(), randomPassword()];
  expect(new Set(made).size).toBe(2);
  for (const password of made) {
    expect(password).toMatch(/^([a-z2-9]{5}-){3}[a-z2-9]{5}$/);
    expect(() => checkPassword(password)).not.toThrow();
  }
});

describe("a user", () => {
  const OTHER = { name: "other", role: "admin", passwordHash: "kept" };

  it("is added behind those there are, the hash and everything else through standard input", async () => {
    const { pulumi, calls, config } = fakeStack([OTHER]);
    expect(await setUser(pulumi, { name: "j.doe", role: "viewer", password: "correct horse" })).toBe(true);
    const [first, added] = config[KEY] as Record<string, string>[];
    expect(first).toEqual(OTHER);
    expect(added).toMatchObject({ name: "j.doe", role: "viewer" });
    expect(added?.passwordHash).toMatch(/^\$2[aby]\$12\$/);
    expect(compareSync("correct horse", added?.passwordHash ?? "")).toBe(true);
    for (const { args, stdin } of calls) {
      expect(args.slice(0, 3)).toEqual(["config", "set", "--path"]);
      expect(args.includes("--plaintext")).toBe(args[3]?.endsWith(".passwordHash"));
      expect(args.filter((arg) => arg.includes(stdin))).toEqual([]);
    }
    expect(listUsers("prod")).toEqual(["other  admin", "j.doe  viewer"]);
  });

  it("is changed where it stands", async () => {
    const { pulumi, config } = fakeStack([{ name: "j.doe", role: "viewer", passwordHash: "old" }, OTHER]);
    expect(await setUser(pulumi, { name: "j.doe", role: "operator", password: "correct horse" })).toBe(false);
    const [changed, other] = config[KEY] as Record<string, string>[];
    expect(changed).toMatchObject({ name: "j.doe", role: "operator" });
    expect(compareSync("correct horse", changed?.passwordHash ?? "")).toBe(true);
    expect(other).toEqual(OTHER);
  });

  it("is removed by place, and with the last one the list", async () => {
    const { pulumi, calls, config } = fakeStack([OTHER, { name: "j.doe", role: "viewer", passwordHash: "x" }]);
    await removeUser(pulumi, "j.doe");
    expect(calls.at(-1)?.args).toEqual(["config", "rm", "--path", `${KEY}[1]`]);
    config[KEY] = [OTHER];
    await removeUser(pulumi, "other");
    expect(calls.at(-1)?.args).toEqual(["config", "rm", "--path", KEY]);
    await expect(removeUser(pulumi, "nobody")).rejects.toThrow("the stack prod has no user nobody");
  });
});

describe("the first user of the local stack", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "icinga-swarm-user-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("is made once, with a password that its owner alone may read and that is never said", async () => {
    const { pulumi, calls, config } = fakeStack(undefined);
    const file = join(folder, "new", "admin-password");
    const said: string[] = [];
    const made = await ensureFirstUser(pulumi, (line) => said.push(line), file);
    const password = readFileSync(file, "utf8").trim();
    expect(made).toEqual({ name: "admin", password, file });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect((config[KEY] as { passwordHash: string }[]).map((user) => compareSync(password, user.passwordHash))).toEqual(
      [true],
    );
    expect(said.join()).not.toContain(password);
    const before = calls.length;
    expect(await ensureFirstUser(pulumi, () => undefined, file)).toEqual(made);
    expect(calls).toHaveLength(before);
  });

  it("gets the password that an interrupted run has left", async () => {
    const { pulumi } = fakeStack([]);
    const file = join(folder, "admin-password");
    writeFileSync(file, "left-by-another\n");
    expect(await ensureFirstUser(pulumi, () => undefined, file)).toMatchObject({ password: "left-by-another" });
  });

  it("is made again where its making was interrupted", async () => {
    const { pulumi, config } = fakeStack([{ name: "admin" }]);
    await ensureFirstUser(pulumi, () => undefined, join(folder, "admin-password"));
    expect(config[KEY]).toEqual([{ name: "admin", role: "admin", passwordHash: expect.any(String) as string }]);
  });

  it("is nobody's business where people made users or changed the password", async () => {
    const { pulumi, calls } = fakeStack([{ name: "admin", role: "admin", passwordHash: `$2b$12$${"a".repeat(53)}` }]);
    const file = join(folder, "admin-password");
    expect(await ensureFirstUser(pulumi, () => undefined, file)).toBeUndefined();
    expect(existsSync(file)).toBe(false);
    writeFileSync(file, "no longer right\n");
    expect(await ensureFirstUser(pulumi, () => undefined, file)).toBeUndefined();
    expect(calls).toEqual([]);
  });
});
