import { titleOf } from "./groups";
import { type NagiosObject, namesOf, numberOf, textOf } from "./objects";
import { parseHours, WEEKDAYS } from "./periods";
import { setting, type Sources } from "./read";
import { describeRemark, type Place, type Remarks } from "./refusal";
import type { Resolved } from "./resolve";
import type { Service } from "./services";

type Objects = Omit<Resolved, "notes">;

/** Says for what Nagios would refuse to start, once everything is resolved. */
export function verify(resolved: Objects, sources: Sources, problems: Remarks): void {
  new Verifier(resolved, problems, setting(sources, "illegal_object_name_chars")?.value ?? "").verify(sources);
}

class Verifier {
  private readonly services: ReadonlySet<string>;

  constructor(
    private readonly all: Objects,
    private readonly problems: Remarks,
    private readonly illegal: string,
  ) {
    this.services = new Set(all.services.map(({ host, description }) => `${host};${description}`));
  }

  verify(sources: Sources): void {
    const { all } = this;
    const main = sources.settings[0] ?? { file: "nagios.cfg", line: 1 };
    const counts = { host: all.hosts.size, service: all.services.length, contact: all.contacts.size };
    for (const [type, count] of Object.entries(counts)) {
      if (count === 0) this.problems.add(main, `there is no ${type}; Nagios needs one`);
    }
    for (const period of all.timeperiods.values()) this.period(period);
    for (const command of all.commands.values()) this.needs(command, "command_line");
    for (const contact of all.contacts.values()) this.contact(contact);
    for (const host of all.hosts.values()) this.host(host);
    for (const service of all.services) this.service(service);
    for (const escalation of [...all.hostescalations, ...all.serviceescalations]) {
      this.periods(escalation, "escalation_period");
      this.people(escalation);
    }
    for (const dependency of [...all.hostdependencies, ...all.servicedependencies]) {
      this.periods(dependency, "dependency_period");
    }
    this.groups();
    this.names();
    this.circles();
    for (const name of ["global_host_event_handler", "global_service_event_handler", "ocsp_command", "ochp_command"]) {
      const used = setting(sources, name);
      if (used !== undefined) this.isCommand(used.value, used, name);
    }
  }

  private period(period: NagiosObject): void {
    this.needs(period, "alias");
    this.known(period, "exclude", this.all.timeperiods, "timeperiod");
    const lines = WEEKDAYS.map((day) => ({ text: period.values.get(day)?.text, place: period.values.get(day)?.place }));
    for (const { text, place } of [...lines, ...period.dates.map(({ ranges, place }) => ({ text: ranges, place }))]) {
      if (text == null || parseHours(text) !== undefined) continue;
      const message = `not hours such as 00:00-09:00,17:00-24:00 (without blanks): ${text}`;
      this.problems.add(place ?? period.place, message);
    }
  }

  private contact(contact: NagiosObject): void {
    for (const kind of ["host", "service"]) {
      this.periods(contact, `${kind}_notification_period`);
      this.needs(contact, `${kind}_notification_commands`);
      for (const command of commandsOf(contact, `${kind}_notification_commands`)) {
        this.isCommand(command, placeOf(contact, `${kind}_notification_commands`), titleOf(contact));
      }
    }
  }

  private host(host: NagiosObject): void {
    this.monitored(host);
    this.notNegative(host, "check_interval");
    this.notNegative(host, "freshness_threshold");
    const name = textOf(host, "host_name") ?? "";
    this.known(host, "parents", this.all.hosts, "host");
    if (namesOf(host, "parents").includes(name)) this.say(host, "parents", "a host cannot be its own parent");
  }

  private service({ object, host, description }: Service): void {
    if (!this.all.hosts.has(host)) this.say(object, "host_name", `there is no registered host ${JSON.stringify(host)}`);
    this.needs(object, "check_command");
    this.monitored(object);
    this.notNegative(object, "check_interval");
    if (numberOf(object, "retry_interval") <= 0) this.say(object, "retry_interval", "must be more than 0");
    for (const [parentHost, parent] of parentsOf(object, host)) {
      const isThere = this.services.has(`${parentHost};${parent}`);
      const isItself = parentHost === host && parent === description;
      if (!isThere) this.say(object, "parents", `there is no service ${JSON.stringify(parent)} on ${parentHost}`);
      if (isItself) this.say(object, "parents", "a service cannot be its own parent");
    }
  }

  /** What holds for hosts and services alike. */
  private monitored(object: NagiosObject): void {
    this.periods(object, "check_period");
    this.periods(object, "notification_period");
    if (numberOf(object, "max_check_attempts") <= 0) this.say(object, "max_check_attempts", "must be 1 or more");
    this.notNegative(object, "notification_interval");
    this.notNegative(object, "first_notification_delay");
    for (const name of ["check_command", "event_handler"]) {
      const command = textOf(object, name);
      if (command !== undefined && command !== "") this.isCommand(command, placeOf(object, name), titleOf(object));
    }
    this.people(object);
  }

  private people(object: NagiosObject): void {
    this.known(object, "contacts", this.all.contacts, "contact");
    this.known(object, "contact_groups", this.all.contactgroups, "contactgroup");
  }

  private periods(object: NagiosObject, directive: string): void {
    const name = textOf(object, directive);
    if (name === undefined || this.all.timeperiods.has(name)) return;
    this.say(object, directive, `there is no timeperiod ${JSON.stringify(name)}`);
  }

  /** Members that are templates only, and so not there when Nagios looks. */
  private groups(): void {
    for (const group of this.all.contactgroups.values()) this.known(group, "members", this.all.contacts, "contact");
    for (const group of this.all.hostgroups.values()) this.known(group, "members", this.all.hosts, "host");
  }

