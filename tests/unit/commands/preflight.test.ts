import type Docker from "dockerode";
import { judgeManagerClock, judgeNodeClocks } from "../../../commands/preflight/clocks";
import {
  type Demands,
  type Facts,
  nodeOf,
  type NodeFacts,
  readFacts,
  timesOf,
} from "../../../commands/preflight/facts";
import { countFindings, type Finding, renderFindings } from "../../../commands/preflight/finding";
import { parseProbe } from "../../../commands/preflight/host";
import {
  judge,
  judgeDisk,
  judgeDockerCommand,
  judgeHeartbeat,
  judgeIpvs,
  judgeSwarm,
} from "../../../commands/preflight/judgement";
import { judgeNetworks } from "../../../commands/preflight/networks";
import { judgeEngines, judgeManagers, judgeNodes } from "../../../commands/preflight/nodes";
import { verdict } from "../../../commands/preflight";
import { ensureHeartbeat } from "../../../commands/docker/heartbeat";

const NOW = Date.parse("2026-03-01T12:00:00Z");

const SUBNETS = { "networks.cluster": "10.118.0.0/22", "networks.web": "10.118.7.0/24" };
const SEVERAL: Demands = {
  central: "hq-1",
  locations: [
    { name: "frankfurt", nodes: ["fra-1", "fra-2"] },
    { name: "chicago", nodes: ["chi-1"] },
  ],
  subnets: SUBNETS,
};
const ALONE: Demands = { central: "self", locations: [{ name: "frankfurt", nodes: ["self"] }], subnets: SUBNETS };

function node(name: string, changes: Partial<NodeFacts> = {}): NodeFacts {
  return {
    id: `id-${name}`,
    name,
    state: "ready",
    availability: "active",
    engineVersion: "20.10.24+dfsg1",
    os: "linux",
    architecture: "x86_64",
    address: "100.64.1.11",
    ...changes,
  };
}

const ENGINE: Facts["engine"] = {
  name: "hq-1",
  nodeId: "id-hq-1",
  version: "20.10.24+dfsg1",
  systemTime: NOW,
  rootDirectory: "/var/lib/docker",
  swarmState: "active",
  swarmError: "",
  isManager: true,
  managers: ["100.64.1.11"],
};

const SWARM = {
  heartbeatSeconds: 60,
  nodes: [node("hq-1", { reachability: "reachable" }), node("fra-1"), node("fra-2"), node("chi-1")],
  networks: [
    { name: "ingress", isSwarmWide: true, isOurs: false, subnets: ["10.0.0.0/24"] },
    { name: "docker_gwbridge", isSwarmWide: false, isOurs: false, subnets: ["172.18.0.0/16"] },
    { name: "host", isSwarmWide: false, isOurs: false, subnets: [] },
  ],
  taskTimes: [],
};

/** The swarm with some of its nodes otherwise; null takes a node away. */
function swarm(nodes: Record<string, Partial<NodeFacts> | null>, more: Partial<typeof SWARM> = {}): typeof SWARM {
  const changed = SWARM.nodes.flatMap((each) => {
    const change = nodes[each.name];
    return change === null ? [] : [{ ...each, ...change }];
  });
  return { ...SWARM, nodes: changed, ...more };
}

function facts(changes: Partial<Facts> = {}): Facts {
  return {
    engine: ENGINE,
    swarm: SWARM,
    clock: { here: NOW + 200, uncertainty: 100 },
    host: { freeMegabytes: 50_000, hasIpvs: false },
    ...changes,
  };
}

function serious(findings: readonly Finding[]): string[] {
  return findings
    .filter(({ severity }) => severity !== "note")
    .map(({ severity, message }) => `${severity}: ${message}`);
}

describe("a swarm that is fit", () => {
  it("has nothing to be mended, with several nodes and with one", () => {
    expect(serious(judge(SEVERAL, facts()))).toEqual([]);
    const one = { ...SWARM, heartbeatSeconds: 5, nodes: [node("hq-1", { reachability: "reachable" })] };
    expect(serious(judge(ALONE, facts({ swarm: one })))).toEqual([]);
    const byName = { ...ALONE, central: "hq-1", locations: [{ name: "frankfurt", nodes: ["hq-1"] }] };
    expect(serious(judge(byName, facts({ swarm: one })))).toEqual([]);
  });
});

