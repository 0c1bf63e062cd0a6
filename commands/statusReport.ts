import { type Location, MASTER, topology } from "../generator/location";

/**
 * What `npm run status` says: pure functions from what was found in the swarm to lines of text. `commands/status.ts`
 * finds it.
 */

/** What the master's `report-status` prints in its log. */
export interface MasterStatus {
  /** Seconds since 1970, by the clock of the master's node. */
  readonly time: number;
  readonly endpoints: Readonly<Record<string, { readonly zone: string; readonly connected: boolean }>>;
  readonly hosts: Readonly<Record<string, number>>;
  readonly services: Readonly<Record<string, number>>;
  /** Whether the database connection is up. */
  readonly ido: boolean;
  readonly checksPerMinute: number;
}

/** One of the stack's services. */
export interface ServiceStatus {
  readonly name: string;
  readonly replicas: number;
  readonly running: number;
  /** One line for each task that does not run, with Swarm's error. */
  readonly problems: readonly string[];
}

/** Everything that was found. */
export interface StackStatus {
  readonly stack: string;
  readonly dockerHost: string;
  readonly locations: readonly Location[];
  readonly services: readonly ServiceStatus[];
  /** The master's last word, if there is one. */
  readonly master?: MasterStatus;
  /** How old that is. */
  readonly masterAgeSeconds?: number;
  /** Names of all volumes of the engine that answers. */
  readonly volumes: readonly string[];
}

export interface Report {
  readonly lines: readonly string[];
  /** Whether the monitoring itself is well; what it monitors may be down. */
  readonly well: boolean;
}

/** The master reports every 60 s; two reports late, something is wrong with it. */
const STALE_SECONDS = 150;
const SLOT_VOLUME = /^(icinga2-slave-.+-\d+)-(?:config|data)$/;

/** Names of the services that a stack with these locations consists of, in the order in which they start. */
export function expectedServices(locations: readonly Location[]): string[] {
  const slaves = locations.flatMap((location) => topology(location).map(({ service }) => service));
  return ["graphite", "gateway", "mysql", MASTER.service, "grafana", "thruk", "nagvis", "config-generator", ...slaves];
}

/** Puts what was found into words. */
export function report(status: StackStatus): Report {
  const parts = [services(status), locations(status), monitored(status), leftVolumes(status)];
  const well = parts.every((part) => part.well);
  const lines = [
    `Stack ${status.stack} on ${status.dockerHost}`,
    ...parts.flatMap((part) => part.lines),
    ...whereToLook(status.dockerHost),
    well ? "All is well." : "Not all is well: see the lines marked with !",
  ];
  return { lines, well };
}

/** The volumes of slaves that no slot uses any more: harmless, but they hold certificates. */
export function abandonedVolumes(volumes: readonly string[], locations: readonly Location[]): string[] {
  const slots = locations.flatMap((location) => topology(location).flatMap(({ endpoints }) => endpoints));
  const inUse = new Set(slots.map((endpoint) => endpoint.replace(/^icinga-/, "icinga2-")));
  return volumes.filter((volume) => {
    const slot = SLOT_VOLUME.exec(volume)?.[1];
    return slot !== undefined && !inUse.has(slot);
  });
}

function services({ services: found, locations: configured }: StackStatus): Report {
  const missing = expectedServices(configured).filter((name) => !found.some((service) => service.name === name));
  const rows = [
    ...found.map(({ name, replicas, running, problems }) => ({
      well: running >= replicas,
      lines: [`${name}  ${running} of ${replicas} running`, ...problems.map((problem) => `    ${problem}`)],
    })),
    ...missing.map((name) => ({ well: false, lines: [`${name}  is not there`] })),
  ];
  return section("Services", rows);
}

function locations({ locations: configured, master }: StackStatus): Report {
  const rows = configured.map((location) => {
    const endpoints = topology(location).flatMap((pair) => pair.endpoints);
    const states = endpoints.map((endpoint) => ({ endpoint, state: connection(master, endpoint) }));
    return {
      well: states.every(({ state }) => state === "connected"),
      lines: [`${location.name}  ${states.map(({ endpoint, state }) => `${endpoint} ${state}`).join(", ")}`],
    };
  });
  return section("Locations", rows);
}

function connection(master: MasterStatus | undefined, endpoint: string): string {
  if (!master) return "unknown";
  const known = master.endpoints[endpoint];
  if (!known) return "not known to the master";
  return known.connected ? "connected" : "NOT CONNECTED";
}

function monitored({ master, masterAgeSeconds = 0 }: StackStatus): Report {
  if (!master) {
    return section("Monitored", [{ well: false, lines: ["the master has not reported yet: see its log"] }]);
  }
  const fresh = masterAgeSeconds <= STALE_SECONDS;
  return section("Monitored", [
    { well: true, lines: [`hosts  ${counts(master.hosts)}`] },
    { well: true, lines: [`services  ${counts(master.services)}`] },
    { well: true, lines: [`checks  ${master.checksPerMinute} in the last minute`] },
    { well: master.ido, lines: [`database  ${master.ido ? "connected" : "NOT CONNECTED"}`] },
    {
      well: fresh,
      lines: [`reported  ${Math.max(0, Math.round(masterAgeSeconds))} s ago${fresh ? "" : ": too long"}`],
    },
  ]);
}

function counts(states: Readonly<Record<string, number>>): string {
  return Object.entries(states)
    .map(([state, count]) => `${count} ${state}`)
    .join(", ");
}

/** Listed, but no reason to worry. */
function leftVolumes({ volumes, locations: configured }: StackStatus): Report {
  const abandoned = abandonedVolumes(volumes, configured);
  if (abandoned.length === 0) return { lines: [], well: true };
  return {
    lines: [
      "",
      "Volumes that no slave uses any more (docker volume rm):",
      ...abandoned.map((volume) => `    ${volume}`),
    ],
    well: true,
  };
}

function whereToLook(dockerHost: string): string[] {
  const docker = dockerHost === "unix:///var/run/docker.sock" ? "docker" : `docker --host ${dockerHost}`;
  return [
    "",
    "Where to look",
    `    ${docker} service logs --tail 50 icinga-master    (or another service)`,
    `    ${docker} service ps --no-trunc icinga-master     (its tasks, with their errors)`,
    "",
  ];
}

/** A heading and its rows, first column aligned; a row that is not well is marked with an exclamation mark. */
function section(heading: string, rows: readonly Report[]): Report {
  const width = Math.max(...rows.map(({ lines }) => (lines[0] ?? "").indexOf("  ")));
  const lines = rows.flatMap(({ lines: [first = "", ...others], well }) => {
    const split = first.indexOf("  ");
    const aligned = split < 0 ? first : `${first.slice(0, split).padEnd(width)}  ${first.slice(split + 2)}`;
    return [`  ${well ? " " : "!"} ${aligned}`, ...others.map((line) => `    ${line}`)];
  });
  return { lines: ["", heading, ...lines], well: rows.every(({ well }) => well) };
}
