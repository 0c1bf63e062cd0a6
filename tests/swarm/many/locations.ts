import { request } from "node:https";
import { assignPair } from "../../../generator/assign";
import { topology } from "../../../generator/location";
import { note, stopwatch } from "../faultTable";
import { HEARTBEAT_SECONDS, INTERVAL, type ManyBed, SERVICES } from "../manyBed";
import { eventually, succeeded } from "../workspace";
import { lastChecks, SitePair } from "./sitePair";

/** Docker's own, in place of the longer one that preflight demands: a node counts as down soon enough to wait for it. */
const QUICK_HEARTBEAT_SECONDS = 5;

const CENTRE = "hq-1";
const FRANKFURT = "icinga-slave-frankfurt";
const CHICAGO = "icinga-slave-chicago";
/** Each of three pairs gets some of them, and they may all go at once. */
const SHOPS = Array.from({ length: 5 }, (_, index) => `shop-${index + 1}`);
const SHOP_FILE = "inventory/dev/shops.yaml";
const PAIRS = topology({ name: "chicago", slaves: 6 });
/** Of three nodes, two are also other locations'. */
const THREE_NODES = ["chi-1", "fra-1", "sin-1"];

/** Slaves that come and go, and nodes that die, are emptied and replaced. */
export function locationCases(given: () => ManyBed): void {
  const frankfurt = (): SitePair => new SitePair(given(), "frankfurt");

  describe("a node of a pair without power", () => {
    let slot: number;
    let identity: string;

    test("its partner checks everything after two minutes, if not sooner", async () => {
      const pair = frankfurt();
      await pair.shares(60);
      slot = await pair.slotOn("fra-2");
      identity = await given().stack.fingerprint(FRANKFURT, slot);
      await pair.losePower("fra-2", "node of a pair without power");
    });

    test("and shares them again when it is back, with its identity", async () => {
      await frankfurt().regainPower("fra-2");
      expect(await given().stack.fingerprint(FRANKFURT, slot)).toBe(identity);
    });
  });

  describe("six slaves in one location", () => {
    test("are three pairs that share its hosts, and the third touches neither of the others", async () => {
      const bed = given();
      const { four, six } = await growToSix(bed);
      expect(Object.keys(six)).toEqual(slotsOf(PAIRS.map(({ service }) => service)));
      expect(six).toEqual(expect.objectContaining(four));
      const hosts = SHOPS.map((shop) => assignPair(shop, PAIRS).zone);
      expect(new Set(hosts).size).toBe(3);
      await eventually("each host's check by its own pair", () => checkedByOwnPairs(bed), 90);
    });

    test("fail over inside each pair on one node", () => failOverInsidePairs(given(), "one node"));

    test("spread over three nodes, of which two are other locations' as well, and never meet their partners", async () => {
      const bed = given();
      const { workspace, stack } = bed;
      for (const name of ["fra-1", "sin-1"]) await bed.lans.chicago.attach(bed.node(name));
      workspace.configure({ locations: bed.locations({ chicago: { slaves: 6, nodes: THREE_NODES } }) });
      await workspace.up();
      const placement = await stack.placement();
      for (const { service } of PAIRS) {
        const nodes = [placement[`${service}.1`], placement[`${service}.2`]];
        expect(THREE_NODES).toEqual(expect.arrayContaining(nodes));
        expect(new Set(nodes).size).toBe(2);
      }
      const moved = Date.now() / 1000;
      await eventually("each host's check by its own pair", () => checkedByOwnPairs(bed, moved), 90);
    });

    test("fail over inside each pair on three nodes", () => failOverInsidePairs(given(), "three nodes"));
  });

  test("the centre without power: sites check on, nothing of it starts elsewhere, all is back with it", async () => {
    const bed = given();
    const { stack, lans, swarm } = bed;
    const { client } = lans.frankfurt;
    const events = async () => Number((await stack.sql("SELECT COUNT(*) FROM icinga_statehistory"))[0]);
    const before = {
      connected: await stack.connected(),
      events: await events(),
      stage: await stack.activeStage(),
      volumes: await volumesOn(bed, CENTRE),
    };
    // Nodes learn it with their next sign of life, which they give at once when their manager is back.
    await swarm.setHeartbeat(QUICK_HEARTBEAT_SECONDS);
    await bed.node(CENTRE).powerOff();
    const seconds = 4 * INTERVAL;
    const expected = (SERVICES.length * seconds) / INTERVAL;
    let executions: number;
    let elsewhere: string[];
    let since: () => number;
    try {
      await client.answers(2);
      executions = await client.executionsDuring(seconds);
      elsewhere = Object.keys(await stack.placement()).filter((task) => !task.startsWith("icinga-slave-"));
    } finally {
      since = stopwatch();
      await bed.node(CENTRE).powerOn();
    }
    expect(executions).toBeGreaterThan(0.7 * expected);
    expect(elsewhere).toEqual([]);
    try {
      await eventually(
        "all slaves to be connected",
        async () => (await stack.connected()).join() === before.connected.join(),
        180,
      );
      await eventually("the pages", () => pagesAnswer(bed), 60);
      await eventually("Icinga's database connection", () => stack.idoConnected(), 90);
      await eventually(
        "what the site sees",
        async () => (await stack.stateInDatabase("client-frankfurt", "switch")) === "2",
      );
    } finally {
      await client.answers(0);
    }
    const lost = `no data; the site ran ${executions} of ${expected} checks in ${seconds} s without it`;
    note({ what: "centre without power, from its return", served: since(), lost });
    expect(await stack.activeStage()).toBe(before.stage);
    expect(await events()).toBeGreaterThan(before.events);
    expect(await volumesOn(bed, CENTRE)).toEqual(before.volumes);
  });

  test("a drained node's slot waits for it, and its partner checks alone", async () => {
    const bed = given();
    const { stack } = bed;
    const pair = frankfurt();
    const slot = await pair.slotOn("fra-2");
    const fingerprint = await stack.fingerprint(FRANKFURT, slot);
    const since = stopwatch();
    const began = Date.now() / 1000;
    await setAvailability(bed, "fra-2", "drain");
    let again: () => number;
    try {
      await pair.checksAlone(3 - slot, began, 60);
      note({ what: "drained node", served: since(), lost: "-" });
      expect(Object.keys(slavesIn(await stack.placement(), FRANKFURT))).toEqual([`${FRANKFURT}.${3 - slot}`]);
    } finally {
      again = stopwatch();
      await setAvailability(bed, "fra-2", "active");
    }
    await pair.shares(90);
    note({ what: "drained node active again", served: again(), lost: "-" });
    expect(await stack.fingerprint(FRANKFURT, slot)).toBe(fingerprint);
  });

  describe("fewer slaves", () => {
    /** That of slot 1 of Frankfurt's pair. */
    let dead: string;

    test("right after the node of slot 1 died: slot 1 is what is left, and connected", async () => {
      const bed = given();
      const { workspace, stack } = bed;
      dead = (await stack.placement())[`${FRANKFURT}.1`] ?? "";
      const other = dead === "fra-1" ? "fra-2" : "fra-1";
      const since = stopwatch();
      await bed.node(dead).powerOff();
      workspace.configure({
        locations: bed.locations({ frankfurt: { slaves: 1 }, chicago: { slaves: 3, nodes: THREE_NODES } }),
      });
      await workspace.up();
      const placement = await stack.placement();
      expect(slavesIn(placement, FRANKFURT)).toEqual({ [`${FRANKFURT}.1`]: other });
      await eventually("slot 1 of Frankfurt", () => stack.isConnected(`${FRANKFURT}-1`));
      await eventually("slot 1 of Chicago's second pair", () => stack.isConnected(`${CHICAGO}-p2-1`));
      await eventually("all checks by it", async () => {
        return (await frankfurt().checkedBy(1, Date.now() / 1000 - INTERVAL)) > 3;
      });
      note({ what: "two slaves to one, node of slot 1 just died", served: since(), lost: "its checks meanwhile" });
      // What ran on the dead node, too, is on the third one by now.
      const expected = [...slotsOf([CHICAGO]), `${CHICAGO}-p2.1`].sort();
      await eventually("Chicago's three slaves", async () => {
        return Object.keys(slavesIn(await stack.placement(), CHICAGO)).join() === expected.join();
      });
      succeeded(await workspace.pulumi("preview", "--expect-no-changes", "--diff"));
    });

    test("and a node that is replaced by another of its name takes its part after the next npm run up", async () => {
      const bed = given();
      const { workspace, stack, swarm } = bed;
      await removeFromSwarm(bed, dead);
      await swarm.removeNode(dead);
      await swarm.setHeartbeat(HEARTBEAT_SECONDS);
      const since = stopwatch();
      await bed.addNode(dead, { site: "frankfurt" });
      workspace.delete(SHOP_FILE);
      workspace.configure({ locations: bed.locations() });
      succeeded(await workspace.run("npm", "run", "up"));
      await frankfurt().shares(90);
      note({ what: "replaced node, from its start", served: since(), lost: "-" });
      // A node that lost its label ends its slave while the one that takes its place starts.
      await eventually("Chicago's slave where it was", async () => {
        const slaves = slavesIn(await stack.placement(), CHICAGO);
        return Object.keys(slaves).join() === `${CHICAGO}.1` && slaves[`${CHICAGO}.1`] === "chi-1";
      });
      expect(Object.values(slavesIn(await stack.placement(), FRANKFURT)).sort()).toEqual(["fra-1", "fra-2"]);
      await eventually("Chicago's slave to be connected", () => stack.isConnected(`${CHICAGO}-1`));
      succeeded(await workspace.pulumi("preview", "--expect-no-changes", "--diff"));
    });
  });
}

