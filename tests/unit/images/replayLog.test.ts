import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const IMAGES = join(__dirname, "../../../images");
const SECONDS = 1_700_000_000;

let data: string, log: string;
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), "replay-"));
  log = join(data, "api/log");
});
afterEach(() => rmSync(data, { recursive: true }));

/** What a start does with the log, on a volume of its own in place of a container's. */
function close(): void {
  const script = `set -euo pipefail; source "$0/init.sh"; source <(sed "s|/var/lib/icinga2|$1|" "$0/icinga.sh"); close_replay_log`;
  execFileSync("bash", ["-c", script, join(IMAGES, "base/lib"), data], { stdio: "pipe" });
}

function write(name: string, text: string): void {
  mkdirSync(log, { recursive: true });
  writeFileSync(join(log, name), text);
  utimesSync(join(log, name), SECONDS, SECONDS);
}

function files(): Record<string, string> {
  return Object.fromEntries(readdirSync(log).map((name) => [name, readFileSync(join(log, name), "utf8")]));
}

it("closes the file that Icinga wrote to, under a time after all in it", () => {
  write("1699990000", "full");
  write("current", '57:{"timest');
  close();
  expect(files()).toEqual({ "1699990000": "full", [SECONDS + 1]: '57:{"timest' });
});

it("leaves nothing torn to be written to where a file of that second is full, nor loses that one", () => {
  write(String(SECONDS + 1), "full");
  write("current", '57:{"timest');
  close();
  expect(files()).toEqual({ [SECONDS + 1]: "full", [SECONDS + 2]: '57:{"timest' });
});

it("has nothing to do on a new volume, or without a message", () => {
  close();
  write("current", "");
  close();
  expect(files()).toEqual({ current: "" });
});

it.each(["icinga-master", "icinga-slave"])(
  "of %s is closed before each start, when no other one writes to it",
  (image) => {
    const main = /^main\(\) \{\n(.*?)^\}/ms.exec(readFileSync(join(IMAGES, image, "init"), "utf8"))?.[1] ?? "";
    const steps = main.split("\n").map((line) => line.trim());
    const order = ["own_data", "prepare_directories", "close_replay_log", "start_supervisord"];
    expect(steps.filter((step) => order.includes(step))).toEqual(order);
  },
);
