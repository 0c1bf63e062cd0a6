import type { Place } from "./refusal";
import type { ObjectType } from "./read";

/**
 * A directive's value in the form that Nagios itself writes it in (states as `w,u,c`, `a` or `n`, flags as 0 and 1), with
 * the line it comes from, which may be a template's. Text is null where `null` takes the value away.
 */
export interface Value {
  readonly text: string | null;
  readonly place: Place;
  /** A template's check_command that was written with a leading ! wins over the service's own. */
  readonly wins?: boolean;
}

/** Dates on which a time period's hours differ from the week's. */
export interface DateRange {
  /** In the words of Nagios, such as `december 25` or `monday 1 september`. */
  readonly when: string;
  readonly ranges: string;
  readonly place: Place;
}

/** An object of Nagios, while it is resolved and after. */
export interface NagiosObject {
  readonly type: ObjectType;
  /** Where its definition starts. */
  readonly place: Place;
  /** Directive -> value, without those that nothing sets. */
  readonly values: Map<string, Value>;
  /** Custom variables: name in capitals, without the underscore -> value. */
  readonly custom: Map<string, Value>;
  readonly dates: DateRange[];
  readonly registered: boolean;
}

/** How a directive's text is read, and how templates hand it on. */
export interface DirectiveKind {
  /**
   * - `plain`: text that `null` cannot take away
   * - `text`: text that `null` takes away
   * - `list`: names, to which `+` adds the template's
   * - `number`, `count`: as C reads it: what starts as a number is one
   * - `flag`: 1 or 0
   * - `states`: letters or words
   * - `state`: one of them
   * - `point`: coordinates
   * - `ignored`: nothing, to Nagios 4
   */
  readonly kind: "plain" | "text" | "list" | "number" | "count" | "flag" | "states" | "state" | "point" | "ignored";
  /** What it is where nothing sets it. @default nothing */
  readonly fallback?: string;
  /** Letter -> word. */
  readonly states?: Readonly<Record<string, string>>;
  /** A second line of the same name adds to the first. @default it replaces it */
  readonly adds?: boolean;
  /** An empty value is refused. @default it is taken */
  readonly needsText?: boolean;
  /** How many coordinates. */
  readonly dimensions?: 2 | 3;
  /** Other names of the directive. */
  readonly also?: readonly string[];
}

const plain = (...also: string[]): DirectiveKind => ({ kind: "plain", also });
const text = (...also: string[]): DirectiveKind => ({ kind: "text", also });
const list = (...also: string[]): DirectiveKind => ({ kind: "list", also });
const members: DirectiveKind = { kind: "list", adds: true };
const people: DirectiveKind = { kind: "list", needsText: true };
const number = (fallback: number, ...also: string[]): DirectiveKind => ({
  kind: "number",
  fallback: String(fallback),
  also,
});
const count = (fallback: number, ...also: string[]): DirectiveKind => ({
  kind: "count",
  fallback: String(fallback),
  also,
});
const flag = (fallback: 0 | 1, ...also: string[]): DirectiveKind => ({
  kind: "flag",
  fallback: String(fallback),
  also,
});
const ignored: DirectiveKind = { kind: "ignored" };

/** The states' order is the one in which Nagios lists them. */
const states = (known: Readonly<Record<string, string>>, fallback: string, ...also: string[]): DirectiveKind => ({
  kind: "states",
  states: known,
  fallback,
  adds: true,
  also,
});

const HOST_PROBLEMS = { d: "down", u: "unreachable" };
const SERVICE_PROBLEMS = { w: "warning", u: "unknown", c: "critical" };
const EVENTS = { f: "flapping", s: "downtime" };
const HOST_EVENTS = { r: "recovery", ...HOST_PROBLEMS, ...EVENTS };
const SERVICE_EVENTS = { r: "recovery", ...SERVICE_PROBLEMS, ...EVENTS };
const HOST_STATES = { o: "up", ...HOST_PROBLEMS };
const SERVICE_STATES = { o: "ok", ...SERVICE_PROBLEMS };

