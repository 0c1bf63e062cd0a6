import { z } from "zod";
import { NOTIFICATION_EVENTS, type NotificationEvent } from "../model";
import { isOn, type NagiosObject, namesOf, numberOf, statesOf, textOf } from "./objects";
import type { Place } from "./refusal";
import type { Report } from "./report";
import type { Resolved } from "./resolve";
import { commandsOf } from "./verify";

/** A contact as the inventory writes it. */
export interface WrittenContact {
  readonly displayName?: string;
  readonly email: string;
  readonly period?: string;
  readonly on?: readonly NotificationEvent[];
}

/** A notification rule as the inventory writes it. */
export interface WrittenRule {
  readonly contacts: readonly string[];
  readonly on: readonly NotificationEvent[];
  readonly period?: string;
  readonly after?: string;
  readonly until?: string;
  readonly repeat?: string;
}

/** Names and lengths of time in the inventory's terms. */
export interface Terms {
  readonly contact: (name: string) => string;
  readonly contactGroup: (name: string) => string;
  /** A time period; undefined for one that is always. */
  readonly period: (name: string) => string | undefined;
  /** From Nagios's time units. @returns undefined for none */
  readonly duration: (units: number) => string | undefined;
}

/** States of hosts and services, and what can happen to both, as Nagios letters -> the inventory's words. */
const STATES: Readonly<Record<string, Readonly<Record<string, NotificationEvent>>>> = {
  host: { d: "down" },
  service: { w: "warning", c: "critical", u: "unknown" },
};
const HAPPENINGS: Readonly<Record<string, NotificationEvent>> = { r: "recovery", s: "downtime", f: "flapping" };

/** Contacts and contact groups of the inventory; those that nobody can write to are reported. */
export class People {
  readonly contacts = new Map<string, WrittenContact>();
  readonly groups = new Map<string, { displayName?: string; members: string[] }>();

  constructor(
    resolved: Resolved,
    private readonly terms: Terms,
    private readonly report: Report,
  ) {
    for (const [name, contact] of resolved.contacts) {
      const written = this.contact(name, contact, resolved);
      if (written !== undefined) this.contacts.set(terms.contact(name), written);
    }
    for (const [name, group] of resolved.contactgroups) this.group(name, group);
  }

  /** Whom a host, service or escalation names, by their names in the inventory, whether they are there or not. */
  named(object: NagiosObject): string[] {
    const { contact, contactGroup } = this.terms;
    return [...namesOf(object, "contacts").map(contact), ...namesOf(object, "contact_groups").map(contactGroup)];
  }

  /** Of contacts and groups, those that are in the inventory. */
  known(names: readonly string[]): string[] {
    return names.filter((name) => this.contacts.has(name) || this.groups.has(name));
  }

  private contact(name: string, contact: NagiosObject, resolved: Resolved): WrittenContact | undefined {
    const email = textOf(contact, "email");
    if (email === undefined || !z.email().safeParse(email).success) {
      const why = email === undefined ? "without a mail address" : `with the mail address ${email}`;
      this.report.add("lost", placeOf(contact, "email"), `the contact ${name}: nobody can be told ${why}`);
      return undefined;
    }
    const on = this.events(contact);
    if (on.length === 0) {
      this.report.add("lost", contact.place, `the contact ${name}: Nagios tells it of no state`);
      return undefined;
    }
    this.reportCommands(contact, resolved);
    for (const directive of ["pager", "address1", "address2", "address3", "address4", "address5", "address6"]) {
      if (textOf(contact, directive) === undefined) continue;
      this.report.add("lost", placeOf(contact, directive), `${directive} of contacts: they are told by mail`);
    }
    for (const [variable, { place }] of contact.custom) {
      this.report.add("lost", place, `_${variable} of contacts: they have no custom variables`);
    }
    const alias = textOf(contact, "alias");
    const period = this.period(name, contact);
    return {
      ...(alias === undefined || alias === name ? {} : { displayName: alias }),
      email,
      ...(period === undefined ? {} : { period }),
      ...(on.length === NOTIFICATION_EVENTS.length ? {} : { on }),
    };
  }

