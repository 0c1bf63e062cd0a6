import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inventoryDifference } from "../../../../commands/ci/inventoryDifference";
import { ROOT } from "../../../../commands/repository";

jest.mock("../../../../commands/repository", () => ({
  ...jest.requireActual<object>("../../../../commands/repository"),
  ROOT: mkdtempSync(join(tmpdir(), "icinga-swarm-difference-")),
}));

const LOCATIONS = "icinga-swarm:locations: [{ name: frankfurt, nodes: [fra-1], slaves: 1 }]";

function git(...args: string[]): void {
  execFileSync("git", ["-C", ROOT, "-c", "user.name=a", "-c", "user.email=a@b.cd", ...args]);
}

function writeStack(settings: string): void {
  writeFileSync(join(ROOT, "Pulumi.test.yaml"), `config:\n  ${LOCATIONS}\n  ${settings}\n`);
}

beforeAll(() => {
  writeStack("icinga-swarm:inventory: ./inventory");
  mkdirSync(join(ROOT, "inventory"));
  git("init", "--quiet", "--initial-branch=main");
  git("add", "--all");
  git("commit", "--quiet", "--message=x");
});
beforeEach(() => writeStack("icinga-swarm:inventory: ./inventory"));
afterAll(() => rmSync(ROOT, { recursive: true }));

it("says what changes in an inventory of this repository", async () => {
  const host = "hosts:\n  - { name: a, address: 10.1.2.3, location: frankfurt, checks: [ping] }\n";
  writeFileSync(join(ROOT, "inventory", "a.yaml"), host);
  expect(await inventoryDifference("test", "main")).toContain("frankfurt: +1 host with 1 service");
});

it("says where an inventory of another repository is reviewed", async () => {
  writeStack("icinga-swarm:generator: { git: { url: https://git.example.com/inventory.git } }");
  expect(await inventoryDifference("test", "main")).toBe(
    "The inventory is in its own repository (icinga-swarm:generator.git), where its changes are reviewed.\n",
  );
});

it("says what is wrong with a stack's file", async () => {
  writeStack("icinga-swarm:generator: {");
  expect(await inventoryDifference("test", "main")).toMatch(/^Pulumi\.test\.yaml:4:1: /);
});
