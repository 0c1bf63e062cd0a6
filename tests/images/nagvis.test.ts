import type { Route } from "playwright-core";
import { nagvisMaps } from "../../render/nagvisMaps";
import { Browser, type Visitor } from "../browser";
import { asOperator, Stack, uploadObjects } from "./icingaStack";
import { IMAGES, type Options, type TrialContainer, until } from "./icingaTrial";

const IMAGE = process.env["ICINGA_SWARM_IMAGE_NAGVIS"] ?? "icinga-swarm/nagvis:dev";

const FRANKFURT = { name: "frankfurt", displayName: "Frankfurt am Main", latitude: 50.11, longitude: 8.68 };
const NEW_YORK = { name: "new-york", latitude: 40.71, longitude: -74 };
/** Its hosts come later. */
const NEW = { name: "new" };
const LAB = { name: "lab", displayName: `O'Brien's "<Lab>" & Söhne; 100% [x] {y} = z` };

/** Hosts are passive and up until a test says otherwise. */
const objects = (locations: { readonly [name: string]: string }) =>
  Object.entries(locations)
    .map(
      ([location, numbers]) => `object HostGroup "location-${location}" { }
    for (number in [ ${numbers} ]) {
      object Host "${location}-" + number {
        check_command = "dummy"; check_interval = 1h; max_check_attempts = 1
        groups = [ "location-${location}" ]; vars.location = "${location}"
      }
    }`,
    )
    .join("\n");
const OBJECTS = { frankfurt: "1, 2, 3", "new-york": "1, 2, 3", lab: "1, 2, 3", new: "" };

const FRONTEND = "/nagvis/frontend/nagvis-js/index.php";
const CORE = "/nagvis/server/core/ajax_handler.php";
const WHOLE_WORLD = "&bbox=-180,-85,180,85&worldmap_zoom=3";

/** A request as somebody sends it, from within one of the containers. */
const ASK = `
import http.client, json, sys
host, path, user, role, body = sys.argv[1:]
connection = http.client.HTTPConnection(host, 80, timeout=20)
headers = {"User-Agent": "test"}
if user: headers["X-Forwarded-User"] = user
if role: headers["X-Forwarded-Role"] = role
if body: headers["Content-Type"] = "application/x-www-form-urlencoded"
connection.request("POST" if body else "GET", path, body or None, headers)
answer = connection.getresponse()
print(json.dumps({"status": answer.status, "text": answer.read().decode(errors="replace")}))
`;

/** Stands for the gateway: hands on what a browser sends, with the headers that it sends. */
const HAND_ON = `
import socket, threading
def pump(source, target):
    try:
        while data := source.recv(65536): target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        source.close(), target.close()
def serve(one):
    try: other = socket.create_connection(("nagvis", 80))
    except OSError: return one.close()
    for pair in [(one, other), (other, one)]: threading.Thread(target=pump, args=pair).start()
server = socket.create_server(("", 8080))
while True: threading.Thread(target=serve, args=[server.accept()[0]]).start()
`;

/** When the master took its configuration, as Livestatus says it. */
const PROGRAM_START = `
import socket
master = socket.create_connection(("icinga-master", 6558))
master.sendall(b"GET status\\nColumns: program_start\\n\\n")
print(master.makefile().read())
`;

interface Answer {
  readonly status: number;
  readonly text: string;
}

interface Item {
  readonly type: string;
  readonly name: string;
  readonly summary_state: string;
  readonly label_text?: string;
}

jest.setTimeout(300_000);