  /** What a contact wants to be told of: of hosts and of services together, as a contact of the inventory has one list. */
  private events(contact: NagiosObject): NotificationEvent[] {
    const ofKind = ["host", "service"].map((kind) => {
      const letters = statesOf(contact, `${kind}_notification_options`);
      if (!isOn(contact, `${kind}_notifications_enabled`)) return [];
      const states = eventsOf(letters, STATES[kind] ?? {});
      return states.length === 0 ? [] : [...states, ...eventsOf(letters, HAPPENINGS), "acknowledgement" as const];
    });
    const happenings = ofKind.map((events) =>
      Object.values(HAPPENINGS)
        .filter((event) => events.includes(event))
        .join(),
    );
    if (ofKind.every((events) => events.length > 0) && happenings[0] !== happenings[1]) {
      const message = "a contact is told of recoveries, downtimes and flapping of hosts and services alike";
      this.report.add("changed", placeOf(contact, "service_notification_options"), message);
    }
    const all = new Set(ofKind.flat());
    return NOTIFICATION_EVENTS.filter((event) => all.has(event));
  }

  private period(name: string, contact: NagiosObject): string | undefined {
    const [ofHosts, ofServices] = ["host", "service"].map((kind) => textOf(contact, `${kind}_notification_period`));
    if (ofHosts !== ofServices) {
      const message = `the contact ${name}: the period is ${ofServices ?? "always"} for hosts, too, not ${ofHosts ?? "always"}`;
      this.report.add("changed", placeOf(contact, "host_notification_period"), message);
    }
    return ofServices === undefined ? undefined : this.terms.period(ofServices);
  }

  private reportCommands(contact: NagiosObject, resolved: Resolved): void {
    for (const directive of ["host_notification_commands", "service_notification_commands"]) {
      for (const call of commandsOf(contact, directive)) {
        const command = resolved.commands.get(call.split("!")[0] ?? "");
        const line = (command && textOf(command, "command_line")) ?? "";
        const isMail = line.includes("$CONTACTEMAIL$");
        const message = isMail
          ? "the stack's own mail stands for the command"
          : "contacts are told by mail, not by the command";
        this.report.add(isMail ? "changed" : "lost", placeOf(contact, directive), `${message} ${call}`);
      }
    }
  }

  private group(name: string, group: NagiosObject): void {
    const members = namesOf(group, "members").map(this.terms.contact);
    const known = members.filter((member) => this.contacts.has(member));
    if (known.length === 0) {
      this.report.add("lost", group.place, `the contactgroup ${name}: nobody is left in it`);
      return;
    }
    const alias = textOf(group, "alias");
    const title = alias === undefined || alias === name ? {} : { displayName: alias };
    this.groups.set(this.terms.contactGroup(name), { ...title, members: known });
  }
}

/** When a rule is in charge, in Nagios's time units since the problem began, and how often it tells. */
interface Stretch {
  readonly from: number;
  /** Undefined for ever. */
  readonly to: number | undefined;
  readonly repeat: number;
  readonly people: readonly string[];
  readonly period: string | undefined;
  readonly letters: ReadonlySet<string>;
}

/** Who is told of one host's or service's problems. */
export interface Audience {
  readonly kind: "host" | "service";
  readonly rules: readonly WrittenRule[];
}

/**
 * Who is told of a host's or service's problems, with those that an escalation puts in their place after a while.
 *
 * @param escalations those of this host or service
 */
export function audienceOf(
  kind: "host" | "service",
  object: NagiosObject,
  escalations: readonly NagiosObject[],
  people: People,
  terms: Terms,
  report: Report,
): Audience {
  if (!isOn(object, "notifications_enabled")) return { kind, rules: [] };
  reportUnreachable(kind, object, report);
  const stretches = escalated(object, escalations, people, terms, report);
  const rules = stretches.flatMap((stretch): WrittenRule[] => {
    const states = eventsOf(stretch.letters, STATES[kind] ?? {});
    const contacts = people.known(stretch.people);
    if (stretch.people.length > 0 && contacts.length === 0) {
      const directive = object.values.has("contact_groups") ? "contact_groups" : "contacts";
      const message = `nobody is left to be told of: ${stretch.people.join(", ")}`;
      report.add("lost", placeOf(object, directive), message);
    }
    if (states.length === 0 || contacts.length === 0) return [];
    const all = new Set<NotificationEvent>([...states, ...eventsOf(stretch.letters, HAPPENINGS), "acknowledgement"]);
    const period = stretch.period === undefined ? undefined : terms.period(stretch.period);
    const [after, until, repeat] = [stretch.from, stretch.to ?? 0, stretch.repeat].map(terms.duration);
    return [
      {
        contacts: [...new Set(contacts)].sort(),
        on: NOTIFICATION_EVENTS.filter((event) => all.has(event)),
        ...(period === undefined ? {} : { period }),
        ...(after === undefined ? {} : { after }),
        ...(until === undefined ? {} : { until }),
        ...(repeat === undefined ? {} : { repeat }),
      },
    ];
  });
  return { kind, rules };
}

