import { chooseHosts, type HostChoice } from "./choose";
import { isPatternIn, type Expansion, type Matching, NoMatch, patternTest } from "./expand";
import { attempt, type Groups, titleOf } from "./groups";
import type { World } from "./interpret";
import { type NagiosObject, textOf } from "./objects";
import type { Place, Remarks } from "./refusal";

/** A service of one host. */
export interface Service {
  /** With its host's name alone as host_name. */
  readonly object: NagiosObject;
  readonly host: string;
  readonly description: string;
  /** The definition it comes from, which may make services of many hosts. */
  readonly definition: NagiosObject;
  /** The host group through which the definition reaches the host; undefined where it names the host. */
  readonly hostgroup: string | undefined;
}

/** How names are matched, as the main file says. */
export interface Rules {
  readonly matching: Matching;
  /** Whether a service may be put on host groups without hosts. */
  readonly emptyHostgroups: boolean;
}

/** All services, and how to find them. */
export class Services {
  private readonly byName = new Map<string, Service>();

  /**
   * @param all in the order in which Nagios goes through them, with those that another definition takes precedence over:
   *   wildcards find them, too
   */
  constructor(
    readonly all: readonly (Service & { readonly isCopyOfGroup: boolean })[],
    private readonly matching: Matching,
  ) {
    // A definition that names the host comes before one that reaches it through a host group.
    for (const isCopyOfGroup of [false, true]) {
      for (const service of all) {
        if (service.isCopyOfGroup !== isCopyOfGroup) continue;
        const key = keyOf(service.host, service.description);
        if (!this.byName.has(key)) this.byName.set(key, service);
      }
    }
  }

  get registered(): Service[] {
    return [...this.byName.values()];
  }

  find(host: string, description: string): Service | undefined {
    return this.byName.get(keyOf(host, description));
  }

  /** Services by one host's name and a list of descriptions. @throws NoMatch */
  expand(host: string, descriptions: string): Expansion<Service> {
    const chosen = new Set<Service>();
    const rejected = new Set<Service>();
    const isHostPattern = isPatternIn(this.matching, host);
    const onHost = isHostPattern ? patternTest(host) : (name: string | undefined) => name === host;
    for (const part of descriptions.split(",").filter((one) => one !== "")) {
      const description = part.trim();
      const isPattern = isPatternIn(this.matching, description);
      if (isHostPattern || isPattern || description === "*") {
        const everything = description === "*" && !isHostPattern && !isPattern;
        const fits = isPattern ? patternTest(description) : (name: string | undefined) => name === description;
        const found = this.all.filter((one) => onHost(one.host) && (everything || fits(one.description)));
        if (!everything && found.length === 0) throw noService(host, description);
        for (const one of found) chosen.add(one);
        continue;
      }
      const isRejected = description.startsWith("!");
      const found = this.find(host, description.replace(/^!/, ""));
      if (found !== undefined) (isRejected ? rejected : chosen).add(found);
      else if (!isRejected) throw noService(host, description);
    }
    return { chosen: [...chosen].reverse(), rejected };
  }

  /** Services by pairs: host, description, host, description. @throws NoMatch */
  expandPairs(pairs: string): Expansion<Service> {
    const parts = pairs.split(",").map((part) => part.trim());
    const chosen = new Set<Service>();
    const rejected = new Set<Service>();
    for (let at = 0; at < parts.length; at += 2) {
      const description = parts[at + 1];
      if (description === undefined) throw new NoMatch(`a host without a service: ${JSON.stringify(pairs)}`);
      const found = this.expand(parts[at] ?? "", description);
      for (const one of [...found.chosen].reverse()) chosen.add(one);
      for (const one of found.rejected) rejected.add(one);
    }
    return { chosen: [...chosen].reverse(), rejected };
  }
}

function noService(host: string, description: string): NoMatch {
  return new NoMatch(`there is no service ${JSON.stringify(description)} on ${JSON.stringify(host)}`);
}

function keyOf(host: string, description: string): string {
  return `${host}\0${description}`;
}

/**
 * Makes the services of all hosts.
 *
 * @param notes gets the definitions that another one takes precedence over, or that are for no host
 */
export function makeServices(
  world: World,
  groups: Groups<NagiosObject>,
  rules: Rules,
  problems: Remarks,
  notes: Remarks,
): Services {
  const copies: Services["all"][number][] = [];
  const lasts: Services["all"][number][] = [];
  for (const definition of world.service.all.filter(({ registered }) => registered)) {
    const description = textOf(definition, "service_description");
    const [hosts, hostgroups] = [textOf(definition, "host_name"), textOf(definition, "hostgroup_name")];
    if ((hosts ?? hostgroups) === undefined || description === undefined) {
      problems.add(
        definition.place,
        "this service has no service_description, or neither host_name nor hostgroup_name",
      );
      continue;
    }
    const directive = hosts === undefined ? "hostgroup_name" : "host_name";
    attempt(definition, directive, problems, () => {
      const choice = chooseHosts(hosts, hostgroups, { world, groups, matching: rules.matching });
      const isEmpty = choice.groups.length === 1 && choice.rejected.size === 0;
      if (hostgroups !== undefined && isEmpty && !rules.emptyHostgroups) throw new NoMatch("no host group is left");
      const made = servicesOf(definition, description, choice);
      if (made.copies.length === 0 && made.last === undefined) {
        notes.add(definition.place, `Nagios makes no service ${JSON.stringify(description)} of this: no host is left`);
      }
      copies.push(...made.copies);
      if (made.last !== undefined) lasts.push(made.last);
    });
  }
  const services = new Services([...copies.reverse(), ...lasts], rules.matching);
  for (const service of services.all) notePrecedence(service, services, notes);
  return services;
}

/**
 * One service for each host. The one that Nagios makes of the definition itself, for the last host of all, counts as one
 * that names its host, even if a host group brought it: which matters where two definitions meet.
 */
function servicesOf(definition: NagiosObject, description: string, { groups, rejected }: HostChoice) {
  const copies: Services["all"][number][] = [];
  let last: Services["all"][number] | undefined;
  const seen = new Set(rejected);
  groups.forEach(({ hostgroup, hosts }, groupIndex) => {
    hosts.forEach((host, hostIndex) => {
      if (seen.has(host)) return;
      seen.add(host);
      const isLast = groupIndex === groups.length - 1 && hostIndex === hosts.length - 1;
      const name = textOf(host, "host_name") ?? "";
      const values = new Map(definition.values);
      values.set("host_name", { text: name, place: definition.place });
      values.delete("hostgroup_name");
      const object = { ...definition, values };
      const isCopyOfGroup = !isLast && hostgroup !== undefined;
      const service = { object, host: name, description, definition, hostgroup, isCopyOfGroup };
      if (isLast) last = service;
      else copies.push(service);
    });
  });
  return { copies, last };
}

function notePrecedence(service: Service, services: Services, notes: Remarks): void {
  const winner = services.find(service.host, service.description);
  if (winner === service || winner === undefined) return;
  const at = describe(winner.definition.place);
  notes.add(service.definition.place, `Nagios takes ${titleOf(service.object)} from ${at}, not from here`);
}

function describe({ file, line }: Place): string {
  return `${file}:${line}`;
}
