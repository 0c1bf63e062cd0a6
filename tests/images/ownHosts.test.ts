import { asOperator, Stack, uploadObjects } from "./icingaStack";
import { IMAGES, type TrialContainer, until } from "./icingaTrial";

/** A part of the address that nobody may read anywhere. */
const TOKEN = "0d7c5b1e-token";

/** Answers every request, and prints what was asked for. */
const WEB_SERVER = `import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        print("GET", self.path, flush=True)
        self.send_response(200)
        self.end_headers()
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer(("0.0.0.0", 80), Handler).serve_forever()
`;

let stack: Stack;
let master: TrialContainer;
let web: TrialContainer;

jest.setTimeout(240_000);

beforeAll(async () => {
  stack = await Stack.create();
  await stack.mySql.start();
  const bystander = { image: IMAGES.base, health: false };
  web = await stack.trial.start({
    ...bystander,
    name: "beats.example",
    entrypoint: ["python3", "-u", "/web.py"],
    files: { "/web.py": WEB_SERVER },
  });
  // Only its address counts.
  await stack.trial.start({ ...bystander, name: "config-generator", entrypoint: ["sleep", "infinity"] });
  master = await stack.trial.start(
    stack.master({
      secrets: { "heartbeat-url": `http://beats.example/ping/${TOKEN}` },
      environment: { HEARTBEAT_SECONDS: "1" },
    }),
  );
  await master.line("ready");
});
afterAll(() => stack.trial.remove());

interface Known {
  readonly state: number;
  readonly output: string;
}

const LOOK = `import json, sys; sys.path.insert(0, "/usr/local/lib/icinga-swarm")
from icinga_api import LocalApi
print(json.dumps({o["name"]: {"state": o["attrs"]["state"], "output": (o["attrs"]["last_check_result"] or {}).get("output", "")}
  for kind in ("hosts", "services") for o in LocalApi("icinga-master").get("objects/" + kind)}))`;

const look = async () => JSON.parse(await master.output("python3", "-c", LOOK)) as Record<string, Known>;

const untilStates = (expected: Record<string, number>) =>
  until(
    async () => {
      const known = await look();
      return Object.entries(expected).every(([name, state]) => known[name]?.output && known[name].state === state);
    },
    async () => JSON.stringify(await look(), undefined, 2),
    150,
  );

const calls = async () => (await web.logs()).split("\n").filter((line) => line === `GET /ping/${TOKEN}`).length;

/** Whether the address is called in these seconds. */
async function isCalledWithin(seconds: number): Promise<boolean> {
  const before = await calls();
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  return (await calls()) > before;
}

/** The heartbeat's own functions, on an API that knows no status and a folder that is not there. */
const ODD_HEARTBEAT = `from importlib.machinery import SourceFileLoader
from unittest.mock import Mock
heartbeat = SourceFileLoader("heartbeat", "/usr/local/bin/heartbeat").load_module()
heartbeat.STATE = "/nowhere/state"
heartbeat.keep({})
api = Mock()
api.get.return_value = []
print(*heartbeat.beat(api, "http://beats.example/"))`;

const OWN = {
  "icinga-master": 0,
  "icinga-master!icinga": 0,
  "icinga-master!ido": 0,
  "icinga-master!disk": 0,
  "icinga-master!processes": 0,
  "icinga-master!replay log": 0,
  "icinga-master!mail queue": 0,
  "icinga-master!heartbeat": 0,
  mysql: 0,
  "config-generator": 0,
};

/** What the stack has beside the master, none of which is here. */
const ELSEWHERE = [
  ...["gateway", "gateway!certificate"],
  ...["grafana", "grafana!http"],
  ...["graphite", "graphite!disk", "graphite!http", "graphite!processes"],
  ...["nagvis", "nagvis!disk", "nagvis!processes"],
  ...["thruk", "thruk!backends", "thruk!disk", "thruk!processes"],
];

test("the centre's hosts are there without a package, in one group, and well", async () => {
  await untilStates(OWN);
  const known = await look();
  const silent = ["config-generator!configuration", "icinga-master!metrics"];
  expect(Object.keys(known).sort()).toEqual([...Object.keys(OWN), ...ELSEWHERE, ...silent].sort());
  const script = `import sys; sys.path.insert(0, "/usr/local/lib/icinga-swarm")
from icinga_api import LocalApi
for host in LocalApi("icinga-master").get("objects/hosts"): print(host["attrs"]["groups"], host["attrs"]["vars"]["location"])`;
  const lines = new Set((await master.output("python3", "-c", script)).split("\n"));
  expect([...lines]).toEqual(["['icinga-swarm'] central"]);
});

