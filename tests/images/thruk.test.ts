import { IMAGES, type Texts, type TrialContainer, until } from "./icingaTrial";
import { asOperator, Stack, uploadObjects } from "./icingaStack";
import { THRUK_FIXTURE_IMAGE } from "../../toolchain/thrukImage";

jest.setTimeout(180_000);

/** All that Thruk can read in the address of its log cache and that could break something on the way there. */
const PASSWORD = "it's:/a?\"%s`$&<pass>";
const [HOST, SERVICE] = ["web.example.com", "web site"];

const OBJECTS = `
  object HostGroup "location-frankfurt" { }
  object Host "${HOST}" {
    check_command = "dummy"; check_interval = 2s; groups = [ "location-frankfurt" ]; vars.location = "frankfurt"
  }
  object Host "chicago.example.com" { check_command = "dummy"; check_interval = 2s; vars.location = "chicago" }
  object Service "${SERVICE}" { host_name = "${HOST}"; check_command = "passive"; max_check_attempts = 1 }
`;

/** Asks Thruk from within another container; prints status, headers and body as JSON. */
const ASK = `
import http.client, json, sys
method, path, headers, body = sys.argv[1:]
connection = http.client.HTTPConnection("thruk", 80, timeout=30)
connection.request(method, path, body or None, json.loads(headers))
answer = connection.getresponse()
print(json.dumps({"status": answer.status, "location": answer.getheader("Location"), "text": answer.read().decode()}))
`;

interface Answer {
  readonly status: number;
  readonly location: string | null;
  readonly text: string;
}

let stack: Stack;
let master: TrialContainer;
let gateway: TrialContainer;
let thruk: TrialContainer;

function thrukOptions(changes: Texts = {}, password = PASSWORD) {
  return {
    image: THRUK_FIXTURE_IMAGE,
    name: "thruk",
    environment: {
      SPEC_HASH: "one",
      WEB_SUBNET: stack.trial.subnet,
      LIVESTATUS_HOST: "icinga-master",
      MYSQL_HOST: "mysql",
      MYSQL_DATABASE: "thruk",
      MYSQL_USER: "thruk",
      HISTORY_DAYS: "30",
      ...changes,
    },
    secrets: { "mysql-thruk-password": password },
    volumes: { "/var/lib/thruk": "thruk" },
  };
}

const bystander = (name: string) =>
  stack.trial.start({ image: IMAGES.base, name, entrypoint: ["sleep", "infinity"], health: false });

async function ask(
  from: TrialContainer,
  path: string,
  headers: Texts = {},
  form?: Readonly<Record<string, string>>,
): Promise<Answer> {
  const method = form === undefined ? "GET" : "POST";
  const body = form === undefined ? "" : new URLSearchParams(form).toString();
  const all = { ...headers, ...(form === undefined ? {} : { "Content-Type": "application/x-www-form-urlencoded" }) };
  const argv = ["python3", "-c", ASK, method, path, JSON.stringify(all), body];
  return JSON.parse(await from.output(...argv)) as Answer;
}

/** As the gateway says who it is. */
const as = (role: string, path: string, form?: Readonly<Record<string, string>>) =>
  ask(gateway, path, { "X-Forwarded-User": `some.${role}`, "X-Forwarded-Role": role }, form);

async function tokenOf(role: string): Promise<string | undefined> {
  const { text } = await as(role, `/thruk/cgi-bin/extinfo.cgi?type=2&host=${HOST}&service=web+site`);
  return /name="CSRFtoken" value="([^"]+)"/.exec(text)?.[1];
}

const acknowledge = async (role: string, token?: string) =>
  as(role, "/thruk/cgi-bin/cmd.cgi", {
    cmd_typ: "34",
    cmd_mod: "2",
    host: HOST,
    service: SERVICE,
    com_data: "seen",
    CSRFtoken: token ?? (await tokenOf(role)) ?? "none",
  });

const ALERT = `SERVICE ALERT: ${HOST};${SERVICE}`;
const history = async () => (await as("viewer", "/thruk/cgi-bin/showlog.cgi")).text;
const untilInHistory = (text: string) => until(async () => (await history()).includes(text), history, 30);
/** How many lines of the log cache are this one. */
const cached = async (text: string) =>
  Number(await stack.sql(`SELECT COUNT(*) FROM fixture_log WHERE message LIKE '%${text}%'`, "thruk"));

const report = (state: number, output: string) =>
  asOperator(master, "POST", "actions/process-check-result", {
    type: "Service",
    filter: `host.name=="${HOST}"`,
    exit_status: state,
    plugin_output: output,
  });

