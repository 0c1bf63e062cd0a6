import { type Location, MASTER, topology } from "../../generator/location";
import { CENTRAL_LABEL, locationLabel } from "../../settings/nodeLabels";

/**
 * What `npm run status` says: pure functions from what was found in the swarm to lines of text. `commands/status.ts`
 * finds it.
 */

/** What the master's `report-status` prints in its log while Icinga answers. */
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

/** What it prints while Icinga does not answer. */
export interface MasterSilence {
  readonly time: number;
  /** What its own API says, or that it says nothing. */
  readonly problem: string;
}

/** The last word of the master, or why there is none. */
export interface MasterWord {
  readonly status?: MasterStatus;
  /** How old that is. */
  readonly ageSeconds?: number;
  /** Why nothing is known of the master. */
  readonly problem?: string;
}

/** One of the swarm's nodes. */
export interface NodeStatus {
  readonly name: string;
  /** Swarm's word: `ready`, `down`, `disconnected` or `unknown`. */
  readonly state: string;
  /** What people set: `active`, `pause` or `drain`. */
  readonly availability: string;
  readonly isManager: boolean;
  /** Its labels with the value `true`. */
  readonly labels: readonly string[];
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
  /** The node that holds the centre, by host name or as `self`. */
  readonly centralNode: string;
  /** Host name of the node whose engine answers: what `self` stands for. */
  readonly ownNode: string;
  readonly nodes: readonly NodeStatus[];
  readonly services: readonly ServiceStatus[];
  /** Host names of the nodes on which slaves run, by endpoint. */
  readonly places: Readonly<Record<string, string>>;
  readonly master: MasterWord;
  /** Names of all volumes of the engine that answers. No other engine can be asked. */
  readonly volumes: readonly string[];
}

export interface Report {
  readonly lines: readonly string[];
  /** Whether the monitoring itself is well; what it monitors may be down. */
  readonly well: boolean;
}

/** The master reports every 60 s; two reports late, something is wrong with it. */
export const STALE_SECONDS = 150;
const SLOT_VOLUME = /^(icinga2-slave-.+-\d+)-(?:config|data)$/;

/** Names of the services that a stack with these locations consists of, in the order in which they start. */
export function expectedServices(locations: readonly Location[]): string[] {
  const slaves = locations.flatMap((location) => topology(location).map(({ service }) => service));
  return ["graphite", "gateway", "mysql", MASTER.service, "grafana", "thruk", "nagvis", "config-generator", ...slaves];
}

/** Puts what was found into words. */
export function report(status: StackStatus): Report {
  const parts = [nodes(status), services(status), locations(status), monitored(status), leftVolumes(status)];
  const well = parts.every((part) => part.well);
  const lines = [
    `Stack ${status.stack} on ${status.dockerHost}`,
    ...parts.flatMap((part) => part.lines),
    ...whereToLook(status),
    well ? "All is well." : "Not all is well: see the lines marked with !",
  ];
  return { lines, well };
}

/** What the volumes of an engine are judged by. */
type Slots = Pick<StackStatus, "volumes" | "locations" | "ownNode" | "places">;

/**
 * The volumes of slaves that no slot uses any more: harmless, but they hold certificates. Those of a slot that is to be
 * but does not run may be what it will start from.
 */
export function abandonedVolumes({ volumes, locations, ownNode, places }: Slots): string[] {
  const slots = locations.flatMap((location) => topology(location).flatMap(({ endpoints }) => endpoints));
  const usedHere = slots.filter((endpoint) => (places[endpoint] ?? ownNode) === ownNode);
  const inUse = new Set(usedHere.map((endpoint) => endpoint.replace(/^icinga-/, "icinga2-")));
  return volumes.filter((volume) => {
    const slot = SLOT_VOLUME.exec(volume)?.[1];
    return slot !== undefined && !inUse.has(slot);
  });
}

/** The nodes that the stack names, with what they are for, and any other that is not ready. */
function nodes(status: StackStatus): Report {
  const purposes = purposesOf(status);
  const others = status.nodes.filter(({ name, state }) => !purposes.has(name) && state !== "ready");
  const rows = [...purposes.keys(), ...others.map(({ name }) => name)].map((name) => {
    const node = status.nodes.find((each) => each.name === name);
    const purpose = purposes.get(name) ?? [];
    const role = node?.isManager ? ["manager"] : [];
    const words = [stateOf(node), [...role, ...purpose.map((each) => each.words)].join(", ")];
    // A worker that the stack does not name is somebody else's business; a manager is everybody's.
    const matters = purpose.length > 0 || node?.isManager === true;
    const missing = node ? purpose.filter(({ label }) => !node.labels.includes(label)) : [];
    return {
      well: (node?.state === "ready" && missing.length === 0) || !matters,
      lines: [
        `${name}  ${words.filter((part) => part !== "").join(": ")}`,
        ...missing.map(({ label }) => `    has no label ${label}: npm run labels -- ${status.stack}`),
      ],
    };
  });
  return section("Nodes", rows);
}

