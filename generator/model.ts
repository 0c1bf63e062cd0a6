import type { Value } from "./dsl";
import type { Location } from "./location";
import type { Period } from "./periods";

/** What the generator knows of a location. */
export type Site = Pick<Location, "name" | "slaves" | "displayName">;

/** How often to check, in seconds, and how many failures in a row make a problem. */
export interface Timing {
  readonly interval: number;
  readonly retryInterval: number;
  readonly attempts: number;
}

/** What a check becomes in Icinga: a command and the custom variables that its arguments come from. */
export interface IcingaCheck {
  readonly command: string;
  /** Seconds the plugin itself waits; undefined for its own limit. */
  readonly timeout?: number | undefined;
  readonly vars: Readonly<Record<string, Value | undefined>>;
  /** Results come from outside; seconds after which a missing one is a problem, or Infinity. */
  readonly freshness?: number;
}

/** Words and links for whoever looks at a problem. */
export interface Remarks {
  readonly notes?: string | undefined;
  /** Address of the page that says what to do. */
  readonly runbook?: string | undefined;
  /** Address of the page that shows more. */
  readonly dashboard?: string | undefined;
}

/** A check of a host: one service. Hosts with the same role share the object. */
export interface Check extends Remarks {
  /** The service's name, unique on its host. */
  readonly name: string;
  readonly icinga: IcingaCheck;
  /** What differs from the inventory's defaults. */
  readonly timing: Partial<Timing>;
  /** Name of the period in which it is checked; undefined for always. */
  readonly period?: string | undefined;
  /** Names of the notification rules, where they are not the host's. */
  readonly notify?: readonly string[] | undefined;
  /** Service groups. */
  readonly groups: readonly string[];
  /** `<role>/<name>` where the role alone decides all of it: what one apply rule can stand for. */
  readonly shared?: string | undefined;
}

/** Planned work: nobody is told of problems meanwhile. */
export interface Downtime {
  /** Name of the period in which the work takes place. */
  readonly period: string;
  readonly comment: string;
}

/** A host to monitor, with everything that its roles, its location and the defaults say. */
export interface Host extends Remarks {
  readonly name: string;
  readonly address: string;
  readonly location: string;
  readonly displayName?: string | undefined;
  /** Host groups beside the location's. */
  readonly groups: readonly string[];
  readonly vars: Readonly<Record<string, Value>>;
  /** Hosts that it is reached through: it is unreachable once all of them are down. */
  readonly parents: readonly string[];
  /** What tells whether it is up; undefined for a ping at the inventory's pace, `none` for "always up". */
  readonly alive: Alive | "none" | undefined;
  /** What differs from the inventory's defaults, for the host's own check. */
  readonly timing: Partial<Timing>;
  readonly period?: string | undefined;
  /** Names of the notification rules. */
  readonly notify: readonly string[];
  readonly downtimes: readonly Downtime[];
  /** Sorted by name. */
  readonly checks: readonly Check[];
}

/** The check that stands for a host's own state. */
export type Alive = Pick<Check, "icinga" | "timing">;

/** Somebody who is told. */
export interface Contact {
  readonly name: string;
  readonly displayName?: string | undefined;
  readonly email: string;
  /** Name of the period in which they want to be told; undefined for always. */
  readonly period?: string | undefined;
  /** States and events they want to be told of; undefined for all that a rule brings them. */
  readonly on?: readonly NotificationEvent[] | undefined;
}

/** Several contacts under one name. */
export interface ContactGroup {
  readonly name: string;
  readonly displayName?: string | undefined;
  readonly members: readonly string[];
}

/** States and events that somebody can be told of. */
export const NOTIFICATION_EVENTS = [
  "down",
  "warning",
  "critical",
  "unknown",
  "recovery",
  "acknowledgement",
  "downtime",
  "flapping",
] as const;

export type NotificationEvent = (typeof NOTIFICATION_EVENTS)[number];

/** Who is told what, and when. Named by those hosts and checks that want it. */
export interface NotificationRule {
  readonly name: string;
  readonly contacts: readonly string[];
  readonly contactGroups: readonly string[];
  readonly on: readonly NotificationEvent[];
  /** Name of the period outside of which it keeps silent; undefined for never. */
  readonly period?: string | undefined;
  /** Seconds that a problem must have lasted. */
  readonly after: number;
  /** Seconds after which this rule is no longer in charge; undefined for never. */
  readonly until?: number | undefined;
  /** Seconds between reminders; 0 for none. */
  readonly repeat: number;
}

/** A check that the inventory defines with a plugin of its own: one Icinga command. */
export interface OwnCommand {
  /** Name in the inventory. */
  readonly name: string;
  /** The plugin and its arguments, with Icinga's own macros. */
  readonly argv: readonly string[];
}

/** What a group is called on pages, where it has more than its name. */
export interface Group {
  readonly name: string;
  readonly displayName?: string | undefined;
}

/** A whole inventory, validated. All lists and keys are sorted by name. */
export interface Inventory {
  readonly defaults: Timing;
  /** Rules for the stack's own parts: those of the inventory's defaults, or all where these name none. */
  readonly ownNotify: readonly string[];
  readonly hosts: readonly Host[];
  readonly hostGroups: readonly Group[];
  readonly serviceGroups: readonly Group[];
  readonly commands: readonly OwnCommand[];
  readonly contacts: readonly Contact[];
  readonly contactGroups: readonly ContactGroup[];
  readonly periods: Readonly<Record<string, Period>>;
  readonly notifications: readonly NotificationRule[];
}

/** Order by code units: the same on every machine, whatever its language. */
export function compare(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
