import { locationSchema } from "../../../../generator/location";
import {
  abandonedVolumes,
  expectedServices,
  type NodeStatus,
  report,
  type StackStatus,
} from "../../../../commands/status/report";

const frankfurt = locationSchema.parse({ name: "frankfurt", nodes: ["fra-1", "fra-2"], slaves: 3 });
const chicago = locationSchema.parse({ name: "chicago", nodes: ["chi-1"] });
const ENDPOINTS = [
  "icinga-slave-frankfurt-1",
  "icinga-slave-frankfurt-2",
  "icinga-slave-frankfurt-p2-1",
  "icinga-slave-chicago-1",
];

const MASTER = {
  time: 1,
  endpoints: Object.fromEntries(ENDPOINTS.map((name) => [name, { zone: "any", connected: true }])),
  hosts: { up: 3, down: 1, pending: 0 },
  services: { ok: 12, warning: 0, critical: 2, unknown: 0, pending: 1 },
  ido: true,
  checksPerMinute: 44,
};

/** Where the slaves run. */
const PLACES = Object.fromEntries(ENDPOINTS.map((name) => [name, name.includes("chicago") ? "chi-1" : "fra-1"]));

function node(name: string, changes: Partial<NodeStatus> = {}): NodeStatus {
  const labels = { hq: ["central"], fra: ["frankfurt"], chi: ["chicago"] }[name.split("-")[0] ?? ""] ?? [];
  return {
    name,
    state: "ready",
    availability: "active",
    isManager: name === "hq-1",
    labels: labels.map((label) => `icinga-swarm.${label}`),
    ...changes,
  };
}

function healthy(changes: Partial<StackStatus> = {}): StackStatus {
  const locations = [frankfurt, chicago];
  return {
    stack: "local",
    dockerHost: "unix:///var/run/docker.sock",
    locations,
    centralNode: "hq-1",
    ownNode: "hq-1",
    nodes: ["hq-1", "fra-1", "fra-2", "chi-1", "others-1"].map((name) => node(name)),
    places: PLACES,
    services: expectedServices(locations).map((name) => ({ name, replicas: 1, running: 1, problems: [] })),
    master: { status: MASTER, ageSeconds: 12.4 },
    volumes: [],
    ...changes,
  };
}

function text(status: StackStatus): string {
  return report(status).lines.join("\n");
}

it("says of a healthy stack that all is well, even if what it monitors is not", () => {
  expect(report(healthy()).well).toBe(true);
  expect(text(healthy())).toMatchInlineSnapshot(`
    "Stack local on unix:///var/run/docker.sock

    Nodes
        hq-1   ready: manager, the centre
        fra-1  ready: frankfurt
        fra-2  ready: frankfurt
        chi-1  ready: chicago

    Services
        graphite                   1 of 1 running
        gateway                    1 of 1 running
        mysql                      1 of 1 running
        icinga-master              1 of 1 running
        grafana                    1 of 1 running
        thruk                      1 of 1 running
        nagvis                     1 of 1 running
        config-generator           1 of 1 running
        icinga-slave-frankfurt     1 of 1 running
        icinga-slave-frankfurt-p2  1 of 1 running
        icinga-slave-chicago       1 of 1 running

    Locations
        frankfurt  icinga-slave-frankfurt-1 connected on fra-1, icinga-slave-frankfurt-2 connected on fra-1, icinga-slave-frankfurt-p2-1 connected on fra-1
        chicago    icinga-slave-chicago-1 connected on chi-1

    Monitored
        hosts     3 up, 1 down, 0 pending
        services  12 ok, 0 warning, 2 critical, 0 unknown, 1 pending
        checks    44 in the last minute
        database  connected
        reported  12 s ago

    Where to look
        docker service logs --tail 50 icinga-master    (or another service)
        docker service ps --no-trunc icinga-master     (its tasks, with their errors)
        docker volume ls --filter name=icinga2-slave-  (on a node itself: what slaves left; here only hq-1 is seen)

    All is well."
  `);
});

it("marks a service that does not run, with the reason, and one that is missing", () => {
  const others = healthy().services.filter(({ name }) => name !== "mysql" && name !== "icinga-master");
  const mysql = { name: "mysql", replicas: 1, running: 0, problems: ["slot 1: pending: no suitable node"] };
  const status = healthy({ services: [mysql, ...others] });
  expect(report(status).well).toBe(false);
  expect(text(status)).toContain(
    "  ! mysql                      0 of 1 running\n        slot 1: pending: no suitable node",
  );
  expect(text(status)).toContain("  ! icinga-master              is not there");
});

