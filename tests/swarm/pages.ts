import { dashboards, queriesOf } from "../../render/dashboards";
import type { Visitor } from "../browser";
import type { TestBed } from "./testBed";
import { eventually, succeeded } from "./workspace";

const OPERATOR = { name: "olga", password: "operators look after it" };
const VIEWER = { name: "victor", password: "viewers only look" };

const THRUK_HOSTS = "/thruk/cgi-bin/status.cgi?hostgroup=all&style=hostdetail";
const NAGVIS_CORE = "/nagvis/server/core/ajax_handler.php?mod=Map";
const NAGVIS_MAP = "/nagvis/frontend/nagvis-js/index.php?mod=Map&act=view&show=";
/** One address of each page that shows something of this stack. */
const INSIDE = [THRUK_HOSTS, `${NAGVIS_CORE}&act=getMapObjects&show=overview`, "/grafana/api/user"];

/** Where a stranger might get past the login. */
const PATHS = [
  "/",
  "/status.json",
  "/thruk/",
  "/nagvis/",
  "/grafana/",
  ...INSIDE,
  "/thruk/cgi-bin/remote.cgi",
  "/grafana/api/health",
  "/grafana/api/live/ws",
];
const FORGED = {
  "X-Forwarded-User": "admin",
  "X-Forwarded-Role": "admin",
  "X-WEBAUTH-USER": "admin",
  "X-WEBAUTH-ROLE": "Admin",
  "Remote-User": "admin",
  Authorization: `Basic ${Buffer.from("admin:admin").toString("base64")}`,
};
const DEFAULT_PASSWORDS = ["admin", "thrukadmin", "guest", "nagiosadmin", "root"];

const DRAWN = {
  uid: "drawn",
  title: "Drawn by Olga",
  schemaVersion: 42,
  panels: [{ id: 1, type: "text", gridPos: { x: 0, y: 0, w: 6, h: 3 } }],
};

/** Asks from inside a container, under a forged name. Prints the status, or that there is no answer. */
const FORGE = `
import sys, urllib.error, urllib.request
for url in sys.argv[1:]:
    names = {"X-Forwarded-User": "admin", "X-Forwarded-Role": "admin", "X-WEBAUTH-USER": "admin", "X-WEBAUTH-ROLE": "Admin"}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=names), timeout=5) as answer:
            print(url, answer.status)
    except urllib.error.HTTPError as error:
        print(url, error.code)
    except OSError:
        print(url, "no answer")
`;

/** Asks Graphite, where it listens, for the targets on standard input. Prints those without any value. */
const ASK_GRAPHITE = `
import json, sys, urllib.parse, urllib.request
for target in json.loads(sys.argv[1]):
    query = urllib.parse.urlencode({"target": target, "format": "json", "from": "-30min"})
    with urllib.request.urlopen("http://graphite:8080/render?" + query, timeout=30) as answer:
        series = json.load(answer)
    if not any(value is not None for one in series for value, _ in one["datapoints"]):
        print(target)
`;