describe("NagVis", () => {
  let stack: Stack;
  let master: TrialContainer, gateway: TrialContainer, page: TrialContainer;

  function nagvis(locations: Parameters<typeof nagvisMaps>[0], spec = "one"): Options {
    return {
      image: IMAGE,
      name: "nagvis",
      environment: { SPEC_HASH: spec, LIVESTATUS_HOST: "icinga-master", WEB_SUBNET: stack.trial.subnet },
      volumes: { "/var/lib/nagvis/data": "nagvis-data" },
      files: { "/etc/icinga-swarm/maps.json": JSON.stringify(nagvisMaps(locations)) },
    };
  }

  async function ask(
    path: string,
    { role = "viewer", user = "j.doe", body = "", from = gateway, host = "nagvis" } = {},
  ): Promise<Answer> {
    return JSON.parse(await from.output("python3", "-c", ASK, host, path, user, role, body)) as Answer;
  }

  async function items(map: string, more = ""): Promise<Item[]> {
    const { text } = await ask(`${CORE}?mod=Map&act=getMapObjects&show=${map}${more}`);
    const found = JSON.parse(text) as Item[] | { message: string };
    if (!Array.isArray(found)) throw new Error(found.message);
    return found;
  }

  /** States of a map's hosts or host groups by name. */
  async function states(map: string, more = ""): Promise<Record<string, string>> {
    const found = (await items(map, more)).filter(({ type }) => type === "host" || type === "hostgroup");
    return Object.fromEntries(found.map(({ name, summary_state }) => [name, summary_state]));
  }

  function report(filter: string, exitStatus: number): Promise<string> {
    const result = { type: "Host", filter, exit_status: exitStatus, plugin_output: "by the test" };
    return asOperator(master, "POST", "actions/process-check-result", result);
  }

  async function healthy(container: TrialContainer): Promise<void> {
    await until(
      async () => (await container.inspect()).State.Health?.Status === "healthy",
      () => container.logs(),
      120,
    );
  }

  /** In a new container on the same volume, as an update does it. */
  async function replace(options: Options): Promise<void> {
    await page.stop();
    await stack.trial.discard(page);
    page = await stack.trial.start(options);
    await healthy(page);
  }

  beforeAll(async () => {
    stack = await Stack.create();
    await stack.mySql.start();
    gateway = await stack.trial.start({
      image: IMAGES.base,
      name: "gateway",
      entrypoint: ["python3", "-c", HAND_ON],
      publish: 8080,
      health: false,
    });
    page = await stack.trial.start(nagvis([FRANKFURT, NEW_YORK, LAB, NEW]));
    await page.line("waiting: ");
    master = await stack.trial.start(stack.master());
    await healthy(master);
    await uploadObjects(master, objects(OBJECTS));
    await report("true", 0);
    await healthy(page);
  });
  afterAll(() => stack.trial.remove());

  test("is ready only when the master's states are there, and stays alive without it", async () => {
    const log = await page.logs();
    expect(log.indexOf("ready")).toBeGreaterThan(log.indexOf("waiting: "));
    await master.stop();
    const { code, output } = await page.run(["/usr/local/bin/healthcheck"]);
    expect({ code, output }).toEqual({ code: 0, output: "" });
    await master.start();
    await healthy(master);
    await until(
      async () => (await states("location-frankfurt").catch(() => ({})))["frankfurt-1" as never] === "UP",
      () => page.logs(),
    );
  });

  test("shows the hosts of a location, all locations, and those with a place on the world map", async () => {
    expect(await states("location-frankfurt")).toEqual({
      "frankfurt-1": "UP",
      "frankfurt-2": "UP",
      "frankfurt-3": "UP",
    });
    expect(await states("overview")).toEqual({
      "location-frankfurt": "UP",
      "location-new-york": "UP",
      "location-lab": "UP",
      "location-new": expect.any(String) as string,
      "icinga-swarm": expect.stringMatching(/^(UP|OK|DOWN|CRITICAL|WARNING|UNKNOWN|PENDING)$/) as string,
    });
    expect(await states("world", WHOLE_WORLD)).toEqual({ "location-frankfurt": "UP", "location-new-york": "UP" });
    const note = (await items("world", WHOLE_WORLD)).find(({ type }) => type === "textbox");
    expect(JSON.stringify(note)).toContain("Not on this map");
  });

  test("a host that goes down is seen within 30 s, on all maps", async () => {
    await report('host.name == "frankfurt-2"', 1);
    await until(
      async () => (await states("location-frankfurt"))["frankfurt-2"] === "DOWN",
      async () => JSON.stringify(await states("location-frankfurt")),
      10,
    );
    expect((await states("overview"))["location-frankfurt"]).toBe("DOWN");
    expect((await states("world", WHOLE_WORLD))["location-frankfurt"]).toBe("DOWN");
    // How often an open page asks: what has changed every few seconds, and a state that is older than this is asked anew.
    const { text } = await ask(`${FRONTEND}?mod=Map&act=view&show=location-frankfurt`);
    expect(text).toMatch(/"worker_interval":"?5"?/);
    expect(text).toMatch(/"worker_update_object_states":"?10"?/);
    await report('host.name == "frankfurt-2"', 0);
  });

  test("the world map has a ground without any server outside", async () => {
    const tile = await ask("/nagvis/ground/3/4/2.svg");
    expect(tile.status).toBe(200);
    expect(tile.text).toMatch(/^<svg .*<path d="M[^"]{100,}Z"/);
    expect((await ask("/nagvis/ground/20/549755/355000.svg")).text.length).toBeLessThan(2000);
    expect((await ask("/nagvis/ground/3/4/..%2f2.svg")).status).toBe(404);
    const { text } = await ask(`${FRONTEND}?mod=Map&act=view&show=world`);
    expect(text).toContain("ground");
    expect(text).not.toMatch(/openstreetmap|geomap\.nagvis/);
  });

  describe("an open map", () => {
    const HOST = (name: string, state: string) => `img[alt="host-${name}"][src*="_${state}."]`;
    let browser: Browser;
    let viewer: Visitor;

    beforeAll(async () => {
      browser = await Browser.start(`http://${await gateway.published()}`);
      viewer = await browser.visitor();
      await viewer.page.setExtraHTTPHeaders({ "X-Forwarded-User": "j.doe", "X-Forwarded-Role": "viewer" });
    });
    afterAll(() => browser?.stop());

    /** Another configuration, in which all hosts are up. */
    async function configure(changes: Readonly<Record<string, string>>): Promise<void> {
      await uploadObjects(master, objects({ ...OBJECTS, ...changes }));
      await report("true", 0);
    }

    test("that was opened while the master was away draws itself once it is back", async () => {
      await master.stop();
      await viewer.open(`${FRONTEND}?mod=Map&act=view&show=location-frankfurt`);
      expect(await viewer.text()).toMatch(/Unable to connect/);
      await master.start();
      await viewer.see(HOST("frankfurt-1", "up"), 60);
    });

    test("gets new hosts and states, also after an answer was lost", async () => {
      const lost: string[] = [];
      const lose = (what: RegExp, how: (route: Route) => Promise<void>) =>
        viewer.page.route(
          what,
          (route) => {
            lost.push(route.request().url());
            return how(route);
          },
          { times: 1 },
        );
      const cut = (route: Route) => route.abort("connectionreset");
      await lose(/act=getMapObjects/, cut);
      await viewer.open(`${FRONTEND}?mod=Map&act=view&show=location-frankfurt`);
      await viewer.see(HOST("frankfurt-1", "up"));
      expect(lost).toHaveLength(1);
      await lose(/act=getMapObjects/, (route) => route.fulfill({ status: 503 }));
      await configure({ frankfurt: "1, 2, 3, 4" });
      await viewer.see(HOST("frankfurt-4", "up"), 60);
      expect(lost).toHaveLength(2);
      await lose(/act=getObjectStates/, cut);
      await report('host.name == "frankfurt-4"', 1);
      await viewer.see(HOST("frankfurt-4", "down"));
      expect(lost).toHaveLength(3);
    });

    test("gets its first host", async () => {
      await viewer.open(`${FRONTEND}?mod=Map&act=view&show=location-new`);
      await viewer.see("text=In Thruk");
      await configure({ new: "1" });
      await viewer.see(HOST("new-1", "up"), 60);
    });

    test("is not told what was so before, in the second in which the master took another configuration", async () => {
      // Which would ask, too.
      await viewer.open("about:blank");
      await configure({ new: "1" });
      expect(Object.keys(await states("location-new"))).toEqual(["new-1"]);
      await configure({ new: "1, 2" });
      const started = await gateway.output("python3", "-c", PROGRAM_START);
      const remembered = "/var/cache/nagvis/source-location-new.cfg-*.cache";
      expect(await page.output("bash", "-c", `touch -d @${started} ${remembered} && cat ${remembered}`)).not.toMatch(
        /new-2/,
      );
      expect(Object.keys(await states("location-new"))).toEqual(["new-1", "new-2"]);
      await configure({});
    });
  });

  describe("roles", () => {
    const MOVE = `${CORE}?mod=Map&act=modifyObject&map=mine&type=textbox&id=abc123&x=50`;
    const REFUSED = /You are not permitted/;

    beforeAll(() =>
      page.output(
        "bash",
        "-c",
        `printf 'define global {\\n}\\ndefine textbox {\\n    object_id=abc123\\n    text=hello\\n    x=10\\n    y=10\\n}\\n' \
          >/var/lib/nagvis/data/maps/mine.cfg && chown www-data: /var/lib/nagvis/data/maps/mine.cfg`,
      ),
    );

    test("act at the next request; a viewer changes nothing", async () => {
      expect((await ask(MOVE)).text).toMatch(REFUSED);
      expect((await ask(`${CORE}?mod=Map&act=manage`)).text).toMatch(REFUSED);
      expect((await ask(`${CORE}?mod=Action&act=acknowledge&map=mine&object_id=abc123`)).text).toMatch(REFUSED);
      expect((await ask(MOVE, { role: "operator" })).text).not.toMatch(/error/i);
      expect(await page.output("cat", "/var/lib/nagvis/data/maps/mine.cfg")).toContain("x=50");
      expect((await ask(MOVE)).text).toMatch(REFUSED);
    });

    test("an operator acknowledges in Icinga, by name", async () => {
      await report('host.name == "lab-1"', 1);
      const found = (await items("location-lab")) as (Item & { object_id: string })[];
      const id = found.find(({ name }) => name === "lab-1")?.object_id ?? "";
      const path = `${CORE}?mod=Action&act=acknowledge&show=location-lab&map=location-lab&object_id=${id}`;
      const body = "_submit=Acknowledge&comment=seen";
      expect((await ask(path, { body })).text).toMatch(REFUSED);
      expect((await ask(path, { body, role: "operator" })).text).not.toMatch(/"type":"error"/);
      await until(
        async () => (await asOperator(master, "GET", "objects/comments")).includes('"author":"j.doe"'),
        async () => (await ask(path, { body, role: "operator" })).text,
        15,
      );
      await report('host.name == "lab-1"', 0);
    });

    test("what a request names is no command to Icinga", async () => {
      const enabled = async () =>
        /"enable_notifications":(true|false)/.exec(await asOperator(master, "GET", "status/IcingaApplication"))?.[1];
      expect(await enabled()).toBe("true");
      const command = `COMMAND [${Math.floor(Date.now() / 1000)}] DISABLE_NOTIFICATIONS`;
      const group = encodeURIComponent(`x\nKeepAlive: on\n\n${command}\n\nGET hosts\nColumns: name`);
      await ask(`${CORE}?mod=Map&act=getMapObjects&show=world&bbox=-180,-85,180,85&filter_group=${group}`);
      await new Promise((resolve) => setTimeout(resolve, 1000));
      expect(await enabled()).toBe("true");
    });

    test("an admin also manages shapes; nobody edits settings that are the stack's, or fetches addresses", async () => {
      expect((await ask(`${CORE}?mod=ManageShapes&act=view`, { role: "operator" })).text).toMatch(REFUSED);
      expect((await ask(`${CORE}?mod=ManageShapes&act=view`, { role: "admin" })).text).not.toMatch(REFUSED);
      for (const path of ["MainCfg&act=edit", "UserMgmt&act=view", "Url&act=getContents&show=http://mysql:3306/"]) {
        expect((await ask(`${CORE}?mod=${path}`, { role: "admin" })).text).toMatch(REFUSED);
      }
    });

    test("without a name or with a role that there is not, nobody is let in", async () => {
      const path = `${CORE}?mod=Map&act=getMapObjects&show=overview`;
      const unknown = /"type":"error"/;
      expect((await ask(path, { user: "", role: "admin" })).text).toMatch(unknown);
      expect((await ask(path, { role: "" })).text).toMatch(unknown);
      expect((await ask(path, { role: "Administrators" })).text).toMatch(unknown);
      expect((await ask(path, { user: "../../etc/x", role: "admin" })).text).toMatch(unknown);
    });

    test("there are no accounts, so NagVis's default passwords open nothing", async () => {
      for (const name of ["admin", "guest", "nagiosadmin"]) {
        const body = `_username=${name}&_password=${name}&submit=Login`;
        const { text } = await ask(`${FRONTEND}?mod=LogonDialog&act=login`, { user: "", role: "", body });
        expect(text).toMatch(/Unable to authenticate user/);
        expect(text).not.toMatch(/location-|overview/);
        const asViewer = await ask(`${CORE}?mod=Map&act=manage&_username=${name}&_password=${name}`);
        expect(asViewer.text).toMatch(REFUSED);
      }
      expect(
        (await page.run(["sh", "-c", "find / -xdev -name auth.db; find /var/lib/nagvis -name auth.db"])).output,
      ).toBe("");
    });
  });

  test("answers the gateway alone, and in the network of the pages alone", async () => {
    const direct = await ask(`${CORE}?mod=Map&act=getMapObjects&show=overview`, { role: "admin", from: master });
    expect(direct.status).toBe(403);
    expect((await ask("/nagvis/ground/2/1/1.svg", { from: master })).status).toBe(403);
    const listeners = await page.output("sh", "-c", "cat /etc/apache2/listen.conf");
    expect(listeners.split("\n")).toEqual([`Listen ${await page.address()}:80`, "Listen 127.0.0.1:80"]);
  });

  test("a map that somebody drew outlives the container; that of a location that is gone goes", async () => {
    const drawn = "/var/lib/nagvis/data/maps/mine.cfg";
    const before = await page.output("cat", drawn);
    await replace(nagvis([FRANKFURT, { ...LAB, name: "mine-lab" }], "two"));
    expect(await page.output("cat", drawn)).toBe(before);
    expect((await page.output("ls", "/var/lib/nagvis/data/maps")).split("\n")).toEqual([
      "location-frankfurt.cfg",
      "location-mine-lab.cfg",
      "mine.cfg",
      "overview.cfg",
      "world.cfg",
    ]);
    expect(Object.keys(await states("world", WHOLE_WORLD))).toEqual(["location-frankfurt"]);
    expect(Object.keys(await states("location-frankfurt"))).toHaveLength(3);
  });
});
