import { execFileSync } from "node:child_process";
import { join } from "node:path";

const ROOT = join(__dirname, "../../..");

/**
 * Lets a Keeper look at an Icinga that is made up of what its status says: `icinga.order` is what the zone's endpoints are
 * looked at in, `icinga.connected` who is connected. Prints what came of each look and what it has evaluated.
 */
const LOOKS = `
import importlib.machinery, importlib.util, json, socket, sys, types
root, endpoint, steps = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
sys.path.insert(0, root + "/images/base/lib")
socket.gethostname = lambda: endpoint
loader = importlib.machinery.SourceFileLoader("program", root + "/images/icinga-slave/keep-unconfirmed")
program = importlib.util.module_from_spec(importlib.util.spec_from_loader("program", loader))
loader.exec_module(program)
clock = types.SimpleNamespace(now=1000.0)
program.time = types.SimpleNamespace(monotonic=lambda: clock.now)

class Icinga:
    # A new endpoint comes before the others so often, and then behind them.
    order, connected, starting, before = ["slave-1", "slave-2"], ["master", "slave-1", "slave-2"], False, 0
    done = []
    def get(self, path):
        return [{"status": {"api": {"conn_endpoints": self.connected, "zones": {"frankfurt": {"endpoints": self.order}}}}}]
    def execute(self, script):
        if "activation" not in script:
            hold, replay = [line.split(" = ")[1].rstrip(" }") for line in script.splitlines() if "log_duration" in line]
            self.done.append(f"full files for {hold}, replay of {replay}")
            return None
        if self.starting: return False
        name = f"never-connected-{len(self.order)}"
        self.order = [name, *self.order] if self.before else [*self.order, name]
        self.before = max(0, self.before - 1)
        self.done.append(f"add {name}")
        return True

icinga = Icinga()
keeper = program.Keeper(icinga, "frankfurt", ["slave-2", "slave-1"], "master")
for step in ["", *steps]:
    exec(step)
    icinga.done.clear()
    try: answer = keeper.look() or "well"
    except program.Waiting as reason: answer = f"waiting for {reason}"
    print("; ".join([str(answer), *icinga.done]))
`;

/** What came of each look, one before the steps and one after each. */
function looks(endpoint: string, ...steps: readonly string[]): string[] {
  const args = ["-B", "-c", LOOKS, ROOT, endpoint, JSON.stringify(steps)];
  return execFileSync("python3", args, { encoding: "utf8" }).split("\n").slice(0, -1);
}

it("adds what is never connected until that is the last that Icinga looks at, once for each Icinga", () => {
  expect(
    looks(
      "slave-1",
      "pass",
      "icinga.order = ['slave-1', 'slave-2']; icinga.before = 2",
      "icinga.order = ['slave-2', 'never-connected-2', 'slave-1']",
    ),
  ).toEqual([
    "well; add never-connected-2; full files for ReplayDuration, replay of ReplayDuration",
    "well",
    "well; add never-connected-2; add never-connected-3; add never-connected-4; " +
      "full files for ReplayDuration, replay of ReplayDuration",
    "well",
  ]);
});

it("waits for a slave that is alone to check", () => {
  expect(looks("slave-1", "icinga.order = ['slave-1']; icinga.starting = True", "icinga.starting = False")).toEqual([
    "well; add never-connected-2; full files for ReplayDuration, replay of ReplayDuration",
    "waiting for this slave's first check",
    "well; add never-connected-1; full files for ReplayDuration, replay of ReplayDuration",
  ]);
});

it("gives up adding after some, and says what helps", () => {
  const [, answer = ""] = looks("slave-1", "icinga.order = ['slave-1', 'slave-2']; icinga.before = 1000");
  expect(answer).toMatch(/^waiting for another order of 51 endpoints .*restart/);
});

it("needs full files of the log for ten minutes, and for longer in an outage and ten minutes after it", () => {
  const connected = "icinga.connected = ['master', 'slave-2']";
  expect(
    looks(
      "slave-1",
      "clock.now += 601",
      "icinga.connected = ['slave-2']",
      "clock.now += 5000",
      connected,
      "clock.now += 599",
      "clock.now += 2",
    ),
  ).toEqual([
    expect.stringContaining("full files for ReplayDuration"),
    "well; full files for 600, replay of ReplayDuration",
    "well; full files for ReplayDuration, replay of ReplayDuration",
    "well",
    "well",
    "well",
    "well; full files for 600, replay of ReplayDuration",
  ]);
});

it("lets the second of a pair replay nothing as long as it is connected to the first, who tells it all", () => {
  expect(
    looks(
      "slave-2",
      "icinga.connected = ['slave-1']",
      "icinga.connected = []",
      "icinga.connected = ['slave-1', 'master']",
    ),
  ).toEqual([
    expect.stringContaining("replay of 0"),
    "well",
    "well; full files for ReplayDuration, replay of ReplayDuration",
    "well; full files for ReplayDuration, replay of 0",
  ]);
});
