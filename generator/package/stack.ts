import { type Attribute, literal, names, object, quote, vars } from "../dsl";
import { MASTER, type Pair } from "../location";
import { text, timingAttributes } from "./attributes";

/** Host group of the stack's own containers: static in the images of master and slaves. */
export const OWN_GROUP = "icinga-swarm";

const CONNECTION_TEMPLATE = "icinga-swarm-connection";

/** The stack's own parts are few: they are looked at often, however slow the inventory's pace is. */
const OWN_TIMING = timingAttributes({ interval: 30, retryInterval: 15, attempts: 3 });

/**
 * A link that is cut without a word is noticed by Icinga after 60 to 90 s; whoever is told wants to know within two
 * minutes. So a look follows soon. The second one is late enough for slaves to dial in again after a reload of the
 * master, which they do within 10 s.
 */
const LINK_TIMING = timingAttributes({ interval: 5, retryInterval: 12, attempts: 2 });

/** What the master says of each zone and each slave. The host and its other services are static: images/icinga-master. */
export function renderMaster(pairs: readonly Pair[]): string {
  return pairs
    .map((pair) => renderZoneCheck(pair) + pair.endpoints.map((one) => renderLink(one, pair)).join(""))
    .join("");
}

/** A zone that is cut off keeps its last states and looks green: this is what tells. */
function renderZoneCheck({ zone }: Pair): string {
  return object({
    kind: "object Service",
    name: `zone ${zone}`,
    attributes: [
      ["host_name", quote(MASTER.endpoint)],
      ["check_command", quote("cluster-zone")],
      ...LINK_TIMING,
      ["notes", quote("Whether any slave of the zone is connected. Without one its hosts keep their last states.")],
      // An outage is told once, however often rules remind of other problems.
      ["vars.notify_once", "true"],
      ...vars({ cluster_zone: zone }),
    ],
  });
}

/** One slave of a zone that has two: the zone's own check says it of a single one. */
function renderLink(endpoint: string, { zone, endpoints }: Pair): string {
  if (endpoints.length === 1) return "";
  return object({
    kind: "object Service",
    name: `slave ${endpoint}`,
    imports: [CONNECTION_TEMPLATE],
    attributes: [
      ["host_name", quote(MASTER.endpoint)],
      ...LINK_TIMING,
      ["notes", quote("Whether this slave is connected to the master.")],
      ...vars({ peer: endpoint }),
      // Where all of its zone is cut off, that is what is told.
      ["vars.within_zone", quote(zone)],
    ],
  });
}

/** Looks at a connection of the very process that makes the check. */
export function renderConnectionTemplate(): string {
  const isConnected = 'var peer = get_object(Endpoint, macro("$peer$")); if (peer && peer.connected)';
  return object({
    kind: "template Service",
    name: CONNECTION_TEMPLATE,
    attributes: [
      ["check_command", quote("dummy")],
      ["vars.dummy_state", `{{ ${isConnected} { 0 } else { 2 } }}`],
      [
        "vars.dummy_text",
        `{{ ${isConnected} { "connected to " + peer.name } else { "not connected to " + macro("$peer$") } }}`,
      ],
    ],
  });
}

/** What the NRPE server in each slave's container answers about the container, and what the service is called. */
const OWN_NRPE_CHECKS = [
  ["disk", "check_disk"],
  ["processes", "check_procs"],
  ["replay log", "check_replay_log"],
] as const;

/**
 * A slave as a host of its own zone, checked on that very slave: it is what the slave's health check looks for to know
 * that its zone's configuration has arrived.
 */
export function renderSlave(location: string, endpoint: string, { endpoints }: Pair): string {
  const onSlave: Attribute = ["command_endpoint", quote(endpoint)];
  const service = (name: string, command: string | undefined, more: readonly Attribute[]) =>
    object({
      kind: "object Service",
      name,
      ...(command === undefined ? { imports: [CONNECTION_TEMPLATE] } : {}),
      attributes: [["host_name", quote(endpoint)], text("check_command", command), ...OWN_TIMING, onSlave, ...more],
    });
  const host = object({
    kind: "object Host",
    name: endpoint,
    attributes: [
      ["check_command", quote("dummy")],
      ...OWN_TIMING,
      onSlave,
      ["groups", names([OWN_GROUP, `location-${location}`])],
      ["vars.dummy_text", literal("The slave runs this check itself.")],
      ["vars.location", literal(location)],
    ],
  });
  const nrpe = OWN_NRPE_CHECKS.map(([name, command]) =>
    service(name, "nrpe", vars({ nrpe_address: "127.0.0.1", nrpe_command: command })),
  );
  const peers = endpoints
    .filter((other) => other !== endpoint)
    // The master tells of a slave that is gone; what its peer sees is for whoever looks closer.
    .map((other) => service("peer", undefined, [["vars.notify", "[ ]"], ...vars({ peer: other })]));
  return [host, service("icinga", "icinga", []), ...nrpe, ...peers].join("");
}
