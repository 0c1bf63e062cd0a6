import { quote } from "../dsl";
import type { Inventory } from "../model";
import { MASTER } from "../location";

/**
 * What holds messages back: a host is unreachable once all of its parents are down, and everything in a zone that is cut
 * off keeps still until the zone is back. Nobody stops checking for it.
 */
export function renderDependencies({ hosts }: Inventory): string {
  const parents = hosts.some((host) => host.parents.length > 0) ? PARENTS : "";
  const inSomeZone = `host.zone != "" && host.zone != ${quote(MASTER.zone)}`;
  return [
    parents,
    withinZone("Host", "host.zone", inSomeZone, OUTAGE),
    withinZone("Service", "host.zone", inSomeZone, OUTAGE),
    // Slaves of a pair, which are checked from the master and fail in the same moment as their zone.
    withinZone("Service", "service.vars.within_zone", "service.vars.within_zone", FIRST_SIGN),
  ].join("");
}

const PARENTS = `apply Dependency "parent " for (parent in host.vars.parents) to Host {
  parent_host_name = parent
  redundancy_group = "parents"
  disable_checks = false
  disable_notifications = true
  assign where host.vars.parents
}

`;

/** A zone is cut off once its check has failed often enough: after each reload it fails once, until slaves dial again. */
const OUTAGE = "true";
const FIRST_SIGN = "false";

/**
 * Holds back what belongs to a zone while the zone is cut off.
 *
 * @param zone the zone's name, in Icinga's language
 * @param where which of them
 * @param ignoreSoftStates `OUTAGE` or `FIRST_SIGN`
 */
function withinZone(kind: "Host" | "Service", zone: string, where: string, ignoreSoftStates: string): string {
  return `apply Dependency "zone" to ${kind} {
  parent_host_name = ${quote(MASTER.endpoint)}
  parent_service_name = "zone " + ${zone}
  disable_checks = false
  disable_notifications = true
  ignore_soft_states = ${ignoreSoftStates}
  assign where ${where}
}

`;
}
