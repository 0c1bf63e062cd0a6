import { assignPair } from "./assign";
import { isIPv6 } from "./address";
import { toIcinga } from "./checks";
import { type Attribute, literal, names, object, quote, vars } from "./dsl";
import { type Check, compare, type Host, type Inventory, type Site, type Timing } from "./inventory";
import { MASTER, type Pair, topology } from "./location";

/** Name of the config package on the master. */
export const PACKAGE_NAME = "icinga-swarm";

/** Names of the templates that every generated object imports. The prefix keeps them apart from Icinga's own. */
const HOST_TEMPLATE = "icinga-swarm-host";
const SERVICE_TEMPLATE = "icinga-swarm-service";
const OWN_HOST_TEMPLATE = "icinga-swarm-own-host";
const OWN_SERVICE_TEMPLATE = "icinga-swarm-own-service";

/** Host group of the stack's own containers: static in the images of master and slaves. */
const OWN_GROUP = "icinga-swarm";

/** Seconds that Icinga gives a plugin beyond the limit that it keeps itself, so that its own message is seen. */
const TIMEOUT_MARGIN = 10;

const HEADER = "// Written by the generator of icinga-swarm: changes made here are overwritten.\n\n";

/**
 * The Icinga config package of an inventory: zones, endpoints, templates, and the hosts of each zone.
 *
 * @param inventory a valid inventory
 * @param locations the stack's locations
 * @returns path -> text, sorted by path; the same input gives the same bytes
 */
export function renderPackage(inventory: Inventory, locations: readonly Site[]): ReadonlyMap<string, string> {
  const sites = [...locations].sort((left, right) => compare(left.name, right.name));
  const zones = sites.flatMap((site) => topology(site).map((pair) => ({ site, pair })));
  const byZone = hostsByZone(inventory, sites);
  const files: [string, string][] = [
    ["conf.d/zones.conf", zones.map(({ pair }) => renderZone(pair)).join("")],
    ["zones.d/global-templates/groups.conf", renderGroups(sites)],
    ["zones.d/global-templates/templates.conf", renderTemplates(inventory.defaults)],
    [`zones.d/${MASTER.zone}/stack.conf`, renderMaster(zones.map(({ pair }) => pair))],
    ...zones.flatMap(({ site, pair }): [string, string][] => {
      const hosts = byZone.get(pair.zone) ?? [];
      return [
        [`zones.d/${pair.zone}/hosts.conf`, hosts.map(renderHost).join("")],
        [`zones.d/${pair.zone}/stack.conf`, pair.endpoints.map((endpoint) => renderSlave(site, endpoint)).join("")],
      ];
    }),
  ];
  return new Map(
    files
      .filter(([, text]) => text !== "")
      .sort(([left], [right]) => compare(left, right))
      .map(([path, text]) => [path, HEADER + text.trimEnd() + "\n"]),
  );
}

function hostsByZone(inventory: Inventory, sites: readonly Site[]): Map<string, Host[]> {
  const pairs = new Map(sites.map((site) => [site.name, topology(site)]));
  const byZone = new Map<string, Host[]>();
  for (const host of inventory.hosts) {
    const { zone } = assignPair(host.name, pairs.get(host.location) ?? []);
    const hosts = byZone.get(zone);
    if (hosts === undefined) byZone.set(zone, [host]);
    else hosts.push(host);
  }
  return byZone;
}

/** Slaves dial in, so the master's Endpoint objects for them have no `host`. */
function renderZone({ zone, endpoints }: Pair): string {
  return [
    ...endpoints.map((endpoint) => object({ kind: "object Endpoint", name: endpoint, attributes: [] })),
    object({
      kind: "object Zone",
      name: zone,
      attributes: [
        ["endpoints", names(endpoints)],
        ["parent", quote(MASTER.zone)],
      ],
    }),
  ].join("");
}

function groupOf(location: string): string {
  return `location-${location}`;
}

function renderGroups(sites: readonly Site[]): string {
  const groups = sites.map(({ name, displayName = name }) =>
    object({ kind: "object HostGroup", name: groupOf(name), attributes: [["display_name", quote(displayName)]] }),
  );
  return groups.join("");
}