function reportUnreachable(kind: string, object: NagiosObject, report: Report): void {
  const value = object.values.get("notification_options");
  if (kind !== "host" || value === undefined || !statesOf(object, "notification_options").has("u")) return;
  report.add("changed", value.place, "nobody is told that a host is unreachable: its parent's problem is told");
}

/** The time of a problem, cut where an escalation begins or ends: those it names are then told instead of the others. */
function escalated(
  object: NagiosObject,
  escalations: readonly NagiosObject[],
  people: People,
  terms: Terms,
  report: Report,
): Stretch[] {
  const letters = statesOf(object, "notification_options");
  const own = people.named(object);
  const interval = numberOf(object, "notification_interval");
  const delay = numberOf(object, "first_notification_delay");
  const period = textOf(object, "notification_period");
  const ranges = escalations.flatMap((escalation) => {
    const [first = 1, last = 0] = ["first_notification", "last_notification"].map((name) => numberOf(escalation, name));
    if (last === 0 || last >= Math.max(first, 1))
      return [{ escalation, first: Math.max(first, 1), last: last || Infinity }];
    report.add("ignored", escalation.place, "an escalation that Nagios never comes to: its last_notification is past");
    return [];
  });
  for (const { escalation, first } of ranges) {
    reportConditions(escalation, object, terms, report);
    if (interval === 0 && first > 1) {
      report.add(
        "lost",
        escalation.place,
        "an escalation that never comes: without an interval there is one notification",
      );
    }
  }
  const cuts = new Set([1, ...ranges.flatMap(({ first, last }) => [first, last + 1])]);
  const starts = [...cuts].filter(Number.isFinite).sort((left, right) => left - right);
  const stretches: Stretch[] = [];
  let time = delay;
  for (const [index, start] of starts.entries()) {
    const next = starts[index + 1];
    const active = ranges
      .filter(({ first, last }) => first <= start && start <= last)
      .map(({ escalation }) => escalation);
    const repeat =
      active.length === 0 ? interval : Math.min(...active.map((one) => numberOf(one, "notification_interval")));
    const told = active.length === 0 ? own : active.flatMap((one) => people.named(one));
    const to = next === undefined || repeat === 0 ? undefined : time + (next - start) * repeat;
    const options = active.flatMap((one) => [...statesOf(one, "escalation_options")]);
    stretches.push({
      from: time,
      to,
      repeat,
      people: told,
      period: (active.length === 0 ? undefined : textOf(active[0] as NagiosObject, "escalation_period")) ?? period,
      letters:
        active.length === 0
          ? letters
          : new Set([...letters].filter((letter) => /[fs]/.test(letter) || options.includes(letter))),
    });
    // Without reminders there is no second notification, and nothing that it could escalate to.
    if (to === undefined) break;
    time = to;
  }
  return merged(stretches);
}

/** Where an escalation holds under conditions only, others are told meanwhile: the inventory cannot say that. */
function reportConditions(escalation: NagiosObject, object: NagiosObject, terms: Terms, report: Report): void {
  const period = textOf(escalation, "escalation_period");
  const isAlways = period === undefined || terms.period(period) === undefined;
  if (!isAlways && period !== textOf(object, "notification_period")) {
    const message = `outside of ${period} nobody is told in the place of those of the escalation`;
    report.add("changed", placeOf(escalation, "escalation_period"), message);
  }
  const options = statesOf(escalation, "escalation_options");
  const missing = [...statesOf(object, "notification_options")].filter(
    (letter) => !/[fs]/.test(letter) && !options.has(letter),
  );
  if (missing.length > 0) {
    const message = `nobody is told in the place of those of the escalation in states that are not its own`;
    report.add("changed", placeOf(escalation, "escalation_options"), message);
  }
}

