import { readFileSync } from "node:fs";
import { join } from "node:path";
import { hashSync } from "bcryptjs";
import { gatewayUsers } from "../../render/gatewayUsers";
import { Browser, type Visitor } from "../browser";
import { type Claims, IdentityProvider } from "../identityProvider";
import {
  type Answer,
  type Ask,
  Client,
  FORGED,
  GATEWAY_IMAGE,
  header,
  isHealthy,
  sentHeaders,
  startPage,
} from "./gatewayTrial";
import { Trial, type TrialContainer, until } from "./icingaTrial";

const CLIENT_SECRET = "secret-of-the-client";
const SESSION_KEY = "key-of-the-sessions";
/** A page's address with what could get lost on the way to the provider and back. */
const ASKED = "/thruk/cgi-bin/status.cgi?hostgroup=all&style=host%20detail&b=%22%27%2F";

/** Whom the provider knows, by name: their groups, and the roles that these make. */
const MEMBERS = {
  ada: [["monitoring-admins"], "admin", "Admin"],
  "o.scar+x-y_z@example.com": [["monitoring-operators"], "operator", "Editor"],
  vera: [["everybody"], "viewer", "Viewer"],
  // The strongest of several, in whatever order.
  amy: [["everybody", "monitoring-admins", "monitoring-operators"], "admin", "Admin"],
  olga: [["monitoring-operators", "everybody"], "operator", "Editor"],
  // What only resembles a group is none.
  vic: [["not-monitoring-admins", "everybody", "monitoring-operators-2"], "viewer", "Viewer"],
} as const;

/** Who has no role: in other groups, in none, in such as resemble ours. */
const OTHERS = { ned: ["sales"], nora: undefined, nils: ["everybody-else", "xmonitoring-admins", "Everybody"] };

/** What people are called who would be admins, but whom a page might take for somebody or something else. */
const WRONG_NAMES = {
  "of Grafana's own account": "_grafana",
  "with a quote": "o'hara",
  "with a blank": "Ada Lovelace",
  "with a letter of another alphabet": "zoë",
  "for two": "ada,vera",
  "of 65 letters": "a".repeat(65),
  "with a header": "ada\r\nX-Forwarded-Role: admin",
};

/** What people type at the provider -> claims. */
function accounts(): Record<string, Claims> {
  const claims = (name: string, groups?: readonly string[]): Claims => ({ preferred_username: name, groups });
  return Object.fromEntries([
    ...Object.entries(MEMBERS).map(([name, [groups]]) => [name, claims(name, groups)] as const),
    ...Object.entries(OTHERS).map(([name, groups]) => [name, claims(name, groups)] as const),
    ...Object.entries(WRONG_NAMES).map(([typed, name]) => [typed, claims(name, ["monitoring-admins"])] as const),
  ]);
}

/** The file that docs/users.md shows, for this provider. */
function settings(): string {
  const guide = readFileSync(join(__dirname, "../../docs/users.md"), "utf8");
  const [, file = ""] = /```apache\n(.*?)```/s.exec(guide) ?? [];
  return file
    .replace("https://login.example.com", provider.issuer)
    .replace(/^(OIDCClientSecret +).*$/m, `$1${CLIENT_SECRET}`);
}

jest.setTimeout(60_000);

let trial: Trial;
let provider: IdentityProvider;
let gateway: TrialContainer;
let client: Client;
let browser: Browser;

/** @param openIdConnect the stack's secret `gatewayOpenIdConnect` */
function startGateway(name: string, openIdConnect: string): Promise<TrialContainer> {
  return trial.start({
    image: GATEWAY_IMAGE,
    name,
    environment: { SPEC_HASH: "one", GATEWAY_HOSTNAME: "gateway.example.com" },
    secrets: {
      "gateway-users": gatewayUsers([{ name: "alice", role: "admin", passwordHash: hashSync("wonderland", 10) }]),
      "gateway-session-key": SESSION_KEY,
      "gateway-openidc.conf": openIdConnect,
    },
    volumes: { "/var/lib/gateway": name },
    publish: 443,
  });
}

const addressOf = async (container: TrialContainer): Promise<string> => `https://${await container.published()}`;

beforeAll(async () => {
  trial = await Trial.create();
  provider = await IdentityProvider.start(trial.hostAddress);
  [gateway, client] = await Promise.all([
    startGateway("gateway", settings() + provider.authority),
    Client.start(trial),
    startPage(trial, "thruk", 80),
    startPage(trial, "grafana", 3000),
  ]);
  const address = await addressOf(gateway);
  const registration = {
    client_id: "icinga-swarm",
    client_secret: CLIENT_SECRET,
    redirect_uris: [`${address}/openid-connect`],
    post_logout_redirect_uris: [`${address}/pages/ended.html`],
  };
  [browser] = await Promise.all([Browser.start(address), provider.serve(registration, accounts()), isHealthy(gateway)]);
});
afterAll(async () => {
  await browser?.stop();
  await provider?.stop();
  await trial.remove();
});