const notes = { notes: text(), notes_url: text(), action_url: text() };
const images = { icon_image: text(), icon_image_alt: text() };
const hostImages = {
  ...images,
  vrml_image: text(),
  statusmap_image: text("gd2_image"),
  "2d_coords": { kind: "point", dimensions: 2 },
  "3d_coords": { kind: "point", dimensions: 3 },
} satisfies Record<string, DirectiveKind>;

/** What hosts and services have in common. */
const monitored = (all: Readonly<Record<string, string>>, events: Readonly<Record<string, string>>) => ({
  display_name: text(),
  check_command: text(),
  check_period: text(),
  event_handler: text(),
  contacts: people,
  contact_groups: people,
  notification_period: text(),
  initial_state: { kind: "state", states: all, fallback: "o" } satisfies DirectiveKind,
  importance: count(0, "hourly_value"),
  check_interval: number(5, "normal_check_interval"),
  retry_interval: number(1, "retry_check_interval"),
  max_check_attempts: count(-2),
  passive_checks_enabled: flag(1),
  event_handler_enabled: flag(1),
  low_flap_threshold: number(0),
  high_flap_threshold: number(0),
  flap_detection_enabled: flag(1),
  flap_detection_options: { ...states(all, "a"), adds: false },
  freshness_threshold: count(0),
  check_freshness: flag(0),
  notification_options: states(events, "a"),
  notifications_enabled: flag(1),
  notification_interval: number(30),
  first_notification_delay: number(0),
  stalking_options: states({ ...all, N: "notifications" }, "n"),
  process_perf_data: flag(1),
  ...notes,
  retain_status_information: flag(1),
  retain_nonstatus_information: flag(1),
  failure_prediction_enabled: ignored,
  failure_prediction_options: ignored,
});

const escalation = (events: Readonly<Record<string, string>>) => ({
  hostgroup_name: list("hostgroup", "hostgroups"),
  host_name: list("host"),
  contacts: people,
  contact_groups: people,
  escalation_period: text(),
  first_notification: count(-2),
  last_notification: count(-2),
  notification_interval: number(0),
  escalation_options: states(events, "a"),
});

const dependency = (all: Readonly<Record<string, string>>) => ({
  hostgroup_name: list("hostgroup", "hostgroups"),
  host_name: list("host", "master_host", "master_host_name"),
  dependent_hostgroup_name: list("dependent_hostgroup", "dependent_hostgroups"),
  dependent_host_name: list("dependent_host"),
  dependency_period: text(),
  inherits_parent: flag(0),
  execution_failure_options: states({ ...all, p: "pending" }, "n", "execution_failure_criteria"),
  notification_failure_options: states({ ...all, p: "pending" }, "n", "notification_failure_criteria"),
});