describe("the engine", () => {
  it("that manages no swarm is told what to do, by the state it is in", () => {
    const judged = (changes: Partial<Facts["engine"]>) => judgeSwarm({ ...ENGINE, isManager: false, ...changes })[0];
    expect(judged({ swarmState: "active", managers: ["10.1.1.1", "10.1.1.2"] })).toMatchObject({
      severity: "error",
      message: "hq-1 is only a worker of its swarm",
      remedy: "set docker:host to a manager (10.1.1.1, 10.1.1.2)",
    });
    expect(judged({ swarmState: "inactive" })).toMatchObject({
      message: "hq-1 is in no swarm",
      remedy: expect.stringContaining("docker swarm init --advertise-addr <its address> --dispatcher-heartbeat 60s"),
    });
    expect(judged({ swarmState: "locked" })?.remedy).toContain("docker swarm unlock");
    expect(judged({ swarmState: "pending", swarmError: "" })?.message).toContain("in state pending: no reason given");
  });

  it("is judged by version and platform where the stack uses it, and nowhere else", () => {
    const old = swarm({ "fra-2": { engineVersion: "19.03.15" }, "chi-1": { architecture: "aarch64" } });
    expect(serious(judgeEngines(SEVERAL, ENGINE, old))).toEqual([
      "error: the stack needs Docker Engine 20.10 or newer; fra-2 has 19.03.15",
      "error: chi-1 is linux/aarch64, but the images are built on hq-1, which is linux/x86_64: they do not run there",
    ]);
    expect(judgeEngines(ALONE, ENGINE, old)).toEqual([]);
    expect(judgeEngines(SEVERAL, ENGINE, swarm({ "fra-2": { engineVersion: "20.9.1" } }))).toHaveLength(1);
    for (const engineVersion of ["20.10.0", "28.2.2", "v29.0", "dev"]) {
      expect(judgeEngines(SEVERAL, ENGINE, swarm({ "fra-2": { engineVersion } }))).toEqual([]);
    }
  });

  it("that is old and in no swarm is told both", () => {
    const engine = { ...ENGINE, version: "19.03.1", isManager: false, swarmState: "inactive" };
    expect(serious(judge(SEVERAL, facts({ engine, swarm: undefined })))).toEqual([
      "error: hq-1 is in no swarm",
      "error: the stack needs Docker Engine 20.10 or newer; hq-1 has 19.03.1",
    ]);
  });
});

describe("nodes", () => {
  it("that are not there are named with what they are for, and with those there are", () => {
    expect(serious(judgeNodes(SEVERAL, ENGINE, swarm({ "fra-2": null, "hq-1": null })))).toEqual([
      'error: node "hq-1" (the centre) is not in the swarm; its nodes are: chi-1, fra-1',
      'error: node "fra-2" (frankfurt) is not in the swarm; its nodes are: chi-1, fra-1',
    ]);
  });

  it("that are there twice must become one", () => {
    const twice = { ...SWARM, nodes: [...SWARM.nodes, node("chi-1", { id: "id-old", state: "down" })] };
    expect(judgeNodes(SEVERAL, ENGINE, twice)).toEqual([
      {
        severity: "error",
        subject: "nodes",
        message: 'the swarm has 2 nodes named "chi-1" (chicago): id-chi-1 is ready, id-old is down',
        remedy: "remove those that are gone: docker node rm <id>",
      },
    ]);
  });

  it("that take no tasks do not stop a deployment, unless it is the centre's", () => {
    expect(serious(judgeNodes(SEVERAL, ENGINE, swarm({ "fra-1": { state: "down" } })))).toEqual([
      "warning: fra-1 (frankfurt) is down: slaves that stand there do not start; those of other nodes do",
    ]);
    expect(serious(judgeNodes(SEVERAL, ENGINE, swarm({ "chi-1": { availability: "drain" } })))).toEqual([
      "warning: chi-1 (chicago) is drained: no slave of this location starts",
    ]);
    const [central] = judgeNodes(SEVERAL, ENGINE, swarm({ "hq-1": { availability: "pause" } }));
    expect(central).toMatchObject({
      severity: "error",
      message: expect.stringMatching(/^hq-1, the node of the centre, takes no new tasks \(availability pause\): /),
      remedy: "docker node update --availability active hq-1",
    });
  });

  it("are judged by their own names: the swarm's other nodes may be as they like", () => {
    const other = { ...SWARM, nodes: [...SWARM.nodes, node("spare", { state: "down", engineVersion: "18.09.1" })] };
    expect(serious(judge(SEVERAL, facts({ swarm: other })))).toEqual([]);
  });

  it("have an address without its port, and a manager its own", () => {
    const seen = (addr: string, manager?: string) =>
      nodeOf({
        ID: "1",
        Spec: { Availability: "active" },
        Status: { State: "ready", Addr: addr },
        ...(manager === undefined ? {} : { ManagerStatus: { Reachability: "reachable", Addr: manager } }),
      }).address;
    expect(seen("10.118.0.5")).toBe("10.118.0.5");
    expect(seen("0.0.0.0", "10.118.0.5:2377")).toBe("10.118.0.5");
    expect(seen("", "[fd00::5]:2377")).toBe("fd00::5");
    expect(seen("127.0.0.1")).toBeUndefined();
  });
});

