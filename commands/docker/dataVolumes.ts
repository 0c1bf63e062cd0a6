/**
 * Names of the volumes that hold a stack's data. Swarm makes volumes with the tasks that use them and tells nobody whose
 * they are, so they are known by name. A unit test holds this against what the components ask for.
 */
const DATA_VOLUMES = [
  /^icinga-swarm-(mysql|generator|graphite|grafana|thruk|nagvis|gateway)-data$/,
  /^icinga-master-(data|mail)$/,
  /^icinga2-slave-[a-z][a-z0-9-]*-\d+-(config|data)$/,
];

/** Those of the given volumes that belong to this project. */
export function dataVolumes(names: readonly string[]): string[] {
  return names.filter((name) => DATA_VOLUMES.some((pattern) => pattern.test(name))).sort();
}