function renderTemplates(defaults: Timing): string {
  const timing = timingAttributes(defaults);
  // The stack's own parts are few: they are looked at often, however slow the inventory's pace is.
  const ownTiming = timingAttributes({ interval: 30, retryInterval: 15, attempts: 3 });
  return [
    object({
      kind: "template Host",
      name: HOST_TEMPLATE,
      attributes: [["check_command", quote("hostalive")], ...timing],
    }),
    object({
      kind: "template Host",
      name: OWN_HOST_TEMPLATE,
      attributes: [["check_command", quote("dummy")], ...ownTiming],
    }),
    object({ kind: "template Service", name: OWN_SERVICE_TEMPLATE, attributes: ownTiming }),
    object({ kind: "template Service", name: SERVICE_TEMPLATE, attributes: timing }),
  ].join("");
}

function timingAttributes({ interval, retryInterval, attempts }: Partial<Timing>): Attribute[] {
  return [
    ["check_interval", interval === undefined ? undefined : `${interval}s`],
    ["retry_interval", retryInterval === undefined ? undefined : `${retryInterval}s`],
    ["max_check_attempts", attempts === undefined ? undefined : String(attempts)],
  ];
}

/** What the master says of each zone. The host and its other services are static: images/icinga-master. */
function renderMaster(pairs: readonly Pair[]): string {
  const zones = pairs.map(({ zone }) =>
    renderOwnService(MASTER.endpoint, `zone ${zone}`, "cluster-zone", vars({ cluster_zone: zone })),
  );
  return zones.join("");
}

/** What the NRPE server in each slave's container answers about the container, and what the service is called. */
const OWN_NRPE_CHECKS = [
  ["disk", "check_disk"],
  ["processes", "check_procs"],
] as const;

/**
 * A slave as a host of its own zone, checked on that very slave: it is what the slave's health check looks for to know
 * that its zone's configuration has arrived.
 */
function renderSlave({ name: location }: Site, endpoint: string): string {
  const onSlave: Attribute = ["command_endpoint", quote(endpoint)];
  const host = object({
    kind: "object Host",
    name: endpoint,
    imports: [OWN_HOST_TEMPLATE],
    attributes: [
      onSlave,
      ["groups", names([OWN_GROUP, groupOf(location)])],
      ["vars.dummy_text", literal("The slave runs this check itself.")],
      ["vars.location", literal(location)],
    ],
  });
  const nrpe = OWN_NRPE_CHECKS.map(([name, command]) =>
    renderOwnService(endpoint, name, "nrpe", [onSlave, ...vars({ nrpe_address: "127.0.0.1", nrpe_command: command })]),
  );
  return [host, renderOwnService(endpoint, "icinga", "icinga", [onSlave]), ...nrpe].join("");
}

function renderOwnService(host: string, name: string, command: string, more: readonly Attribute[]): string {
  return object({
    kind: "object Service",
    name,
    imports: [OWN_SERVICE_TEMPLATE],
    attributes: [["host_name", quote(host)], ["check_command", quote(command)], ...more],
  });
}

function renderHost(host: Host): string {
  const attributes: Attribute[] = [
    ["display_name", host.displayName === undefined ? undefined : quote(host.displayName)],
    [isIPv6(host.address) ? "address6" : "address", quote(host.address)],
    ["groups", names([groupOf(host.location)])],
    ["vars.location", literal(host.location)],
    ...vars(host.vars),
  ];
  const text = object({ kind: "object Host", name: host.name, imports: [HOST_TEMPLATE], attributes });
  return text + host.checks.map((check) => renderCheck(host, check)).join("");
}

function renderCheck(host: Host, { name, check, timing }: Check): string {
  const { command, timeout, vars: variables } = toIcinga(check);
  return object({
    kind: "object Service",
    name,
    imports: [SERVICE_TEMPLATE],
    attributes: [
      ["host_name", quote(host.name)],
      ["check_command", quote(command)],
      ...timingAttributes(timing),
      ["check_timeout", timeout === undefined ? undefined : `${timeout + TIMEOUT_MARGIN}s`],
      ...vars(variables),
    ],
  });
}
