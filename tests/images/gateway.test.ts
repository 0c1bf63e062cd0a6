import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hashSync } from "bcryptjs";
import { gatewayUsers } from "../../render/gatewayUsers";
import type { User } from "../../settings/schema";
import {
  type Answer,
  type Ask,
  Client,
  COOKIE,
  FORGED,
  GATEWAY_IMAGE,
  header,
  isHealthy,
  sent,
  sentHeaders,
  startPage,
} from "./gatewayTrial";
import { Trial, type TrialContainer, until } from "./icingaTrial";

const PASSWORDS: Record<string, string> = { alice: "wonderland", oscar: "garbage can", vera: "just looking" };
const ROLES: Record<string, User["role"]> = { alice: "admin", oscar: "operator", vera: "viewer" };

const cookieOf = (answer: Answer | undefined): string | undefined =>
  header(answer, "set-cookie")?.match(/^__Host-icinga-swarm=([^;]+)/)?.[1];

function users(changes: Record<string, string | undefined> = {}): string {
  const passwords = Object.entries({ ...PASSWORDS, ...changes });
  return gatewayUsers(
    passwords.flatMap(([name, password]) =>
      // Ten rounds: the tests log in often.
      password === undefined ? [] : [{ name, role: ROLES[name] ?? "viewer", passwordHash: hashOf(password) }],
    ),
  );
}
const hashes = new Map<string, string>();
function hashOf(password: string): string {
  const hash = hashes.get(password) ?? hashSync(password, 10);
  hashes.set(password, hash);
  return hash;
}

jest.setTimeout(180_000);

let trial: Trial;
let client: Client;
let gateway: TrialContainer;
const SECRETS = { "gateway-users": users(), "gateway-session-key": "key-of-the-sessions" };
const ENVIRONMENT = {
  SPEC_HASH: "one",
  GATEWAY_HOSTNAME: "gateway.example.com",
  PUBLISHED_HTTPS_PORT: "8443",
  IDLE_MINUTES: "30",
  LOGIN_ATTEMPTS: "100",
};

function startGateway(
  secrets: Record<string, string> = SECRETS,
  environment: Record<string, string> = {},
  volume = "data",
): Promise<TrialContainer> {
  return trial.start({
    image: GATEWAY_IMAGE,
    name: "gateway",
    environment: { ...ENVIRONMENT, ...environment },
    secrets,
    volumes: { "/var/lib/gateway": volume },
  });
}

async function replaceGateway(secrets?: Record<string, string>, environment?: Record<string, string>): Promise<void> {
  await trial.discard(gateway);
  gateway = await startGateway(secrets, environment);
  await isHealthy(gateway);
}

const ask = (...requests: Ask[]): Promise<Answer[]> => client.ask(gateway, ...requests);

const form = (user: string, password = PASSWORDS[user] ?? ""): string =>
  new URLSearchParams({ user, password }).toString();

async function login(user: string, password?: string): Promise<string> {
  const [answer] = await ask({ method: "POST", path: "/login", body: form(user, password) });
  expect(answer?.status).toBe(302);
  return cookieOf(answer) ?? "";
}

/** Whether an answer is the login page and nothing else. */
const isLogin = ({ status, body }: Answer): boolean =>
  status === 401 && body.includes('<form method="post" action="/login');

beforeAll(async () => {
  trial = await Trial.create();
  client = await Client.start(trial);
  // Without a single page: it must start and be healthy all the same.
  gateway = await startGateway();
  await isHealthy(gateway);
});
afterAll(() => trial.remove());

test("is healthy without any page, and says of each on its start page and in its place that it is not there", async () => {
  const cookie = await login("vera");
  await until(
    async () => (await ask({ path: "/state/pages.json", cookie }))[0]?.status === 200,
    () => "states",
  );
  const [start, states, page] = await ask(
    { path: "/", cookie },
    { path: "/state/pages.json", cookie },
    { path: "/thruk/a", cookie },
  );
  expect(start?.body.match(/class="state down">Not ready/g)).toHaveLength(3);
  expect(JSON.parse(states?.body ?? "")).toMatchObject({ pages: { grafana: { state: "down", text: "Not ready" } } });
  expect(page?.status).toBe(503);
  expect(page?.body).toContain("<h1>Thruk does not answer</h1>");
  expect(header(page, "retry-after")).toBe("5");
});