describe("managers", () => {
  const manager = { reachability: "reachable" };

  it("are odd in number, reachable, and in one place", () => {
    expect(judgeManagers(SEVERAL, ENGINE, SWARM)).toEqual([]);
    const three = swarm({ "fra-1": manager, "fra-2": manager });
    expect(judgeManagers(SEVERAL, ENGINE, three)).toEqual([]);
    expect(serious(judgeManagers(SEVERAL, ENGINE, swarm({ "fra-1": manager })))).toEqual([
      expect.stringMatching(/^warning: an even number of managers \(fra-1, hq-1\)/),
    ]);
    expect(serious(judgeManagers(SEVERAL, ENGINE, swarm({ "fra-1": manager, "chi-1": manager })))).toEqual([
      expect.stringMatching(/^warning: managers are at several locations \(frankfurt, chicago\)/),
    ]);
    const lost = swarm({ "fra-1": manager, "fra-2": { reachability: "unreachable" } });
    expect(serious(judgeManagers(SEVERAL, ENGINE, lost))).toEqual([
      expect.stringMatching(/^warning: fra-2 cannot be reached by the other managers/),
    ]);
  });

  it("that are every location themselves are no managers in several places", () => {
    const locations = ["frankfurt", "chicago"].map((name) => ({ name, nodes: ["self"] }));
    expect(judgeManagers({ ...ALONE, locations }, ENGINE, swarm({}))).toEqual([]);
  });
});

describe("the heartbeat", () => {
  const judged = (heartbeatSeconds: number, demands = SEVERAL) =>
    judgeHeartbeat(demands, ENGINE, { ...SWARM, heartbeatSeconds })[0];

  it("must ride out two minutes, and says by which command", () => {
    expect(judged(5)).toMatchObject({
      severity: "error",
      message: expect.stringContaining("gives no sign for 15 s (3 heartbeats of 5 s)"),
      remedy: "on a manager: docker swarm update --dispatcher-heartbeat 60s",
    });
    expect(judged(39)).toMatchObject({ severity: "error" });
    expect(judged(40)).toBeUndefined();
    expect(judged(600)).toBeUndefined();
    expect(judged(700)).toMatchObject({ severity: "warning", message: expect.stringContaining("after 35 minutes") });
  });

  it("does not matter where the stack is on the manager alone, whatever else is in the swarm", () => {
    expect(judged(5, ALONE)).toBeUndefined();
  });

  /** A swarm of that heartbeat, in nanoseconds, that somebody else changes as often as `conflicts` says. */
  function fakeSwarm(HeartbeatPeriod: number, conflicts = 0) {
    const updates: Record<string, unknown>[] = [];
    const Spec = { Name: "default", Dispatcher: { HeartbeatPeriod }, Orchestration: { TaskHistoryRetentionLimit: 5 } };
    const docker = {
      swarmInspect: () => Promise.resolve({ Version: { Index: 7 + updates.length }, Spec }),
      swarmUpdate: (update: Record<string, unknown>) => {
        updates.push(update);
        return conflicts-- > 0 ? Promise.reject(new Error("update out of sequence")) : Promise.resolve();
      },
    } as unknown as Docker;
    return { docker, updates };
  }

  it("of a swarm of ours is set to a minute, the rest of the swarm's settings stays", async () => {
    const { docker, updates } = fakeSwarm(5e9, 1);
    expect(await ensureHeartbeat(docker)).toBe(true);
    const spec = {
      Name: "default",
      Dispatcher: { HeartbeatPeriod: 60e9 },
      Orchestration: { TaskHistoryRetentionLimit: 5 },
    };
    expect(updates).toEqual([
      { version: 7, ...spec },
      { version: 8, ...spec },
    ]);
  });

  it("that is longer already stays", async () => {
    const { docker, updates } = fakeSwarm(90e9);
    expect(await ensureHeartbeat(docker)).toBe(false);
    expect(updates).toEqual([]);
  });
});

