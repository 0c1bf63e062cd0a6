import { addressProblem } from "../address";
import { kindOf } from "../catalogue";
import { compare } from "../model";
import { isAlways } from "../periods";
import type { InventoryHost, WrittenCheck } from "../schema";
import { line, text as textSchema, webPage } from "../units";
import { Commands, type MadeCheck } from "./commands";
import { toPeriod } from "./days";
import { splitCall } from "./macros";
import { freeName } from "./names";
import { type Named, NAMES, type Naming, nameAll, nameVariables } from "./naming";
import { isOn, type NagiosObject, namesOf, numberOf, textOf } from "./objects";
import { type Audience, audienceOf, People, Rules, type Terms } from "./people";
import { leadingInteger } from "./interpret";
import { setting, type Sources } from "./read";
import type { Place } from "./refusal";
import type { Report } from "./report";
import type { Resolved } from "./resolve";
import { rolesOf } from "./roles";
import type { Service } from "./services";
import { reportDirectives, reportRest } from "./uncarried";

/** What the configuration does not say itself. */
export interface Choices {
  /** The clocks of the machine that Nagios runs on; undefined if no time period depends on them. */
  readonly timezone: string | undefined;
  /** Location of a host by its name; every host has one. */
  readonly locationOf: (host: string) => string;
}

/** An inventory as it is written: file -> what it holds. */
export type WrittenInventory = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/**
 * Writes a resolved configuration as an inventory.
 *
 * @param report gets what the inventory cannot say, or says in another way
 */