describe("with its pages", () => {
  let cookie: string;
  const pages = new Map<string, TrialContainer>();
  beforeAll(async () => {
    const ports = { thruk: 80, nagvis: 80, grafana: 3000 };
    for (const [name, port] of Object.entries(ports)) pages.set(name, await startPage(trial, name, port));
    cookie = await login("alice");
    await until(
      async () => (await ask({ path: "/", cookie }))[0]?.body.match(/state up/g)?.length === 3,
      async () => (await ask({ path: "/", cookie }))[0]?.body ?? "",
    );
  });

  test("a stranger gets the login page, its assets and nothing else, whatever the path and the method", async () => {
    const paths = [
      ..."/ /thruk /thruk/ /nagvis/ /grafana/ /grafana/api/health /thruk/cgi-bin/remote.cgi /state/pages.json /nothing".split(
        " ",
      ),
      ..."//thruk/ /thruk//x /login/../thruk/ /pages/../thruk/ /pages/%2e%2e/thruk/ /login%2f..%2fthruk/ /%74hruk/".split(
        " ",
      ),
      ..."/./thruk/ /pages/..//thruk/ /logout/../thruk/ /index.html /.htaccess /server-status".split(" "),
    ];
    const methods = ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE", "PROPFIND"];
    const answers = await ask(
      ...paths.map((path) => ({ path })),
      ...methods.flatMap((method) => [
        { method, path: "/thruk/" },
        { method, path: "/grafana/" },
      ]),
      ...[cookie.replace(/^./, (letter) => (letter === "0" ? "1" : "0")), "x", "' OR '1'='1"].map((bad) => ({
        path: "/thruk/",
        cookie: bad,
      })),
      { path: "/thruk/", headers: [["Authorization", `Basic ${Buffer.from("alice:wonderland").toString("base64")}`]] },
      {
        path: "/thruk/",
        headers: [
          ["X-Forwarded-User", "alice"],
          ["X-WEBAUTH-USER", "alice"],
          ["X-Forwarded-Role", "admin"],
        ],
      },
      // Only /login takes a login, and only spelled so: there the attempts are counted.
      ...["/thruk/", "//login", "/%6cogin", "/", "/pages/login.html"].map((path) => ({
        method: "POST",
        path,
        body: form("alice"),
      })),
      { method: "POST", path: "/thruk/", body: "httpd_username=alice&httpd_password=wonderland" },
    );
    for (const [index, answer] of answers.entries()) {
      const what = `${index}: ${answer.status} ${answer.body.slice(0, 80)}`;
      expect(answer.body.includes('"page"') ? what : "").toBe("");
      expect(cookieOf(answer) === undefined ? "" : what).toBe("");
      expect([400, 401, 404, 405, 200]).toContain(answer.status);
      if (answer.status === 200) expect(answer.body).toMatch(/<h1>Log in<\/h1>/);
    }
    expect(answers.slice(0, 9).every(isLogin)).toBe(true);
    const open = await ask({ path: "/login" }, { path: "/pages/assets/style.css" }, { path: "/pages/assets/login.js" });
    expect(open.map(({ status }) => status)).toEqual([200, 200, 200]);
  });

  test("who it is goes to the pages, and nothing that a client made up about it", async () => {
    const roles = { alice: ["admin", "Admin"], oscar: ["operator", "Editor"], vera: ["viewer", "Viewer"] };
    for (const [user, [role, grafana]] of Object.entries(roles)) {
      const own = await login(user);
      const headers = [...FORGED, ["Cookie", `mine=1; ${COOKIE}=${own}; other=2`] as const];
      const answers = await ask(
        { path: "/thruk/a?b=c", headers },
        { path: "/nagvis/", headers },
        { path: "/grafana/x%2Fy", headers },
      );
      expect(answers.map((answer) => sent(answer).path)).toEqual(["/thruk/a?b=c", "/nagvis/", "/grafana/x%2Fy"]);
      for (const answer of answers) {
        expect(sentHeaders(answer, /user$|role$/)).toEqual([
          `x-forwarded-role: ${role}`,
          `x-forwarded-user: ${user}`,
          `x-webauth-role: ${grafana}`,
          `x-webauth-user: ${user}`,
        ]);
        expect(sentHeaders(answer, /^cookie$/)).toEqual(["cookie: mine=1; other=2"]);
        expect(sentHeaders(answer, /^(authorization|forwarded)$/)).toEqual([]);
        expect(sentHeaders(answer, /^x-forwarded-(proto|host|for)$/)).toEqual([
          `x-forwarded-for: ${await client.address()}`,
          "x-forwarded-host: gateway.example.com",
          "x-forwarded-proto: https",
        ]);
        expect(answer.body).not.toMatch(/evil|6\.6\.6\.6/);
      }
    }
  });

  test("after the login the browser is back where it wanted to be, and never at another site", async () => {
    const asked = "/grafana/d/x?var=a&b=%22'";
    const [page] = await ask({ path: asked });
    expect(page?.body).toContain(`action="/login?to=/grafana/d/x?var=a&amp;b=%22`);
    const elsewhere = [
      "//evil.com",
      "https://evil.com/",
      "/\\evil.com",
      "/evil",
      "/thruk/%0d%0aX: y",
      "/thrukevil.com/",
      "@evil.com",
      "/thruk/\\..",
      "/login",
    ];
    const targets = [asked, "/thruk/", ...elsewhere];
    const answers = await ask(
      ...targets.map((to) => ({ method: "POST", path: `/login?to=${to.replaceAll(" ", "%20")}`, body: form("alice") })),
      { method: "POST", path: "/login", body: `${form("alice")}&httpd_location=https%3A%2F%2Fevil.com` },
    );
    const safe = "/thruk/%0d%0aX:%20y";
    expect(answers.map((answer) => header(answer, "location"))).toEqual([
      asked,
      "/thruk/",
      ...elsewhere.map((to) => (to.startsWith("/thruk/%0d") ? safe : "/")),
      "/",
    ]);
    for (const answer of answers) expect(header(answer, "x")).toBeUndefined();
    // What is typed into the address bar does not become part of the page.
    const [injected] = await ask({ path: `/thruk/"><script>alert(1)</script>` });
    expect(injected?.body).not.toContain("<script>alert");
  });

  test("another site can neither log somebody in nor out, nor act in somebody's name", async () => {
    const foreign: [string, string] = ["Origin", "https://evil.example.com"];
    const answers = await ask(
      { method: "POST", path: "/login", body: form("alice"), headers: [foreign] },
      { method: "POST", path: "/login", body: form("alice"), headers: [["Origin", "null"]] },
      { method: "POST", path: "/thruk/cgi-bin/cmd.cgi", body: "x=1", cookie, headers: [foreign] },
      { path: "/grafana/api/live/ws", cookie, headers: [foreign, ["Upgrade", "websocket"], ["Connection", "Upgrade"]] },
      { path: "/logout", cookie, headers: [["Sec-Fetch-Site", "cross-site"]] },
      { path: "/nagvis/server/core/ajax_handler.php?mod=Map", cookie, headers: [["Sec-Fetch-Site", "cross-site"]] },
    );
    expect(answers.map(({ status }) => status)).toEqual([403, 403, 403, 403, 403, 403]);
    const [own, still] = await ask(
      {
        method: "POST",
        path: "/thruk/cgi-bin/cmd.cgi",
        body: "x=1",
        cookie,
        headers: [["Origin", "https://gateway.example.com"]],
      },
      { path: "/thruk/", cookie },
    );
    expect(sent(own)).toMatchObject({ method: "POST", length: 3 });
    expect(still?.status).toBe(200);
  });

  test("logging out ends the session itself, not only the cookie", async () => {
    const mine = await login("oscar");
    const [out] = await ask({ path: "/logout", cookie: mine });
    expect(header(out, "location")).toBe("/login?ended");
    expect(cookieOf(out)).not.toBe(mine);
    const after = await ask(
      { path: "/thruk/", cookie: mine },
      { path: "/", cookie: mine },
      { path: "/grafana/", cookie: cookieOf(out) ?? "" },
    );
    expect(after.every(isLogin)).toBe(true);
    expect((await ask({ path: "/thruk/", cookie }))[0]?.status).toBe(200);
  });

  test("the cookie is for this host over HTTPS and for no script, and a login changes it", async () => {
    const [first, second] = await ask(
      { method: "POST", path: "/login", body: form("alice"), cookie: "11111111-1111-1111-1111-111111111111" },
      { method: "POST", path: "/login", body: form("alice"), cookie },
    );
    expect(header(first, "set-cookie")).toMatch(
      /^__Host-icinga-swarm=[0-9a-f-]{36};Max-Age=1800;path=\/;Secure;HttpOnly;SameSite=Lax$/,
    );
    expect(cookieOf(first)).not.toBe("11111111-1111-1111-1111-111111111111");
    expect(cookieOf(second)).not.toBe(cookie);
    // The session that went on under another name.
    cookie = cookieOf(second) ?? "";
  });

  test("bcrypt is paid at the login and not at each request", async () => {
    const [one] = await ask({ method: "POST", path: "/login", body: form("vera") });
    const own = cookieOf(one) ?? "";
    const answers = await ask(...Array.from({ length: 20 }, () => ({ path: "/nagvis/", cookie: own })));
    const median = answers.map(({ seconds }) => seconds).sort()[10] ?? 1;
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect((one?.seconds ?? 0) / median).toBeGreaterThan(3);
  });

  test("WebSockets, large uploads and every method get through", async () => {
    const upgrade: [string, string][] = [
      ["Upgrade", "websocket"],
      ["Connection", "Upgrade"],
      ["Sec-WebSocket-Version", "13"],
      ["Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="],
      ["Origin", "https://gateway.example.com"],
    ];
    const [socket, upload, remove] = await ask(
      { path: "/grafana/api/live/ws", cookie, headers: upgrade },
      { method: "POST", path: "/nagvis/", cookie, bytes: 50_000_000 },
      { method: "DELETE", path: "/grafana/api/x", cookie },
    );
    expect(socket?.status).toBe(101);
    expect(socket?.body).toContain("alice");
    expect(sent(upload).length).toBe(50_000_000);
    expect(sent(remove).method).toBe("DELETE");
    expect(isLogin((await ask({ path: "/grafana/api/live/ws", headers: upgrade }))[0] as Answer)).toBe(true);
  });

  test("plain HTTP leads to HTTPS at the published port, under the name of the settings", async () => {
    const [redirect, typed] = await ask(
      { path: "/thruk/a?b=c", plain: true },
      { path: "/", plain: true, host: "evil.example.com" },
    );
    expect(redirect?.status).toBe(308);
    expect(header(redirect, "location")).toBe("https://gateway.example.com:8443/thruk/a?b=c");
    expect(header(typed, "location")).toBe("https://gateway.example.com:8443/");
  });

  test("headers protect its own pages, and leave those of the pages behind to them", async () => {
    const [start, page, unknown, bare] = await ask(
      { path: "/", cookie },
      { path: "/thruk/", cookie },
      { path: "/nothing", cookie },
      { path: "/thruk", cookie },
    );
    expect(header(start, "content-security-policy")).toMatch(
      /^default-src 'none'; style-src 'self'; script-src 'self'/,
    );
    expect(header(page, "content-security-policy")).toBeUndefined();
    for (const answer of [start, page]) {
      expect(header(answer, "x-content-type-options")).toBe("nosniff");
      expect(header(answer, "x-frame-options")).toBe("SAMEORIGIN");
      expect(header(answer, "referrer-policy")).toBe("same-origin");
      // Of a certificate that nobody knows, this would lock everybody out.
      expect(header(answer, "strict-transport-security")).toBeUndefined();
    }
    expect(start?.body).toMatch(/alice<small>admin<\/small>/);
    expect(unknown?.status).toBe(404);
    expect(unknown?.body).toContain("There is no such page");
    expect(header(bare, "location")).toMatch(/\/thruk\/$/);
  });

  test("a page that was replaced is found again at its new address within seconds, without a restart", async () => {
    const before = await gateway.output("cat", "/run/icinga-swarm/apache.pid");
    const old = pages.get("thruk");
    if (old) await trial.discard(old);
    expect((await ask({ path: "/thruk/", cookie }))[0]?.status).toBe(503);
    // Somebody else has the address now.
    await startPage(trial, "somebody-else", 80);
    pages.set("thruk", await startPage(trial, "thruk", 80));
    const began = Date.now();
    await until(
      async () => (await ask({ path: "/thruk/", cookie }))[0]?.status === 200,
      () => "the page at its new address",
      10,
    );
    expect(Date.now() - began).toBeLessThan(10_000);
    expect(sent((await ask({ path: "/thruk/", cookie }))[0]).page).toBe("thruk");
    expect(await gateway.output("cat", "/run/icinga-swarm/apache.pid")).toBe(before);
  });

  test("guessing is slowed down, and those behind the same address who are logged in go on", async () => {
    const attempts = await ask(
      ...Array.from({ length: 101 }, (_, index) => ({
        method: "POST",
        path: "/login",
        body: form("alice", `guess ${index}`),
      })),
    );
    expect(attempts.at(-1)?.status).toBe(429);
    expect(attempts.at(-1)?.body).toContain("Too many attempts");
    const [right, page, anonymous] = await ask(
      { method: "POST", path: "/login", body: form("alice") },
      { path: "/thruk/", cookie },
      { path: "/login" },
    );
    expect(right?.status).toBe(429);
    expect([page?.status, anonymous?.status]).toEqual([200, 200]);
  });

  test("strangers leave nothing in the store of the sessions", async () => {
    await ask(
      ...Array.from({ length: 20 }, () => ({ path: "/thruk/", cookie: "11111111-1111-1111-1111-111111111111" })),
    );
    const script =
      "import sqlite3; print(*sqlite3.connect('/var/lib/gateway/sessions/sessions.db').execute(" +
      '"select count(*) from session where length(value) <= 180 and expiry > (unixepoch() + 10) * 1000000").fetchone())';
    expect(await gateway.output("python3", "-c", script)).toBe("0");
  });

  test("a replaced gateway and a new user cost nobody their session; a new password or a user who left cost all", async () => {
    await replaceGateway({ ...SECRETS, "gateway-users": users({ zoe: "new here too" }) });
    expect((await ask({ path: "/thruk/", cookie }))[0]?.status).toBe(200);
    await login("zoe", "new here too");
    await replaceGateway({ ...SECRETS, "gateway-users": users({ oscar: undefined }) });
    expect(isLogin((await ask({ path: "/thruk/", cookie }))[0] as Answer)).toBe(true);
    const [gone] = await ask({ method: "POST", path: "/login", body: form("oscar") });
    expect(gone?.status).toBe(401);
    expect(gone?.body).toContain("do not match");
  });

  test("a login ends after its idle time, and the start page's own questions do not prolong it", async () => {
    await replaceGateway(SECRETS, { IDLE_SECONDS: "12" });
    cookie = await login("alice");
    const pause = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    await pause(8);
    expect((await ask({ path: "/thruk/", cookie }))[0]?.status).toBe(200);
    // It would have ended by now without that request.
    await pause(8);
    expect((await ask({ path: "/state/pages.json", cookie }))[0]?.status).toBe(200);
    // It would not have ended yet had this one counted.
    await pause(6);
    expect(isLogin((await ask({ path: "/thruk/", cookie }))[0] as Answer)).toBe(true);
  });

  test("nothing secret is in its log, its environment or its command lines", async () => {
    const seen = (await gateway.logs()) + (await gateway.processes());
    for (const secret of [...Object.values(PASSWORDS), SECRETS["gateway-session-key"], "$2y$", "$2b$", cookie]) {
      expect(seen).not.toContain(secret);
    }
  });
});