describe("subnets", () => {
  const network = (name: string, subnet: string, isSwarmWide = true, isOurs = false) => ({
    name,
    isSwarmWide,
    isOurs,
    subnets: [subnet],
  });
  const judged = (...networks: (typeof SWARM)["networks"]) =>
    judgeNetworks(SEVERAL, ENGINE, { ...SWARM, networks: [...SWARM.networks, ...networks] });

  it("may not overlap another network of the swarm, or the bridge of all tasks", () => {
    expect(judged(network("erp", "10.118.2.0/23"))).toEqual([
      {
        severity: "error",
        subject: "networks",
        message:
          "networks.cluster (10.118.0.0/22) overlaps 10.118.2.0/23 of the network erp: Swarm gives no addresses to a " +
          "network that overlaps another, so its services never start",
        remedy: "set icinga-swarm:networks.cluster to a subnet that nothing in the company uses",
      },
    ]);
    expect(serious(judged(network("erp", "10.0.0.0/8")))).toHaveLength(2);
    expect(serious(judged(network("docker_gwbridge", "10.118.0.0/16", false)))).toEqual([
      expect.stringMatching(/^error: networks.cluster .* by which every task reaches the outside$/),
      expect.stringMatching(/^error: networks.web/),
    ]);
    expect(serious(judged(network("compose_default", "10.118.7.0/28", false)))).toEqual([
      expect.stringMatching(
        /^warning: networks.web \(10.118.7.0\/24\) overlaps 10.118.7.0\/28 of the network compose_default/,
      ),
    ]);
  });

  it("are the stack's own when it was deployed before, but no new one overlaps an old one", () => {
    expect(judged(network("networks-cluster-1a2b3c4", "10.118.0.0/22", true, true))).toEqual([]);
    expect(serious(judged(network("networks-cluster-1a2b3c4", "10.118.0.0/21", true, true)))).toEqual([
      expect.stringMatching(/^error: networks.cluster .* which is the stack's own as it is now/),
      expect.stringMatching(/^error: networks.web/),
    ]);
    expect(serious(judged(network("erp", "10.118.0.0/22")))).toHaveLength(1);
  });

  it("do not move from one of the stack's networks to another in one deployment", () => {
    const own = (name: string, subnet: string) => network(name, subnet, true, true);
    const sydney = (name: string): Demands => ({
      ...SEVERAL,
      locations: [{ name, nodes: ["syd-1"] }],
      subnets: { "locations[0].subnet": "10.118.64.0/26" },
    });
    const deployed = own("location-sydney-network-1a2b3c4", "10.118.64.0/26");
    const moved = (demands: Demands, ...networks: (typeof SWARM)["networks"]) =>
      judgeNetworks(demands, ENGINE, { ...SWARM, networks: [...SWARM.networks, ...networks] });
    expect(moved(sydney("sydney"), deployed)).toEqual([]);
    expect(moved(sydney("sydney-cbd"), deployed)).toEqual([
      {
        severity: "error",
        subject: "networks",
        message:
          "locations[0].subnet (10.118.64.0/26) overlaps 10.118.64.0/26 of the network location-sydney-network-1a2b3c4, " +
          "which is the stack's own as it is now: a new network is made before the old one goes, and Swarm gives no " +
          "addresses to one that overlaps another",
        remedy:
          "this takes two deployments: first set icinga-swarm:locations[0].subnet to a subnet that nothing in the company " +
          "uses, or leave out what it is for, so that location-sydney-network-1a2b3c4 goes or moves; then deploy this",
      },
    ]);
    const swapped = { ...SEVERAL, subnets: { "networks.web": "10.118.6.0/24", "networks.metrics": "10.118.7.0/24" } };
    const both = [own("networks-web-1a2b3c4", "10.118.7.0/24"), own("networks-metrics-1a2b3c4", "10.118.6.0/24")];
    expect(serious(moved(swapped, ...both))).toEqual([
      expect.stringMatching(
        /^error: networks.web .* of the network networks-metrics-1a2b3c4, which is the stack's own/,
      ),
      expect.stringMatching(
        /^error: networks.metrics .* of the network networks-web-1a2b3c4, which is the stack's own/,
      ),
    ]);
    // Names of which one is the beginning of the other.
    const nested = own("location-sydney-network-network-1a2b3c4", "10.118.64.0/26");
    expect(moved(sydney("sydney-network"), nested)).toEqual([]);
    expect(moved(sydney("sydney"), nested)).toHaveLength(1);
  });

  it("hold no node's own address; IPv6 is another world", () => {
    const nodes = swarm({ "fra-1": { address: "10.118.3.255" }, "chi-1": { address: "fd00::5" } });
    expect(serious(judgeNetworks(SEVERAL, ENGINE, nodes))).toEqual([
      expect.stringMatching(
        /^error: networks.cluster \(10.118.0.0\/22\) holds the addresses of nodes \(fra-1 at 10.118.3.255\)/,
      ),
    ]);
    expect(judged(network("six", "fd00:118::/64"))).toEqual([]);
  });

  it("stay out of what engines choose from", () => {
    const demands = (cluster: string): Demands => ({ ...SEVERAL, subnets: { "networks.cluster": cluster } });
    const inPool = "warning: networks.cluster (172.20.4.0/22) lies in 172.20.0.0/14, from which hq-1 takes ranges";
    expect(serious(judgeNetworks(demands("172.20.4.0/22"), ENGINE, SWARM))).toEqual([expect.stringContaining(inPool)]);
    const engine = { ...ENGINE, addressPools: ["10.201.0.0/16"] };
    expect(judgeNetworks(demands("172.20.4.0/22"), engine, SWARM)).toEqual([]);
    expect(serious(judgeNetworks(demands("10.201.4.0/22"), engine, SWARM))).toHaveLength(1);
  });
});

describe("clocks", () => {
  it("of the manager and of this machine agree within 15 s, the time of asking set aside", () => {
    const judged = (ahead: number, uncertainty = 0) =>
      serious(judgeManagerClock(facts({ clock: { here: NOW - ahead, uncertainty } })));
    expect([judged(14_000), judged(-14_000), judged(17_000, 3_000)]).toEqual([[], [], []]);
    expect(judged(40_000)).toEqual([expect.stringMatching(/^warning: hq-1's clock is 40 s ahead of this machine's/)]);
    expect(judged(-40_000)).toEqual([expect.stringMatching(/^warning: hq-1's clock is 40 s behind this machine's/)]);
  });

  it("of nodes are judged by their tasks' times, the quickest report first", () => {
    const judged = (...behind: number[]) =>
      serious(
        judgeNodeClocks(ENGINE, {
          ...SWARM,
          taskTimes: behind.map((ms) => ({ nodeId: "id-chi-1", onManager: NOW - 60_000, onNode: NOW - 60_000 - ms })),
        }),
      );
    expect(judged(100, 3_000_000)).toEqual([]);
    expect(judged(-20_000)).toEqual([
      expect.stringMatching(/^warning: chi-1's clock was 20 s ahead of the manager's at 2026-03-01T11:59:00.000Z/),
    ]);
    expect(judged(90_000, 100_000)).toEqual([
      expect.stringMatching(/^warning: chi-1's clock seems to have been up to 90 s behind the manager's/),
    ]);
  });

  it("are told by tasks that run and are to run, on nodes that are there", () => {
    const task = (DesiredState: string, State: string) =>
      timesOf({
        NodeID: "id-chi-1",
        UpdatedAt: "2026-03-01T12:01:40Z",
        DesiredState,
        Status: { State, Timestamp: "2026-03-01T12:00:00Z" },
      });
    const [time] = task("running", "running");
    expect(time).toEqual({ nodeId: "id-chi-1", onNode: NOW, onManager: NOW + 100_000 });
    // A manager that gives a node up writes to its tasks, too.
    expect([...task("shutdown", "running"), ...task("running", "assigned")]).toEqual([]);
    const taskTimes = time ? [time] : [];
    expect(judgeNodeClocks(ENGINE, { ...SWARM, taskTimes })).toHaveLength(1);
    expect(judgeNodeClocks(ENGINE, { ...swarm({ "chi-1": { state: "down" } }), taskTimes })).toEqual([]);
  });

  it("of nodes are not judged by what is long ago", () => {
    const long = NOW - 25 * 3600_000;
    const taskTimes = [{ nodeId: "id-chi-1", onManager: long, onNode: long + 600_000 }];
    expect(judgeNodeClocks(ENGINE, { ...SWARM, taskTimes })).toEqual([]);
  });
});

describe("the manager's machine", () => {
  it("needs free disk, and where that cannot be seen the preflight says so", () => {
    expect(judgeDisk(ENGINE, { freeMegabytes: 900 })[0]).toMatchObject({
      severity: "error",
      message: expect.stringContaining("hq-1 has 0.9 GB left at /var/lib/docker"),
    });
    expect(judgeDisk(ENGINE, { freeMegabytes: 5_000 })[0]).toMatchObject({ severity: "warning" });
    expect(judgeDisk(ENGINE, { freeMegabytes: 50_000 })[0]).toMatchObject({ severity: "note" });
    expect(judgeDisk(ENGINE, {})[0]).toMatchObject({
      severity: "note",
      message: expect.stringContaining("cannot be seen from here"),
    });
  });

  it("may do without IPVS; what follows for others is said", () => {
    expect(judgeIpvs(ENGINE, { hasIpvs: false })[0]).toMatchObject({
      severity: "note",
      message: expect.stringMatching(/kernel has none; the stack does not need it.*Other services/),
    });
    expect(judgeIpvs(ENGINE, { hasIpvs: true })[0]?.message).not.toContain("Other services");
    expect(judgeIpvs(ENGINE, {})[0]?.message).toContain("cannot be seen");
  });

  it("has the command by which Pulumi reaches the engine over ssh", () => {
    expect(judgeDockerCommand(ENGINE, { hasDockerCommand: false })[0]).toMatchObject({
      severity: "error",
      message: expect.stringContaining("finds no docker command there"),
    });
    expect([{ hasDockerCommand: true }, {}].flatMap((host) => judgeDockerCommand(ENGINE, host))).toEqual([]);
  });

  it("answers in lines, of which any may be missing", () => {
    const all = { freeMegabytes: 75_000, hasIpvs: false, hasDockerCommand: true };
    expect(parseProbe("freeMegabytes 75000\nipvs no\ndocker yes\n")).toEqual(all);
    expect(parseProbe("ipvs yes\n")).toEqual({ hasIpvs: true });
    expect(parseProbe("This account is for Docker only.\n")).toEqual({});
  });
});

describe("what is said", () => {
  const findings: Finding[] = [
    { severity: "note", subject: "disk", message: "plenty" },
    { severity: "warning", subject: "managers", message: "two", remedy: "have three" },
    { severity: "error", subject: "swarm", message: "none", remedy: "make one" },
  ];

  it("begins with the worst, and has what to do below it", () => {
    expect(renderFindings(findings).join("\n")).toBe(
      [
        "error    swarm     none",
        "                   -> make one",
        "warning  managers  two",
        "                   -> have three",
        "note     disk      plenty",
      ].join("\n"),
    );
    expect(countFindings(findings)).toBe("1 error, 1 warning");
    expect(countFindings([])).toBe("no error, no warning");
  });

  it("to somebody who deploys is what concerns them, and stops them for errors alone", () => {
    expect(verdict(findings.slice(0, 2), "unix:///a")).toEqual([
      "warning  managers  two",
      "                   -> have three",
    ]);
    expect(() => verdict(findings, "unix:///a")).toThrow(
      /^the swarm at unix:\/\/\/a is not fit for this stack:\nerror {4}swarm {5}none\n {19}-> make one\nwarning/,
    );
  });
});

it("an engine that manages no swarm is asked nothing of it", async () => {
  const docker = {
    info: () =>
      Promise.resolve({
        Name: "hq-1",
        ServerVersion: "20.10.24",
        SystemTime: "2026-03-01T12:00:00.5Z",
        DockerRootDir: "/var/lib/docker",
        Swarm: {
          NodeID: "x",
          LocalNodeState: "active",
          ControlAvailable: false,
          Error: "",
          RemoteManagers: [{ Addr: "10.1.1.1:2377" }],
        },
      }),
  } as unknown as Docker;
  const read = await readFacts(docker, "tcp://hq-1:2375");
  expect(read.swarm).toBeUndefined();
  expect(read.host).toEqual({});
  expect(read.engine).toMatchObject({ isManager: false, managers: ["10.1.1.1"], systemTime: NOW + 500 });
});
