import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const PROGRAM = join(__dirname, "../../../images/icinga-master/history-keeper");

/**
 * Runs the program's own main(). In place of each of its sleeps it prints which files the look before opened, and does
 * the next step; its clock is `clock.now`.
 */
const LOOKS = `
import importlib.machinery, importlib.util, json, os, sys, time, types
program, folder, steps = sys.argv[1], sys.argv[2], iter(json.loads(sys.argv[3]))
loader = importlib.machinery.SourceFileLoader("keeper", program)
keeper = importlib.util.module_from_spec(importlib.util.spec_from_loader("keeper", loader))
loader.exec_module(keeper)
archives = os.path.join(folder, "archives")
os.mkdir(archives)
os.environ["HISTORY_DAYS"] = "90"
keeper.HISTORY = folder
DAY = 86400
clock = types.SimpleNamespace(now=1700000000)
opened = []

def make(name, days_ago, text="", begin="[1000000000] LOG ROTATION: DAILY\\n"):
    """Complete at once, as when Icinga renames it."""
    new = os.path.join(folder, "new")
    with open(new, "w") as file: file.write(begin + text)
    change(new, clock.now - days_ago * DAY)
    os.rename(new, os.path.join(folder, name))

def append(name, days_ago):
    path = os.path.join(folder, name)
    with open(path, "a") as file: file.write("[1] later\\n")
    change(path, clock.now - days_ago * DAY)

def change(path, seconds):
    os.utime(path, ns=(0, int(seconds) * 10**9 + 123456789))

def show():
    for name in sorted(os.listdir(archives)):
        path = os.path.join(archives, name)
        with open(path) as file: print("#", name, int(os.stat(path).st_mtime), *file.read().split("\\n"))

def sleep(seconds):
    print(*[os.path.basename(path) for path in sorted(opened)], sep=", ", flush=True)
    step = next(steps, None)
    if step is None: sys.exit()
    exec(step, globals())
    opened.clear()

def note(event, args):
    if event == "open" and str(args[0]).startswith(folder): opened.append(args[0])

sys.addaudithook(note)
keeper.time = types.SimpleNamespace(
    time=lambda: clock.now, sleep=sleep, strftime=time.strftime, gmtime=time.gmtime)
keeper.main()
`;

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "history-"))));
afterEach(() => rmSync(folder, { recursive: true }));

/** What it opened, a line for each look: at nothing first, then after each step. What it and the steps say in between. */
function looks(...steps: readonly string[]): string[] {
  const args = ["-B", "-c", LOOKS, PROGRAM, folder, JSON.stringify(steps)];
  return execFileSync("python3", args, { encoding: "utf8" }).split("\n").slice(0, -1);
}

const NOW = 1_700_000_000;
const DAY = 86_400;

it("opens an archive when it is new or has changed, and stamps it with its last entry", () => {
  expect(
    looks(
      "make('archives/kept.log', 2)",
      "make('archives/other.log', 3)",
      "show()",
      "append('archives/kept.log', 1)",
      "show()",
    ),
  ).toEqual([
    "",
    "kept.log",
    "other.log",
    `# kept.log ${NOW - 2 * DAY} [${NOW - 2 * DAY}] LOG ROTATION: DAILY `,
    `# other.log ${NOW - 3 * DAY} [${NOW - 3 * DAY}] LOG ROTATION: DAILY `,
    "",
    "kept.log",
    `# kept.log ${NOW - DAY} [${NOW - DAY}] LOG ROTATION: DAILY [1] later `,
    `# other.log ${NOW - 3 * DAY} [${NOW - 3 * DAY}] LOG ROTATION: DAILY `,
    "",
  ]);
});

it("opens another file of the same name, size and time", () => {
  const again = "make('archives/kept.log', 2)";
  const stamped = `# kept.log ${NOW - 2 * DAY} [${NOW - 2 * DAY}] LOG ROTATION: DAILY `;
  expect(looks(again, again, "show()")).toEqual(["", "kept.log", "kept.log", stamped, ""]);
});

it("leaves a file alone that is none of Icinga's", () => {
  expect(looks("make('archives/notes.log', 2, begin='mine\\n')", "show()")).toEqual([
    "",
    "notes.log",
    `# notes.log ${NOW - 2 * DAY} mine `,
    "",
  ]);
});

it("removes an archive when its time has come, though nothing of it changed", () => {
  expect(looks("make('archives/old.log', 89)", "clock.now += DAY", "clock.now += 1", "show()")).toEqual([
    "",
    "old.log",
    "",
    "history: old.log is removed: it ended more than 90 days ago",
    "",
    "",
  ]);
});

it("gives an archive a name of its own before Icinga takes the name again, and opens each once", () => {
  const make = (text: string) => `make('archives/icinga-01-02-2026-03.log', 2, ${JSON.stringify(text)})`;
  const own = expect.stringMatching(/^icinga-2023-11-12-221320-\d+\.log$/);
  const shown = (text: string) =>
    expect.stringMatching(`^# icinga-2023-11-12-221320-\\d+\\.log \\d+ \\[\\d+\\] LOG ROTATION: DAILY ${text}$`);
  const said = looks(make("first"), make("second"), "show()");
  expect(said).toEqual(["", own, own, expect.anything(), expect.anything(), ""]);
  expect(said[1]).not.toBe(said[2]);
  expect(said).toEqual(expect.arrayContaining([shown("first"), shown("second")]));
});

it("goes on after what went wrong, until nothing is", () => {
  expect(
    looks(
      "make('archives/kept.log', 2); os.mkdir(archives + '/folder.log')",
      "os.rmdir(archives + '/folder.log')",
      "show()",
    ).filter((line) => line.startsWith("history") || line.startsWith("#")),
  ).toEqual([
    expect.stringMatching(/^history: the log is not looked after: /),
    "history: the log is looked after again",
    `# kept.log ${NOW - 2 * DAY} [${NOW - 2 * DAY}] LOG ROTATION: DAILY `,
  ]);
});

it("stamps the log that Icinga writes with the present, where it has grown", () => {
  const print = `print("#", open(os.path.join(folder, "icinga.log")).read().split("]")[0])`;
  expect(
    looks(
      "make('icinga.log', 0)",
      print,
      "clock.now += 60",
      "append('icinga.log', 0)",
      print,
      "make('icinga.log', 0)",
      print,
    ),
  ).toEqual([
    "",
    "icinga.log",
    `# [${NOW}`,
    "",
    "",
    "icinga.log",
    `# [${NOW + 60}`,
    "",
    "icinga.log",
    `# [${NOW + 60}`,
    "",
  ]);
});
