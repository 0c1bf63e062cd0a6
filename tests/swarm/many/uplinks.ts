import type { Visitor } from "../../browser";
import { note, stopwatch } from "../faultTable";
import { HEARTBEAT_SECONDS, INTERVAL, type ManyBed, SERVICES, type Site } from "../manyBed";
import type { TestNode } from "../testSwarm";
import { eventually } from "../workspace";
import { LineCut, type LineReport } from "./lineCut";
import { SitePair } from "./sitePair";

const MASTER_PORT = 5665;
/** Of the master, and of what runs beside it: Livestatus, NRPE, MySQL, carbon. */
const INNER_PORTS = [6558, 5666, 3306, 2003];
/**
 * Seconds between signs of life that ride out a cut of two minutes: a node is down when three are missing, and the last one
 * may have come long before the cut.
 */
const PATIENT_HEARTBEAT = 120;
const CUT_SECONDS = 125;
const CENTRE = "hq-1";
const CHICAGO = "icinga-slave-chicago";
const FRANKFURT = "icinga-slave-frankfurt";
const SINGAPORE = "icinga-slave-singapore";
const THRUK_HOSTS = "/thruk/cgi-bin/status.cgi?hostgroup=all&style=hostdetail";

/** The ways from sites to the centre, and what becomes of them when they are cut. Singapore's is direct. */
export function uplinkCases(given: () => ManyBed): void {
  describe("uplinks", () => uplinks(given));
}

function uplinks(given: () => ManyBed): void {
  let openSingapore: () => Promise<void> = () => Promise.resolve();

  // Also when one of the cases fails.
  afterAll(async () => {
    await openSingapore();
    await given().swarm.setHeartbeat(HEARTBEAT_SECONDS);
  });

  describe("a direct uplink", () => {
    test("leads to the published port, where no other one of the master is, and not into the centre's network", async () => {
      const bed = given();
      await bed.swarm.setHeartbeat(PATIENT_HEARTBEAT);
      const { address } = bed.node(CENTRE);
      const open = await bed.stack.exec(SINGAPORE, ["python3", "-c", REACH, address, String(MASTER_PORT)]);
      expect(open.output.trim()).toBe("open");
      for (const port of INNER_PORTS) {
        const { output } = await bed.stack.exec(SINGAPORE, ["python3", "-c", REACH, address, String(port)]);
        expect([port, output.trim()]).not.toEqual([port, "open"]);
      }
      const inside = await bed.stack.exec(SINGAPORE, ["python3", "-c", REACH, "icinga-master", String(MASTER_PORT)]);
      expect(inside.output.trim()).toBe("no such name");
      const ports = await publishedPorts(bed);
      expect(Object.keys(ports).sort()).toEqual(["gateway", "icinga-master"]);
      expect(ports["icinga-master"]).toEqual([MASTER_PORT]);
    });
  });

  describe("a direct pair, its overlay network to the centre blocked", () => {
    const singapore = (): SitePair => new SitePair(given(), "singapore");
    let turns: Promise<Turns> | undefined;

    test("shares its checks", async () => {
      openSingapore = await cutSingaporeFromOverlay(given());
      await singapore().shares(60);
    });

    test("fails over when a node has no power", async () => {
      await singapore().losePower("sin-2", "node of a direct pair without power", () => {
        // In the time that Icinga takes: see the next test.
        turns = turnDirectAndBack(given());
        turns.catch(() => undefined);
      });
    });

    test("meanwhile a location becomes direct and overlay again by pulumi up alone, with its certificate, and so does a pair", async () => {
      const bed = given();
      const { before, direct, after } = await (turns ?? turnDirectAndBack(bed));
      expect(direct.others).toEqual(before.others);
      expect(after.others).toEqual(before.others);
      expect([direct.fingerprint, after.fingerprint]).toEqual([before.fingerprint, before.fingerprint]);
      for (const site of ["chicago", "frankfurt"] as const) {
        expect([before, direct, after].map(({ masters }) => masters[site])).toEqual(["open", "no such name", "open"]);
      }
      expect(direct.networks).toBe(before.networks + 2);
      expect(after.networks).toBe(before.networks);
    });

    test("shares them again when it is back", async () => {
      await singapore().regainPower("sin-2");
    });
  });

  describe("lines that are cut for two minutes", () => {
    let chicago: LineReport;
    let frankfurt: LineReport;
    let witness: Witness;

    test("take no task away, and go unnoticed where the line is whole", async () => {
      const bed = given();
      const { stack, lans } = bed;
      for (const site of ["frankfurt", "chicago", "singapore"] as const) await settled(bed, site);
      const visitor = await (await bed.browser()).login("admin", bed.workspace.read(".local/admin-password").trim());
      const before = await stack.containers();
      const cuts = [
        new LineCut(bed, "chicago", [`${CHICAGO}-1`], () => bed.node("chi-1").cutDataPlane()),
        new LineCut(bed, "frankfurt", ["icinga-slave-frankfurt-1", "icinga-slave-frankfurt-2"], () =>
          cutSite([bed.node("fra-1"), bed.node("fra-2")]),
        ),
      ] as const;
      const asked = await lans.singapore.client.executions();
      const watch = watchOthers(bed, visitor);
      const since = stopwatch();
      const reports = await Promise.all(cuts.map((cut) => cut.during(CUT_SECONDS)));
      const seconds = since();
      const checks = (await lans.singapore.client.executions()) - asked;
      witness = { ...(await watch.end()), checks, expected: (SERVICES.length * seconds) / INTERVAL };
      [chicago, frankfurt] = reports as [LineReport, LineReport];
      expect(await stack.containers()).toEqual(before);
      expect(await stack.connected()).toEqual(expect.arrayContaining([`${SINGAPORE}-1`, `${SINGAPORE}-2`]));
      expect(witness.checks).toBeGreaterThan(0.9 * witness.expected);
      expect(witness.oldestResult).toBeLessThan(3 * INTERVAL);
    });

    test("leave the pages quick", () => {
      const times = [...witness.pages].sort((one, other) => one - other);
      expect(times.length).toBeGreaterThan(10);
      expect(times[Math.floor(times.length / 2)]).toBeLessThan(1.5);
      expect(times.at(-1)).toBeLessThan(6);
    });

    test("are noticed on both ends, while the sites check on", () => {
      for (const report of [chicago, frankfurt]) {
        expect(report.noticedByMaster).toBeLessThan(120);
        expect(report.noticedBySite).toBeLessThan(120);
        expect(report.checks).toBeGreaterThan(0.8 * report.expected);
      }
    });

    test("are no matter for the check of the replay log, which says how much is kept", async () => {
      const check = await eventually("its result", () => given().stack.lastResult(`${CHICAGO}-1!replay log`));
      expect(check).toMatchObject({ state: 0, output: expect.stringMatching(/^REPLAY LOG OK - [\d.]+ MB/) });
    });

    test.each([
      ["an overlay network alone", () => chicago],
      ["all of a site's line", () => frankfurt],
    ])("lose nothing of the history: %s", (what, report) => {
      const { noticedByMaster, noticedBySite, servedAfter, changes, missing } = report();
      note({
        what: `line cut for ${CUT_SECONDS} s, ${what}; the site noticed after ${Math.round(noticedBySite)} s`,
        noticed: noticedByMaster,
        served: servedAfter,
        lost: `${missing.length} of ${changes} changes of state; no check`,
      });
      expect(missing).toEqual([]);
      expect(servedAfter).toBeLessThan(90);
    });
  });
}

