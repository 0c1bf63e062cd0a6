import { randomBytes } from "node:crypto";
import { renderStorageSchemas } from "../../render/graphite";
import { killEverywhere } from "./icingaKill";
import { callApi, Stack, uploadObjects } from "./icingaStack";
import { docker, IMAGES, type Options, type Texts, Trial, type TrialContainer, until } from "./icingaTrial";

const IMAGE = process.env["ICINGA_SWARM_IMAGE_GRAPHITE"] ?? "icinga-swarm/graphite:dev";
const SECRET_KEY = `it's "a" \\key $y %s {x}`;
/** Fine enough to see values become coarser. */
const SCHEMAS = renderStorageSchemas("1s:1m,10s:1h");

function graphite(subnet: string, changes: { environment?: Texts; secrets?: Texts; files?: Texts } = {}): Options {
  return {
    image: IMAGE,
    name: "graphite",
    environment: { SPEC_HASH: "one", METRICS_SUBNET: subnet, ...changes.environment },
    secrets: changes.secrets ?? { "graphite-secret-key": SECRET_KEY },
    files: changes.files ?? { "/etc/carbon/storage-schemas.conf": SCHEMAS },
    volumes: { "/var/lib/graphite": "graphite" },
  };
}

const GET = `import sys, urllib.error, urllib.request
try: answer = urllib.request.urlopen(sys.argv[1], timeout=20)
except urllib.error.HTTPError as error: answer = error
sys.stdout.write(f"{answer.status} " + answer.read().decode("latin-1"))`;

const SEND = `import socket, sys
with socket.create_connection((sys.argv[1], 2003), 5) as carbon: carbon.sendall(sys.argv[2].encode())`;

const REACH = `import socket, sys
for port in (2003, 2004, 7002, 8080):
    try:
        socket.create_connection((sys.argv[1], port), 3).close()
        print(port, "open")
    except OSError as error: print(port, error.strerror or error)`;

jest.setTimeout(240_000);

/** Graphite, and a neighbour in its network. */
class Site {
  constructor(
    readonly container: TrialContainer,
    readonly neighbour: TrialContainer,
  ) {}

  /** Status and body, one byte a character. */
  async get(path: string): Promise<string> {
    return this.neighbour.output("python3", "-c", GET, `http://${await this.container.address()}:8080${path}`);
  }

  async send(lines: readonly (readonly [path: string, value: number, time: number])[]): Promise<void> {
    const text = lines.map((line) => `${line.join(" ")}\n`).join("");
    await this.neighbour.output("python3", "-c", SEND, await this.container.address(), text);
  }

  /** Known values by path, as `value at time`. */
  async values(target: string, from = "-50s"): Promise<Record<string, string[]>> {
    const answer = await this.get(`/render?target=${target}&from=${from}&format=json&noNullPoints=true`);
    if (!answer.startsWith("200 ")) throw new Error(`${target}: ${answer}`);
    const series = JSON.parse(answer.slice("200 ".length)) as { target: string; datapoints: [number, number][] }[];
    return Object.fromEntries(
      series.map(({ target: path, datapoints }) => [path, datapoints.map(([value, time]) => `${value} at ${time}`)]),
    );
  }

  /** Waits until values are what they should be. */
  async expectValues(target: string, expected: Record<string, string[]>, from?: string): Promise<void> {
    let seen = {};
    const matches = async () => {
      seen = await this.values(target, from);
      return JSON.stringify(seen) === JSON.stringify(expected);
    };
    await until(matches, () => JSON.stringify(seen), 10).catch(() => undefined);
    expect(seen).toEqual(expected);
  }
}

const now = () => Math.floor(Date.now() / 1000);

