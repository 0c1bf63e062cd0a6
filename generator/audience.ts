import type { Contact, Inventory, NotificationEvent, NotificationRule } from "./model";

/** What has problems that somebody may be told of. */
export type Kind = "host" | "service";

/** A contact whom a rule tells. */
export interface Listener {
  readonly contact: Contact;
  /** The contact group that the rule names; undefined if it names the contact. */
  readonly group: string | undefined;
  /** What they are told of: what both the rule and the contact say. */
  readonly on: readonly NotificationEvent[];
}

/** A rule, and whom it tells. */
export interface Told {
  readonly rule: NotificationRule;
  /** What it tells of such an object. */
  readonly on: readonly NotificationEvent[];
  readonly listeners: readonly Listener[];
}

const EVENTS_OF: Readonly<Record<Kind, readonly NotificationEvent[]>> = {
  host: ["down", "recovery", "acknowledgement", "downtime", "flapping"],
  service: ["warning", "critical", "unknown", "recovery", "acknowledgement", "downtime", "flapping"],
};

/**
 * Who is told of a host or service.
 *
 * @param inventory a valid inventory
 * @param rules names of the rules that it is told by
 */
export function toldBy(inventory: Inventory, rules: readonly string[], kind: Kind): Told[] {
  return inventory.notifications
    .filter(({ name }) => rules.includes(name))
    .map((rule) => {
      const on = rule.on.filter((event) => EVENTS_OF[kind].includes(event));
      return { rule, on, listeners: listeners(inventory, rule, on) };
    });
}

/** Names of the contacts who are told of a host's or service's problems, sorted. */
export function audience(inventory: Inventory, rules: readonly string[], kind: Kind): string[] {
  const names = toldBy(inventory, rules, kind).flatMap((told) =>
    // Nobody is told of a recovery who was not told of the problem.
    told.listeners.filter(({ on }) => on.some((event) => event !== "recovery")).map(({ contact }) => contact.name),
  );
  return [...new Set(names)].sort();
}

/**
 * Whom a rule tells. Somebody whom it names more than once is told once.
 *
 * @param on those of the rule's events that matter
 */
export function listeners(
  inventory: Inventory,
  rule: NotificationRule,
  on: readonly NotificationEvent[] = rule.on,
): Listener[] {
  const groups = inventory.contactGroups.filter(({ name }) => rule.contactGroups.includes(name));
  return inventory.contacts.flatMap((contact): Listener[] => {
    const isNamed = rule.contacts.includes(contact.name);
    const group = groups.find(({ members }) => members.includes(contact.name))?.name;
    if (!isNamed && group === undefined) return [];
    const wanted = on.filter((event) => contact.on === undefined || contact.on.includes(event));
    return [{ contact, group: isNamed ? undefined : group, on: wanted }];
  });
}
