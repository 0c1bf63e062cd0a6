import { isIPv6 } from "../address";
import { type Attribute, literal, names, object, quote, value, vars } from "../dsl";
import { type Check, compare, type Host, type Inventory } from "../model";
import { remarkAttributes, text, timeoutAttribute, timingAttributes } from "./attributes";
import { aliveCommand } from "./commands";
import { downtimeId } from "./periods";

/** Names of the templates that generated objects import. The prefix keeps them apart from Icinga's own. */
const HOST_TEMPLATE = "icinga-swarm-host";
const SERVICE_TEMPLATE = "icinga-swarm-service";

/** Checks that several hosts share, by their id. */
export type SharedChecks = ReadonlyMap<string, Check>;

export function renderTemplates({ defaults, notifications }: Inventory): string {
  // Icinga looks for it only where somebody wants to know.
  const flapping: Attribute = [
    "enable_flapping",
    notifications.some(({ on }) => on.includes("flapping")) ? "true" : undefined,
  ];
  const timing = [...timingAttributes(defaults), flapping];
  return [
    object({
      kind: "template Host",
      name: HOST_TEMPLATE,
      attributes: [["check_command", quote("hostalive")], ...timing],
    }),
    object({ kind: "template Service", name: SERVICE_TEMPLATE, attributes: timing }),
  ].join("");
}

/** The checks of roles that more than one host has as they are: an apply rule is smaller than an object for each. */
export function sharedChecks({ hosts }: Inventory): SharedChecks {
  const shared = new Map<string, Check>();
  const once = new Set<string>();
  for (const host of hosts) {
    for (const check of host.checks) {
      if (check.shared === undefined) continue;
      if (once.has(check.shared)) shared.set(check.shared, check);
      else once.add(check.shared);
    }
  }
  return new Map([...shared].sort(([left], [right]) => compare(left, right)));
}

export function renderShared(shared: SharedChecks): string {
  return [...shared]
    .map(([id, check]) =>
      object({
        kind: "apply Service",
        name: check.name,
        imports: [SERVICE_TEMPLATE],
        attributes: checkAttributes(check),
        rules: [`assign where ${quote(id)} in host.vars.checks`],
      }),
    )
    .join("");
}

/** A host and those of its services that it does not share. */
export function renderHost(host: Host, shared: SharedChecks): string {
  const isShared = ({ shared: id }: Check) => id !== undefined && shared.has(id);
  const ids = host.checks.flatMap((check) => (isShared(check) ? (check.shared ?? []) : []));
  const attributes: Attribute[] = [
    text("display_name", host.displayName),
    text(isIPv6(host.address) ? "address6" : "address", host.address),
    ["groups", names([`location-${host.location}`, ...host.groups])],
    ...aliveAttributes(host),
    text("check_period", host.period),
    ...remarkAttributes(host),
    ["vars.location", literal(host.location)],
    listOf("vars.checks", ids),
    listOf("vars.notify", host.notify),
    listOf("vars.parents", host.parents),
    listOf("vars.downtimes", host.downtimes.map(downtimeId)),
    ...vars(host.vars),
  ];
  const services = host.checks.filter((check) => !isShared(check)).map((check) => renderService(host.name, check));
  return object({ kind: "object Host", name: host.name, imports: [HOST_TEMPLATE], attributes }) + services.join("");
}

function aliveAttributes({ alive, timing }: Host): Attribute[] {
  if (alive === undefined) return timingAttributes(timing);
  if (alive === "none") {
    return [
      ["check_command", quote("dummy")],
      ...timingAttributes(timing),
      ["vars.dummy_text", quote("Nobody asks whether it is up.")],
    ];
  }
  return [
    ["check_command", quote(aliveCommand(alive))],
    ...timingAttributes(alive.timing),
    timeoutAttribute(alive.icinga),
  ];
}

function renderService(host: string, check: Check): string {
  return object({
    kind: "object Service",
    name: check.name,
    imports: [SERVICE_TEMPLATE],
    attributes: [["host_name", quote(host)], ...checkAttributes(check)],
  });
}

function checkAttributes({ icinga, timing, period, notify, groups, ...remarks }: Check): Attribute[] {
  const { freshness } = icinga;
  return [
    ["check_command", quote(icinga.command)],
    // What comes from outside is looked at when it is overdue.
    ...timingAttributes(
      Number.isFinite(freshness) ? { ...timing, interval: freshness as number, attempts: 1 } : timing,
    ),
    ["enable_active_checks", freshness === Number.POSITIVE_INFINITY ? "false" : undefined],
    text("check_period", period),
    timeoutAttribute(icinga),
    groups.length === 0 ? ["groups", undefined] : ["groups", names(groups)],
    ...remarkAttributes(remarks),
    ["vars.notify", notify === undefined ? undefined : value(notify)],
    ...vars(icinga.vars),
  ];
}

function listOf(name: string, list: readonly string[]): Attribute {
  return [name, list.length === 0 ? undefined : value(list)];
}
