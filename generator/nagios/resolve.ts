import { hostName, hostsChosen, servicesChosen } from "./choose";
import { dependenciesOf } from "./dependencies";
import { expand, type Matching, NoMatch } from "./expand";
import { attempt, candidatesOf, gather, type Groups } from "./groups";
import { combine, inherit } from "./inherit";
import { interpret, leadingInteger, type World } from "./interpret";
import { DIRECTIVES, type NagiosObject, textOf, type Value } from "./objects";
import { setting, type Sources } from "./read";
import { type Place, type Remark, Remarks } from "./refusal";
import { makeServices, type Rules, type Service, type Services } from "./services";
import { verify } from "./verify";

/** A Nagios configuration as Nagios itself sees it once it runs: no templates, no lists that stand for something else. */
export interface Resolved {
  readonly timeperiods: ReadonlyMap<string, NagiosObject>;
  readonly commands: ReadonlyMap<string, NagiosObject>;
  readonly contacts: ReadonlyMap<string, NagiosObject>;
  /** `members`: names of contacts. */
  readonly contactgroups: ReadonlyMap<string, NagiosObject>;
  readonly hosts: ReadonlyMap<string, NagiosObject>;
  /** `members`: names of hosts. */
  readonly hostgroups: ReadonlyMap<string, NagiosObject>;
  readonly services: readonly Service[];
  /** `members`: host, service, host, service. */
  readonly servicegroups: ReadonlyMap<string, NagiosObject>;
  /** One for each pair of hosts, and for each of execution and notification. */
  readonly hostdependencies: readonly NagiosObject[];
  readonly servicedependencies: readonly NagiosObject[];
  /** One for each host. */
  readonly hostescalations: readonly NagiosObject[];
  readonly serviceescalations: readonly NagiosObject[];
  /** Hosts' own groups, by their names. */
  readonly groupsOfHost: ReadonlyMap<string, readonly string[]>;
  /** What Nagios passes over, or takes for something else than is written. */
  readonly notes: readonly Remark[];
}

/**
 * Resolves a configuration exactly as Nagios 4 does.
 *
 * @throws Refusal with everything for which Nagios would not start
 */
export function resolve(sources: Sources): Resolved {
  const problems = new Remarks();
  const notes = new Remarks();
  const world = interpret(sources.definitions, problems, notes);
  inherit(world, problems);
  // What follows would complain of the consequences.
  problems.refuse();
  const rules = rulesOf(sources);
  const resolved = new Resolver(world, rules, problems, notes).resolve();
  verify(resolved, sources, problems);
  problems.refuse();
  return { ...resolved, notes: [...sources.notes, ...notes.all] };
}

function rulesOf(sources: Sources): Rules {
  const isOn = (name: string) => leadingInteger(setting(sources, name)?.value ?? "") > 0;
  const patterns = !isOn("use_regexp_matching")
    ? "none"
    : isOn("use_true_regexp_matching")
      ? "always"
      : "where they look like one";
  const isEmptyAllowed = setting(sources, "allow_empty_hostgroup_assignment") === undefined;
  return { matching: { patterns }, emptyHostgroups: isEmptyAllowed || isOn("allow_empty_hostgroup_assignment") };
}

class Resolver {
  private readonly contactgroups: Groups<NagiosObject>;
  private readonly hostgroups: Groups<NagiosObject>;
  private readonly services: Services;
  private readonly servicegroups: Groups<Service>;
  private readonly matching: Matching;

  constructor(
    private readonly world: World,
    private readonly rules: Rules,
    private readonly problems: Remarks,
    private readonly notes: Remarks,
  ) {
    this.matching = rules.matching;
    this.contactgroups = this.gatherNamed("contactgroup", "contact", "contact_groups", true);
    this.hostgroups = this.gatherNamed("hostgroup", "host", "hostgroups", false);
    this.services = makeServices(world, this.hostgroups, rules, problems, notes);
    this.servicegroups = this.gatherServices();
  }

