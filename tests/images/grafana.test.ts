import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type Dockerode from "dockerode";
import { grafanaEnvironment, grafanaFiles } from "../../render/grafana";
import { docker, IMAGES, Trial, type TrialContainer, until } from "./icingaTrial";

jest.setTimeout(300_000);

/** The vendor's image, or the fixture that speaks its interface. */
const IMAGE = process.env["ICINGA_SWARM_IMAGE_GRAFANA"] ?? "icinga-swarm/fixture-grafana:13.2";
const PASSWORD = 'grafana\'s "password" #1;';
const SCRIPTS = join(__dirname, "../../images");
const READY_MARK = "/var/lib/grafana/.ready";

/** Answers as Graphite would, with a line through whatever is asked for. */
const GRAPHITE = `
import json, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Graphite(BaseHTTPRequestHandler):
    def do_GET(self):
        now = int(time.time())
        answer = [{"text": "frankfurt", "id": "icinga2.frankfurt", "leaf": 0}] if "/find" in self.path else \\
            [{"target": "web1", "datapoints": [[1.5, now - 60], [2.5, now]]}]
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
ThreadingHTTPServer(("0.0.0.0", 8080), Graphite).serve_forever()
`;

/** Asks for an address with headers, given as JSON, and prints what came. */
const CLIENT = `
import json, sys, urllib.error, urllib.request
asked = json.loads(sys.argv[1])
class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_): return None
body = asked.get("body")
request = urllib.request.Request(asked["url"], method=asked.get("method", "GET"), headers=asked.get("headers", {}),
                                 data=None if body is None else json.dumps(body).encode())
try:
    answer = urllib.request.build_opener(Stay).open(request, timeout=10)
except urllib.error.HTTPError as error:
    answer = error
except OSError as problem:
    print(json.dumps({"status": 0, "text": str(problem)}))
    sys.exit()
print(json.dumps({"status": answer.status, "text": answer.read().decode(), "location": answer.headers.get("Location")}))
`;

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly location?: string;
}

interface Asked {
  readonly user?: string;
  readonly role?: string;
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** @default the service's name */
  readonly host?: string;
}

let trial: Trial;
let mySql: TrialContainer;
let graphite: TrialContainer;

beforeAll(async () => {
  trial = await Trial.create();
  // Under another name: in a stack the name does not resolve before MySQL is ready.
  mySql = await startMySql("database");
  graphite = await trial.start({
    image: IMAGES.base,
    name: "client",
    entrypoint: ["sleep", "infinity"],
    health: false,
    files: { "/opt/client.py": CLIENT, "/opt/graphite.py": GRAPHITE },
  });
  await becomesHealthy(mySql);
});

afterAll(() => trial.remove());

async function startMySql(name: string): Promise<TrialContainer> {
  const script = (file: string) => readFileSync(join(SCRIPTS, "mysql", file), "utf8");
  const names = ["root", "icinga", "thruk", "grafana"];
  return trial.start({
    image: IMAGES.mySql,
    name,
    environment: {
      SPEC_HASH: "1",
      MYSQL_ROOT_PASSWORD_FILE: "/run/secrets/mysql-root-password",
      MYSQL_ROOT_HOST: "localhost",
    },
    secrets: Object.fromEntries(
      names.map((one) => [`mysql-${one}-password`, one === "grafana" ? PASSWORD : `of-${one}`]),
    ),
    files: {
      "/usr/local/bin/start-mysql": script("start.sh"),
      "/usr/local/bin/healthcheck": script("health.sh"),
      "/docker-entrypoint-initdb.d/10-icinga-swarm.sh": script("init.sh"),
    },
    entrypoint: ["bash"],
    command: ["/usr/local/bin/start-mysql"],
  });
}

