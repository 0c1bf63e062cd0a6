import { assignPair } from "../assign";
import { object, names, quote } from "../dsl";
import { type Host, type Inventory, type Site, compare } from "../model";
import { MASTER, type Pair, REPLAY_HOURS, topology } from "../location";
import { renderCommands } from "./commands";
import { renderHost, renderShared, renderTemplates, sharedChecks } from "./hosts";
import { renderDependencies } from "./dependencies";
import { renderNotifications, renderPeople } from "./notifications";
import { renderDowntimes, renderPeriods } from "./periods";
import { renderConnectionTemplate, renderMaster, renderSlave } from "./stack";

/** Name of the config package on the master. */
export const PACKAGE_NAME = "icinga-swarm";

const HEADER = "// Written by the generator of icinga-swarm: changes made here are overwritten.\n\n";

/** What a package depends on beside the inventory and the locations. */
export interface Circumstances {
  /** Monday of the current week, `YYYY-MM-DD` in UTC: periods of other time zones are rendered for the weeks around it. */
  readonly monday: string;
  /** Hours that the master keeps for a slave that is out of reach what it would tell it. @default 24 */
  readonly replayHours?: number | undefined;
}

/**
 * The Icinga config package of an inventory: zones, endpoints, templates, and the hosts of each zone.
 *
 * Templates, commands, periods and what hosts share go to every zone; hosts to the zone of their pair; who is told, and
 * what holds messages back, to the master alone.
 *
 * @param inventory a valid inventory
 * @param locations the stack's locations
 * @returns path -> text, sorted by path; the same input gives the same bytes
 */
export function renderPackage(
  inventory: Inventory,
  locations: readonly Site[],
  { monday, replayHours = REPLAY_HOURS }: Circumstances,
): ReadonlyMap<string, string> {
  const sites = [...locations].sort((left, right) => compare(left.name, right.name));
  const zones = sites.flatMap((site) => topology(site).map((pair) => ({ site, pair })));
  const byZone = hostsByZone(inventory, sites);
  const shared = sharedChecks(inventory);
  const everywhere = "zones.d/global-templates";
  const master = `zones.d/${MASTER.zone}`;
  const files: [string, string][] = [
    ["conf.d/zones.conf", zones.map(({ pair }) => renderZone(pair, replayHours)).join("")],
    [`${everywhere}/templates.conf`, renderTemplates(inventory) + renderConnectionTemplate()],
    [`${everywhere}/groups.conf`, renderGroups(inventory, sites)],
    [`${everywhere}/commands.conf`, renderCommands(inventory)],
    [`${everywhere}/periods.conf`, renderPeriods(inventory, monday)],
    [`${everywhere}/services.conf`, renderShared(shared)],
    [`${master}/stack.conf`, renderMaster(zones.map(({ pair }) => pair))],
    [`${master}/contacts.conf`, renderPeople(inventory)],
    [`${master}/notifications.conf`, renderNotifications(inventory)],
    [`${master}/dependencies.conf`, renderDependencies(inventory)],
    [`${master}/downtimes.conf`, renderDowntimes(inventory, monday)],
    ...zones.flatMap(({ site, pair }): [string, string][] => [
      [
        `zones.d/${pair.zone}/hosts.conf`,
        (byZone.get(pair.zone) ?? []).map((host) => renderHost(host, shared)).join(""),
      ],
      [
        `zones.d/${pair.zone}/stack.conf`,
        pair.endpoints.map((endpoint) => renderSlave(site.name, endpoint, pair)).join(""),
      ],
    ]),
  ];
  return new Map(
    files
      .filter(([, text]) => text !== "")
      .sort(([left], [right]) => compare(left, right))
      .map(([path, text]) => [path, HEADER + text.trimEnd() + "\n"]),
  );
}

/**
 * The zone that checks a host.
 *
 * @param locations the stack's locations; one of them is the host's
 */
export function zoneOf(host: Pick<Host, "name" | "location">, locations: readonly Site[]): string {
  const site = locations.find(({ name }) => name === host.location);
  return assignPair(host.name, site === undefined ? [] : topology(site)).zone;
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
function renderZone({ zone, endpoints }: Pair, replayHours: number): string {
  return [
    ...endpoints.map((endpoint) =>
      object({ kind: "object Endpoint", name: endpoint, attributes: [["log_duration", `${replayHours}h`]] }),
    ),
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

function renderGroups({ hostGroups, serviceGroups }: Inventory, sites: readonly Site[]): string {
  const group = (kind: string) => (titled: { name: string; displayName?: string | undefined }) =>
    object({
      kind: `object ${kind}`,
      name: titled.name,
      attributes: [["display_name", quote(titled.displayName ?? titled.name)]],
    });
  const locations = sites.map(({ name, displayName = name }) => ({ name: `location-${name}`, displayName }));
  return [...[...locations, ...hostGroups].map(group("HostGroup")), ...serviceGroups.map(group("ServiceGroup"))].join(
    "",
  );
}