describe("Graphite", () => {
  let trial: Trial;
  let site: Site;

  beforeAll(async () => {
    trial = await Trial.create();
    const neighbour = { image: IMAGES.base, name: "neighbour", entrypoint: ["sleep", "infinity"], health: false };
    site = new Site(await trial.start(graphite(trial.subnet)), await trial.start(neighbour));
    await site.container.line("ready");
  });
  afterAll(() => trial.remove());

  test("gives back the values that it was given, also those that are not written yet", async () => {
    const time = now() - 10;
    await site.send([
      ["icinga2.frankfurt.web.host.hostalive.perfdata.rta.value", 0.000123, time],
      ["icinga2.frankfurt.web.host.hostalive.perfdata.rta.value", -17.5, time + 1],
      ["icinga2.frankfurt.web.host.hostalive.perfdata.pl.value", 123456789012, time],
    ]);
    await site.expectValues("icinga2.*.web.host.*.perfdata.*.value", {
      "icinga2.frankfurt.web.host.hostalive.perfdata.pl.value": [`123456789012 at ${time}`],
      "icinga2.frankfurt.web.host.hostalive.perfdata.rta.value": [`0.000123 at ${time}`, `-17.5 at ${time + 1}`],
    });
  });

  test("makes of fine values the right coarse one: for averages, counters, sums, minima, maxima and lone values", async () => {
    // A whole step that is over, and a lone value in the one before.
    const step = Math.floor(now() / 10) * 10 - 20;
    const labels = ["load", "errors_total", "requests_delta", "min_latency", "max_latency"];
    const path = (label: string) => `icinga2.chicago.app.services.roll.nrpe.perfdata.${label}.value`;
    await site.send(
      labels.flatMap((label) => [
        [path(label), 7, step - 8] as const,
        ...[10, 2, 6].map((value, index) => [path(label), value, step + 1 + 3 * index] as const),
      ]),
    );
    const rolled = (value: number) => [`7 at ${step - 10}`, `${value} at ${step}`];
    await site.expectValues(
      path("*"),
      {
        [path("errors_total")]: rolled(6),
        [path("load")]: rolled(6),
        [path("max_latency")]: rolled(10),
        [path("min_latency")]: rolled(2),
        [path("requests_delta")]: rolled(18),
      },
      "-30min",
    );
    await site.send([[path("load"), 0, step + 2]]);
    await site.expectValues(path("load"), { [path("load")]: rolled(4.5) }, "-30min");
  });

  test("answers questions and takes nothing else by HTTP", async () => {
    for (const path of ["/", "/dashboard/", "/events/", "/admin/", "/account/login"]) {
      expect(`${path} ${await site.get(path)}`).toBe(`${path} 403 Only questions are answered here.`);
    }
  });

  test("forgets values that nothing wrote for as long as any are kept, and no others", async () => {
    const folder = "/var/lib/graphite/whisper/icinga2/gone/host";
    await site.container.output(
      "bash",
      "-c",
      `mkdir -p ${folder} && touch ${folder}/recent.wsp && touch -d '3 years ago' ${folder}/old.wsp && mkdir ${folder}/empty`,
    );
    const { output } = await site.container.run(["forget-values", "--once"]);
    expect(output).toBe("forgot 1 values that nothing wrote for as long as any are kept\n");
    expect(await site.container.output("ls", folder)).toBe("recent.wsp");
    await site.container.output("rm", "-r", "/var/lib/graphite/whisper/icinga2/gone");
  });

  test("a file that cannot be read, as that which carbon is just making, costs its own values only", async () => {
    const time = now() - 5;
    const path = (host: string) => `icinga2.lab.${host}.host.hostalive.perfdata.rta.value`;
    await site.send([[path("whole"), 1, time]]);
    await site.expectValues(path("*"), { [path("whole")]: [`1 at ${time}`] });
    const folder = "/var/lib/graphite/whisper/icinga2/lab";
    const half = (name: string, size: number) =>
      site.container.output(
        "bash",
        "-c",
        `mkdir -p ${folder}/${name}/host/hostalive/perfdata/rta; head -c ${size} /dev/zero >$_/value.wsp`,
      );
    // Before its head is written, with and without room for what follows.
    await half("empty", 0);
    await half("headless", 4096);
    await site.expectValues(path("*"), { [path("whole")]: [`1 at ${time}`] });
    await site.container.output("rm", "-r", `${folder}/empty`, `${folder}/headless`);
  });

  test("serves static files, draws pictures, and has somewhere to keep fonts", async () => {
    expect(await site.get("/static/js/ext/ext-all.js")).toMatch(/^200 .*\n.*Ext JS Library/);
    expect(await site.get("/static/../../../../etc/passwd")).toMatch(/^403 /);
    expect(await site.get("/render?target=carbon.health.ready&width=400&height=200")).toMatch(/^200 \x89PNG/);
    expect(await site.container.output("find", "/run/graphite/cache", "-name", "*.cache-*")).not.toBe("");
  });

  test("keeps its key to itself, and over a restart", async () => {
    const { container } = site;
    const key =
      "import sys; sys.path.insert(0, '/etc/graphite'); import local_settings; print(local_settings.SECRET_KEY)";
    const read = async () => (await container.run(["python3", "-c", key], "_graphite")).output.trim();
    expect(await read()).toBe(SECRET_KEY);
    expect((await container.run(["cat", "/run/graphite/secret-key"], "nagios")).code).not.toBe(0);
    const seen = [await container.processes(), JSON.stringify(await container.inspect()), await container.logs()];
    expect(seen.join("\n")).toContain("gunicorn");
    expect(seen.join("\n")).not.toContain("\\key $y");
    const from = (await container.logs()).length;
    await container.stop();
    await container.start();
    await container.logged("supervisord started", from);
    expect(await read()).toBe(SECRET_KEY);
  });

  test("runs as its own user with a number that stays, but for what starts and watches it", async () => {
    await until(
      async () => (await site.container.output("ps", "-eo", "args")).includes("gunicorn"),
      () => site.container.logs(),
    );
    const processes = await site.container.output("ps", "-eo", "uid,args");
    for (const name of ["carbon-cache", "gunicorn"]) {
      const users = processes.split("\n").filter((line) => line.includes(`/usr/bin/${name}`));
      expect(users.length).toBeGreaterThan(0);
      for (const line of users) expect(line.trim()).toMatch(/^903 /);
    }
  });

  /** Many values of this moment, a few seconds before the end. */
  async function sendMany(name: string): Promise<Record<string, string[]>> {
    const time = now();
    const paths = Array.from({ length: 500 }, (_, index) => `icinga2.end.${name}.host.x.perfdata.v${index}.value`);
    await until(
      async () =>
        (await site.neighbour.run(["python3", "-c", REACH, await site.container.address()])).output.includes(
          "2003 open",
        ),
      () => site.container.logs(),
    );
    await site.send(paths.map((path, index) => [path, index, time] as const));
    await new Promise((resolve) => setTimeout(resolve, 4000));
    return Object.fromEntries(paths.map((path, index) => [path, [`${index} at ${time}`]]).sort());
  }

  async function isBack(from: number): Promise<void> {
    await site.container.logged("success: carbon entered RUNNING", from);
    await until(
      async () => (await site.get("/version/").catch(() => "")).startsWith("200"),
      () => site.container.logs(),
    );
  }

  test.each(["stop", "kill"] as const)("after a %s, values of seconds before are there", async (end) => {
    const expected = await sendMany(end);
    const from = (await site.container.logs()).length;
    await site.container[end]();
    await site.container.start();
    await isBack(from);
    const seen = await site.values(`icinga2.end.${end}.host.x.perfdata.*.value`);
    expect(Object.fromEntries(Object.entries(seen).sort())).toEqual(expected);
    // Ready is said once for a spec; a second start says no more than that it started.
    expect(await site.container.count("ready")).toBe(1);
  });

  test("killed alone, carbon and graphite-web are started again", async () => {
    const expected = await sendMany("process");
    const from = (await site.container.logs()).length;
    for (const program of ["bin/carbon-cache", "bin/gunicorn"]) {
      await site.container.output("pkill", "-KILL", "-f", program);
    }
    await isBack(from);
    const seen = await site.values("icinga2.end.process.host.x.perfdata.*.value");
    expect(Object.fromEntries(Object.entries(seen).sort())).toEqual(expected);
  });

  test("is alive while it answers, and not when carbon hangs", async () => {
    // Without the pause that it makes between two looks.
    const look = "rm -f /run/icinga-swarm/alive; exec /usr/local/bin/healthcheck";
    const check = () => site.container.run(["bash", "-c", look]);
    expect(await check()).toEqual({ code: 0, output: "" });
    await site.container.output("pkill", "-STOP", "-f", "bin/carbon-cache");
    expect(await check()).toMatchObject({ code: 1, output: expect.stringContaining("carbon does not answer") });
    await site.container.output("pkill", "-CONT", "-f", "bin/carbon-cache");
    expect((await check()).code).toBe(0);
  });
});