/** Neighbours that differ in nothing are one. */
function merged(stretches: readonly Stretch[]): Stretch[] {
  const result: Stretch[] = [];
  for (const stretch of stretches) {
    const last = result.at(-1);
    const said = ({ people, period, repeat, letters }: Stretch) =>
      JSON.stringify([[...people].sort(), period, repeat, [...letters].sort()]);
    if (last !== undefined && said(last) === said(stretch)) result[result.length - 1] = { ...last, to: stretch.to };
    else result.push(stretch);
  }
  return result;
}

function eventsOf(
  letters: ReadonlySet<string>,
  words: Readonly<Record<string, NotificationEvent>>,
): NotificationEvent[] {
  return Object.entries(words).flatMap(([letter, event]) => (letters.has(letter) ? [event] : []));
}

/**
 * Gives rules names, and lets hosts and services share those that differ only in states of the other kind.
 *
 * @param audiences of all hosts and services
 * @param nameFor a free name for a rule, from the names of whom it tells
 */
export class Rules {
  readonly rules = new Map<string, WrittenRule>();
  private readonly names = new Map<string, string>();

  constructor(audiences: readonly Audience[], nameFor: (wanted: string, taken: ReadonlySet<string>) => string) {
    const alike = new Map<string, { host: Map<string, WrittenRule>; service: Map<string, WrittenRule> }>();
    for (const { kind, rules } of audiences) {
      for (const rule of rules) {
        const entry = alike.get(withoutStates(rule)) ?? { host: new Map(), service: new Map() };
        entry[kind].set(JSON.stringify(rule.on), rule);
        alike.set(withoutStates(rule), entry);
      }
    }
    const taken = new Set<string>();
    const add = (rule: WrittenRule, uses: readonly (readonly [kind: string, rule: WrittenRule])[]) => {
      const name = nameFor(wantedName(rule), taken);
      taken.add(name.toLowerCase());
      this.rules.set(name, rule);
      for (const [kind, used] of uses) this.names.set(keyOf(kind, used), name);
    };
    for (const { host, service } of alike.values()) {
      const [hosts, services] = [[...host.values()], [...service.values()]];
      const [ofHosts] = hosts;
      const [ofServices] = services;
      if (hosts.length === 1 && services.length === 1 && ofHosts !== undefined && ofServices !== undefined) {
        const on = NOTIFICATION_EVENTS.filter((event) => ofHosts.on.includes(event) || ofServices.on.includes(event));
        add({ ...ofHosts, on }, [
          ["host", ofHosts],
          ["service", ofServices],
        ]);
        continue;
      }
      for (const rule of hosts) add(rule, [["host", rule]]);
      for (const rule of services) add(rule, [["service", rule]]);
    }
  }

  /** Names of an audience's rules. */
  namesOf({ kind, rules }: Audience): string[] {
    return [...new Set(rules.map((rule) => this.names.get(keyOf(kind, rule)) ?? ""))].sort();
  }
}

const OF_ONE_KIND: readonly NotificationEvent[] = ["down", "warning", "critical", "unknown"];

function withoutStates({ on, ...rest }: WrittenRule): string {
  return JSON.stringify([rest, on.filter((event) => !OF_ONE_KIND.includes(event))]);
}

function keyOf(kind: string, rule: WrittenRule): string {
  return JSON.stringify([kind, rule]);
}

function wantedName({ contacts, after, until, period }: WrittenRule): string {
  const [first = "", second] = contacts;
  const people =
    contacts.length > 2
      ? `${first} and ${contacts.length - 1} more`
      : contacts.length === 2
        ? `${first} ${second}`
        : first;
  return [
    people,
    ...(after === undefined ? [] : [`after ${after}`]),
    ...(until === undefined ? [] : [`until ${until}`]),
    ...(period === undefined ? [] : [period]),
  ].join(" ");
}

function placeOf(object: NagiosObject, directive: string): Place {
  return object.values.get(directive)?.place ?? object.place;
}
