import { kindOf } from "../catalogue";
import { compare } from "../model";
import type { WrittenCheck } from "../schema";

/** What roles are made from. */
export interface RoleSources {
  /** Every host's checks, complete, by its name in Nagios. */
  readonly checks: ReadonlyMap<string, readonly WrittenCheck[]>;
  /** The host group through which a host has a service; undefined where a definition names the host. */
  readonly hostgroupOf: (host: string, service: string) => string | undefined;
  /** The host groups of a host. */
  readonly groupsOfHost: (host: string) => readonly string[];
  readonly roleName: (group: string) => string;
}

/** What a host says of its checks. */
export interface HostChecks {
  readonly roles: readonly string[];
  /** Beside those of its roles, or in their place. */
  readonly checks: readonly WrittenCheck[];
  /** Services that its roles bring and it does not have. */
  readonly without: readonly string[];
}

/** Roles, and what of its checks every host still says itself. */
export interface RoleResult {
  readonly roles: Readonly<Record<string, { readonly checks: readonly WrittenCheck[] }>>;
  readonly ofHost: ReadonlyMap<string, HostChecks>;
}

/**
 * Makes a role of each host group that services are put on: what most of its hosts have from it. What a host has
 * otherwise, it says itself, so that every host ends up with exactly the checks it came with.
 */
export function rolesOf(sources: RoleSources): RoleResult {
  const { checks, groupsOfHost, roleName } = sources;
  const roles = new Map(rolesByGroup(sources));
  const ofHost = [...checks].map(([host, wanted]) => {
    const groups = groupsOfHost(host).filter((group) => usesGroup(sources, host, group) && roles.has(group));
    const brought = new Map<string, WrittenCheck>();
    for (const group of groups) for (const check of roles.get(group) ?? []) brought.set(serviceName(check), check);
    const names = new Set(wanted.map(serviceName));
    const own = wanted.filter((check) => !isSame(brought.get(serviceName(check)), check));
    const without = [...brought.keys()].filter((name) => !names.has(name)).sort(compare);
    return [host, { roles: groups.map(roleName), checks: own, without }] as const;
  });
  const used = new Set(ofHost.flatMap(([, host]) => host.roles));
  const written = [...roles]
    .map(([group, roleChecks]) => [roleName(group), { checks: roleChecks }] as const)
    .filter(([name]) => used.has(name))
    .sort(([left], [right]) => compare(left, right));
  return { roles: Object.fromEntries(written), ofHost: new Map(ofHost) };
}

/** For each host group that brings services: each of those as most hosts have it, if most do. */
function* rolesByGroup({ checks, hostgroupOf }: RoleSources): Generator<[group: string, checks: WrittenCheck[]]> {
  const forms = new Map<string, Map<string, Map<string, { check: WrittenCheck; count: number }>>>();
  for (const [host, ofHost] of checks) {
    for (const check of ofHost) {
      const name = serviceName(check);
      const group = hostgroupOf(host, name);
      if (group === undefined) continue;
      const services = forms.get(group) ?? new Map<string, Map<string, { check: WrittenCheck; count: number }>>();
      const ofService = services.get(name) ?? new Map<string, { check: WrittenCheck; count: number }>();
      const key = JSON.stringify(check);
      ofService.set(key, { check, count: (ofService.get(key)?.count ?? 0) + 1 });
      forms.set(group, services.set(name, ofService));
    }
  }
  for (const [group, services] of forms) {
    const checksOfRole = [...services.values()].flatMap((ofService) => {
      const all = [...ofService.values()].sort((left, right) => right.count - left.count);
      const total = all.reduce((sum, { count }) => sum + count, 0);
      const [most] = all;
      // What differs from host to host is nothing that they have in common.
      return most === undefined || most.count * 2 < total ? [] : [most.check];
    });
    if (checksOfRole.length === 0) continue;
    yield [group, checksOfRole.sort((left, right) => compare(serviceName(left), serviceName(right)))];
  }
}

function usesGroup({ checks, hostgroupOf }: RoleSources, host: string, group: string): boolean {
  return (checks.get(host) ?? []).some((check) => hostgroupOf(host, serviceName(check)) === group);
}

function isSame(left: WrittenCheck | undefined, right: WrittenCheck): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}

/** What a check's service is called. */
export function serviceName(check: WrittenCheck): string {
  if (typeof check === "string") return check;
  const [[kind, settings] = ["", {}]] = Object.entries(check);
  return settings?.name ?? (kind === "nrpe" ? kindOf("nrpe").defaultName(settings ?? {}) : kind);
}