describe("its door", () => {
  let metrics: Trial, other: Trial;
  beforeAll(async () => {
    [metrics, other] = await Promise.all([Trial.create(), Trial.create()]);
  });
  afterAll(async () => {
    await metrics.remove();
    await other.remove();
  });

  test("is open in the network of the metrics and nowhere else, for lines of text and HTTP alone", async () => {
    const container = await metrics.create(graphite(metrics.subnet));
    const elsewhere = docker.getNetwork(await networkOf(other));
    await elsewhere.connect({ Container: container.container.id });
    await container.start();
    const sleeper = { image: IMAGES.base, name: "stranger", entrypoint: ["sleep", "infinity"], health: false };
    const [friend, stranger] = await Promise.all([metrics.start(sleeper), other.start(sleeper)]);
    await container.line("ready");
    const networks = Object.values((await container.inspect()).NetworkSettings.Networks);
    const inside = await container.output("cat", "/run/icinga-swarm/metrics-address");
    const outside = networks.map(({ IPAddress }) => IPAddress).find((address) => address !== inside) ?? "";
    const reach = (from: TrialContainer, address: string) => from.output("python3", "-c", REACH, address);
    const refused = "Connection refused";
    expect(await reach(friend, inside)).toBe(`2003 open\n2004 ${refused}\n7002 ${refused}\n8080 open`);
    expect(await reach(stranger, outside)).toBe(
      [2003, 2004, 7002, 8080].map((port) => `${port} ${refused}`).join("\n"),
    );
  });
});