interface Growth {
  /** Containers of Chicago's slaves when they were four, by `service.slot`. */
  readonly four: Readonly<Record<string, string>>;
  readonly six: Readonly<Record<string, string>>;
}

/** Chicago gets more hosts and, pair by pair, six slaves. */
async function growToSix({ workspace, stack, locations, lans }: ManyBed): Promise<Growth> {
  const { address } = lans.chicago.client;
  const timing = `interval: ${INTERVAL}s, retryInterval: ${INTERVAL}s, attempts: 1`;
  const shops = SHOPS.map(
    (shop) =>
      `  - { name: ${shop}, address: ${address}, location: chicago, alive: none, ` +
      `checks: [nrpe: { command: check_switch, ${timing} }] }\n`,
  );
  workspace.write(SHOP_FILE, `hosts:\n${shops.join("")}`);
  const grown = async (slaves: number) => {
    workspace.configure({ locations: locations({ chicago: { slaves } }) });
    await workspace.up();
    return slavesIn(await stack.containers(), CHICAGO);
  };
  const four = await grown(4);
  return { four, six: await grown(6) };
}

/** Those entries of a record by `service.slot` that are slots of a location's pairs, in order. */
function slavesIn(tasks: Readonly<Record<string, string>>, service: string): Record<string, string> {
  const own = new RegExp(`^${service}(-p\\d+)?\\.\\d+$`);
  return Object.fromEntries(
    Object.entries(tasks)
      .filter(([task]) => own.test(task))
      .sort(([one], [other]) => (one < other ? -1 : 1)),
  );
}