  resolve(): Omit<Resolved, "notes"> {
    this.takeExtendedInformation();
    for (const { object, host } of this.services.registered) this.takeFromHost(object, host);
    const { world } = this;
    const parts = { world, groups: this.hostgroups, services: this.services, servicegroups: this.servicegroups };
    return {
      timeperiods: registered(world, "timeperiod"),
      commands: registered(world, "command"),
      contacts: registered(world, "contact"),
      contactgroups: withMembers(registered(world, "contactgroup"), this.contactgroups, contactName),
      hosts: registered(world, "host"),
      hostgroups: withMembers(registered(world, "hostgroup"), this.hostgroups, hostName),
      services: this.services.registered,
      servicegroups: withMembers(registered(world, "servicegroup"), this.servicegroups, serviceName),
      ...dependenciesOf({ ...parts, rules: this.rules }, this.problems, this.notes),
      hostescalations: this.hostEscalations(),
      serviceescalations: this.serviceEscalations(),
      groupsOfHost: this.groupsOfHost(),
    };
  }

  private gatherNamed(
    type: "contactgroup" | "hostgroup",
    member: "contact" | "host",
    directive: string,
    mayBeEmpty: boolean,
  ): Groups<NagiosObject> {
    const candidates = candidatesOf(member, this.world[member]);
    // Nagios lets a template of a contact join a group, too; it is then missing, and the configuration is refused.
    const joins = (one: NagiosObject) =>
      (one.registered || member === "contact") && candidates.nameOf(one) !== undefined;
    return gather(
      {
        type,
        kindred: this.world[type],
        matching: this.matching,
        expandMembers: (names) => expand(names, member, candidates, { ...this.matching, sticky: true }),
        joining: this.world[member].all.filter(joins).map((object) => ({ object, member: object, directive })),
        mayBeEmpty,
      },
      this.problems,
    );
  }

  private gatherServices(): Groups<Service> {
    const joining = this.services.all.map((service) => ({
      object: service.object,
      member: service,
      directive: "servicegroups",
    }));
    return gather(
      {
        type: "servicegroup",
        kindred: this.world.servicegroup,
        matching: this.matching,
        expandMembers: (pairs) => this.services.expandPairs(pairs),
        joining,
        mayBeEmpty: false,
      },
      this.problems,
    );
  }

  /** Fills what hosts and services lack from objects of extended information; the last one of the files comes first. */
  private takeExtendedInformation(): void {
    for (const info of this.world.hostextinfo.all) {
      const [hosts, hostgroups] = [textOf(info, "host_name"), textOf(info, "hostgroup_name")];
      if ((hosts ?? hostgroups) === undefined) this.noteUseless(info);
      else for (const host of this.hostsOf(info)) fill(host, info);
    }
    for (const info of this.world.serviceextinfo.all) {
      const descriptions = textOf(info, "service_description");
      if (descriptions === undefined || (textOf(info, "host_name") ?? textOf(info, "hostgroup_name")) === undefined) {
        this.noteUseless(info);
        continue;
      }
      attempt(info, "service_description", this.problems, () => {
        for (const { object } of this.servicesNamed(info, descriptions)) fill(object, info);
      });
    }
  }

  private noteUseless(info: NagiosObject): void {
    if (info.registered) this.notes.add(info.place, `Nagios ignores this ${info.type}: it names no host or no service`);
  }

  /** What services leave open they take from their host. */
  private takeFromHost({ values }: NagiosObject, hostName: string): void {
    const host = this.world.host.named.get(hostName);
    if (host === undefined) return;
    const people = ["contacts", "contact_groups"];
    const inherited = people.some((name) => values.has(name)) ? [] : people;
    for (const name of [...inherited, "notification_interval", "notification_period"]) {
      const value = host.values.get(name);
      if (value !== undefined && !values.has(name)) values.set(name, value);
    }
  }

  private hostEscalations(): NagiosObject[] {
    return this.world.hostescalation.all.flatMap((escalation) => {
      const [hosts, hostgroups] = [textOf(escalation, "host_name"), textOf(escalation, "hostgroup_name")];
      if ((hosts ?? hostgroups) === undefined) {
        if (escalation.registered) this.problems.add(escalation.place, "this hostescalation names no host");
        return [];
      }
      const chosen = this.hostsOf(escalation);
      if (!escalation.registered) return [];
      return chosen.map((host) => escalated(escalation, host, { host_name: hostName(host) }));
    });
  }