async function acknowledgement(): Promise<number> {
  const answer = JSON.parse(await asOperator(master, "GET", `objects/services/${HOST}!web%20site`)) as {
    results: { attrs: { acknowledgement: number } }[];
  };
  return answer.results[0]?.attrs.acknowledgement ?? -1;
}

beforeAll(async () => {
  stack = await Stack.create();
  thruk = await stack.trial.start(thrukOptions());
  await thruk.line("waiting: Thruk's log cache in MySQL");
  await stack.mySql.start();
  master = await stack.trial.start(stack.master());
  await master.line("ready", 0, 120);
  const password = PASSWORD.replace(/'/g, "''");
  await stack.sql(`CREATE DATABASE thruk; CREATE USER thruk@'%' IDENTIFIED BY '${password}';
    GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, ALTER, INDEX, LOCK TABLES ON thruk.* TO thruk@'%'`);
  await uploadObjects(master, OBJECTS);
  gateway = await bystander("gateway");
  await thruk.line("ready", 0, 120);
}, 300_000);

afterAll(() => stack.trial.remove());

test("the gateway alone is let in, whatever others say who they are", async () => {
  const stranger = await bystander("stranger");
  const forged = { "X-Forwarded-User": "some.admin", "X-Forwarded-Role": "admin", "X-Forwarded-For": "127.0.0.1" };
  for (const path of ["/", "/thruk/", "/thruk/cgi-bin/tac.cgi", "/thruk/cgi-bin/remote.cgi", "/thruk/r/hosts"]) {
    expect(await ask(stranger, path, forged)).toMatchObject({ status: 403 });
  }
  await stack.trial.discard(stranger);
});

test("who the gateway does not name in a known role gets nothing but the health", async () => {
  expect(await ask(gateway, "/thruk/cgi-bin/remote.cgi")).toMatchObject({ status: 200 });
  expect(await ask(gateway, "/thruk/cgi-bin/remote.cgi", {}, { data: "{}" })).toMatchObject({ status: 403 });
  const basic = `Basic ${Buffer.from("thrukadmin:thrukadmin").toString("base64")}`;
  const nobodies: Texts[] = [
    {},
    { Authorization: basic },
    { "X-Forwarded-User": "thrukadmin" },
    { "X-Forwarded-Role": "admin" },
    { "X-Forwarded-User": "a", "X-Forwarded-Role": "root" },
    { "X-Forwarded-User": "../a", "X-Forwarded-Role": "admin" },
  ];
  for (const headers of nobodies) {
    expect(await ask(gateway, "/thruk/cgi-bin/tac.cgi", headers)).toMatchObject({ status: 403 });
  }
});

test("a session of another's own making is worth nothing", async () => {
  const identity = { "X-Forwarded-User": "some.viewer", "X-Forwarded-Role": "viewer" };
  await as("admin", "/thruk/r/thruk/whoami");
  for (const Cookie of [`thruk_auth=${"0".repeat(64)}_1`, `a=b; thruk_auth=x; thruk_auth=y`, "thruk_theme=Dark"]) {
    const { text } = await ask(gateway, "/thruk/r/thruk/whoami", { ...identity, Cookie });
    expect(JSON.parse(text)).toMatchObject({ id: "some.viewer", can_submit_commands: 0 });
  }
});

test("hosts of all locations are shown with their state, and lead to their graphs", async () => {
  await until(
    async () =>
      (await as("viewer", "/thruk/cgi-bin/status.cgi?style=hostdetail")).text.match(/class="UP"/g)?.length === 2,
    async () => (await as("viewer", "/thruk/cgi-bin/status.cgi?style=hostdetail")).text,
  );
  const group = await as("viewer", "/thruk/cgi-bin/status.cgi?style=hostdetail&hostgroup=location-frankfurt");
  expect(group.text).toContain(HOST);
  expect(group.text).not.toContain("chicago");
  const details = await as("viewer", `/thruk/cgi-bin/extinfo.cgi?type=2&host=${HOST}&service=web+site`);
  expect(details.text).toContain(
    `href="/grafana/d/host/host?var-location=frankfurt&amp;var-host=web_example_com&amp;var-service=web_site"`,
  );
});

test("an operator's acknowledgement arrives in Icinga, a viewer's and a forged one do not", async () => {
  await report(2, "broken");
  const operators = await tokenOf("operator");
  expect(await acknowledge("viewer", operators)).toMatchObject({ status: 403 });
  expect(await acknowledge("operator", "forged")).toMatchObject({ status: 403 });
  expect(await acknowledgement()).toBe(0);
  expect(await acknowledge("operator", operators)).toMatchObject({ status: 200 });
  await until(async () => (await acknowledgement()) === 2, acknowledgement);
});

test("what a role may do is in the session", async () => {
  const roles = await Promise.all(
    ["admin", "operator", "viewer"].map(async (role) => {
      const { text } = await as(role, "/thruk/r/thruk/whoami");
      return JSON.parse(text) as { id: string; roles: string[]; can_submit_commands: number };
    }),
  );
  expect(roles.map(({ id, can_submit_commands }) => [id, can_submit_commands])).toEqual([
    ["some.admin", 1],
    ["some.operator", 1],
    ["some.viewer", 0],
  ]);
  expect(roles.map((user) => user.roles.includes("authorized_for_admin"))).toEqual([true, false, false]);
});

test("a replaced container keeps business processes, history and sessions", async () => {
  const token = await tokenOf("operator");
  await as("operator", "/thruk/cgi-bin/bp.cgi", { bp_label: "Web shop", CSRFtoken: token ?? "" });
  await untilInHistory(`${ALERT};CRITICAL;HARD;1;broken`);
  expect(await cached(`${ALERT};CRITICAL;HARD;1;broken`)).toBe(1);
  await stack.trial.discard(thruk);
  thruk = await stack.trial.start(thrukOptions());
  await thruk.logged("apache2 entered RUNNING state");
  expect((await as("viewer", "/thruk/cgi-bin/bp.cgi")).text).toContain("<li>Web shop</li>");
  expect(await history()).toContain(`${ALERT};CRITICAL;HARD;1;broken`);
  expect(await tokenOf("operator")).toBe(token);
});

test("the password of the log cache is for Thruk's user alone", async () => {
  const [start] = PASSWORD.split("/");
  expect(await thruk.processes()).not.toContain(start);
  expect(await thruk.logs()).not.toContain(start);
  const file = "/etc/thruk/thruk_local.d/backend.conf";
  expect((await thruk.run(["cat", file], "nagios")).code).not.toBe(0);
  expect(await thruk.output("stat", "-c", "%U:%G %a", file)).toBe("root:www-data 640");
  // The vendor's own account and configuration are gone.
  expect((await thruk.run(["ls", "/etc/thruk/htpasswd"])).code).not.toBe(0);
  expect(await thruk.output("cat", "/etc/thruk/cgi.cfg")).not.toContain("thrukadmin");
});

test("the log cache keeps as many days as the stack says", async () => {
  const old = Math.floor(Date.now() / 1000) - 31 * 86_400;
  await stack.sql(`INSERT INTO fixture_log (time, message, line) VALUES (${old}, 'old', 'old')`, "thruk");
  const { code, output } = await thruk.run(["thruk", "logcache", "clean"], "www-data");
  expect([code, output]).toEqual([0, expect.stringContaining("removed 1 ")]);
});

test("a master that is away is reported and restarts nothing; it is found again at another address, with its history", async () => {
  const check = async () => {
    await thruk.run(["check-backends", "--keep"], "www-data");
    return thruk.run(["/usr/local/bin/check-backends"], "nagios");
  };
  expect(await check()).toMatchObject({ code: 0, output: expect.stringContaining("OK") as string });
  // The last that this master tells: the log cache, should it have been quick, is made to forget it.
  await report(1, "its last words");
  await master.stop();
  await stack.trial.discard(master);
  await stack.sql("DELETE FROM fixture_log WHERE message LIKE '%its last words%'", "thruk");
  // Takes the address that became free.
  const other = await bystander("other");
  expect(await check()).toMatchObject({ code: 2, output: expect.stringContaining("CRITICAL") as string });
  expect((await thruk.run(["/usr/local/bin/healthcheck"])).code).toBe(0);
  expect((await thruk.inspect()).State.Health?.Status).toBe("healthy");
  expect(await as("viewer", "/thruk/cgi-bin/tac.cgi")).toMatchObject({ status: 500 });
  master = await stack.trial.start(stack.master());
  await until(
    async () => (await as("viewer", "/thruk/cgi-bin/status.cgi?style=hostdetail")).text.includes(HOST),
    () => thruk.logs(),
    120,
  );
  expect(await check()).toMatchObject({ code: 0 });
  await untilInHistory(`${ALERT};WARNING;HARD;1;its last words`);
  await stack.trial.discard(other);
});

test("ends at once, and refuses what Thruk cannot read", async () => {
  expect(await thruk.stop()).toBeLessThan(10);
  const refused = await stack.trial.start(thrukOptions({}, "a@b"));
  expect(await refused.exitCode()).toBe(1);
  expect(await refused.logs()).toMatch(/^failed: the password in mysql-thruk-password .*@/m);
  const elsewhere = await stack.trial.start(thrukOptions({ WEB_SUBNET: "192.0.2.0/24" }));
  expect(await elsewhere.exitCode()).toBe(1);
  expect(await elsewhere.logs()).toMatch(/^failed: Thruk has no address to listen on: no address in 192\.0\.2\.0\/24/m);
});
