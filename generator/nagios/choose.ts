import { expand, type Matching, NoMatch } from "./expand";
import { candidatesOf, type Groups } from "./groups";
import type { World } from "./interpret";
import { type NagiosObject, textOf } from "./objects";
import type { Service, Services } from "./services";

/** What choosing hosts by name needs. */
export interface Choosing {
  readonly world: World;
  readonly groups: Groups<NagiosObject>;
  readonly matching: Matching;
}

/** What choosing services by name needs, too. */
export interface ChoosingServices extends Choosing {
  readonly services: Services;
  readonly servicegroups: Groups<Service>;
}

/** Hosts and host groups that a list of each stands for. */
export interface HostChoice {
  /** Hosts by name as a group without a name, then the groups: each once, the last one first. */
  readonly groups: readonly { readonly hostgroup: string | undefined; readonly hosts: readonly NagiosObject[] }[];
  readonly rejected: ReadonlySet<NagiosObject>;
}

/** What `host_name` and `hostgroup_name` stand for together. @throws NoMatch */
export function chooseHosts(
  hosts: string | undefined,
  hostgroups: string | undefined,
  { world, groups, matching }: Choosing,
): HostChoice {
  const byGroup = expand(hostgroups ?? "", "hostgroup", candidatesOf("hostgroup", world.hostgroup), matching);
  const byName = expand(hosts ?? "", "host", candidatesOf("host", world.host), { ...matching, sticky: true });
  const members = (group: NagiosObject) => groups.get(group)?.membersLastFirst ?? [];
  return {
    groups: [
      { hostgroup: undefined, hosts: byName.chosen },
      ...byGroup.chosen.map((object) => ({
        hostgroup: textOf(object, "hostgroup_name"),
        hosts: members(object),
      })),
    ],
    rejected: new Set([...byName.rejected, ...[...byGroup.rejected].flatMap(members)]),
  };
}

/** Hosts that an object names. @param prefix `` or `dependent_` @throws NoMatch if there are none */
export function hostsChosen(object: NagiosObject, prefix: string, choosing: Choosing): NagiosObject[] {
  const hosts = textOf(object, `${prefix}host_name`);
  const choice = chooseHosts(hosts, textOf(object, `${prefix}hostgroup_name`), choosing);
  const chosen = new Set<NagiosObject>();
  for (const { hostgroup, hosts: members } of choice.groups) {
    for (const host of members) if (hostgroup === undefined || !choice.rejected.has(host)) chosen.add(host);
  }
  if (chosen.size === 0) throw new NoMatch("no host is left");
  return [...chosen];
}

/**
 * Services that an object names, by host, host group and service group.
 *
 * @param prefix `` or `dependent_`
 * @throws NoMatch
 */
export function servicesChosen(
  object: NagiosObject,
  prefix: string,
  descriptions: string | undefined,
  choosing: ChoosingServices,
): ReadonlySet<Service> {
  const hosts = textOf(object, `${prefix}host_name`);
  const hostgroups = textOf(object, `${prefix}hostgroup_name`);
  const namesHosts = (hosts ?? hostgroups) !== undefined;
  if (descriptions !== undefined && !namesHosts) throw new NoMatch("a service, but no host");
  if (descriptions === undefined && namesHosts) throw new NoMatch("a host, but no service");
  const { world, services, servicegroups, matching } = choosing;
  const names = textOf(object, `${prefix}servicegroup_name`) ?? "";
  const byGroup = expand(names, "servicegroup", candidatesOf("servicegroup", world.servicegroup), matching);
  const membersOf = (group: NagiosObject) => [...(servicegroups.get(group)?.members ?? [])];
  const rejected = new Set([...byGroup.rejected].flatMap(membersOf));
  const chosen = new Set([...byGroup.chosen].flatMap(membersOf).filter((service) => !rejected.has(service)));
  const choice = chooseHosts(hosts, hostgroups, choosing);
  for (const host of choice.groups.flatMap((group) => group.hosts)) {
    if (choice.rejected.has(host)) continue;
    const onHost = services.expand(hostName(host), descriptions ?? "");
    for (const service of onHost.rejected) rejected.add(service);
    for (const service of onHost.chosen) if (!rejected.has(service)) chosen.add(service);
  }
  for (const service of rejected) chosen.delete(service);
  return chosen;
}

/** A host's name; hosts without one are templates. */
export function hostName(host: NagiosObject): string {
  return textOf(host, "host_name") ?? "";
}
