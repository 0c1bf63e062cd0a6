import { isOwnHost } from "../references";
import { inventorySchemas } from "../schema";
import { name as nameSchema } from "../units";
import { allowedNames, type NameRules } from "./names";
import type { NagiosObject } from "./objects";
import type { Place } from "./refusal";
import type { Report } from "./report";
import type { Resolved } from "./resolve";

/** Kinds of things that have names of their own in an inventory. */
export type Named = "host" | "service" | "contact" | "contactgroup" | "timeperiod" | "hostgroup" | "servicegroup";

/** The inventory's names, by kind and by Nagios's name. */
export type Naming = Readonly<Record<Named, ReadonlyMap<string, string>>>;

const STACK_GROUP = /^(icinga-swarm$|location-)/i;

/** Most names of an inventory. */
export const NAMES: NameRules = {
  isAllowed: (name) => nameSchema.safeParse(name).success,
  keep: /[A-Za-z0-9 ._:-]/,
  longest: 100,
  fallback: "unnamed",
};

const group = (fallback: string): NameRules => ({
  ...NAMES,
  isAllowed: (name) => NAMES.isAllowed(name) && !STACK_GROUP.test(name),
  fallback,
});

const RULES: Readonly<Record<Named, NameRules>> = {
  host: {
    isAllowed: (name) => /^[A-Za-z0-9]([A-Za-z0-9._-]{0,126}[A-Za-z0-9])?$/.test(name) && !isOwnHost(name),
    keep: /[A-Za-z0-9._-]/,
    longest: 128,
    fallback: "host",
  },
  service: { ...NAMES, fallback: "service", distinguishesCase: true },
  contact: { ...NAMES, fallback: "contact" },
  contactgroup: { ...NAMES, fallback: "contacts" },
  timeperiod: { ...NAMES, fallback: "period" },
  hostgroup: group("hosts"),
  servicegroup: group("services"),
};

/** Gives everything a name that the inventory allows, and reports those that are not Nagios's. */
export function nameAll(resolved: Resolved, report: Report): Naming {
  const chosen = (kind: Named, named: readonly (readonly [string, Place])[], others: Iterable<string> = []) => {
    const names = allowedNames(
      named.map(([name]) => name),
      RULES[kind],
      others,
    );
    for (const [name, place] of named) {
      const called = names.get(name);
      if (called === name) continue;
      report.add("changed", place, `the ${kind} ${JSON.stringify(name)} is called ${JSON.stringify(called)}`);
    }
    return names;
  };
  const contact = chosen("contact", places(resolved.contacts));
  return {
    host: chosen("host", places(resolved.hosts)),
    service: chosen(
      "service",
      resolved.services.map(({ description, definition }) => [description, definition.place] as const),
    ),
    contact,
    // A rule names both alike.
    contactgroup: chosen("contactgroup", places(resolved.contactgroups), contact.values()),
    timeperiod: chosen("timeperiod", places(resolved.timeperiods)),
    hostgroup: chosen("hostgroup", places(resolved.hostgroups)),
    servicegroup: chosen("servicegroup", places(resolved.servicegroups)),
  };
}

function places(objects: ReadonlyMap<string, NagiosObject>): (readonly [string, Place])[] {
  return [...objects].map(([name, { place }]) => [name, place] as const);
}

const emptyHost = inventorySchemas(new Map()).host;

/** The inventory's names of hosts' custom variables: in small letters, as Nagios does not tell them apart. */
export function nameVariables(variables: Iterable<string>): ReadonlyMap<string, string> {
  const all = [...new Set(variables)];
  const isAllowed = (name: string) =>
    emptyHost.safeParse({ name: "a", address: "a", location: "a", vars: { [name]: "a" } }).success;
  const entries = all.map((variable) => {
    const plain = variable.toLowerCase().replace(/[^a-z0-9_]/g, "_");
    return [variable, isAllowed(plain) ? plain : `nagios_${plain}`] as const;
  });
  return new Map(entries);
}