describe("the replay log", () => {
  const log = "/var/lib/icinga2/api/log";
  const check = "/usr/local/lib/icinga-swarm/plugins/check_replay_log";

  test("ends where the stack says: what is older is thrown away, what is younger waits", async () => {
    const unreachable = `object Endpoint "icinga-slave-far-1" { log_duration = 1h }
object Zone "far" { endpoints = [ "icinga-slave-far-1" ]; parent = "master" }`;
    await uploadObjects(master, unreachable);
    // Icinga names a file that is full by the time of its last message.
    const now = Math.floor(Date.now() / 1000);
    const [older, younger] = [String(now - 2 * 3600), String(now - 1800)];
    await master.output("bash", "-c", `touch ${log}/{${older},${younger}} && chown nagios:nagios ${log}/*`);
    const left = async () => (await master.output("ls", log)).split("\n");
    await until(
      async () => !(await left()).includes(older),
      async () => String(await left()),
    );
    expect(await left()).toContain(younger);
  });

  test("is judged by its size, and by the room there is", async () => {
    const judge = (found: string, free: number) =>
      master.output(
        "python3",
        "-c",
        `from importlib.machinery import SourceFileLoader
check = SourceFileLoader("check", "${check}").load_module()
print(*check.judge(${found}, ${free}, 10000))`,
      );
    expect(await judge(`[("current", 5000000)]`, 1e12)).toBe(
      "0 5.0 MB | size=5000000B;1000000000;2000000000;0 files=1;;;0",
    );
    expect(await judge(`[("current", 5000000), ("2800", 1200000000)]`, 1e12)).toMatch(
      /^1 1205\.0 MB, the oldest from 2\.0 h ago of at most 2000 MB: /,
    );
    expect(await judge(`[("current", 2100000000)]`, 1e12)).toMatch(/^2 /);
    expect(await judge(`[("current", 5000000)]`, 4e6)).toMatch(
      /^2 5\.0 MB of at most 4 MB: .*size=5000000B;2250000;4500000/,
    );
  });
});

describe("the replay log of a slave", () => {
  test("is not well when nobody sees to what the master has not confirmed", async () => {
    const kept = "/run/icinga-swarm/unconfirmed-kept";
    const check = () => master.run(["/usr/local/lib/icinga-swarm/plugins/check_replay_log"]);
    expect((await check()).output).toMatch(/^REPLAY LOG OK - [\d.]+ MB/);
    await master.output("touch", "--date", "-240 seconds", kept);
    expect((await check()).output).toMatch(/^REPLAY LOG OK/);
    await master.output("touch", "--date", "-360 seconds", kept);
    expect(await check()).toEqual({
      code: 1,
      output: expect.stringMatching(/^REPLAY LOG WARNING - .*not kept for 6 min/),
    });
    await master.output("rm", kept);
  });
});

describe("a generator", () => {
  const report = (state: number) =>
    asOperator(master, "POST", "actions/process-check-result", {
      type: "Service",
      filter: `service.name == "configuration"`,
      exit_status: state,
      plugin_output: "42 hosts",
    });
  const shorten = (seconds: number) =>
    asOperator(master, "POST", "objects/services/config-generator!configuration", {
      attrs: { check_interval: seconds, retry_interval: seconds },
    });

  test("that has not reported yet is no alarm; what it reports is shown", async () => {
    await uploadObjects(master, "");
    await untilStates({ "config-generator!configuration": 3 });
    expect((await look())["config-generator!configuration"]?.output).toContain("has not reported yet");
    await report(0);
    expect((await look())["config-generator!configuration"]).toEqual({ state: 0, output: "42 hosts" });
  });

  test("that falls silent is critical", async () => {
    await shorten(2);
    await report(0);
    await untilStates({ "config-generator!configuration": 2 });
    expect((await look())["config-generator!configuration"]?.output).toContain("reported nothing for ten minutes");
    await shorten(600);
  });
});

describe("the heartbeat", () => {
  test("calls the address, and tells its host alone", async () => {
    expect(await isCalledWithin(5)).toBe(true);
    await master.line("heartbeat: beats.example is called");
    const seen = [await master.logs(), await master.processes(), JSON.stringify(await master.inspect())].join("\n");
    expect(seen).not.toContain(TOKEN);
    expect(JSON.stringify(await look())).not.toContain(TOKEN);
  });

  test("is silent while checks stop", async () => {
    const checks = (enabled: boolean) =>
      asOperator(master, "POST", "objects/icingaapplications/app", {
        attrs: { enable_host_checks: enabled, enable_service_checks: enabled },
      });
    const mark = (await master.logs()).length;
    await checks(false);
    await master.logged("beats.example is not called: no check was executed in the last minute", mark, 90);
    expect(await isCalledWithin(5)).toBe(false);
    await checks(true);
    await master.logged("beats.example is called", mark, 60);
  });

  test("is silent while the database is away, once said, and its check and those of the database say so", async () => {
    const mark = (await master.logs()).length;
    await stack.mySql.stop();
    await master.line("heartbeat: beats.example is not called: Icinga's IDO connection to MySQL is not up", mark, 90);
    expect(await isCalledWithin(5)).toBe(false);
    await untilStates({ mysql: 1, "icinga-master!ido": 2, "icinga-master!heartbeat": 2 });
    // Others, such as one slow answer of the API, may come between.
    const said = (await master.logs(mark)).split("\n").filter((line) => line.startsWith("heartbeat: "));
    expect(said.filter((line, index) => line === said[index - 1])).toEqual([]);
    expect(said).not.toContain("heartbeat: beats.example is called");
    await stack.mySql.start();
    await master.line("heartbeat: beats.example is called", mark, 90);
    expect(await isCalledWithin(5)).toBe(true);
  }, 420_000);

  test("outlives a status that it does not understand, and a state that cannot be written", async () => {
    const output = await master.output("python3", "-c", ODD_HEARTBEAT);
    expect(output).toBe("False beats.example is not called: Icinga's status is not understood (KeyError)");
  });

  test("that nobody takes is said in one line, and by its check", async () => {
    const mark = (await master.logs()).length;
    await web.kill();
    const line = await master.line("heartbeat: beats.example cannot be called: ", mark);
    expect(line).toMatch(/does not answer \(.*\)$/);
    // It may still be critical for what was before.
    const known = async () => (await look())["icinga-master!heartbeat"];
    await until(
      async () => (await known())?.output.includes("beats.example cannot be called") ?? false,
      async () => JSON.stringify(await known()),
      90,
    );
    expect((await known())?.state).toBe(2);
  });
});