/** Grafana as the service makes it: its files, its secrets, its environment. */
async function createGrafana(more: Readonly<Record<string, string>> = {}, volume = "grafana"): Promise<TrialContainer> {
  const container = await trial.create({
    image: IMAGE,
    name: "grafana",
    environment: {
      SPEC_HASH: "1",
      ...grafanaEnvironment({ httpsPort: 443, webSubnet: trial.subnet }),
      GF_DATABASE_HOST: "mysql:3306",
      GRAPHITE_URL: "http://graphite:8080",
      WEB_SUBNET: trial.subnet,
      ...more,
    },
    volumes: { "/var/lib/grafana": volume },
    files: {
      "/usr/local/bin/start-grafana": readFileSync(join(SCRIPTS, "grafana/start.sh"), "utf8"),
      "/usr/local/bin/healthcheck": readFileSync(join(SCRIPTS, "grafana/health.sh"), "utf8"),
      ...Object.fromEntries(grafanaFiles().map(({ path, text }) => [path, text])),
    },
    entrypoint: ["sh", "/usr/local/bin/start-grafana"],
  });
  await copySecrets(container.container, {
    "run/secrets/grafana-database-password": PASSWORD,
    "run/secrets/grafana-admin-password": "admin-password-of-test",
    "run/secrets/grafana-secret-key": "secret-key-of-test",
  });
  return container;
}

/** As Swarm mounts them: readable for Grafana's user alone. */
async function copySecrets(container: Dockerode.Container, files: Readonly<Record<string, string>>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "icinga-swarm-grafana-"));
  for (const [path, text] of Object.entries(files)) {
    execFileSync("mkdir", ["-p", join(directory, dirname(path))]);
    writeFileSync(join(directory, path), text, { mode: 0o400 });
  }
  const archive = execFileSync("tar", ["-c", "--owner=472", "--group=0", "-C", directory, ...Object.keys(files)]);
  rmSync(directory, { recursive: true });
  await container.putArchive(archive, { path: "/" });
}

async function startGrafana(more: Readonly<Record<string, string>> = {}, volume?: string): Promise<TrialContainer> {
  const container = await createGrafana(more, volume);
  await container.start();
  return container;
}

async function healthOf(container: TrialContainer): Promise<string | undefined> {
  return (await container.inspect()).State.Health?.Status;
}

function becomesHealthy(container: TrialContainer): Promise<void> {
  return until(
    async () => (await healthOf(container)) === "healthy",
    async () => `healthy:\n${await container.logs()}`,
    120,
  );
}

/** Gives a container one more name in the network. */
async function nameIt(container: TrialContainer, alias: string): Promise<void> {
  const info = await container.inspect();
  const network = docker.getNetwork(Object.values(info.NetworkSettings.Networks)[0]?.NetworkID ?? "");
  await network.disconnect({ Container: info.Id });
  await network.connect({ Container: info.Id, EndpointConfig: { Aliases: [alias] } });
}

/** What Grafana answers somebody in the web network who says that he is that user. */
async function ask(path: string, asked: Asked = {}, from = graphite): Promise<Answer> {
  const { user, role, host = "grafana", ...rest } = asked;
  const headers = {
    ...(user === undefined ? {} : { "X-WEBAUTH-USER": user }),
    ...(role === undefined ? {} : { "X-WEBAUTH-ROLE": role }),
    ...(rest.body === undefined ? {} : { "Content-Type": "application/json" }),
    ...rest.headers,
  };
  const request = { ...rest, headers, url: `http://${host}:3000${path}` };
  return JSON.parse(await from.output("python3", "/opt/client.py", JSON.stringify(request))) as Answer;
}

/** A dashboard that somebody draws. */
function drawing(title: string, uid: string) {
  return {
    dashboard: {
      uid,
      title,
      schemaVersion: 42,
      panels: [{ id: 1, type: "text", gridPos: { x: 0, y: 0, w: 6, h: 3 } }],
    },
  };
}

let grafana: TrialContainer;

