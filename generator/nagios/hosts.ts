import type { InventoryHost, WrittenCheck } from "../schema";
import {
  addressOf,
  type Context,
  defined,
  filled,
  hasAddress,
  nameOfHost,
  placeOf,
  sameNames,
  type Timed,
} from "./context";
import { isOn, type NagiosObject, namesOf, textOf } from "./objects";
import type { HostChecks } from "./roles";
import { reportDirectives } from "./uncarried";

/** What holds where nothing nearer says otherwise. */
export interface Defaults extends Partial<Timed> {
  readonly notify?: readonly string[];
  readonly alive?: "none" | WrittenCheck;
}

/**
 * A host as the inventory writes it.
 *
 * @param told names of the rules for its own problems
 */
export function writeHost(
  context: Context,
  host: NagiosObject,
  { location, told, defaults, own }: { location: string; told: readonly string[]; defaults: Defaults; own: HostChecks },
): InventoryHost {
  const { resolved } = context;
  const name = nameOfHost(host);
  const renamed = context.renamed("host", name);
  const title = context.title(host, "display_name") ?? context.title(host, "alias") ?? name;
  const groups = (resolved.groupsOfHost.get(name) ?? []).map((group) => context.renamed("hostgroup", group));
  const parents = [...new Set(namesOf(host, "parents"))].filter((parent) =>
    hasAddress(resolved.hosts.get(parent) as NagiosObject),
  );
  const vars = context.customOf(host).map(([variable, text]) => [context.variables.get(variable) ?? variable, text]);
  const period = textOf(host, "check_period");
  const alive = aliveOf(context, host, defaults);
  reportDirectives(host, context.report);
  const written: Partial<InventoryHost> = {
    name: renamed,
    displayName: title === renamed ? undefined : title,
    address: addressOf(host),
    location,
    groups: filled(groups),
    roles: filled(own.roles),
    parents: filled(parents.map((parent) => context.renamed("host", parent))),
    vars: vars.length === 0 ? undefined : (Object.fromEntries(vars) as Record<string, string>),
    alive: JSON.stringify(alive) === JSON.stringify(defaults.alive) ? undefined : alive,
    period: period === undefined ? undefined : context.period(period),
    notify: sameNames(told, defaults.notify ?? []) ? undefined : told,
    checks: filled(own.checks),
    without: filled(own.without),
    ...context.remarks(host, { host }),
  };
  return defined(written) as InventoryHost;
}

/** What tells whether a host is up; `ping` for the stack's own way. */
export function aliveOf(context: Context, host: NagiosObject, defaults: Partial<Timed>): "none" | WrittenCheck {
  const command = host.values.get("check_command");
  // Without a command Nagios takes a host to be up.
  if (command?.text == null || command.text === "") return "none";
  if (!isOn(host, "active_checks_enabled")) {
    context.report.add(
      "changed",
      placeOf(host, "active_checks_enabled"),
      "hosts that Nagios does not check itself count as up",
    );
    return "none";
  }
  const made = context.commands.make(command.text, { host }, command.place);
  if (made === undefined) {
    const message = "a ping tells whether the host is up, in the place of its check_command";
    context.report.add("changed", command.place, message);
  }
  const settings = { ...made?.settings, ...context.timing(host, defaults) };
  return { [made?.check ?? "ping"]: settings } as WrittenCheck;
}
