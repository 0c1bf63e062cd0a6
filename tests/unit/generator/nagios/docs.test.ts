import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { run } from "../../../../generator/cli";

const PAGE = fs.readFileSync(path.join(__dirname, "../../../../docs/from-nagios.md"), "utf8");
const CALL = "npm run inventory -- ";

let root: string;
beforeEach(() => (root = fs.mkdtempSync(path.join(os.tmpdir(), "from-nagios-"))));
afterEach(() => fs.rmSync(root, { recursive: true }));

async function answerTo(command: string): Promise<string> {
  const said: string[] = [];
  const say = (text: string) => void said.push(text);
  const argv = command.slice(CALL.length).split(" ");
  await run(argv, { root, cwd: root, now: () => new Date("2026-11-25T12:00:00Z"), out: say, err: say });
  return said.join("");
}

describe("docs/from-nagios.md", () => {
  it("shows what is imported, and what the commands answer, step by step", async () => {
    const answered: string[] = [];
    for (const [, language = "", first = "", rest = ""] of PAGE.matchAll(
      /^```(cfg|yaml|console)\n([^\n]*)\n(.*?)^```$/gms,
    )) {
      const file = path.join(root, first.replace(/^# /, ""));
      if (language === "console") {
        const command = first.replace(/^\$ /, "");
        expect(await answerTo(command)).toBe(rest);
        answered.push(command.split(" ")[4] ?? "");
      } else if (fs.existsSync(file)) {
        // What the import wrote is what the page shows of it, however it is laid out.
        const plain = (text: string) => text.replaceAll('"', "'").replace(/[{] | [}]/g, (brace) => brace.trim());
        expect(plain(fs.readFileSync(file, "utf8"))).toBe(plain(rest));
      } else if (!first.includes(" on ")) {
        fs.mkdirSync(path.dirname(file), { recursive: true });
        fs.writeFileSync(file, `${first}\n${rest}`);
      }
    }
    expect(answered).toEqual(["import-nagios", "check"]);
    expect(await answerTo(`${CALL}probe frankfurt --stack prod`)).toContain("\nfra-web-1 10.1.0.11\n");
  });
});
