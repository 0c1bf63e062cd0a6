import { addressProblem } from "../address";
import { isAlways, type Period } from "../periods";
import { line, text as textSchema, webPage } from "../units";
import { Commands } from "./commands";
import { toPeriod } from "./days";
import { leadingInteger } from "./interpret";
import type { Subject } from "./macros";
import { freeName } from "./names";
import { type Named, NAMES, type Naming, nameAll, nameVariables } from "./naming";
import { type NagiosObject, numberOf, textOf } from "./objects";
import { type Audience, audienceOf, People } from "./people";
import { setting, type Sources } from "./read";
import type { Place } from "./refusal";
import { Report } from "./report";
import type { Resolved } from "./resolve";

/** How often something is checked, in the inventory's words. */
export interface Timed {
  readonly interval: string;
  readonly retryInterval: string;
  readonly attempts: number;
}

/** What hosts and services are written with: names, periods, commands, people, and where to report. */
export class Context {
  readonly periods: Record<string, Period>;
  readonly commands: Commands;
  readonly people: People;
  /** Custom variable of hosts -> its name in the inventory. */
  readonly variables: ReadonlyMap<string, string>;
  private readonly naming: Naming;
  private readonly secondsAUnit: number;
  private readonly escalations = new Map<string, NagiosObject[]>();

  /** @param timezone the clocks of the machine that Nagios runs on; undefined if no time period depends on them */
  constructor(
    readonly resolved: Resolved,
    readonly sources: Sources,
    timezone: string | undefined,
    readonly report: Report,
  ) {
    this.secondsAUnit = leadingInteger(setting(sources, "interval_length")?.value ?? "60") || 60;
    this.naming = nameAll(resolved, report);
    this.variables = nameVariables([...resolved.hosts.values()].flatMap((host) => [...host.custom.keys()]));
    const renamedPeriod = (name: string) => this.renamed("timeperiod", name);
    const periods = [...resolved.timeperiods].map(([name, period]) => {
      const zone = isAlwaysIn(period) ? undefined : timezone;
      return [renamedPeriod(name), toPeriod(period, zone, renamedPeriod, report)] as const;
    });
    this.periods = Object.fromEntries(periods);
    this.commands = new Commands(sources, resolved, report, (host) => ({
      keepsName: this.renamed("host", nameOfHost(host)) === nameOfHost(host),
      variables: new Map(this.customOf(host).map(([variable]) => [variable, this.variables.get(variable) ?? ""])),
    }));
    this.people = new People(resolved, this.terms, report);
    for (const escalation of [...resolved.hostescalations, ...resolved.serviceescalations]) {
      const key = keyOf(escalation);
      this.escalations.set(key, [...(this.escalations.get(key) ?? []), escalation]);
    }
  }

  private get terms() {
    return {
      contact: (name: string) => this.renamed("contact", name),
      contactGroup: (name: string) => this.renamed("contactgroup", name),
      period: (name: string) => this.period(name),
      duration: (units: number) => (units <= 0 ? undefined : duration(this.seconds(units))),
    };
  }

  /** What something is called in the inventory. */
  renamed(kind: Named, name: string): string {
    return this.naming[kind].get(name) ?? name;
  }

  /** A time period's name in the inventory; undefined for one that is always. */
  period(name: string): string | undefined {
    const renamed = this.renamed("timeperiod", name);
    const period = this.periods[renamed];
    return period === undefined || isAlways(period) ? undefined : renamed;
  }

  /** Name of a period that is always, for a place where to leave it out would mean another one. */
  alwaysPeriod(): string {
    const known = Object.keys(this.periods).find((name) => isAlways(this.periods[name] as Period));
    if (known !== undefined) return known;
    const name = freeName("always", NAMES, new Set(Object.keys(this.periods).map((one) => one.toLowerCase())));
    this.periods[name] = { days: { "every day": "00:00-24:00" } };
    return name;
  }

  /** Custom variables of a host that the inventory can hold. */
  customOf(host: NagiosObject): [variable: string, text: string][] {
    return [...host.custom].flatMap(([variable, { text, place }]): [string, string][] => {
      if (text === null) return [];
      if (line.safeParse(text).success) return [[variable, text]];
      this.report.add("lost", place, `_${variable}: a variable is one line of at most 1000 characters`);
      return [];
    });
  }

  /** Who is told of a host's or service's problems. */
  audience(kind: "host" | "service", object: NagiosObject): Audience {
    const escalations = this.escalations.get(keyOf(object)) ?? [];
    return audienceOf(kind, object, escalations, this.people, this.terms, this.report);
  }