function slotsOf(services: readonly string[]): string[] {
  return services.flatMap((service) => [`${service}.1`, `${service}.2`]).sort();
}

/** Whether all shops were checked since then, each by a slave of the pair that it belongs to, by one slot if one is named. */
async function checkedByOwnPairs(bed: ManyBed, since = 0, slot?: number): Promise<boolean> {
  const sources = await lastChecks(bed, "shop-*", since);
  return SHOPS.every((shop) => {
    const { service } = assignPair(shop, PAIRS);
    const source = sources.get(`${shop}!switch`) ?? "";
    return slot === undefined ? source.slice(0, -2) === service : source === `${service}-${slot}`;
  });
}

/** The first slot of each of Chicago's pairs dies again and again: the second ones check all. */
async function failOverInsidePairs(bed: ManyBed, where: string): Promise<void> {
  const since = stopwatch();
  await whileSlotDies(bed, 1, async (began) => {
    await eventually("all checks by the second slots", () => checkedByOwnPairs(bed, began, 2), 60);
  });
  note({ what: `slave that keeps dying, three pairs at once, on ${where}`, served: since(), lost: "-" });
  const all = PAIRS.flatMap(({ endpoints }) => endpoints);
  const areBack = async () => {
    const connected = await bed.stack.connected();
    return all.every((endpoint) => connected.includes(endpoint));
  };
  await eventually("all six to be back", areBack, 90);
}