/** What people see of the stack, through the one door. */
export function pagesCases(given: () => TestBed): void {
  describe("the pages", () => {
    let admin: Visitor;
    let operator: Visitor;
    let viewer: Visitor;

    test("show a stranger nothing but the login, whatever name he gives himself", async () => {
      const stranger = await (await given().browser()).visitor();
      for (const path of PATHS) {
        for (const headers of [{}, FORGED]) {
          const { status, text } = await stranger.request(path, { headers });
          expect(`${path} ${status}`).toMatch(/ 40[0134]$/);
          expect(text).not.toMatch(/frankfurt|icinga-master|"database"/i);
        }
      }
      for (const name of DEFAULT_PASSWORDS) {
        await stranger.login(name, name);
        for (const path of INSIDE) expect(`${path} ${(await stranger.request(path)).status}`).toMatch(/ 401$/);
      }
      await stranger.picture("login");
      await stranger.leave();
      expect(await given().publishedPorts()).toEqual([8080, 8443]);
    });

    test.each(["icinga-slave-frankfurt", "graphite", "thruk"])(
      "accept nobody directly, such as the container of %s under a forged name",
      async (service) => {
        const pages = {
          thruk: "http://thruk/thruk/",
          nagvis: "http://nagvis/nagvis/",
          grafana: "http://grafana:3000/grafana/",
        };
        const others = Object.entries(pages).filter(
          ([name]) => name !== service && !(service === "thruk" && name === "grafana"),
        );
        const urls = others.flatMap(([, url]) => [url, `${url}api/user`, `${url}cgi-bin/status.cgi`]);
        const { output } = await given().stack.exec(service, ["python3", "-c", FORGE, ...urls]);
        expect(output.trim().split("\n")).toHaveLength(urls.length);
        for (const line of output.trim().split("\n")) expect(line).toMatch(/ (no answer|401|403)$/);
      },
    );

    test("open with one login, and show the hosts of all locations", async () => {
      const bed = given();
      for (const { name, password, role } of [
        { ...OPERATOR, role: "operator" },
        { ...VIEWER, role: "viewer" },
      ]) {
        succeeded(await bed.workspace.run("bash", "-c", `npm run user -- local ${name} ${role} <<<"$0"`, password));
      }
      await bed.workspace.up();
      const browser = await bed.browser();
      admin = await browser.login("admin", bed.workspace.read(".local/admin-password").trim());
      operator = await browser.login(OPERATOR.name, OPERATOR.password, "phone");
      viewer = await browser.login(VIEWER.name, VIEWER.password);
      for (const person of [admin, operator, viewer]) {
        for (const path of INSIDE) expect(`${path} ${(await person.request(path)).status}`).toMatch(/ 200$/);
      }
      await eventually("all parts to be ready", async () => (await admin.text()).match(/Ready/g)?.length === 3);
      await admin.picture("start");
      await operator.picture("start-phone");
      await admin.open(THRUK_HOSTS);
      expect(await admin.text()).toMatch(/chicago-local[\s\S]*UP[\s\S]*frankfurt-local[\s\S]*UP/);
      await admin.picture("thruk");
      await admin.open(`${NAGVIS_MAP}world`);
      await admin.see('img[src*="ok"], img[src*="up"]', 60);
      await admin.picture("world");
    });

    test("show a new host without a click, red when it is down; an operator's word arrives, a viewer's does not", async () => {
      const bed = given();
      const { stack, workspace } = bed;
      const before = await bed.stack.containersOutside("config-generator");
      const machine = await bed.neighbours.startMachine("seen");
      const timing = "interval: 5s, retryInterval: 5s, attempts: 1";
      // A ping under way when the machine goes takes half a minute, and then calls up a host that answered once.
      const host = `name: seen, address: seen, location: frankfurt, ${timing}, alive: { tcp: { port: 5666 } }`;
      workspace.write("inventory/dev/seen.yaml", `hosts: [{ ${host}, checks: [ping: { ${timing} }] }]\n`);
      await admin.open(`${NAGVIS_MAP}location-frankfurt`);
      await workspace.up();
      expect(await bed.stack.containersOutside("config-generator")).toEqual(before);
      await eventually("the host in Thruk", async () => (await viewer.request(THRUK_HOSTS)).text.includes("seen"));
      const found = "/grafana/api/datasources/proxy/uid/graphite/metrics/find?query=icinga2.frankfurt.*";
      await eventually("the host in Grafana", async () => (await viewer.request(found)).text.includes('"seen"'), 90);
      const objects = `${NAGVIS_CORE}&act=getMapObjects&show=location-frankfurt`;
      await eventually("the host in NagVis", async () => (await viewer.request(objects)).text.includes('"seen"'));

      // Up for all to see first: a host that was never checked is down to Icinga's API and pending to the pages.
      await admin.see('img[alt="host-seen"][src*="up"]', 60);
      await admin.see("text=seen");
      await bed.neighbours.removeMachine(machine);
      await eventually(
        "DOWN in Icinga",
        async () => (await stack.objects("hosts", ["state"]))["seen"]?.state === 1,
        30,
      );
      await admin.see('img[alt="host-seen"][src*="down"]');
      await admin.picture("location-down");

      const acknowledged = async () => (await stack.objects("hosts", ["acknowledgement"]))["seen"]?.acknowledgement;
      expect(await acknowledge(viewer, "seen")).toBe(403);
      expect(await acknowledged()).toBe(0);
      expect(await acknowledge(operator, "seen")).toBe(200);
      await eventually("the acknowledgement in Icinga", async () => (await acknowledged()) !== 0);
      workspace.delete("inventory/dev/seen.yaml");
    });

    test("draw what Graphite has: every query of every dashboard answers with data", async () => {
      const chosen = { location: "frankfurt", host: "frankfurt-local", service: ["ping"] };
      const targets = dashboards().flatMap(({ dashboard }) => queriesOf(dashboard, chosen).map(({ target }) => target));
      expect(targets.length).toBeGreaterThan(20);
      const empty = async () => {
        const argv = ["python3", "-c", ASK_GRAPHITE, JSON.stringify([...new Set(targets)])];
        const { code, output } = await given().stack.exec("icinga-master", argv);
        return code === 0 ? output.trim() : `failed: ${output}`;
      };
      let last = "";
      await eventually("data for all", async () => (last = await empty()) === "", 90).catch((error: unknown) => {
        throw new Error(`${String(error)}: ${last}`);
      });
      await admin.open("/grafana/d/host/host?var-location=frankfurt&var-host=frankfurt-local");
      await admin.see("text=/rta: /", 60);
      await admin.picture("grafana-host");
    });

    test("lose nothing with their containers, and are found again by the gateway, sessions included", async () => {
      const bed = given();
      const { stack } = bed;
      const drawing = {
        dashboard: DRAWN,
        overwrite: true,
      };
      const save = (person: Visitor) => person.request("/grafana/api/dashboards/db", { method: "POST", data: drawing });
      expect((await save(viewer)).status).toBe(403);
      expect((await save(operator)).status).toBe(200);
      const map = "/var/lib/nagvis/data/maps/drawn.cfg";
      await stack.exec("nagvis", ["bash", "-c", `printf 'define global {\\n}\\n' >${map} && chown www-data: ${map}`]);
      const processes = "/thruk/cgi-bin/bp.cgi";
      const form = { bp_label: "Web shop", CSRFtoken: await tokenOf(operator, "customer") };
      expect((await operator.request(processes, { method: "POST", form })).status).toBe(200);
      await bed.clientAnswers(2);
      await eventually("CRITICAL", async () => (await stack.lastResult("customer!switch"))?.state === 2);
      await bed.clientAnswers(0);

      const connected = await stack.connected();
      const services = ["gateway", "graphite", "grafana", "thruk", "nagvis", "icinga-master"];
      const before = await Promise.all(services.map((service) => stack.container(service)));
      await Promise.all(before.map((id) => stack.docker.getContainer(id).kill()));
      for (const [index, service] of services.entries()) {
        await eventually(
          `${service} again`,
          async () => (await bed.isHealthy(service)) && (await stack.container(service)) !== before[index],
          120,
        );
      }
      for (const path of INSIDE) {
        await eventually(path, async () => (await operator.request(path)).status === 200, 10);
      }
      expect((await viewer.request("/grafana/api/dashboards/uid/drawn")).text).toContain("Drawn by Olga");
      expect((await stack.exec("nagvis", ["cat", map])).code).toBe(0);
      expect((await viewer.request(processes)).text).toContain("Web shop");
      const log = "/thruk/cgi-bin/showlog.cgi";
      await eventually("the alert from before in Thruk", async () => {
        return /SERVICE ALERT: customer;switch;CRITICAL/.test((await viewer.request(log)).text);
      });
      await eventually("the slaves", async () => (await stack.connected()).length === connected.length);
    });

    test("open no more after logging out", async () => {
      const cookie = await viewer.cookies();
      await viewer.open("/logout");
      await viewer.picture("logged-out");
      for (const path of INSIDE) {
        expect((await viewer.request(path)).status).toBe(401);
        expect((await viewer.request(path, { headers: { Cookie: cookie } })).status).toBe(401);
      }
      await Promise.all([admin, operator, viewer].map((person) => person.leave()));
    });
  });
}

/** What Thruk's page of a host gives with its forms, so that no other site can send them. */
async function tokenOf(person: Visitor, host: string): Promise<string> {
  const { text } = await person.request(`/thruk/cgi-bin/extinfo.cgi?type=1&host=${host}`);
  return /name="CSRFtoken" value="([^"]*)"/.exec(text)?.[1] ?? "none";
}

/** @returns the status of Thruk's answer */
async function acknowledge(person: Visitor, host: string): Promise<number> {
  const form = { cmd_typ: "33", cmd_mod: "2", host, com_data: "seen", CSRFtoken: await tokenOf(person, host) };
  return (await person.request("/thruk/cgi-bin/cmd.cgi", { method: "POST", form })).status;
}
