import { listeners } from "../audience";
import { type Attribute, names, object, quote } from "../dsl";
import {
  compare,
  type Contact,
  type ContactGroup,
  type Inventory,
  type NotificationEvent,
  type NotificationRule,
} from "../model";
import { text } from "./attributes";
import { meetingName } from "./periods";
import { OWN_GROUP } from "./stack";

/** Static in the master's image. */
const MAIL_COMMAND = "icinga-swarm-mail";

const HOST_STATES: Partial<Record<NotificationEvent, string>> = { down: "Down", recovery: "Up" };
const SERVICE_STATES: Partial<Record<NotificationEvent, string>> = {
  warning: "Warning",
  critical: "Critical",
  unknown: "Unknown",
  recovery: "OK",
};
const TYPES: Readonly<Record<NotificationEvent, readonly string[]>> = {
  down: ["Problem"],
  warning: ["Problem"],
  critical: ["Problem"],
  unknown: ["Problem"],
  recovery: ["Recovery"],
  acknowledgement: ["Acknowledgement"],
  downtime: ["DowntimeStart", "DowntimeEnd", "DowntimeRemoved"],
  flapping: ["FlappingStart", "FlappingEnd"],
};

/** Contacts and contact groups. */
export function renderPeople({ contacts, contactGroups }: Inventory): string {
  const groupsOf = (contact: Contact) =>
    contactGroups.filter(({ members }) => members.includes(contact.name)).map(({ name }) => name);
  return contactGroups.map(renderGroup).join("") + contacts.map((one) => renderContact(one, groupsOf(one))).join("");
}

function renderGroup({ name, displayName = name }: ContactGroup): string {
  return object({ kind: "object UserGroup", name, attributes: [["display_name", quote(displayName)]] });
}

/**
 * Without the contact's period and events: Icinga counts what a user's own filter held back as told, and never tells it
 * when the period begins. So they are part of the rules below.
 */
function renderContact({ name, displayName = name, email }: Contact, groups: readonly string[]): string {
  return object({
    kind: "object User",
    name,
    attributes: [
      ["display_name", quote(displayName)],
      text("email", email),
      groups.length === 0 ? ["groups", undefined] : ["groups", names(groups)],
    ],
  });
}

/** Each rule for those hosts and services that name it. */
export function renderNotifications(inventory: Inventory): string {
  const { notifications, ownNotify } = inventory;
  return notifications
    .flatMap((rule) => audiences(rule, inventory).map((one) => renderRule(rule, one, ownNotify.includes(rule.name))))
    .join("");
}

/** Those whom a rule tells the same, at the same times. */
interface Audience {
  readonly contacts: readonly string[];
  readonly contactGroups: readonly string[];
  readonly on: readonly NotificationEvent[];
  readonly period?: string | undefined;
  /** What sets it apart from the rule's other audiences. */
  readonly suffix: string;
}

function audiences(rule: NotificationRule, inventory: Inventory): Audience[] {
  const told = listeners(inventory, rule);
  if (told.every(({ contact: { period, on } }) => period === undefined && on === undefined))
    return [{ ...rule, suffix: "" }];
  const bySuffix = new Map<string, Audience & { contacts: string[] }>();
  for (const { contact, on } of told) {
    const { name, period } = contact;
    const during = period === undefined ? "" : ` in ${period}`;
    const suffix = `${during}${on.length === rule.on.length ? "" : ` on ${on.join(" ")}`}`;
    const audience = bySuffix.get(suffix);
    if (audience !== undefined) audience.contacts.push(name);
    else {
      const both = meetingName(rule.period, period);
      bySuffix.set(suffix, { contacts: [name], contactGroups: [], on, period: both, suffix });
    }
  }
  return [...bySuffix.values()].sort((left, right) => compare(left.suffix, right.suffix));
}

function renderRule(rule: NotificationRule, audience: Audience, isForOwnParts: boolean): string {
  const { name } = rule;
  const { on } = audience;
  const quoted = quote(name);
  const hostStates = states(on, HOST_STATES);
  const serviceStates = states(on, SERVICE_STATES);
  // The static hosts of the centre and the slaves name no rule: the defaults' rules are theirs.
  const ownHosts = isForOwnParts ? ` || host.vars.notify == null && ${quote(OWN_GROUP)} in host.groups` : "";
  const ofHost = `${quoted} in host.vars.notify${ownHosts}`;
  const forHosts = apply(rule, audience, "Host", hostStates, ofHost);
  const ofService = `service.vars.notify == null && (${ofHost}) || service.vars.notify != null && ${quoted} in service.vars.notify`;
  const forServices = apply(rule, audience, "Service", serviceStates, ofService);
  const isOnlyRecovery = (found: readonly string[], good: string) => found.every((state) => state === good);
  const hasEvents = on.some((event) => ["downtime", "flapping"].includes(event));
  return (
    (hasEvents || !isOnlyRecovery(hostStates, "Up") ? forHosts : "") +
    (hasEvents || !isOnlyRecovery(serviceStates, "OK") ? forServices : "") +
    (isForOwnParts && on.includes("down") && !on.includes("critical") ? renderCutOff(rule, audience) : "")
  );
}

/** A location that is cut off is a service of the master; whoever is told of hosts that are down wants to hear of it. */
function renderCutOff(rule: NotificationRule, audience: Audience): string {
  const on: NotificationEvent[] = audience.on.includes("recovery") ? ["critical", "recovery"] : ["critical"];
  const where = `service.vars.notify_once && host.vars.notify == null && ${quote(OWN_GROUP)} in host.groups`;
  const cutOff = { ...audience, on, suffix: `${audience.suffix}, location cut off` };
  return apply(rule, cutOff, "Service", states(on, SERVICE_STATES), where);
}

function apply(
  rule: NotificationRule,
  { contacts, contactGroups, on, period, suffix }: Audience,
  kind: "Host" | "Service",
  wanted: readonly string[],
  where: string,
): string {
  const { after, until, repeat } = rule;
  const list = (attribute: string, found: readonly string[]): Attribute => [
    attribute,
    found.length === 0 ? undefined : names(found),
  ];
  return object({
    kind: "apply Notification",
    name: rule.name + suffix,
    to: kind,
    attributes: [
      ["command", quote(MAIL_COMMAND)],
      list("users", contacts),
      list("user_groups", contactGroups),
      ["states", symbols(wanted)],
      ["types", symbols([...types(on), "Custom"])],
      text("period", period),
      ["interval", repeat === 0 ? "0" : `${repeat}s`],
      ["times.begin", after === 0 ? undefined : `${after}s`],
      ["times.end", until === undefined ? undefined : `${until}s`],
    ],
    rules: [
      ...(kind === "Service" && repeat > 0 ? ["if (service.vars.notify_once) { interval = 0 }"] : []),
      `assign where ${where}`,
    ],
  });
}

function states(
  on: readonly NotificationEvent[],
  known: Partial<Record<NotificationEvent, string | undefined>>,
): string[] {
  return on.flatMap((event) => known[event] ?? []);
}

function types(on: readonly NotificationEvent[]): string[] {
  return [...new Set(on.flatMap((event) => TYPES[event]))];
}

/** A list of Icinga's own constants. */
function symbols(list: readonly string[]): string {
  return `[ ${list.join(", ")} ]`;
}