describe("what it is given", () => {
  const refused = async (secrets: Record<string, string>, environment: Record<string, string> = {}) => {
    const container = await startGateway({ ...SECRETS, ...secrets }, environment, "refused");
    expect(await container.exitCode()).toBe(1);
    return container.line("failed: ");
  };

  test("is refused with its place when it is wrong", async () => {
    const hash = hashOf("x");
    expect(await refused({ "gateway-users": `a\tadmin\t${hash}\nb\troot\t${hash}\n` })).toMatch(
      /^failed: line 2 of the secret/,
    );
    expect(await refused({ "gateway-users": `a\tadmin\t${hash}\na\tviewer\t${hash}\n` })).toMatch(/^failed: line 2/);
    expect(await refused({ "gateway-session-key": "" })).toContain("gateway-session-key");
    expect(await refused({ "gateway-certificate": "x" })).toContain(
      "gatewayCertificate and gatewayKey only work together",
    );
    expect(await refused({ "gateway-certificate": "x", "gateway-key": "y" })).toContain("not a PEM certificate");
    expect(await refused({}, { IDLE_MINUTES: "soon" })).toContain("IDLE_MINUTES must be a number");
    expect(await refused({}, { IDLE_SECONDS: "-5" })).toContain("IDLE_SECONDS must be a number");
  });

  test("may be no user at all: then nobody gets in", async () => {
    await replaceGateway({ ...SECRETS, "gateway-users": "\n" });
    expect(await gateway.line("nobody may log in yet")).toContain("npm run user");
    expect((await ask({ method: "POST", path: "/login", body: form("alice") }))[0]?.status).toBe(401);
  });

  test("a certificate of one's own is served, with a promise of HTTPS", async () => {
    const folder = mkdtempSync(join(tmpdir(), "icinga-swarm-test-"));
    const options = ["-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=own.example.com"];
    execFileSync("openssl", ["req", ...options, "-keyout", `${folder}/key`, "-out", `${folder}/crt`], {
      stdio: "ignore",
    });
    const [certificate, key] = ["crt", "key"].map((name) => readFileSync(join(folder, name), "utf8"));
    rmSync(folder, { recursive: true });
    await replaceGateway({ ...SECRETS, "gateway-certificate": certificate ?? "", "gateway-key": key ?? "" });
    const shown = await gateway.output(
      "bash",
      "-c",
      "openssl s_client -connect 127.0.0.1:443 </dev/null 2>/dev/null | openssl x509 -noout -subject",
    );
    expect(shown).toContain("own.example.com");
    expect(header((await ask({ path: "/login" }))[0], "strict-transport-security")).toBe("max-age=31536000");
  });

  test("its own certificate is kept, and renewed in time while connections go on", async () => {
    const fingerprint = () =>
      gateway.output(
        "bash",
        "-c",
        "openssl s_client -connect 127.0.0.1:443 </dev/null 2>/dev/null | openssl x509 -noout -fingerprint -sha256 -ext subjectAltName",
      );
    await replaceGateway();
    const first = await fingerprint();
    expect(first).toContain("DNS:gateway.example.com");
    await replaceGateway(SECRETS, { RENEW_CHECK_SECONDS: "2" });
    expect(await fingerprint()).toBe(first);
    // One that is about to end.
    const folder = "/var/lib/gateway/tls";
    const short = `openssl req -x509 -key ${folder}/key.pem -days 1 -subj /CN=gateway.example.com -addext subjectAltName=DNS:gateway.example.com -out ${folder}/certificate.pem`;
    await gateway.output("bash", "-c", short);
    await gateway.line("made a certificate for gateway.example.com");
    await until(
      async () => (await fingerprint()) !== first,
      () => "another certificate",
    );
    expect((await ask({ path: "/login" }))[0]?.status).toBe(200);
    const { output: weak } = await gateway.run([
      "bash",
      "-c",
      "openssl s_client -tls1_1 -connect 127.0.0.1:443 </dev/null 2>&1",
    ]);
    expect(weak).toMatch(/no protocols available|alert protocol version|Cipher is \(NONE\)/);
  });

  test("a store of sessions that is damaged is made anew", async () => {
    await gateway.output("bash", "-c", "echo nonsense >/var/lib/gateway/sessions/sessions.db");
    await replaceGateway();
    expect(await gateway.line("sessions forgotten")).toContain("the store cannot be used");
    await login("alice");
  });
});