/** Id of a trial's network, from a container that never runs. */
async function networkOf(trial: Trial): Promise<string> {
  const container = await trial.create({ image: IMAGES.base, name: "witness", entrypoint: ["true"], health: false });
  return (await container.inspect()).HostConfig.NetworkMode ?? "";
}

describe("the init script", () => {
  let trial: Trial;
  beforeAll(async () => {
    trial = await Trial.create();
  });
  afterAll(() => trial.remove());

  const failure = async (changes: Parameters<typeof graphite>[1]) => {
    const container = await trial.start(graphite(trial.subnet, changes));
    expect(await container.exitCode()).toBe(1);
    return container.line("failed: ");
  };

  test("says what is missing or wrong", async () => {
    const schemas = (text: string) => ({ files: { "/etc/carbon/storage-schemas.conf": text } });
    expect(await failure({ environment: { METRICS_SUBNET: "" } })).toContain("lacks METRICS_SUBNET");
    expect(await failure({ environment: { METRICS_SUBNET: "192.0.2.0/24" } })).toContain("no address in 192.0.2.0/24");
    expect(await failure({ secrets: {} })).toContain("graphite-secret-key");
    expect(await failure({ files: {} })).toContain("no retentions in /etc/carbon/storage-schemas.conf");
    // The first of the two is what carbon's own check takes for valid.
    expect(await failure(schemas(renderStorageSchemas("2m:7d,5m:60d")))).toContain("invalid retention definition");
    expect(await failure(schemas("[x]\npattern = .*\nretentions = often\n"))).toContain("'often'");
  });

  test("may be killed at any point and run again", async () => {
    const container = await trial.start({
      ...graphite(trial.subnet),
      entrypoint: ["sleep", "infinity"],
      health: false,
    });
    expect(await killEverywhere(container)).toBeGreaterThan(20);
    await container.output("/usr/local/bin/init-once");
    const tables = `import sqlite3; print([name for name, in sqlite3.connect("/var/lib/graphite/graphite.db").execute(
      "select name from sqlite_master where type = 'table'")])`;
    expect(await container.output("python3", "-c", tables)).toContain("dashboard_dashboard");
  });
});

describe("with the real Icinga", () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await Stack.create();
    await stack.mySql.start();
  });
  afterAll(() => stack.trial.remove());

  // The paths that Grafana's and Thruk's links rely on.
  test("what it writes is found under its location, host and service", async () => {
    const container = await stack.trial.start(graphite(stack.trial.subnet));
    const master = await stack.trial.start(stack.master());
    await Promise.all([container.line("ready"), master.line("ready")]);
    const mark = randomBytes(2).readUInt16BE();
    const data = `load1=1.5;2;3;0 'free /var'=12MB;;;0;100 requests=${mark}c time=250ms 'a.b::c'=3%`;
    await uploadObjects(
      master,
      `object Host "web.example" { check_command = "dummy"; check_interval = 1s; vars.location = "frankfurt"
      vars.dummy_text = "up|rta=1.5ms" }
    object Service "many things" { host_name = "web.example"; check_command = "dummy"; check_interval = 1s
      vars.dummy_text = "fine|${data}" }`,
    );
    const site = new Site(container, master);
    const service = "icinga2.frankfurt.web_example.services.many_things.dummy.perfdata";
    const expected = {
      "icinga2.frankfurt.web_example.host.dummy.perfdata.rta.value": 0.0015,
      // Of check_multi and its like: :: is one step more, and holds for the labels behind it, too.
      [`${service}.a.b.c.value`]: 3,
      [`${service}.free__var.value`]: 12e6,
      [`${service}.load1.value`]: 1.5,
      // A counter is a value like any other: its unit is not handed on.
      [`${service}.requests.value`]: mark,
      [`${service}.time.value`]: 0.25,
    };
    let seen: Record<string, number> = {};
    const targets = ["host.*.perfdata.*.value", "services.*.*.perfdata.*.value", "services.*.*.perfdata.*.*.*.value"];
    const all = targets.map((target) => `icinga2.frankfurt.web_example.${target}`).join("&target=");
    await until(
      async () => {
        const values = await site.values(all);
        seen = Object.fromEntries(Object.entries(values).map(([path, [first = ""]]) => [path, parseFloat(first)]));
        return Object.keys(seen).length >= Object.keys(expected).length;
      },
      () => JSON.stringify(seen),
      30,
    );
    expect(seen).toEqual(expected);
    expect((await callApi(master, "GET", "status/GraphiteWriter")).text).toContain('"connected":true');
    // The master's own checks come every 30 s.
    const own = "icinga2.central.icinga-master.services.icinga.icinga.perfdata.uptime.value";
    await until(
      async () => own in (await site.values(own, "-5min")),
      () => site.get("/metrics/index.json"),
    );
  });
});
