import { dump } from "js-yaml";
import type { Site } from "../generator/inventory";

/** Where the sample's hosts are: two locations with two pairs of slaves each. */
export const SAMPLE_SITES: readonly Site[] = [
  { name: "frankfurt", slaves: 4, displayName: "Frankfurt am Main" },
  { name: "chicago", slaves: 4 },
];

const HOSTS_IN_A_FILE = 1000;
const HOSTS_IN_A_RACK = 40;

const COMMON = {
  defaults: { interval: "5m", retryInterval: "1m", attempts: 3, notify: ["operations"], nrpe: { timeout: "30s" } },
  locations: { chicago: { interval: "2m", nrpe: { port: 5667 }, vars: { country: "us" } } },
  roles: {
    linux: { groups: ["linux"], checks: ["ping", "ssh", "load", { disk: { groups: ["storage"] } }] },
    router: {
      groups: ["network"],
      notify: ["network"],
      checks: ["ping", "ssh", "ntp", { tcp: { port: 179 } }, "load"],
    },
    web: { checks: [{ http: { tls: true, path: "/health", warning: "500ms", critical: "2s", notify: ["web"] } }] },
    database: { checks: [{ tcp: { port: 5432, name: "postgresql", period: "office" } }] },
  },
  checks: {
    backup: {
      plugin: ["check_file_age", "-w", "$age$", "-f", "$path$"],
      parameters: { age: "seconds", path: "the file" },
      settings: { age: 90000 },
    },
  },
  contacts: {
    ann: { email: "ann@example.com" },
    bob: { email: "bob@example.com", period: "office" },
    cleo: { email: "cleo@example.com", on: ["down", "critical"] },
  },
  contactGroups: { admins: { members: ["ann", "bob"] } },
  notifications: {
    operations: { contacts: ["admins"], repeat: "2h" },
    network: { contacts: ["cleo"], after: "5m" },
    web: { contacts: ["ann"], on: ["critical", "recovery"], period: "office" },
  },
  periods: { office: { timezone: "Europe/Berlin", days: { weekdays: "08:00-18:00" } } },
};

/** How the checks of a sample come to its hosts. */
export type Shape = "roles" | "hosts";

/**
 * An inventory as a company might write it: files of about 1,000 hosts, each with 5 checks.
 *
 * @param hosts how many
 * @param shape `roles`: nearly all checks come from roles; `hosts`: each host has its own, as an import makes them
 * @returns file -> text
 */
export function sampleInventory(hosts: number, shape: Shape): Map<string, string> {
  const files = new Map([["common.yaml", dump(COMMON)]]);
  for (let first = 0; first < hosts; first += HOSTS_IN_A_FILE) {
    const count = Math.min(HOSTS_IN_A_FILE, hosts - first);
    const list = Array.from({ length: count }, (_, index) => sampleHost(first + index, shape));
    const number = String(first / HOSTS_IN_A_FILE).padStart(3, "0");
    files.set(`hosts-${number}.yaml`, dump({ hosts: list }, { flowLevel: 3 }));
  }
  return files;
}

function sampleHost(index: number, shape: Shape): object {
  const rack = Math.floor(index / HOSTS_IN_A_RACK);
  const location = SAMPLE_SITES[Math.floor(index / HOSTS_IN_A_FILE) % SAMPLE_SITES.length]?.name;
  const isRouter = index % HOSTS_IN_A_RACK === 0;
  return {
    name: isRouter ? `router-${rack}` : `host-${index}`,
    displayName: `Rack ${rack}, place ${index % HOSTS_IN_A_RACK}`,
    address: `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`,
    location,
    ...(isRouter ? {} : { parents: [`router-${rack}`] }),
    vars: { rack: `R${rack}` },
    ...(shape === "hosts" ? { checks: writtenOut(index) } : isRouter ? { roles: ["router"] } : byRoles(index)),
  };
}

/** Two hosts of five say something of their own. */
function byRoles(index: number): object {
  switch (index % 5) {
    case 0:
    case 1:
      return { roles: ["linux", "web"] };
    case 2:
      return { roles: ["linux", "database"] };
    case 3:
      return { roles: ["linux"], interval: "10m", checks: [{ backup: { path: `/srv/backup-${index}` } }] };
    default:
      return {
        roles: ["linux"],
        checks: [
          { disk: { path: "/srv", warning: "20%", critical: "10%", notify: ["network"] } },
          { ping: { warning: "200ms", critical: `${500 + (index % 500)}ms` } },
        ],
      };
  }
}

function writtenOut(index: number): unknown[] {
  return [
    { ping: { warning: "100ms", critical: `${500 + (index % 500)}ms` } },
    { ssh: { interval: "10m" } },
    { nrpe: { command: "check_load", arguments: [8, 16] } },
    { nrpe: { command: "check_disk", arguments: ["20%", "10%", "/"], name: "disk-root", groups: ["storage"] } },
    { http: { virtualHost: `www-${index}.example.com`, path: "/health", notify: ["web"] } },
  ];
}