/** Every directive that Nagios knows, by type of object. */
export const DIRECTIVES: Readonly<Record<ObjectType, Readonly<Record<string, DirectiveKind>>>> = {
  timeperiod: { timeperiod_name: plain(), alias: plain(), exclude: plain() },
  command: { command_name: plain(), command_line: plain() },
  contact: {
    contact_name: plain(),
    alias: plain(),
    contact_groups: list("contactgroups"),
    email: text(),
    pager: text(),
    ...Object.fromEntries([1, 2, 3, 4, 5, 6].map((index) => [`address${index}`, text()])),
    host_notification_period: text(),
    service_notification_period: text(),
    host_notification_commands: list(),
    service_notification_commands: list(),
    host_notification_options: states(HOST_EVENTS, "n"),
    service_notification_options: states(SERVICE_EVENTS, "n"),
    host_notifications_enabled: flag(1),
    service_notifications_enabled: flag(1),
    can_submit_commands: flag(1),
    retain_status_information: flag(1),
    retain_nonstatus_information: flag(1),
    minimum_importance: count(0, "minimum_value"),
  },
  contactgroup: { contactgroup_name: plain(), alias: plain(), members, contactgroup_members: members },
  host: {
    host_name: plain(),
    alias: plain(),
    address: plain(),
    parents: list(),
    hostgroups: list("host_groups"),
    ...monitored(HOST_STATES, HOST_EVENTS),
    active_checks_enabled: flag(1, "checks_enabled"),
    obsess: flag(1, "obsess_over_host"),
    ...hostImages,
  },
  hostgroup: { hostgroup_name: plain(), alias: plain(), members, hostgroup_members: members, ...notes },
  service: {
    host_name: list("host", "hosts"),
    hostgroup_name: list("hostgroup", "hostgroups"),
    service_description: text("description"),
    parents: list(),
    servicegroups: list("service_groups"),
    ...monitored(SERVICE_STATES, SERVICE_EVENTS),
    active_checks_enabled: flag(1),
    obsess: flag(1, "obsess_over_service"),
    is_volatile: flag(0),
    parallelize_check: flag(1),
    ...images,
  },
  servicegroup: { servicegroup_name: plain(), alias: plain(), members, servicegroup_members: members, ...notes },
  hostdependency: dependency(HOST_STATES),
  servicedependency: {
    ...dependency(SERVICE_STATES),
    service_description: list("description", "master_description", "master_service_description"),
    servicegroup_name: list("servicegroup", "servicegroups"),
    dependent_service_description: list("dependent_description"),
    dependent_servicegroup_name: list("dependent_servicegroup", "dependent_servicegroups"),
  },
  hostescalation: escalation({ r: "recovery", ...HOST_PROBLEMS }),
  serviceescalation: {
    ...escalation({ r: "recovery", ...SERVICE_PROBLEMS }),
    service_description: list("description"),
    servicegroup_name: list("servicegroup", "servicegroups"),
  },
  hostextinfo: { host_name: text(), hostgroup_name: text("hostgroup"), ...notes, ...hostImages },
  serviceextinfo: {
    host_name: text(),
    hostgroup_name: text("hostgroup"),
    service_description: text(),
    ...notes,
    ...images,
  },
};

/** Types with names of their own; dependencies, escalations and extended information have none. */
export const NAMED_TYPES = [
  "timeperiod",
  "command",
  "contact",
  "contactgroup",
  "host",
  "hostgroup",
  "servicegroup",
] as const satisfies readonly ObjectType[];

/** A directive's text, or Nagios's default; undefined where there is neither, or `null`. */
export function textOf(object: NagiosObject, directive: string): string | undefined {
  const value = object.values.get(directive);
  if (value === undefined) return DIRECTIVES[object.type][directive]?.fallback;
  return value.text ?? undefined;
}

/** A directive's number, or Nagios's default. */
export function numberOf(object: NagiosObject, directive: string): number {
  return Number(textOf(object, directive) ?? 0);
}

/** Whether a flag is set, or is by default. */
export function isOn(object: NagiosObject, directive: string): boolean {
  return textOf(object, directive) === "1";
}

/** A directive's names, separated by commas. */
export function namesOf(object: NagiosObject, directive: string): string[] {
  return splitNames(textOf(object, directive) ?? "");
}

/** Names separated by commas. */
export function splitNames(names: string): string[] {
  return names
    .split(",")
    .filter((name) => name !== "")
    .map((name) => name.trim());
}

/** Letters of the states that a directive names. */
export function statesOf(object: NagiosObject, directive: string): ReadonlySet<string> {
  const known = Object.keys(DIRECTIVES[object.type][directive]?.states ?? {});
  const text = textOf(object, directive) ?? "n";
  return new Set(text === "a" ? known : text.split(",").filter((letter) => known.includes(letter)));
}

/** What people call an object: its name, or where it stands. */
export function nameOf(object: NagiosObject): string {
  if (object.type === "service") {
    return `${textOf(object, "service_description") ?? "?"} on ${textOf(object, "host_name") ?? "?"}`;
  }
  return textOf(object, `${object.type}_name`) ?? `${object.type} of ${object.place.file}:${object.place.line}`;
}
