import { quote } from "../dsl";
import type { Inventory } from "../model";
import { MASTER } from "../location";

/**
 * What holds messages back: a host is unreachable once all of its parents are down, and everything in a zone that is cut
 * off keeps still until the zone is back. Nobody stops checking for it.
 */
export function renderDependencies({ hosts }: Inventory): string {
  const parents = hosts.some((host) => host.parents.length > 0) ? PARENTS : "";
  return parents + zoneOf("Host", "host.zone") + zoneOf("Service", "host.zone") + WITHIN_ZONE;
}

const PARENTS = `apply Dependency "parent " for (parent in host.vars.parents) to Host {
  parent_host_name = parent
  redundancy_group = "parents"
  disable_checks = false
  disable_notifications = true
  assign where host.vars.parents
}

`;

const HELD_BACK = `  disable_checks = false
  disable_notifications = true
  ignore_soft_states = false
`;

function zoneOf(kind: "Host" | "Service", zone: string): string {
  return `apply Dependency "zone" to ${kind} {
  parent_host_name = ${quote(MASTER.endpoint)}
  parent_service_name = "zone " + ${zone}
${HELD_BACK}  assign where ${zone} != "" && ${zone} != ${quote(MASTER.zone)}
}

`;
}

/** Slaves of a pair, which are checked from the master. */
const WITHIN_ZONE = `apply Dependency "zone" to Service {
  parent_host_name = ${quote(MASTER.endpoint)}
  parent_service_name = "zone " + service.vars.within_zone
${HELD_BACK}  assign where service.vars.within_zone
}
`;
