import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { isNoise, PulumiCli } from "../../../../commands/stack/pulumiCli";

it("passes over what was looked at and is as it should be, and over nothing else", () => {
  const noise = [
    " ~  pulumi:pulumi:Stack icinga-swarm-local refreshing (0s) ",
    " ~  docker:index:Network networks-cluster refresh (2s) ",
    " ~  docker:index:Secret mysql-root-password refresh (0.09s) ",
    "    icinga-swarm:index:MySql mysql  ",
  ];
  const news = [
    " ~  docker:index:Service mysql-swarm-service refreshing (0s) error: no Docker Engine",
    " ~  docker:index:Service mysql-swarm-service refresh (2s) [diff: ~taskSpec]",
    " +  command:local:Command mysql-ready-gate creating (1s) mysql: 1 of 1 starting, 1 s",
    "    pulumi:pulumi:Stack icinga-swarm-local running error: update failed",
    '    error: The stack "local" has a problem; nothing was planned:',
    "    endpoints: {",
    "    59 unchanged",
    "",
  ];
  expect(noise.filter((line) => !isNoise(line))).toEqual([]);
  expect(news.filter(isNoise)).toEqual([]);
});

describe("a stack that somebody else works on", () => {
  const REFUSAL = `error: the stack is currently locked by 1 lock(s). Either wait
  s3://state/.pulumi/locks/x.json: created by j.doe@desk-7 (pid 6127) at 2026-11-30T14:46:55Z
`;
  let folder: string;
  let cli: PulumiCli;
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "pulumi-cli-"));
    const program = path.join(folder, "pulumi");
    fs.writeFileSync(path.join(folder, "refusal"), REFUSAL);
    fs.writeFileSync(program, `#!/bin/sh\ncat "${folder}/refusal" >&2\nexit 255\n`, { mode: 0o755 });
    cli = new PulumiCli(program, { PATH: process.env.PATH }, "prod");
  });
  afterEach(() => fs.rmSync(folder, { recursive: true }));

  it("is explained where Pulumi works unseen", async () => {
    await expect(cli.output(["config", "set"])).rejects.toThrow(
      /Somebody else works on the stack prod:\n {2}j\.doe on desk-7/,
    );
  });

  it("is explained below what Pulumi says in front of the user", async () => {
    const said: string[] = [];
    jest.spyOn(console, "error").mockImplementation((line) => void said.push(String(line)));
    jest.spyOn(process.stderr, "write").mockImplementation((text) => said.push(String(text)) > 0);
    expect(await cli.inFrontOfUser(["up"])).toBe(255);
    jest.restoreAllMocks();
    expect(said.join("")).toMatch(
      /^error: the stack is currently locked[^]*Somebody else works on the stack prod:[^]*pulumi cancel/,
    );
  });
});