export function toInventory(resolved: Resolved, sources: Sources, choices: Choices, report: Report): WrittenInventory {
  return new Writer(resolved, sources, choices, report).files();
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

/** A service in the inventory's terms: the check, and whom it tells. */
interface Draft {
  readonly service: Service;
  readonly name: string;
  readonly made: MadeCheck;
  readonly audience: Audience;
  /** Whether it says itself whom to tell, rather than its host. */
  readonly tellsItself: boolean;
}

class Writer {
  private readonly naming: Naming;
  private readonly variables: ReadonlyMap<string, string>;
  private readonly commands: Commands;
  private readonly secondsAUnit: number;
  private readonly terms: Terms;
  private readonly periods: Readonly<Record<string, ReturnType<typeof toPeriod>>>;
  private readonly people: People;

  constructor(
    private readonly resolved: Resolved,
    private readonly sources: Sources,
    private readonly choices: Choices,
    private readonly report: Report,
  ) {
    this.secondsAUnit = leadingInteger(setting(sources, "interval_length")?.value ?? "60") || 60;
    this.naming = nameAll(resolved, report);
    this.variables = nameVariables([...resolved.hosts.values()].flatMap((host) => [...host.custom.keys()]));
    const periods = [...resolved.timeperiods].map(([name, period]) => {
      const timezone = isAlwaysIn(period) ? undefined : choices.timezone;
      return [
        this.renamed("timeperiod", name),
        toPeriod(period, timezone, (other) => this.renamed("timeperiod", other), report),
      ];
    });
    this.periods = Object.fromEntries(periods) as typeof this.periods;
    this.commands = new Commands(sources, resolved, report, (host) => {
      const hostName = textOf(host, "host_name") ?? "";
      const said = [...this.variablesOf(host)].map(
        ([variable]) => [variable, this.variables.get(variable) ?? ""] as const,
      );
      return { keepsName: this.renamed("host", hostName) === hostName, variables: new Map(said) };
    });
    this.terms = {
      contact: (name) => this.renamed("contact", name),
      contactGroup: (name) => this.renamed("contactgroup", name),
      period: (name) => this.period(name),
      duration: (units) => (units <= 0 ? undefined : duration(this.seconds(units))),
    };
    this.people = new People(resolved, this.terms, report);
  }

  files(): WrittenInventory {
    const hosts = [...this.resolved.hosts.values()].filter((host) => this.hasAddress(host));
    const audiences = new Map(hosts.map((host) => [host, this.audience("host", host, hostName(host))]));
    const drafts = this.drafts(new Set(hosts.map(hostName)));
    const rules = new Rules(
      [...audiences.values(), ...[...drafts.values()].flat().map(({ audience }) => audience)],
      (wanted, taken) => freeName(wanted, { ...NAMES, fallback: "rule" }, taken),
    );
    const defaults = this.defaults(
      [...drafts.values()].flat(),
      [...audiences.values()].map((one) => rules.namesOf(one)),
    );
    const checks = new Map(
      hosts.map((host) => {
        const told = rules.namesOf(audiences.get(host) as Audience);
        return [
          hostName(host),
          (drafts.get(hostName(host)) ?? []).map((draft) => this.check(draft, told, rules, defaults)),
        ];
      }),
    );
    const roles = rolesOf({
      checks,
      hostgroupsOf: (host, service) => drafts.get(host)?.find(({ name }) => name === service)?.service.hostgroup,
      groupsOfHost: (host) => this.resolved.groupsOfHost.get(host) ?? [],
      roleName: (group) => this.renamed("hostgroup", group),
    });
    const written = hosts.map((host) => {
      const told = rules.namesOf(audiences.get(host) as Audience);
      return this.host(host, told, defaults, roles.ofHost.get(hostName(host)) as Parameters<Writer["host"]>[3]);
    });
    reportRest(this.resolved, this.sources, this.report);
    return withoutEmpty({
      "defaults.yaml": { defaults },
      "roles.yaml": { roles: roles.roles },
      "checks.yaml": {
        checks: Object.fromEntries([...this.commands.own].sort(([left], [right]) => compare(left, right))),
      },
      "contacts.yaml": {
        contacts: Object.fromEntries(this.people.contacts),
        contactGroups: Object.fromEntries(this.people.groups),
      },
      "notifications.yaml": { notifications: Object.fromEntries(rules.rules) },
      "periods.yaml": { periods: this.periods },
      "groups.yaml": { groups: this.titles("hostgroup"), serviceGroups: this.titles("servicegroup") },
      ...byLocation(written),
    });
  }

  private renamed(kind: Named, name: string): string {
    return this.naming[kind].get(name) ?? name;
  }

  /** A time period's name; undefined for one that is always. */
  private period(name: string): string | undefined {
    const renamed = this.renamed("timeperiod", name);
    const period = this.periods[renamed];
    return period === undefined || isAlways(period) ? undefined : renamed;
  }

  private titles(type: "hostgroup" | "servicegroup"): Record<string, { displayName?: string }> {
    const groups = type === "hostgroup" ? this.resolved.hostgroups : this.resolved.servicegroups;
    const entries = [...groups].flatMap(([name, group]) => {
      if (textOf(group, "members") === undefined) {
        this.report.add("lost", group.place, `the ${type} ${name}: it has no members`);
        return [];
      }
      for (const directive of ["notes", "notes_url", "action_url"]) {
        const value = group.values.get(directive);
        if (value?.text != null) this.report.add("lost", value.place, `${directive} of groups: they have a title only`);
      }
      const alias = this.line(group, "alias");
      return alias === undefined || alias === name ? [] : [[this.renamed(type, name), { displayName: alias }] as const];
    });
    return Object.fromEntries(entries);
  }

  private hasAddress(host: NagiosObject): boolean {
    const problem = addressProblem(addressOf(host));
    if (problem === undefined) return true;
    const message = `the host ${hostName(host)} and its services: its address ${JSON.stringify(addressOf(host))} ${problem}`;
    this.report.add("lost", host.values.get("address")?.place ?? host.place, message);
    return false;
  }

  private host(
    host: NagiosObject,
    told: readonly string[],
    defaults: Defaults,
    {
      roles,
      checks,
      without,
    }: { roles: readonly string[]; checks: readonly WrittenCheck[]; without: readonly string[] },
  ): InventoryHost {
    const name = hostName(host);
    const groups = (this.resolved.groupsOfHost.get(name) ?? []).map((group) => this.renamed("hostgroup", group));
    const parents = [...new Set(namesOf(host, "parents"))]
      .filter((parent) => addressProblem(addressOf(this.resolved.hosts.get(parent) as NagiosObject)) === undefined)
      .map((parent) => this.renamed("host", parent));
    const renamed = this.renamed("host", name);
    const title = this.line(host, "display_name") ?? this.line(host, "alias") ?? name;
    const vars = Object.fromEntries(
      [...this.variablesOf(host)].map(([variable, text]) => [this.variables.get(variable) ?? variable, text]),
    );
    const period = textOf(host, "check_period");
    reportDirectives(host, this.report);
    return defined({
      name: renamed,
      displayName: title === renamed ? undefined : title,
      address: addressOf(host),
      location: this.choices.locationOf(name),
      groups: filled(groups),
      roles: filled(roles),
      parents: filled(parents),
      vars: Object.keys(vars).length === 0 ? undefined : vars,
      alive: this.alive(host, defaults),
      period: period === undefined ? undefined : this.period(period),
      notify: sameNames(told, defaults.notify ?? []) ? undefined : told,
      checks: filled(checks),
      without: filled(without),
      ...this.remarks(host, { host }),
    }) as unknown as InventoryHost;
  }

  private variablesOf(host: NagiosObject): [variable: string, text: string][] {
    return [...host.custom].flatMap(([variable, { text, place }]): [string, string][] => {
      if (text === null) return [];
      if (line.safeParse(text).success) return [[variable, text]];
      this.report.add("lost", place, `_${variable}: a variable is one line of at most 1000 characters`);
      return [];
    });
  }

  private alive(host: NagiosObject, defaults: Defaults): WrittenCheck | undefined {
    const command = host.values.get("check_command");
    if (command?.text == null || command.text === "") return "none";
    if (!isOn(host, "active_checks_enabled")) {
      const place = host.values.get("active_checks_enabled")?.place ?? host.place;
      this.report.add("changed", place, "hosts that Nagios does not check itself count as up");
      return "none";
    }
    const made = this.commands.make(command.text, { host }, command.place);
    if (made === undefined) {
      this.report.add(
        "changed",
        command.place,
        "a ping tells whether the host is up, in the place of its check_command",
      );
      return undefined;
    }
    return { [made.check]: { ...made.settings, ...this.timing(host, defaults) } } as WrittenCheck;
  }

  private drafts(hosts: ReadonlySet<string>): ReadonlyMap<string, Draft[]> {
    const drafts = new Map<string, Draft[]>();
    for (const service of this.resolved.services) {
      if (!hosts.has(service.host)) continue;
      const { object, definition } = service;
      reportDirectives(object, this.report);
      const made = this.madeOf(service);
      if (made === undefined) continue;
      const told = [
        "contacts",
        "contact_groups",
        "notification_period",
        "notification_interval",
        "notification_options",
      ];
      const tellsItself = told.some((directive) => definition.values.has(directive));
      const draft = {
        service,
        name: this.renamed("service", service.description),
        made,
        audience: this.audience("service", object, service.host, service.description),
        tellsItself,
      };
      drafts.set(service.host, [...(drafts.get(service.host) ?? []), draft]);
    }
    for (const ofHost of drafts.values()) ofHost.sort((left, right) => compare(left.name, right.name));
    return drafts;
  }

  private madeOf(service: Service): MadeCheck | undefined {
    const { object, host, description } = service;
    const command = object.values.get("check_command");
    const place = command?.place ?? object.place;
    if (!isOn(object, "active_checks_enabled")) return this.passive(object);
    const subject = { host: this.resolved.hosts.get(host) as NagiosObject, service };
    const made = command?.text == null ? undefined : this.commands.make(command.text, subject, place);
    if (made === undefined) {
      this.report.add("lost", object.place, `the service ${description}: its check_command has no counterpart`);
    }
    return made;
  }

  /** Results from outside: Nagios runs the service's command when they stay away, the stack says so itself. */
  private passive(object: NagiosObject): MadeCheck {
    const place = object.values.get("active_checks_enabled")?.place ?? object.place;
    const threshold = numberOf(object, "freshness_threshold");
    const isFresh = isOn(object, "check_freshness");
    if (!isOn(object, "passive_checks_enabled")) {
      this.report.add("changed", place, "a service that is checked by nobody takes results from outside");
    }
    if (isFresh) {
      const call = splitCall(textOf(object, "check_command") ?? "");
      const at = object.values.get("check_freshness")?.place ?? place;
      this.report.add("changed", at, `results that stay away are CRITICAL, without a call of ${call.name}`);
      if (threshold <= 0) this.report.add("lost", at, "freshness without a freshness_threshold: it is not checked");
    }
    const freshness = isFresh && threshold > 0 ? duration(threshold) : undefined;
    return { check: "passive", settings: freshness === undefined ? {} : { freshness } };
  }

  private check(
    { service, name, made, audience, tellsItself }: Draft,
    told: readonly string[],
    rules: Rules,
    defaults: Defaults,
  ): WrittenCheck {
    const { object, host } = service;
    const own = rules.namesOf(audience);
    const groups = [...this.resolved.servicegroups]
      .filter(([, group]) => pairs(textOf(group, "members") ?? "").has(`${host},${service.description}`))
      .map(([group]) => this.renamed("servicegroup", group));
    const period = textOf(object, "check_period");
    const fallback = made.check === "nrpe" ? kindOf("nrpe").defaultName(made.settings) : made.check;
    const settings = defined({
      name: name === fallback && made.check !== "passive" ? undefined : name,
      ...made.settings,
      ...this.timing(object, defaults),
      period: (period === undefined ? undefined : this.period(period)) ?? this.always(),
      notify: tellsItself || !sameNames(own, told) ? own : undefined,
      groups: filled(groups),
      ...this.remarks(object, { host: this.resolved.hosts.get(host) as NagiosObject, service }),
    });
    return Object.keys(settings).length === 0 ? made.check : ({ [made.check]: settings } as WrittenCheck);
  }

  /** A period that is always, for checks of hosts that are themselves checked at times only. */
  private always(): string | undefined {
    const hosts = [...this.resolved.hosts.values()].map((host) => textOf(host, "check_period"));
    if (hosts.every((period) => period === undefined || this.period(period) === undefined)) return undefined;
    const known = Object.entries(this.periods).find(([, period]) => isAlways(period))?.[0];
    if (known !== undefined) return known;
    const name = freeName("always", NAMES, new Set(Object.keys(this.periods).map((one) => one.toLowerCase())));
    Object.assign(this.periods, { [name]: { days: { "every day": "00:00-24:00" } } });
    return name;
  }

  private audience(kind: "host" | "service", object: NagiosObject, host: string, description?: string): Audience {
    const all = kind === "host" ? this.resolved.hostescalations : this.resolved.serviceescalations;
    const escalations = all.filter(
      (one) => textOf(one, "host_name") === host && textOf(one, "service_description") === description,
    );
    return audienceOf(kind, object, escalations, this.people, this.terms, this.report);
  }

  private seconds(units: number): number {
    return Math.max(1, Math.round(units * this.secondsAUnit));
  }

  /** How often to check, as far as the defaults do not say it. */
  private timing(object: NagiosObject, defaults: Partial<Timed>): Partial<Timed> {
    const timed = this.timed(object);
    return defined({
      interval: timed.interval === defaults.interval ? undefined : timed.interval,
      retryInterval: timed.retryInterval === defaults.retryInterval ? undefined : timed.retryInterval,
      attempts: timed.attempts === defaults.attempts ? undefined : timed.attempts,
    });
  }

  private timed(object: NagiosObject): Timed {
    const interval = this.intervalOf(object, "check_interval", 5);
    const retry = numberOf(object, "retry_interval") > 0 ? this.intervalOf(object, "retry_interval", 1) : interval;
    const attempts = numberOf(object, "max_check_attempts");
    if (attempts > 100) {
      this.report.add("changed", placeOf(object, "max_check_attempts"), "at most 100 checks in a row must fail");
    }
    return { interval, retryInterval: retry, attempts: Math.min(attempts, 100) };
  }

  private intervalOf(object: NagiosObject, directive: string, instead: number): string {
    const units = numberOf(object, directive);
    if (units <= 0) {
      const used = duration(this.seconds(instead));
      this.report.add(
        "changed",
        placeOf(object, directive),
        `${directive} 0 is ${used}: everything is checked regularly`,
      );
      return used;
    }
    return duration(this.seconds(units));
  }

  /** The most frequent ways to check and to tell. */
  private defaults(drafts: readonly Draft[], told: readonly (readonly string[])[]): Defaults {
    const timed = mostFrequent(drafts.map(({ service }) => this.timed(service.object)));
    const notify = mostFrequent(told);
    return { ...timed, ...(notify === undefined || notify.length === 0 ? {} : { notify }) };
  }

  private remarks(object: NagiosObject, subject: { host: NagiosObject; service?: Service }) {
    const said = (directive: string, isGood: (text: string) => boolean, what: string) => {
      const value = object.values.get(directive);
      if (value?.text == null || value.text === "") return undefined;
      const text = this.commands.text(value.text, subject, value.place);
      if (text === undefined || isGood(text)) return text;
      this.report.add("lost", value.place, `${directive} is ${what}: ${text}`);
      return undefined;
    };
    const isPage = (text: string) => webPage.safeParse(text).success;
    return {
      notes: said("notes", (text) => textSchema.safeParse(text).success, "no text of at most 4000 characters"),
      runbook: said("notes_url", isPage, "no web address"),
      dashboard: said("action_url", isPage, "no web address"),
    };
  }

  private line(object: NagiosObject, directive: string): string | undefined {
    const text = textOf(object, directive);
    if (text === undefined || text === "" || line.safeParse(text).success) return text === "" ? undefined : text;
    this.report.add("lost", placeOf(object, directive), `${directive}: a title is one line of at most 1000 characters`);
    return undefined;
  }
}

interface Timed {
  readonly interval: string;
  readonly retryInterval: string;
  readonly attempts: number;
}

type Defaults = Partial<Timed> & { readonly notify?: readonly string[] };

/** Whether a time period is always, as Nagios writes it. */
function isAlwaysIn(period: NagiosObject): boolean {
  const silent = { add: () => undefined } as unknown as Report;
  return isAlways(toPeriod(period, undefined, (name) => name, silent));
}

/** Whether a configuration has time periods for which it matters where its machine is. */
export function needsTimezone(resolved: Resolved): NagiosObject | undefined {
  return [...resolved.timeperiods.values()].find((period) => !isAlwaysIn(period));
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
    const filledOnes = Object.entries(sections).filter(([, content]) => Object.keys(content as object).length > 0);
    return [file, Object.fromEntries(filledOnes)] as const;
  });
  return Object.fromEntries(kept.filter(([, sections]) => Object.keys(sections).length > 0));
}

function mostFrequent<T>(values: readonly T[]): T | undefined {
  const counts = new Map<string, { value: T; count: number }>();
  for (const value of values) {
    const entry = counts.get(JSON.stringify(value)) ?? { value, count: 0 };
    counts.set(JSON.stringify(value), { ...entry, count: entry.count + 1 });
  }
  return [...counts.values()].sort((left, right) => right.count - left.count)[0]?.value;
}

function defined<T extends object>(object: T): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;
}

function filled<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length === 0 ? undefined : list;
}

function sameNames(left: readonly string[], right: readonly string[]): boolean {
  return JSON.stringify([...left].sort()) === JSON.stringify([...right].sort());
}

function pairs(members: string): ReadonlySet<string> {
  const parts = members.split(",");
  return new Set(parts.flatMap((host, index) => (index % 2 === 0 ? [`${host},${parts[index + 1] ?? ""}`] : [])));
}

function hostName(host: NagiosObject): string {
  return textOf(host, "host_name") ?? "";
}

function addressOf(host: NagiosObject): string {
  return textOf(host, "address") ?? hostName(host);
}

function placeOf(object: NagiosObject, directive: string): Place {
  return object.values.get(directive)?.place ?? object.place;
}