  /** How often a host or service is checked. */
  timed(object: NagiosObject): Timed {
    const interval = this.intervalOf(object, "check_interval", 5);
    const isRetried = numberOf(object, "retry_interval") > 0;
    const attempts = numberOf(object, "max_check_attempts");
    if (attempts > 100) {
      this.report.add("changed", placeOf(object, "max_check_attempts"), "at most 100 checks in a row must fail");
    }
    return {
      interval,
      retryInterval: isRetried ? this.intervalOf(object, "retry_interval", 1) : interval,
      attempts: Math.min(attempts, 100),
    };
  }

  /** How often to check, as far as the defaults do not say it. */
  timing(object: NagiosObject, defaults: Partial<Timed>): Partial<Timed> {
    const entries = Object.entries(this.timed(object)) as [keyof Timed, string | number][];
    return Object.fromEntries(entries.filter(([key, value]) => value !== defaults[key]));
  }

  private intervalOf(object: NagiosObject, directive: string, instead: number): string {
    const units = numberOf(object, directive);
    if (units > 0) return duration(this.seconds(units));
    const used = duration(this.seconds(instead));
    this.report.add(
      "changed",
      placeOf(object, directive),
      `${directive} 0 is ${used}: everything is checked regularly`,
    );
    return used;
  }

  private seconds(units: number): number {
    return Math.max(1, Math.round(units * this.secondsAUnit));
  }

  /** Words and links for whoever looks at a problem. */
  remarks(object: NagiosObject, subject: Subject) {
    const said = (directive: string, isGood: (text: string) => boolean, what: string) => {
      const value = object.values.get(directive);
      if (value?.text == null || value.text === "") return undefined;
      const text = this.commands.text(value.text, subject, value.place);
      if (text === undefined || isGood(text)) return text;
      // What is wrong as it is written is said once, not for each object that uses a template.
      const shown = isGood(value.text) ? text : value.text;
      this.report.add("lost", value.place, `${directive} is ${what}: ${shown}`);
      return undefined;
    };
    const isPage = (text: string) => webPage.safeParse(text).success;
    return {
      notes: said("notes", (text) => textSchema.safeParse(text).success, "no text of at most 4000 characters"),
      runbook: said("notes_url", isPage, "no web address"),
      dashboard: said("action_url", isPage, "no web address"),
    };
  }

  /** A title; undefined, and reported, if it is more than a line. */
  title(object: NagiosObject, directive: string): string | undefined {
    const text = textOf(object, directive);
    if (text === undefined || text === "") return undefined;
    if (line.safeParse(text).success) return text;
    this.report.add("lost", placeOf(object, directive), `${directive}: a title is one line of at most 1000 characters`);
    return undefined;
  }
}

/** A time of so many seconds as the inventory writes it. */
export function duration(seconds: number): string {
  const units = [
    [86_400, "d"],
    [3600, "h"],
    [60, "m"],
  ] as const;
  const [size, unit] = units.find(([length]) => seconds % length === 0 && seconds > 0) ?? [1, "s"];
  return `${seconds / size}${unit}`;
}

/** Whether a time period is always, as Nagios writes it. */
export function isAlwaysIn(period: NagiosObject): boolean {
  return isAlways(toPeriod(period, undefined, (name) => name, new Report()));
}

/** A host or service by name, or that of an escalation. */
function keyOf(object: NagiosObject): string {
  return JSON.stringify([textOf(object, "host_name"), textOf(object, "service_description")]);
}

/** Line of a directive, or of the whole object. */
export function placeOf(object: NagiosObject, directive: string): Place {
  return object.values.get(directive)?.place ?? object.place;
}

export function nameOfHost(host: NagiosObject): string {
  return textOf(host, "host_name") ?? "";
}

/** Address of a host: its name, where it has none. */
export function addressOf(host: NagiosObject): string {
  return textOf(host, "address") ?? nameOfHost(host);
}

/** Whether a host's address is one that the inventory takes. */
export function hasAddress(host: NagiosObject): boolean {
  return addressProblem(addressOf(host)) === undefined;
}

/** An object without what it does not say. */
export function defined<T extends object>(object: T): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;
}

/** A list if it has something in it. */
export function filled<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length === 0 ? undefined : list;
}

/** Whether two lists hold the same names. */
export function sameNames(left: readonly string[], right: readonly string[]): boolean {
  return JSON.stringify([...left].sort()) === JSON.stringify([...right].sort());
}