/** What a node is there for, and the label that brings it there. */
interface Purpose {
  readonly words: string;
  readonly label: string;
}

/** What each node is there for, in the order of the settings. */
function purposesOf({ centralNode, ownNode, locations: configured }: StackStatus): Map<string, Purpose[]> {
  const purposes = new Map<string, Purpose[]>();
  const add = (node: string, purpose: Purpose): void => {
    const name = node === "self" ? ownNode : node;
    purposes.set(name, [...(purposes.get(name) ?? []), purpose]);
  };
  add(centralNode, { words: "the centre", label: CENTRAL_LABEL });
  for (const { name, nodes: own } of configured) {
    for (const node of own) add(node, { words: name, label: locationLabel(name) });
  }
  return purposes;
}

/** What a node can be used for, in Swarm's words and people's. */
function stateOf(node: NodeStatus | undefined): string {
  if (!node) return "NOT IN THE SWARM";
  if (node.state !== "ready") return node.state.toUpperCase();
  if (node.availability === "drain") return "ready, but drained: nothing runs on it";
  if (node.availability === "pause") return "ready, but paused: nothing new starts on it";
  return "ready";
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

function locations({ locations: configured, master, places, nodes: all }: StackStatus): Report {
  const rows = configured.map((location) => {
    const endpoints = topology(location).flatMap((pair) => pair.endpoints);
    const states = endpoints.map((endpoint) => ({ endpoint, state: connection(master.status, endpoint) }));
    const place = (endpoint: string): string => (places[endpoint] && all.length > 1 ? ` on ${places[endpoint]}` : "");
    return {
      well: states.every(({ state }) => state === "connected"),
      lines: [
        `${location.name}  ${states.map(({ endpoint, state }) => `${endpoint} ${state}${place(endpoint)}`).join(", ")}`,
      ],
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

function monitored({ master: { status, ageSeconds = 0, problem = "the master has not reported yet" } }: StackStatus) {
  if (!status) return section("Monitored", [{ well: false, lines: [problem] }]);
  const fresh = ageSeconds <= STALE_SECONDS;
  return section("Monitored", [
    { well: true, lines: [`hosts  ${counts(status.hosts)}`] },
    { well: true, lines: [`services  ${counts(status.services)}`] },
    { well: true, lines: [`checks  ${status.checksPerMinute} in the last minute`] },
    { well: status.ido, lines: [`database  ${status.ido ? "connected" : "NOT CONNECTED"}`] },
    { well: fresh, lines: [`reported  ${Math.max(0, Math.round(ageSeconds))} s ago${fresh ? "" : ": too long"}`] },
  ]);
}

function counts(states: Readonly<Record<string, number>>): string {
  return Object.entries(states)
    .map(([state, count]) => `${count} ${state}`)
    .join(", ");
}

/** Listed, but no reason to worry. */
function leftVolumes(status: StackStatus): Report {
  const abandoned = abandonedVolumes(status);
  if (abandoned.length === 0) return { lines: [], well: true };
  return {
    lines: [
      "",
      `Volumes on ${status.ownNode} that no slave uses any more (docker volume rm):`,
      ...abandoned.map((volume) => `    ${volume}`),
    ],
    well: true,
  };
}

function whereToLook({ dockerHost, nodes: all, ownNode }: StackStatus): string[] {
  const docker = dockerHost === "unix:///var/run/docker.sock" ? "docker" : `docker --host ${dockerHost}`;
  const rows = [
    [`${docker} service logs --tail 50 icinga-master`, "or another service"],
    [`${docker} service ps --no-trunc icinga-master`, "its tasks, with their errors"],
    // Volumes are an engine's own; the swarm's API knows nothing of them.
    ...(all.length > 1
      ? [
          [
            "docker volume ls --filter name=icinga2-slave-",
            `on a node itself: what slaves left; here only ${ownNode} is seen`,
          ],
        ]
      : []),
  ];
  const width = Math.max(...rows.map(([command = ""]) => command.length));
  return ["", "Where to look", ...rows.map(([command = "", what]) => `    ${command.padEnd(width)}  (${what})`), ""];
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