  private names(): void {
    const isIllegal = (name: string) => [...name].some((letter) => this.illegal.includes(letter));
    const maps = [
      "timeperiods",
      "commands",
      "contacts",
      "contactgroups",
      "hosts",
      "hostgroups",
      "servicegroups",
    ] as const;
    const named = maps.flatMap((map) => [...this.all[map]].map(([name, object]) => ({ name, object })));
    const services = this.all.services.map(({ description, object }) => ({ name: description, object }));
    for (const { name, object } of [...named, ...services]) {
      if (!isIllegal(name)) continue;
      this.once(object.place, `${JSON.stringify(name)} has a character of illegal_object_name_chars in it`);
    }
  }

  private circles(): void {
    const { hosts, timeperiods, hostdependencies, servicedependencies } = this.all;
    const directives = (objects: ReadonlyMap<string, NagiosObject>, directive: string): Arrow[] =>
      [...objects].flatMap(([from, object]) =>
        namesOf(object, directive).map((to) => ({ from, to, place: placeOf(object, directive) })),
      );
    this.circle(directives(hosts, "parents"), "hosts are parents of each other");
    this.circle(directives(timeperiods, "exclude"), "timeperiods exclude each other");
    for (const kind of ["execution_failure_options", "notification_failure_options"]) {
      for (const dependencies of [hostdependencies, servicedependencies]) {
        const ofKind = dependencies.filter(({ values }) => values.has(kind)).map(arrowOf);
        this.circle(ofKind, `${kind} of dependencies go round in a circle`);
      }
    }
  }

  private circle(arrows: readonly Arrow[], what: string): void {
    const found = findCircle(arrows);
    if (found === undefined) return;
    this.problems.add(found.place, `${what}: ${found.names.join(" -> ")}`);
  }

  private known(object: NagiosObject, directive: string, known: { has(name: string): boolean }, type: string): void {
    for (const name of namesOf(object, directive)) {
      if (!known.has(name)) this.say(object, directive, `there is no ${type} ${JSON.stringify(name)}`);
    }
  }

  private isCommand(call: string, place: Place, where: string): void {
    const [name = ""] = call.split("!");
    if (!this.all.commands.has(name)) this.once(place, `there is no command ${JSON.stringify(name)} (${where})`);
  }

  private needs(object: NagiosObject, directive: string): void {
    if ((textOf(object, directive) ?? "") === "") this.say(object, directive, "is missing");
  }

  private notNegative(object: NagiosObject, directive: string): void {
    if (numberOf(object, directive) < 0) this.say(object, directive, "must not be below 0");
  }

  private say(object: NagiosObject, directive: string, message: string): void {
    this.once(placeOf(object, directive), `${directive} of ${titleOf(object)}: ${message}`);
  }

  /** A line that a template hands on would be said for every object that has it from there. */
  private readonly said = new Set<string>();
  private once(place: Place, message: string): void {
    const key = describeRemark({ ...place, message: message.replace(/ of the .*?: /, ": ").replace(/ \(.*\)$/, "") });
    if (this.said.has(key)) return;
    this.said.add(key);
    this.problems.add(place, message);
  }
}

interface Arrow {
  readonly from: string;
  readonly to: string;
  readonly place: Place;
}

function arrowOf(dependency: NagiosObject): Arrow {
  const end = (prefix: string) =>
    [`${prefix}host_name`, `${prefix}service_description`]
      .map((name) => textOf(dependency, name))
      .filter((name) => name !== undefined)
      .join(";");
  return { from: end("dependent_"), to: end(""), place: dependency.place };
}

function findCircle(arrows: readonly Arrow[]): { names: string[]; place: Place } | undefined {
  const next = new Map<string, Arrow[]>();
  for (const arrow of arrows) next.set(arrow.from, [...(next.get(arrow.from) ?? []), arrow]);
  const done = new Set<string>();
  for (const start of next.keys()) {
    // A stack of its own: chains of dependencies may be longer than the one of calls.
    const trail: { name: string; at: number }[] = [{ name: start, at: 0 }];
    const open = new Set([start]);
    while (trail.length > 0) {
      const top = trail[trail.length - 1] as { name: string; at: number };
      const arrow = done.has(top.name) ? undefined : next.get(top.name)?.[top.at];
      top.at += 1;
      if (arrow === undefined) {
        done.add(top.name);
        open.delete(top.name);
        trail.pop();
      } else if (open.has(arrow.to)) {
        const names = trail.map(({ name }) => name);
        return { names: [...names.slice(names.indexOf(arrow.to)), arrow.to], place: arrow.place };
      } else if (!done.has(arrow.to)) {
        open.add(arrow.to);
        trail.push({ name: arrow.to, at: 0 });
      }
    }
  }
  return undefined;
}

/** Commands of a contact, which blanks separate as well as commas. */
export function commandsOf(contact: NagiosObject, directive: string): string[] {
  return (textOf(contact, directive) ?? "").split(/[, ]+/).filter((name) => name !== "");
}

/** A service's parents, as host and description: one alone is of the same host. */
export function parentsOf(service: NagiosObject, host: string): [host: string, description: string][] {
  const text = textOf(service, "parents");
  if (text === undefined) return [];
  if (!text.includes(",")) return [[host, text]];
  const parts = text.split(",").map((part) => part.trim());
  return parts.flatMap((part, index) => (index % 2 === 0 ? [[part, parts[index + 1] ?? ""] as [string, string]] : []));
}

function placeOf(object: NagiosObject, directive: string): Place {
  return object.values.get(directive)?.place ?? object.place;
}
