import { type Choosing, type ChoosingServices, hostName, hostsChosen, servicesChosen } from "./choose";
import { NoMatch } from "./expand";
import { attempt, type Groups } from "./groups";
import type { World } from "./interpret";
import { type NagiosObject, textOf } from "./objects";
import type { Remarks } from "./refusal";
import type { Rules, Service, Services } from "./services";

interface Parts {
  readonly world: World;
  readonly groups: Groups<NagiosObject>;
  readonly services: Services;
  readonly servicegroups: Groups<Service>;
  readonly rules: Rules;
}

/** All dependencies, one for each pair and each kind. */
export function dependenciesOf(parts: Parts, problems: Remarks, notes: Remarks) {
  const choosing = { ...parts, matching: parts.rules.matching };
  const { hostdependency, servicedependency } = parts.world;
  return {
    hostdependencies: once(
      hostdependency.all.flatMap((one) => hostDependencies(one, choosing, parts.rules, problems, notes)),
    ),
    servicedependencies: once(
      servicedependency.all
        .filter(({ registered }) => registered)
        .flatMap((one) => {
          if (!hasOptions(one)) notes.add(one.place, "Nagios ignores this servicedependency: it never fails");
          return (
            attempt(one, "dependent_service_description", problems, () => serviceDependencies(one, choosing)) ?? []
          );
        }),
    ),
  };
}

function hostDependencies(
  dependency: NagiosObject,
  choosing: Choosing,
  { emptyHostgroups }: Rules,
  problems: Remarks,
  notes: Remarks,
): NagiosObject[] {
  const choose = (prefix: "" | "dependent_") => {
    const directive = `${prefix}${dependency.values.has(`${prefix}host_name`) ? "host_name" : "hostgroup_name"}`;
    // Where groups may be empty, Nagios takes a choice that fails for an empty one.
    if (emptyHostgroups) return quietly(() => hostsChosen(dependency, prefix, choosing));
    return attempt(dependency, directive, problems, () => hostsChosen(dependency, prefix, choosing)) ?? [];
  };
  const named = ["host_name", "hostgroup_name", "dependent_host_name", "dependent_hostgroup_name"];
  if (named.every((name) => textOf(dependency, name) === undefined)) return [];
  const [masters, dependents] = [choose(""), choose("dependent_")];
  if (!dependency.registered) return [];
  if (masters.length === 0 || dependents.length === 0) {
    notes.add(dependency.place, "Nagios ignores this hostdependency: no host is left on one of its sides");
  }
  return masters.flatMap((master) =>
    dependents.flatMap((dependent) =>
      kindsOf(dependency, { host_name: hostName(master), dependent_host_name: hostName(dependent) }),
    ),
  );
}

function quietly(choose: () => NagiosObject[]): NagiosObject[] {
  try {
    return choose();
  } catch (error) {
    if (error instanceof NoMatch) return [];
    throw error;
  }
}

function serviceDependencies(dependency: NagiosObject, choosing: ChoosingServices): NagiosObject[] {
  const names = (prefix: string, ...rest: string[]) =>
    rest.some((name) => textOf(dependency, `${prefix}${name}`) !== undefined);
  const descriptions = textOf(dependency, "service_description");
  const dependentDescriptions = textOf(dependency, "dependent_service_description");
  const namesMasters = names("", "host_name", "hostgroup_name", "servicegroup_name");
  const namesDependents = names("dependent_", "host_name", "hostgroup_name", "servicegroup_name");
  if (!namesDependents && (!namesMasters || dependentDescriptions === undefined)) {
    throw new NoMatch("it does not say which services depend on which");
  }
  const onHost = (host: string, wanted: string | undefined) => {
    const { chosen, rejected } = choosing.services.expand(host, wanted ?? "");
    return chosen.filter((service) => !rejected.has(service));
  };
  const pairs: [master: Service, dependent: Service][] = [];
  if (!namesMasters) {
    // Masters without a host are those of the dependent service's own.
    for (const dependent of servicesChosen(dependency, "dependent_", dependentDescriptions, choosing)) {
      for (const master of onHost(dependent.host, descriptions)) pairs.push([master, dependent]);
    }
  } else {
    const masters = servicesChosen(dependency, "", descriptions, choosing);
    const dependents = namesDependents
      ? servicesChosen(dependency, "dependent_", dependentDescriptions, choosing)
      : undefined;
    for (const master of masters) {
      const ofMaster = dependents ?? onHost(master.host, dependentDescriptions);
      for (const dependent of ofMaster) pairs.push([master, dependent]);
    }
  }
  return pairs.flatMap(([master, dependent]) =>
    kindsOf(dependency, {
      host_name: master.host,
      service_description: master.description,
      dependent_host_name: dependent.host,
      dependent_service_description: dependent.description,
    }),
  );
}

const OPTIONS = ["execution_failure_options", "notification_failure_options"];

function hasOptions({ values }: NagiosObject): boolean {
  return OPTIONS.some((name) => values.has(name));
}

/** A dependency of one pair, for each kind that it has options for. */
function kindsOf(dependency: NagiosObject, names: Readonly<Record<string, string>>): NagiosObject[] {
  return OPTIONS.filter((name) => dependency.values.has(name)).map((kept) => {
    const values = new Map(dependency.values);
    for (const name of [...values.keys()]) {
      if (/(group_name|host_name|description|options)$/.test(name) && name !== kept) values.delete(name);
    }
    for (const [name, text] of Object.entries(names)) values.set(name, { text, place: dependency.place });
    return { ...dependency, values };
  });
}

/** Of dependencies that say the same, one. */
function once(dependencies: readonly NagiosObject[]): NagiosObject[] {
  const seen = new Map<string, NagiosObject>();
  for (const one of dependencies) {
    const said = [...one.values]
      .filter(([name]) => name !== "use" && name !== "name")
      .map(([name, { text }]) => [name, text]);
    const key = JSON.stringify(said.sort());
    if (!seen.has(key)) seen.set(key, one);
  }
  return [...seen.values()];
}
