import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { execFileSync } from "node:child_process";
import { load } from "js-yaml";
import { run } from "../../../generator/cli";
import { crossChecks } from "../../../settings/crossChecks";
import { settingsSchema } from "../../../settings/schema";
import { answerPattern, type Step, stepsOf } from "../../page";

/** What needs no swarm of docs/add-a-location.md; tests/swarm/many/addLocation.ts does all of it. */

const ROOT = path.join(__dirname, "..", "..", "..");
const CALL = "npm run --silent inventory -- ";
const steps = stepsOf("add-a-location.md");

const ofKind = <K extends Step["kind"]>(kind: K) =>
  steps.filter((step): step is Extract<Step, { kind: K }> => step.kind === kind);

let root: string;
beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), "add-location-"));
  fs.cpSync(path.join(ROOT, "inventory"), path.join(root, "inventory"), { recursive: true });
  fs.cpSync(path.join(ROOT, "Pulumi.prod.yaml"), path.join(root, "Pulumi.prod.yaml"));
  const git = (...args: string[]) => execFileSync("git", ["-C", root, ...args]);
  git("init", "--quiet", "--initial-branch=main");
  git("add", "--all");
  git("-c", "user.name=a", "-c", "user.email=a@b.cd", "commit", "--quiet", "--message=x");
});
afterEach(() => fs.rmSync(root, { recursive: true }));

/** As an editor would: behind the list's last entry. */
function applyFiles(): void {
  for (const { name, place, text } of ofKind("file")) {
    const file = path.join(root, name);
    if (place === undefined) {
      fs.writeFileSync(file, text);
      continue;
    }
    const entry = text
      .split("\n")
      .slice(1)
      .map((line) => `    ${line}`.trimEnd());
    const before = fs.readFileSync(file, "utf8");
    const list = new RegExp(`^  ${place}:\n(?:    .*\n)*`, "m").exec(before)?.[0] ?? "";
    expect(list).not.toBe("");
    fs.writeFileSync(file, before.replace(list, `${list}${entry.join("\n")}`));
  }
}

it("names the stack's file and the inventory's, and both are good with the page's additions", async () => {
  expect(ofKind("file").map(({ name }) => name)).toEqual(["Pulumi.prod.yaml", "inventory/prod/sydney.yaml"]);
  applyFiles();
  const { config } = load(fs.readFileSync(path.join(root, "Pulumi.prod.yaml"), "utf8")) as {
    config: Record<string, unknown>;
  };
  const own = Object.entries(config).filter(([key]) => key.startsWith("icinga-swarm:"));
  const { data, error } = settingsSchema.safeParse(
    Object.fromEntries(own.map(([key, value]) => [key.slice("icinga-swarm:".length), value])),
  );
  expect(error?.issues).toBeUndefined();
  expect(data?.locations.map(({ name }) => name)).toContain("sydney");
  expect(crossChecks(data ?? {})).toEqual([]);
});

it("shows what the inventory's commands answer", async () => {
  applyFiles();
  const asked = ofKind("console").filter(({ command }) => command.startsWith(CALL));
  expect(asked).toHaveLength(2);
  for (const { command, answer } of asked) {
    const said: string[] = [];
    const say = (text: string) => void said.push(text);
    const argv = command.slice(CALL.length).split(" ");
    await run(argv, { root, cwd: root, now: () => new Date("2026-11-25T12:00:00Z"), out: say, err: say });
    expect(said.join("")).toMatch(answerPattern(answer));
  }
});

it("matches answers by their words, in order", () => {
  expect("a\n  b   c\nd\n").toMatch(answerPattern("a\n...\nc d\n"));
  expect("a b d").not.toMatch(answerPattern("a ... c"));
  expect("x a b").not.toMatch(answerPattern("a ..."));
});
