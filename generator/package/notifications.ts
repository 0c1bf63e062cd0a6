import { type Attribute, names, object, quote } from "../dsl";
import type { Contact, ContactGroup, Inventory, NotificationEvent, NotificationRule } from "../model";
import { text } from "./attributes";
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

function renderContact({ name, displayName = name, email, period, on }: Contact, groups: readonly string[]): string {
  const wanted: Attribute[] =
    on === undefined
      ? []
      : [
          ["states", symbols(states(on, { ...HOST_STATES, ...SERVICE_STATES, recovery: undefined }, ["Up", "OK"]))],
          ["types", symbols(types(on))],
        ];
  return object({
    kind: "object User",
    name,
    attributes: [
      ["display_name", quote(displayName)],
      text("email", email),
      text("period", period),
      groups.length === 0 ? ["groups", undefined] : ["groups", names(groups)],
      ...wanted,
    ],
  });
}

/** Each rule for those hosts and services that name it. */
export function renderNotifications({ notifications, ownNotify }: Inventory): string {
  return notifications.map((rule) => renderRule(rule, ownNotify.includes(rule.name))).join("");
}

function renderRule(rule: NotificationRule, isForOwnParts: boolean): string {
  const { name, on } = rule;
  const quoted = quote(name);
  const hostStates = states(on, HOST_STATES);
  const serviceStates = states(on, SERVICE_STATES);
  // The static hosts of the centre and the slaves name no rule: the defaults' rules are theirs.
  const ownHosts = isForOwnParts ? ` || host.vars.notify == null && ${quote(OWN_GROUP)} in host.groups` : "";
  const ofHost = `${quoted} in host.vars.notify${ownHosts}`;
  const forHosts = apply(rule, "Host", hostStates, ofHost);
  const ofService = `service.vars.notify == null && (${ofHost}) || service.vars.notify != null && ${quoted} in service.vars.notify`;
  const forServices = apply(rule, "Service", serviceStates, ofService);
  const isOnlyRecovery = (found: readonly string[], good: string) => found.every((state) => state === good);
  const hasEvents = on.some((event) => ["acknowledgement", "downtime", "flapping"].includes(event));
  return (
    (hasEvents || !isOnlyRecovery(hostStates, "Up") ? forHosts : "") +
    (hasEvents || !isOnlyRecovery(serviceStates, "OK") ? forServices : "")
  );
}

function apply(rule: NotificationRule, kind: "Host" | "Service", wanted: readonly string[], where: string): string {
  const { contacts, contactGroups, on, period, after, until, repeat } = rule;
  const list = (attribute: string, found: readonly string[]): Attribute => [
    attribute,
    found.length === 0 ? undefined : names(found),
  ];
  return object({
    kind: "apply Notification",
    name: rule.name,
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
  recovered: readonly string[] = [],
): string[] {
  return on.flatMap((event) => (event === "recovery" && recovered.length > 0 ? recovered : (known[event] ?? [])));
}

function types(on: readonly NotificationEvent[]): string[] {
  return [...new Set(on.flatMap((event) => TYPES[event]))];
}

/** A list of Icinga's own constants. */
function symbols(list: readonly string[]): string {
  return `[ ${list.join(", ")} ]`;
}