/** Kills a slot of each of Chicago's pairs as soon as it runs, so that it never is its partner's again. @param work is given when that began */
async function whileSlotDies(bed: ManyBed, slot: number, work: (began: number) => Promise<void>): Promise<void> {
  const kill = async () => {
    const running = await bed.stack.running();
    const own = running.filter(({ task }) => task.startsWith(CHICAGO) && task.endsWith(`.${slot}`));
    await Promise.all(
      own.map(({ node, id }) =>
        node.docker
          .getContainer(id)
          .kill()
          .catch(() => undefined),
      ),
    );
  };
  let ended = false;
  const killing = async () => {
    while (!ended) {
      await kill().catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  };
  await kill();
  const dying = killing();
  try {
    await work(Date.now() / 1000);
  } finally {
    ended = true;
    await dying;
  }
}

interface SwarmNode {
  readonly ID: string;
  readonly Version: { readonly Index: number };
  readonly Spec: object;
  readonly Description: { readonly Hostname: string };
  readonly Status: { readonly State: string };
}

async function swarmNode({ stack }: ManyBed, name: string): Promise<SwarmNode> {
  const nodes = (await stack.docker.listNodes()) as SwarmNode[];
  const found = nodes.find(({ Description }) => Description.Hostname === name);
  if (found === undefined) throw new Error(`${name} is not in the swarm`);
  return found;
}

/** What `docker node update --availability` does. */
async function setAvailability(bed: ManyBed, name: string, availability: "active" | "drain"): Promise<void> {
  const { ID, Version, Spec } = await swarmNode(bed, name);
  await bed.stack.docker.getNode(ID).update({ ...Spec, version: Version.Index, Availability: availability });
}

/** What `docker node rm` does, once the node counts as down. */
async function removeFromSwarm(bed: ManyBed, name: string): Promise<void> {
  await eventually("the node to be down", async () => (await swarmNode(bed, name)).Status.State === "down");
  await bed.stack.docker.getNode((await swarmNode(bed, name)).ID).remove();
}

async function volumesOn(bed: ManyBed, name: string): Promise<string[]> {
  const { Volumes } = await bed.node(name).engine.docker.listVolumes();
  return Volumes.map(({ Name }) => Name).sort();
}

/** Whether the gateway sends a stranger to the login. */
function pagesAnswer(bed: ManyBed): Promise<boolean> {
  return new Promise((resolve) => {
    const url = `https://${bed.node(CENTRE).address}:8443/thruk/`;
    const asked = request(url, { rejectUnauthorized: false, timeout: 3000 }, (answer) => {
      answer.resume();
      resolve((answer.statusCode ?? 500) < 500);
    });
    asked.on("error", () => resolve(false));
    asked.on("timeout", () => asked.destroy(new Error("no answer")));
    asked.end();
  });
}