/** Types a name at the provider. @returns the status of what comes after all redirects */
async function typeName(visitor: Visitor, name: string): Promise<number> {
  await visitor.page.fill('input[name="name"]', name);
  const [answer] = await Promise.all([visitor.page.waitForNavigation(), visitor.page.keyboard.press("Enter")]);
  return answer?.status() ?? 0;
}

/** Somebody who logged in without a look at what was drawn, and what was answered in the end. */
async function login(name: string): Promise<{ visitor: Visitor; status: number; text: string }> {
  const visitor = await browser.visitor();
  const { request } = visitor.page;
  const form = (await request.get("/")).url();
  const answer = await request.get(form, { params: { name } });
  return { visitor, status: answer.status(), text: await answer.text() };
}

/** Somebody's session at the gateway, as a cookie. */
const sessionOf = async (visitor: Visitor): Promise<string> =>
  /__Host-icinga-swarm-openid=[^;]+/.exec(await visitor.cookies())?.[0] ?? "";

/** A request as a browser sends it to the gateway's own address, where alone a session is good. */
const get = (path: string, cookies = "", headers: Ask["headers"] = []): Ask => ({
  path,
  host: new URL(browser.address).host,
  headers: [...headers, ["Accept", "*/*"], ["Cookie", cookies]],
});

const ask = (...requests: readonly Ask[]): Promise<Answer[]> => client.ask(gateway, ...requests);

/** Whether an answer only sends to the provider. */
const isSentAway = (answer: Answer | undefined): boolean =>
  answer?.status === 302 && header(answer, "location")?.startsWith(`${provider.issuer}/auth?`) === true;

test("a stranger who opens a page is sent to the provider, and is on that very page after the login", async () => {
  const visitor = await browser.visitor();
  await visitor.open(ASKED);
  expect(visitor.page.url()).toContain(`${provider.issuer}/login/`);
  expect(await typeName(visitor, "vera")).toBe(200);
  expect(visitor.page.url()).toBe(browser.address + ASKED);
  expect(await visitor.text()).toContain('["x-forwarded-user", "vera"]');
  await visitor.leave();
});

test.each(Object.entries(MEMBERS).map(([name, [groups, ...roles]]) => [name, groups.join(", "), ...roles] as const))(
  "%s (%s) is that name and %s to all pages, whatever a client makes up",
  async (name, _groups, role, grafanaRole) => {
    const { visitor, text } = await login(name);
    expect(text).toContain(`${name}<small>${role}</small>`);
    const session = await sessionOf(visitor);
    for (const answer of await ask(...["/thruk/", "/grafana/"].map((path) => get(path, session, FORGED)))) {
      expect(sentHeaders(answer, /user$|role$/)).toEqual([
        `x-forwarded-role: ${role}`,
        `x-forwarded-user: ${name}`,
        `x-webauth-role: ${grafanaRole}`,
        `x-webauth-user: ${name}`,
      ]);
      expect(answer.body).not.toMatch(/evil|6\.6\.6\.6/);
    }
    await visitor.leave();
  },
);

test.each(Object.keys(OTHERS))("%s, who has no role, gets in nowhere", async (name) => {
  const { visitor, status } = await login(name);
  const session = await sessionOf(visitor);
  const paths = ["/", "/thruk/", "/grafana/", "/state/pages.json", "/nothing"];
  const answers = await ask(...paths.map((path) => get(path, session, FORGED)));
  expect([status, ...answers.map((answer) => answer.status)]).toEqual([403, 403, 403, 403, 403, 403]);
  await visitor.leave();
});

test("who has no role is told so, and can come back as somebody else", async () => {
  const visitor = await browser.visitor();
  await visitor.open(ASKED);
  expect(await typeName(visitor, "ned")).toBe(403);
  await visitor.see("text=Your account has no role here");
  await visitor.picture("openid-no-role");
  await visitor.page.click("text=Log out");
  await visitor.page.click("text=Log out everywhere");
  await visitor.page.click("text=Log in again");
  expect(await typeName(visitor, "vera")).toBe(200);
  await visitor.leave();
});

test.each(Object.keys(WRONG_NAMES))("a name %s is refused", async (typed) => {
  const { visitor, status } = await login(typed);
  const pages = [await visitor.request("/thruk/"), await visitor.request("/grafana/")];
  expect([status, ...pages.map((page) => page.status)]).toEqual([403, 403, 403]);
  await visitor.leave();
});

test("without a login nothing is to be had, whatever a client makes up", async () => {
  const paths =
    "/ /thruk/ /grafana/api/health //thruk/ /login/../thruk/ /pages/../thruk/ /pages/%2e%2e/thruk/ /state/pages.json";
  const forged = [...FORGED, ["OIDC_CLAIM_groups", "monitoring-admins"], ["REMOTE_USER", "ada"]] as const;
  const cookies = ["", "__Host-icinga-swarm-openid=00000000-0000-0000-0000-000000000000"];
  const answers = await ask(...cookies.flatMap((cookie) => paths.split(" ").map((path) => get(path, cookie, forged))));
  for (const answer of answers) expect(isSentAway(answer) ? "" : `${answer.status} ${answer.body}`).toBe("");
});