/** What went on where nothing was cut. */
interface Witness {
  /** Ages of the oldest of the last results that the centre had of Singapore's client: seconds, the most there ever were. */
  readonly oldestResult: number;
  /** Seconds until Thruk showed all hosts, each time that it was asked. */
  readonly pages: readonly number[];
  /** How often Singapore's client was asked, and how often it should have been. */
  readonly checks: number;
  readonly expected: number;
}

/** Looks at Singapore's results and at a page, again and again. */
function watchOthers(bed: ManyBed, visitor: Visitor): { end(): Promise<Pick<Witness, "oldestResult" | "pages">> } {
  let ended = false;
  let oldestResult = 0;
  const pages: number[] = [];
  const look = async () => {
    while (!ended) {
      const since = stopwatch();
      const { status } = await visitor.request(THRUK_HOSTS);
      pages.push(status === 200 ? since() : Infinity);
      oldestResult = Math.max(oldestResult, await oldestOf(bed, "singapore"));
      await sleep(2000);
    }
  };
  const looking = look();
  looking.catch(() => undefined);
  return {
    end: async () => {
      ended = true;
      await looking;
      return { oldestResult, pages };
    },
  };
}

/** Age in seconds of the oldest of the last results of a site's client. */
async function oldestOf({ stack }: ManyBed, site: Site): Promise<number> {
  const services = await stack.objects("services", ["last_check"], `host.name=="client-${site}"`);
  const now = Date.now() / 1000;
  return Math.max(...Object.values(services).map(({ last_check: last }) => now - Number(last)));
}

/** Waits until a site's client is well and looked at at its pace. */
async function settled(bed: ManyBed, site: Site): Promise<void> {
  await bed.lans[site].client.answers(0);
  await eventually(
    `${site} to be well`,
    async () => {
      const services = await bed.stack.objects("services", ["state"], `host.name=="client-${site}"`);
      const isWell = Object.values(services).every(({ state }) => state === 0);
      return isWell && (await oldestOf(bed, site)) < 2 * INTERVAL;
    },
    90,
  );
}