test("Grafana waits for its neighbours, one after the other, and says so; then it is ready", async () => {
  grafana = await startGrafana();
  await grafana.line("waiting: mysql is not there yet");
  expect((await grafana.inspect()).State.Running).toBe(true);
  await nameIt(mySql, "mysql");
  await grafana.line("waiting: Graphite does not answer at http://graphite:8080");
  expect(await healthOf(grafana)).toBe("starting");
  await nameIt(graphite, "graphite");
  await graphite.run(["sh", "-c", "python3 /opt/graphite.py >/dev/null 2>&1 &"]);
  await grafana.line("ready");
  await becomesHealthy(grafana);
  expect(await grafana.count("waiting: mysql")).toBeLessThanOrEqual(2);
});

test("what is rendered is provisioned: the data source and every dashboard", async () => {
  const found = JSON.parse((await ask("/grafana/api/search", { user: "v", role: "Viewer" })).text) as { uid: string }[];
  expect(found.map(({ uid }) => uid).sort()).toEqual(["host", "location", "locations", "monitoring"]);
  const values = await ask("/grafana/api/datasources/proxy/uid/graphite/render?target=x&format=json", { user: "v" });
  expect(JSON.parse(values.text)).toMatchObject([{ target: "web1" }]);
  const home = await ask("/grafana/", { user: "v" });
  expect(home.status).toBe(200);
});

test("without the gateway's word nobody gets in, whatever he claims otherwise", async () => {
  for (const path of ["/grafana/api/user", "/grafana/api/search", "/grafana/api/dashboards/uid/host"]) {
    expect((await ask(path)).status).toBe(401);
    for (const password of ["admin", "admin-password-of-test"]) {
      for (const name of ["admin", "_grafana"]) {
        const Authorization = `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}`;
        expect((await ask(path, { headers: { Authorization } })).status).toBe(401);
      }
    }
  }
  const login = await ask("/grafana/login", { method: "POST", body: { user: "admin", password: "admin" } });
  expect(login.status).toBeGreaterThanOrEqual(400);
  expect((await ask("/grafana/metrics")).status).not.toBe(200);
  expect(await ask("/grafana/logout", { user: "v" })).toMatchObject({ status: 302, location: "/logout" });
  const health = await ask("/grafana/api/health");
  expect(JSON.parse(health.text)).toEqual({ database: "ok" });
});

test("it listens in the web network alone, and believes names from nowhere else", async () => {
  const other = await docker.createNetwork({ Name: `icinga-swarm-test-${randomBytes(6).toString("hex")}` });
  const elsewhere = await trial.start({
    image: IMAGES.base,
    name: "elsewhere",
    entrypoint: ["sleep", "infinity"],
    health: false,
    files: { "/opt/client.py": CLIENT },
  });
  try {
    await other.connect({ Container: elsewhere.container.id });
    await other.connect({ Container: grafana.container.id });
    const networks = (await grafana.inspect()).NetworkSettings.Networks;
    const address = Object.values(networks).find(({ NetworkID }) => NetworkID === other.id)?.IPAddress;
    const forged = { user: "eve", role: "Admin", host: String(address) };
    expect((await ask("/grafana/api/user", forged, elsewhere)).status).toBe(0);
  } finally {
    await other.disconnect({ Container: grafana.container.id, Force: true });
    await other.disconnect({ Container: elsewhere.container.id, Force: true });
    await other.remove();
  }
  const strict = await startGrafana({ GF_AUTH_PROXY_WHITELIST: "192.0.2.0/24", SPEC_HASH: "strict" }, "strict");
  await becomesHealthy(strict);
  const host = await strict.address();
  expect((await ask("/grafana/api/user", { user: "eve", role: "Admin", host })).status).toBe(401);
  await trial.discard(strict);
});