it("marks a slave that is not connected or that the master does not know", () => {
  const endpoints = { "icinga-slave-frankfurt-1": { zone: "frankfurt", connected: false } };
  const status = healthy({ master: { status: { ...MASTER, endpoints }, ageSeconds: 1 }, places: {} });
  expect(report(status).well).toBe(false);
  expect(text(status)).toContain(
    "  ! frankfurt  icinga-slave-frankfurt-1 NOT CONNECTED, icinga-slave-frankfurt-2 not known to the master",
  );
});

it("marks a lost database, an old report and a master that says nothing, with the reason", () => {
  const lost = healthy({ master: { status: { ...MASTER, ido: false }, ageSeconds: 1 } });
  expect(text(lost)).toContain("  ! database  NOT CONNECTED");
  const old = healthy({ master: { status: MASTER, ageSeconds: 400 } });
  expect(text(old)).toContain("  ! reported  400 s ago: too long");
  const silent = healthy({ master: { problem: "icinga-master is on hq-1, which is down" } });
  expect(report(silent).well).toBe(false);
  expect(text(silent)).toContain("  ! icinga-master is on hq-1, which is down");
  expect(text(silent)).toContain("chicago    icinga-slave-chicago-1 unknown");
});

describe("nodes", () => {
  it("that are down or have left the swarm are marked, and no others", () => {
    const nodes = [
      node("hq-1"),
      node("fra-1", { state: "down" }),
      node("fra-2", { availability: "drain" }),
      node("others-1", { state: "down" }),
      node("hq-2", { state: "unknown", isManager: true }),
    ];
    const status = healthy({ nodes });
    expect(report(status).well).toBe(false);
    const lines = report(status).lines;
    expect(lines.slice(lines.indexOf("Nodes") + 1, lines.indexOf("Services") - 1)).toEqual([
      "    hq-1      ready: manager, the centre",
      "  ! fra-1     DOWN: frankfurt",
      "    fra-2     ready, but drained: nothing runs on it: frankfurt",
      "  ! chi-1     NOT IN THE SWARM: chicago",
      "    others-1  DOWN",
      "  ! hq-2      UNKNOWN: manager",
    ]);
  });

  it("that lack a label are marked, with what gives it to them", () => {
    const nodes = ["hq-1", "fra-1", "chi-1"].map((name) => node(name));
    const status = healthy({ stack: "prod", nodes: [...nodes, node("fra-2", { labels: ["icinga-swarm.chicago"] })] });
    expect(report(status).well).toBe(false);
    expect(text(status)).toContain(
      "  ! fra-2  ready: frankfurt\n        has no label icinga-swarm.frankfurt: npm run labels -- prod\n",
    );
    expect(text(status).match(/has no label/g)).toHaveLength(1);
  });

  it("are those that `self` stands for", () => {
    const dev = locationSchema.parse({ name: "frankfurt", nodes: ["self"] });
    const labels = ["icinga-swarm.central", "icinga-swarm.frankfurt"];
    const nodes = [node("laptop", { isManager: true, labels })];
    const status = healthy({ locations: [dev], centralNode: "self", ownNode: "laptop", nodes });
    expect(text(status)).toContain("    laptop  ready: manager, the centre, frankfurt\n");
    expect(text(status)).not.toContain("docker volume ls");
    expect(text(status)).not.toContain(" on fra-1");
  });
});

it("lists volumes that no slot uses here any more, which is no reason to worry", () => {
  const volumes = [
    // Its slot runs here, or is to run and may start from it.
    "icinga2-slave-frankfurt-1-data",
    "icinga2-slave-frankfurt-2-data",
    // Its slot runs elsewhere now.
    "icinga2-slave-frankfurt-p2-1-config",
    // There are no such slots.
    "icinga2-slave-frankfurt-p2-2-config",
    "icinga2-slave-oslo-1-data",
    "mysql-data",
    "somebody-elses",
  ];
  const places = { "icinga-slave-frankfurt-1": "fra-1", "icinga-slave-frankfurt-p2-1": "fra-2" };
  expect(abandonedVolumes({ volumes, locations: [frankfurt, chicago], ownNode: "fra-1", places })).toEqual([
    "icinga2-slave-frankfurt-p2-1-config",
    "icinga2-slave-frankfurt-p2-2-config",
    "icinga2-slave-oslo-1-data",
  ]);
  expect(text(healthy({ volumes }))).toContain("Volumes on hq-1 that no slave uses any more (docker volume rm):\n");
  expect(text(healthy({ volumes }))).toContain("    icinga2-slave-oslo-1-data");
  expect(report(healthy({ volumes })).well).toBe(true);
});