/** Drops what overlay networks carry between the centre and Singapore's nodes, at the centre: theirs among themselves goes on. */
async function cutSingaporeFromOverlay(bed: ManyBed): Promise<() => Promise<void>> {
  const { engine } = bed.node(CENTRE);
  const rules = ["sin-1", "sin-2"].flatMap((name) => {
    const { address } = bed.node(name);
    return [
      ["INPUT", "-p", "udp", "--dport", "4789", "-s", address, "-j", "DROP"],
      ["OUTPUT", "-p", "udp", "--dport", "4789", "-d", address, "-j", "DROP"],
    ];
  });
  const apply = async (action: string) => {
    for (const rule of rules) await engine.inEngine(["iptables", "--wait", action, ...rule]);
  };
  await apply("--insert");
  return () => apply("--delete");
}

/** Takes the line away that a site's machines share; they go on to reach one another. @returns mends it */
async function cutSite(nodes: readonly TestNode[]): Promise<() => Promise<void>> {
  const rulesOf = (node: TestNode) => [
    ["raw", "PREROUTING", "-i", "eth0", "-j", "DROP"],
    ["mangle", "POSTROUTING", "-o", "eth0", "-j", "DROP"],
    ...nodes
      .filter((other) => other !== node)
      .flatMap(({ address }) => [
        ["raw", "PREROUTING", "-i", "eth0", "-s", address, "-j", "ACCEPT"],
        ["mangle", "POSTROUTING", "-o", "eth0", "-d", address, "-j", "ACCEPT"],
      ]),
  ];
  const apply = async (action: string) => {
    for (const node of nodes) {
      for (const [table = "", ...rule] of rulesOf(node)) {
        await node.engine.inEngine(["iptables", "--wait", "--table", table, action, ...rule]);
      }
    }
  };
  await apply("--insert");
  return () => apply("--delete");
}

/** Ports of the nodes by service. */
async function publishedPorts({ stack }: ManyBed): Promise<Record<string, number[]>> {
  const services = (await stack.docker.listServices()) as {
    Spec: { Name: string };
    Endpoint?: { Spec?: { Ports?: { PublishedPort: number }[] } };
  }[];
  const all = services.map(({ Spec, Endpoint }) => {
    return [Spec.Name, (Endpoint?.Spec?.Ports ?? []).map(({ PublishedPort }) => PublishedPort)] as const;
  });
  return Object.fromEntries(all.filter(([, ports]) => ports.length > 0));
}

/** Chicago, and Frankfurt's pair, before, while and after their uplinks are direct. */
interface Turns {
  readonly before: Turn;
  readonly direct: Turn;
  readonly after: Turn;
}

interface Turn {
  /** Containers of all others. */
  readonly others: Readonly<Record<string, string>>;
  /** Of Chicago's slave, which stays on its node; those of a pair may change places, and then enrol anew. */
  readonly fingerprint: string;
  /** What slaves meet at the master's name inside the swarm. */
  readonly masters: Readonly<Record<"chicago" | "frankfurt", string>>;
  /** How many networks of the stack there are. */
  readonly networks: number;
}

/** Both slaves of the pair have to share their checks after each turn. */
async function turnDirectAndBack(bed: ManyBed): Promise<Turns> {
  const { workspace, stack } = bed;
  const meet = async (service: string): Promise<string> => {
    const { output } = await stack.exec(service, ["python3", "-c", REACH, "icinga-master", String(MASTER_PORT)]);
    return output.trim();
  };
  const look = async (): Promise<Turn> => {
    const networks = await stack.docker.listNetworks();
    return {
      others: await stack.containersOutside(CHICAGO, FRANKFURT),
      fingerprint: await stack.fingerprint(CHICAGO),
      masters: { chicago: await meet(CHICAGO), frankfurt: await meet(FRANKFURT) },
      networks: networks.filter(({ Labels }) => Labels?.["icinga-swarm"]).length,
    };
  };
  const turn = async (changes: Parameters<ManyBed["locations"]>[0]): Promise<Turn> => {
    workspace.configure({ locations: bed.locations(changes) });
    await workspace.up();
    const seen = await look();
    await new SitePair(bed, "frankfurt").shares(60);
    return seen;
  };
  const before = await look();
  const direct = await turn({ chicago: { uplink: "direct" }, frankfurt: { uplink: "direct" } });
  return { before, direct, after: await turn({}) };
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

const REACH = `
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=3).close()
    print("open")
except socket.gaierror:
    print("no such name")
except ConnectionRefusedError:
    print("refused")
except OSError:
    print("silent")
`;
