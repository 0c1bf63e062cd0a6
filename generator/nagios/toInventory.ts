import { addressProblem } from "../address";
import { compare } from "../model";
import type { InventoryHost } from "../schema";
import { addressOf, Context, hasAddress, isAlwaysIn, nameOfHost, placeOf } from "./context";
import { type Draft, draftServices, writeCheck } from "./drafts";
import { aliveOf, type Defaults, writeHost } from "./hosts";
import { freeName } from "./names";
import { NAMES } from "./naming";
import { type NagiosObject, textOf } from "./objects";
import { Rules } from "./people";
import type { Sources } from "./read";
import type { Report } from "./report";
import type { Resolved } from "./resolve";
import { type HostChecks, rolesOf } from "./roles";
import { reportRest } from "./uncarried";

/** What the configuration does not say itself. */
export interface Choices {
  /** The clocks of the machine that Nagios runs on; undefined if no time period depends on them. */
  readonly timezone: string | undefined;
  /** Location of a host by its name; every host has one. */
  readonly locationOf: (host: string) => string;
}

/** An inventory as it is written: file -> what it holds. */
export type WrittenInventory = Readonly<Record<string, Readonly<Record<string, object>>>>;

/**
 * Writes a resolved configuration as an inventory.
 *
 * @param report gets what the inventory cannot say, or says in another way
 */
export function toInventory(resolved: Resolved, sources: Sources, choices: Choices, report: Report): WrittenInventory {
  const context = new Context(resolved, sources, choices.timezone, report);
  const hosts = [...resolved.hosts.values()].filter((host) => canBeReached(host, report));
  const drafts = draftServices(context, new Set(hosts.map(nameOfHost)));
  const audiences = new Map(hosts.map((host) => [nameOfHost(host), context.audience("host", host)]));
  const rules = new Rules(
    [...audiences.values(), ...[...drafts.values()].flat().map(({ audience }) => audience)],
    (wanted, taken) => freeName(wanted, { ...NAMES, fallback: "rule" }, taken),
  );
  const told = new Map([...audiences].map(([host, audience]) => [host, rules.namesOf(audience)]));
  const defaults = defaultsOf(context, hosts, [...drafts.values()].flat(), [...told.values()]);
  const hostgroups = new Map(
    [...drafts].map(([host, all]) => [host, new Map(all.map(({ name, service }) => [name, service.hostgroup]))]),
  );
  const { roles, ofHost } = rolesOf({
    checks: new Map(
      [...drafts].map(([host, ofHost]) => [
        host,
        ofHost.map((draft) => writeCheck(context, draft, told.get(host) ?? [], rules, defaults)),
      ]),
    ),
    hostgroupOf: (host, service) => hostgroups.get(host)?.get(service),
    groupsOfHost: (host) => resolved.groupsOfHost.get(host) ?? [],
    roleName: (group) => context.renamed("hostgroup", group),
  });
  const written = hosts.map((host) => {
    const name = nameOfHost(host);
    const own = ofHost.get(name) as HostChecks;
    return writeHost(context, host, { location: choices.locationOf(name), told: told.get(name) ?? [], defaults, own });
  });
  reportRest(resolved, sources, report);
  const own = [...context.commands.own].sort(([left], [right]) => compare(left, right));
  return withoutEmpty({
    "defaults.yaml": { defaults },
    "roles.yaml": { roles },
    "checks.yaml": { checks: Object.fromEntries(own) },
    "contacts.yaml": {
      contacts: Object.fromEntries(context.people.contacts),
      contactGroups: Object.fromEntries(context.people.groups),
    },
    "notifications.yaml": { notifications: Object.fromEntries(rules.rules) },
    "periods.yaml": { periods: context.periods },
    "groups.yaml": { groups: titles(context, "hostgroup"), serviceGroups: titles(context, "servicegroup") },
    ...byLocation(written),
  });
}

/** A time period for which it matters where Nagios runs; undefined if there is none. */
export function needsTimezone(resolved: Resolved): NagiosObject | undefined {
  return [...resolved.timeperiods.values()].find((period) => !isAlwaysIn(period));
}

function canBeReached(host: NagiosObject, report: Report): boolean {
  if (hasAddress(host)) return true;
  const problem = `its address ${JSON.stringify(addressOf(host))} ${addressProblem(addressOf(host)) ?? ""}`;
  report.add("lost", placeOf(host, "address"), `the host ${nameOfHost(host)} is not imported: ${problem}`);
  return false;
}

/** The most frequent ways to check, to tell, and to see whether a host is up. */
function defaultsOf(
  context: Context,
  hosts: readonly NagiosObject[],
  drafts: readonly Draft[],
  told: readonly (readonly string[])[],
): Defaults {
  const timed = mostFrequent(drafts.map(({ service }) => context.timed(service.object))) ?? {};
  const notify = mostFrequent(told) ?? [];
  const alive = mostFrequent(hosts.map((host) => aliveOf(context, host, timed)));
  return { ...timed, ...(notify.length === 0 ? {} : { notify }), ...(alive === undefined ? {} : { alive }) };
}

function titles(context: Context, type: "hostgroup" | "servicegroup"): Record<string, { displayName: string }> {
  const { resolved, report } = context;
  const entries = [...(type === "hostgroup" ? resolved.hostgroups : resolved.servicegroups)].flatMap(
    ([name, group]) => {
      if (textOf(group, "members") === undefined) {
        report.add("lost", group.place, `the ${type} ${name}: it has no members`);
        return [];
      }
      for (const directive of ["notes", "notes_url", "action_url"]) {
        if (textOf(group, directive) === undefined) continue;
        report.add("lost", placeOf(group, directive), `${directive} of groups: they have a title only`);
      }
      const displayName = context.title(group, "alias");
      return displayName === undefined || displayName === name
        ? []
        : [[context.renamed(type, name), { displayName }] as const];
    },
  );
  return Object.fromEntries(entries);
}

function byLocation(hosts: readonly InventoryHost[]): Record<string, { hosts: InventoryHost[] }> {
  const files: Record<string, { hosts: InventoryHost[] }> = {};
  for (const host of [...hosts].sort((left, right) => compare(left.name, right.name))) {
    (files[`hosts/${host.location}.yaml`] ??= { hosts: [] }).hosts.push(host);
  }
  return files;
}

/** Files and sections that say something. */
function withoutEmpty(files: WrittenInventory): WrittenInventory {
  const kept = Object.entries(files).map(([file, sections]) => {
    const filled = Object.entries(sections).filter(([, content]) => Object.keys(content).length > 0);
    return [file, Object.fromEntries(filled)] as const;
  });
  return Object.fromEntries(kept.filter(([, sections]) => Object.keys(sections).length > 0));
}

function mostFrequent<T>(values: readonly T[]): T | undefined {
  const counts = new Map<string, { value: T; count: number }>();
  for (const value of values) {
    const key = JSON.stringify(value);
    counts.set(key, { value, count: (counts.get(key)?.count ?? 0) + 1 });
  }
  return [...counts.values()].sort((left, right) => right.count - left.count)[0]?.value;
}