test("what a page fetches by itself after the login has ended is a 401 and leads nowhere", async () => {
  const visitor = await browser.visitor();
  await visitor.open("/pages/ended.html");
  const fetched = "fetch('/thruk/').then(({ status, redirected }) => `${status} ${redirected}`)";
  expect(await visitor.page.evaluate(fetched)).toBe("401 false");
  expect(await visitor.cookies()).toBe("");
  const modes = ["cors", "no-cors", "same-origin", "websocket", "navigate"];
  const answers = await ask(...modes.map((mode) => get("/thruk/", "", [["Sec-Fetch-Mode", mode]])));
  expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 401, 302]);
  await visitor.leave();
});

test("the stack's own users are without effect", async () => {
  const body = new URLSearchParams({ user: "alice", password: "wonderland" }).toString();
  const basic = `Basic ${Buffer.from("alice:wonderland").toString("base64")}`;
  const answers = await ask(
    get("/login"),
    ...["/login", "/login?to=/thruk/", "/thruk/"].map((path) => ({ ...get(path), method: "POST", body })),
    get("/thruk/", "", [["Authorization", basic]]),
  );
  for (const answer of answers) {
    expect(answer.status).toBe(302);
    expect(header(answer, "set-cookie") ?? "").not.toContain("__Host-icinga-swarm");
  }
});

test("pages get cookies of their own, and nothing that is between the gateway and the provider", async () => {
  const { visitor } = await login("ada");
  const session = await sessionOf(visitor);
  const [answer] = await ask(get("/thruk/", `mine=1; ${session}; mod_auth_openidc_state_x=y; other=2`));
  expect(sentHeaders(answer, /cookie/)).toEqual(["cookie: mine=1; other=2"]);
  expect(sentHeaders(answer, /oidc|token|authorization/)).toEqual([]);
  const look = "cd /run/icinga-swarm/gateway && ls && cat -- * /run/secrets/*";
  const { output } = await gateway.run(["bash", "-c", look], "www-data");
  expect(output).toContain("provider.conf");
  const seen = [answer?.body, output, await gateway.logs(), await gateway.processes()].join("\n");
  // Tokens begin with the last.
  for (const secret of [CLIENT_SECRET, SESSION_KEY, session.split("=")[1], "eyJ"]) expect(seen).not.toContain(secret);
  await visitor.leave();
});

test("logging out ends the session here and at the provider", async () => {
  const visitor = await browser.visitor();
  await visitor.open("/");
  await typeName(visitor, "ada");
  const before = await sessionOf(visitor);
  await visitor.picture("openid-start");
  await visitor.page.click("text=Log out");
  await visitor.page.click("text=Log out everywhere");
  await visitor.see("text=You are logged out");
  expect(visitor.page.url()).toBe(`${browser.address}/pages/ended.html`);
  expect((await ask(get("/thruk/", before))).map(isSentAway)).toEqual([true]);
  // Whom the provider still knew it would let pass.
  await visitor.page.click("text=Log in again");
  await visitor.see('input[name="name"]');
  await visitor.leave();
});

test("a gateway that lost its sessions asks nobody for a name: an open start page is itself again", async () => {
  const visitor = await browser.visitor();
  await visitor.open("/");
  await typeName(visitor, "olga");
  const before = await sessionOf(visitor);
  await gateway.output("bash", "-c", 'kill "$(cat /run/icinga-swarm/apache.pid)"');
  await until(
    async () => ![before, ""].includes(await sessionOf(visitor)),
    () => visitor.text(),
    30,
  );
  await visitor.see("text=olga");
  expect(visitor.page.url()).toBe(`${browser.address}/`);
  await visitor.leave();
});

test("who is logged in is told which page is away", async () => {
  const { visitor } = await login("vera");
  const { status, text } = await visitor.request("/nagvis/");
  expect(`${status} ${text}`).toMatch(/^503 .*<h1>NagVis does not answer<\/h1>/s);
  await visitor.leave();
});

test("a provider that no known authority vouches for is not believed", async () => {
  const other = await startGateway("other", settings());
  await other.logged("resuming normal operations");
  const visitor = await browser.visitor();
  expect(await visitor.open(`${await addressOf(other)}/thruk/`)).toBe(503);
  await visitor.see("text=The login does not answer");
  await visitor.picture("openid-no-provider");
  await other.logged("unable to get local issuer certificate");
  await visitor.leave();
});

test("its log warns of nothing that is in order", async () => {
  const warnings = (await gateway.logs()).split("\n").filter((line) => /^warn: (auth_openidc|include)/.test(line));
  expect(warnings).toEqual([]);
});