  private serviceEscalations(): NagiosObject[] {
    return this.world.serviceescalation.all
      .filter((one) => one.registered)
      .flatMap((escalation) => {
        const made = attempt(escalation, "service_description", this.problems, () => {
          const named = [...this.servicesNamed(escalation, textOf(escalation, "service_description"))];
          if (named.length === 0) throw new NoMatch("no service is left");
          const chosen = new Set(
            named.map((service) => this.services.find(service.host, service.description) ?? service),
          );
          return [...chosen].map(({ object, host, description }) =>
            escalated(escalation, object, { host_name: host, service_description: description }),
          );
        });
        return made ?? [];
      });
  }

  /** Hosts by name, whatever is rejected, and those of groups that are not: Nagios looks at rejects only there. */
  private hostsOf(object: NagiosObject): NagiosObject[] {
    return (
      attempt(object, object.values.has("host_name") ? "host_name" : "hostgroup_name", this.problems, () =>
        hostsChosen(object, "", { world: this.world, groups: this.hostgroups, matching: this.matching }),
      ) ?? []
    );
  }

  private servicesNamed(object: NagiosObject, descriptions: string | undefined): ReadonlySet<Service> {
    const { world, services, servicegroups, matching, hostgroups: groups } = this;
    return servicesChosen(object, "", descriptions, { world, groups, services, servicegroups, matching });
  }

  private groupsOfHost(): Map<string, string[]> {
    const found = new Map<string, string[]>();
    for (const [object, { members }] of this.hostgroups) {
      if (!object.registered) continue;
      for (const host of members) {
        const groups = found.get(hostName(host)) ?? [];
        groups.push(textOf(object, "hostgroup_name") ?? "");
        found.set(hostName(host), groups);
      }
    }
    for (const groups of found.values()) groups.sort();
    return found;
  }
}

function fill(object: NagiosObject, info: NagiosObject): void {
  for (const name of Object.keys(DIRECTIVES[info.type])) {
    if (/_name$|_description$/.test(name)) continue;
    const value = info.values.get(name);
    if (value?.text != null && object.values.get(name)?.text == null) object.values.set(name, value);
  }
}

/** An escalation of one host or service, with what it takes from that. */
function escalated(
  escalation: NagiosObject,
  target: NagiosObject,
  names: Readonly<Record<string, string>>,
): NagiosObject {
  const values = new Map(escalation.values);
  for (const name of ["hostgroup_name", "servicegroup_name"]) values.delete(name);
  for (const [name, text] of Object.entries(names)) values.set(name, { text, place: escalation.place });
  const people = ["contacts", "contact_groups"];
  const inherited = people.some((name) => values.has(name)) ? [] : people;
  for (const name of people) {
    const [ours, theirs] = [values.get(name), target.values.get(name)];
    if (ours !== undefined && theirs !== undefined) values.set(name, combine(theirs, ours));
  }
  for (const name of [...inherited, "notification_interval"]) {
    const value = target.values.get(name);
    if (value !== undefined && !values.has(name)) values.set(name, value);
  }
  const period = target.values.get("notification_period");
  if (!values.has("escalation_period") && period?.text != null) values.set("escalation_period", period);
  for (const name of people) values.set(name, withoutPlus(values.get(name)) ?? { text: null, place: escalation.place });
  return { ...escalation, values };
}

function withoutPlus(value: Value | undefined): Value | undefined {
  return value?.text?.startsWith("+") === true ? { ...value, text: value.text.slice(1) } : value;
}

function registered(world: World, type: keyof World): ReadonlyMap<string, NagiosObject> {
  const entries = [...world[type].named].filter(([, object]) => object.registered);
  return new Map(entries.sort(([left], [right]) => (left < right ? -1 : 1)));
}

function withMembers<Member>(
  objects: ReadonlyMap<string, NagiosObject>,
  groups: Groups<Member>,
  name: (member: Member) => string,
): ReadonlyMap<string, NagiosObject> {
  return new Map(
    [...objects].map(([key, object]) => {
      const values = new Map(object.values);
      const place: Place = values.get("members")?.place ?? object.place;
      const members = [...new Set([...(groups.get(object)?.members ?? [])].map(name))].sort();
      values.set("members", { text: members.length === 0 ? null : members.join(","), place });
      return [key, { ...object, values }];
    }),
  );
}

function contactName(contact: NagiosObject): string {
  return textOf(contact, "contact_name") ?? "";
}

function serviceName({ host, description }: Service): string {
  return `${host},${description}`;
}
