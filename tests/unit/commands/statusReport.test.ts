import { locationSchema } from "../../../generator/location";
import { abandonedVolumes, expectedServices, report, type StackStatus } from "../../../commands/statusReport";

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

function healthy(changes: Partial<StackStatus> = {}): StackStatus {
  const locations = [frankfurt, chicago];
  return {
    stack: "local",
    dockerHost: "unix:///var/run/docker.sock",
    locations,
    services: expectedServices(locations).map((name) => ({ name, replicas: 1, running: 1, problems: [] })),
    master: MASTER,
    masterAgeSeconds: 12.4,
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
        frankfurt  icinga-slave-frankfurt-1 connected, icinga-slave-frankfurt-2 connected, icinga-slave-frankfurt-p2-1 connected
        chicago    icinga-slave-chicago-1 connected

    Monitored
        hosts     3 up, 1 down, 0 pending
        services  12 ok, 0 warning, 2 critical, 0 unknown, 1 pending
        checks    44 in the last minute
        database  connected
        reported  12 s ago

    Where to look
        docker service logs --tail 50 icinga-master    (or another service)
        docker service ps --no-trunc icinga-master     (its tasks, with their errors)

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
  const status = healthy({ master: { ...MASTER, endpoints } });
  expect(report(status).well).toBe(false);
  expect(text(status)).toContain(
    "  ! frankfurt  icinga-slave-frankfurt-1 NOT CONNECTED, icinga-slave-frankfurt-2 not known to the master",
  );
});

it("marks a lost database, an old report and a report that never came", () => {
  expect(text(healthy({ master: { ...MASTER, ido: false } }))).toContain("  ! database  NOT CONNECTED");
  expect(text(healthy({ masterAgeSeconds: 400 }))).toContain("  ! reported  400 s ago: too long");
  const silent = healthy({ master: undefined, masterAgeSeconds: undefined });
  expect(report(silent).well).toBe(false);
  expect(text(silent)).toContain("the master has not reported yet");
});

it("lists volumes of slots that are no more, which is no reason to worry", () => {
  const volumes = [
    "icinga2-slave-frankfurt-1-data",
    "icinga2-slave-frankfurt-p2-1-config",
    "icinga2-slave-frankfurt-p2-2-config",
    "icinga2-slave-oslo-1-data",
    "mysql-data",
    "somebody-elses",
  ];
  expect(abandonedVolumes(volumes, [frankfurt, chicago])).toEqual([
    "icinga2-slave-frankfurt-p2-2-config",
    "icinga2-slave-oslo-1-data",
  ]);
  expect(text(healthy({ volumes }))).toContain("    icinga2-slave-oslo-1-data");
  expect(report(healthy({ volumes })).well).toBe(true);
});