test("roles are the gateway's: a viewer saves nothing, an operator saves, a changed role acts at once", async () => {
  const save = (user: string, role: string, uid = "drawn") =>
    ask("/grafana/api/dashboards/db", {
      user,
      role,
      method: "POST",
      body: { ...drawing("Drawn", uid), overwrite: true },
    });
  expect((await save("vera", "Viewer")).status).toBe(403);
  expect((await save("otto", "Editor")).status).toBe(200);
  expect((await save("otto", "Viewer")).status).toBe(403);
  expect((await save("otto", "Editor")).status).toBe(200);
  expect((await ask("/grafana/api/org/users", { user: "otto", role: "Editor" })).status).toBe(403);
  expect((await ask("/grafana/api/org/users", { user: "anna", role: "Admin" })).status).toBe(200);
  // The stack's own are changed in the stack alone.
  expect((await save("anna", "Admin", "locations")).status).toBe(400);
});

test("a user called admin is a user like any other", async () => {
  const user = JSON.parse((await ask("/grafana/api/user", { user: "admin", role: "Viewer" })).text) as unknown;
  expect(user).toMatchObject({ login: "admin", isGrafanaAdmin: false });
});

test("a WebSocket is let through", async () => {
  const upgrade = { Connection: "Upgrade", Upgrade: "websocket", "Sec-WebSocket-Version": "13" };
  const key = { "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==" };
  const headers = { ...upgrade, ...key, Origin: "http://grafana:3000" };
  expect((await ask("/grafana/api/live/ws", { user: "v", headers })).status).toBe(101);
  const foreign = { ...headers, Origin: "https://evil.example.com" };
  expect((await ask("/grafana/api/live/ws", { user: "v", headers: foreign })).status).toBe(403);
});

test("no secret is in the log, the environment or on a command line", async () => {
  const look = "cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n'";
  const seen = `${(await grafana.run(["bash", "-c", look])).output}\n${await grafana.logs()}`;
  for (const secret of [PASSWORD, "admin-password-of-test", "secret-key-of-test"]) expect(seen).not.toContain(secret);
  expect((await grafana.run(["stat", "-c", "%u", "/proc/1"])).output.trim()).toBe("472");
});

test("what people drew survives a new container with an empty volume: it is in MySQL", async () => {
  await trial.discard(grafana);
  grafana = await startGrafana({ SPEC_HASH: "2" }, "grafana-2");
  await becomesHealthy(grafana);
  const found = await ask("/grafana/api/dashboards/uid/drawn", { user: "vera", role: "Viewer" });
  expect(JSON.parse(found.text)).toMatchObject({ dashboard: { title: "Drawn" }, meta: { provisioned: false } });
});

test("neither a dead database nor a dead Graphite gets Grafana restarted", async () => {
  const { output } = await grafana.run(["cat", READY_MARK]);
  expect(output).toBe("2");
  await mySql.container.pause();
  await graphite.run(["pkill", "-f", "^python3 /opt/graphite.py"]);
  const before = Date.now();
  expect((await grafana.run(["/usr/local/bin/healthcheck"], "472")).code).toBe(0);
  expect(Date.now() - before).toBeGreaterThan(10_000);
  await mySql.container.unpause();
  await until(
    async () => (await ask("/grafana/api/health")).status === 200,
    () => "the database is used again",
  );
});

test("a wrong password of the database ends it; a Grafana that hangs is found dead", async () => {
  const wrong = await createGrafana({ SPEC_HASH: "wrong" }, "wrong");
  await copySecrets(wrong.container, { "run/secrets/grafana-database-password": "not-the-password" });
  await wrong.start();
  expect(await wrong.exitCode()).not.toBe(0);
  expect(await wrong.logs()).toMatch(/Access denied/);

  await grafana.container.kill({ signal: "SIGSTOP" });
  const { code, output } = await grafana.run(["/usr/local/bin/healthcheck"], "472");
  expect(output).toContain("Grafana does not answer");
  expect(code).toBe(1);
});

test("both ways to give one secret are refused", async () => {
  const both = await createGrafana(
    { SPEC_HASH: "both", GF_SECURITY_SECRET_KEY__FILE: "/run/secrets/grafana-secret-key" },
    "both",
  );
  await both.start();
  expect(await both.exitCode()).toBe(1);
  expect(await both.logs()).toContain("(but are exclusive)");
});
