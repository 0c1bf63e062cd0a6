import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { CATALOGUE, CHECK_NAMES } from "../../../generator/catalogue";
import { CLIENT_CHECKS, connection } from "../../../generator/catalogue/client";
import { common } from "../../../generator/catalogue/kind";
import { run } from "../../../generator/cli";
import { NAMED_SECTIONS } from "../../../generator/schema";

const PAGE = fs.readFileSync(path.join(__dirname, "..", "..", "..", "docs", "inventory.md"), "utf8");
const CALL = "npm run inventory -- ";

/** What the page has in order: files to write, what to type and what is answered, and headings. */
type Step =
  | { readonly kind: "file"; readonly name: string; readonly text: string }
  | { readonly kind: "console"; readonly command: string; readonly answer: string }
  | { readonly kind: "heading"; readonly text: string };

function steps(): Step[] {
  const found = PAGE.matchAll(/^```(yaml|console)\n(.*?)^```$|^## ([^\n]*)$/gms);
  return [...found].map(([, language, block = "", heading]): Step => {
    if (heading !== undefined) return { kind: "heading", text: heading };
    const [first = "", ...rest] = block.split("\n");
    if (language === "console") return { kind: "console", command: first.replace(/^\$ /, ""), answer: rest.join("\n") };
    return { kind: "file", name: first.replace(/^# /, ""), text: block };
  });
}

let root: string;
beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), "docs-"));
});
afterEach(() => fs.rmSync(root, { recursive: true }));

async function answerTo(command: string): Promise<string> {
  expect(command.startsWith(CALL)).toBe(true);
  const said: string[] = [];
  const say = (text: string) => void said.push(text);
  const argv = command.slice(CALL.length).split(" ");
  await run(argv, { root, cwd: root, now: () => new Date("2026-11-25T12:00:00Z"), out: say, err: say });
  return said.join("");
}

/** A line of three dots stands for lines that the page leaves out. */
function pattern(answer: string): RegExp {
  const parts = answer.split(/^\.\.\.\n/m).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join("(?:[^\n]*\n)*?")}$`);
}

function write({ name, text }: Step & { kind: "file" }): void {
  const file = path.join(root, name);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, text);
}

/** The page's mistake is never merged. */
function commitWithoutMistake(): void {
  fs.rmSync(path.join(root, "inventory/shop/more.yaml"));
  const git = (...args: string[]) => execFileSync("git", ["-C", root, ...args]);
  git("init", "--quiet", "--initial-branch=main");
  git("add", "--all");
  git("-c", "user.name=a", "-c", "user.email=a@b.cd", "commit", "--quiet", "--message=x");
}

describe("docs/inventory.md", () => {
  it("shows what the commands answer, step by step", async () => {
    const answered: string[] = [];
    for (const step of steps()) {
      if (step.kind === "file") write(step);
      if (step.kind === "heading" && step.text === "In a pull request") commitWithoutMistake();
      if (step.kind !== "console") continue;
      expect(await answerTo(step.command)).toMatch(pattern(step.answer));
      answered.push(step.command.split(" ")[4] ?? "");
    }
    expect(answered).toEqual(["check", "explain", "check", "diff"]);
  });

  it("names only commands that there are", async () => {
    for (const step of steps()) {
      if (step.kind === "file") write(step);
      if (step.kind === "heading" && step.text === "In a pull request") commitWithoutMistake();
    }
    const commands = [...PAGE.matchAll(/`(npm run inventory -- [^`]+)`/g)].map(([, command = ""]) => command);
    expect(commands.length).toBeGreaterThan(2);
    for (const command of commands) {
      const answer = await answerTo(command.replace('"$(git merge-base origin/main HEAD)"', "main"));
      expect(answer).not.toContain("explains the command line");
    }
  });

  it("lists every section of a file", () => {
    for (const section of [...NAMED_SECTIONS, "hosts", "defaults"]) {
      expect(PAGE).toMatch(new RegExp(`^\\|[^|]*\`${section}\``, "m"));
    }
  });

  it("lists every check with what it looks at and its settings", () => {
    const listed = [...PAGE.matchAll(/^\| `(\w+)` +\| ([^|]+?) +\| ([^|]*?) +\|$/gm)].map((cells) => cells.slice(1));
    const checks = CHECK_NAMES.map((name) => {
      const { shape } = CATALOGUE[name].schema;
      const isOptional = (setting: string) => shape[setting as keyof typeof shape].safeParse(undefined).success;
      const settings = Object.keys(shape).filter(
        (setting) =>
          (!Object.hasOwn(common, setting) || !isOptional(setting)) &&
          !(Object.hasOwn(CLIENT_CHECKS, name) && Object.hasOwn(connection, setting)),
      );
      const words = settings.map((setting) => (isOptional(setting) ? `\`${setting}\`` : `**\`${setting}\`**`));
      return [name, CATALOGUE[name].description, words.join(", ")];
    });
    expect(listed.filter(([name = ""]) => Object.hasOwn(CATALOGUE, name))).toEqual(checks);
  });
});
