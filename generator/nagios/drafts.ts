import { kindOf } from "../catalogue";
import { compare } from "../model";
import type { WrittenCheck } from "../schema";
import type { MadeCheck } from "./commands";
import { type Context, defined, duration, filled, placeOf, sameNames } from "./context";
import type { Defaults } from "./hosts";
import { splitCall } from "./macros";
import { isOn, type NagiosObject, numberOf, textOf } from "./objects";
import type { Audience, Rules } from "./people";
import type { Service } from "./services";
import { reportDirectives } from "./uncarried";

/** A service whose check is found, and whom it tells. */
export interface Draft {
  readonly service: Service;
  /** What it is called in the inventory. */
  readonly name: string;
  readonly made: MadeCheck;
  readonly audience: Audience;
  /** Whether it says itself whom to tell, rather than its host. */
  readonly tellsItself: boolean;
  /** Service groups, by their names in the inventory. */
  readonly groups: readonly string[];
}

/**
 * The services of hosts, sorted by name; those without a counterpart are reported.
 *
 * @param hosts names of the hosts that are imported
 * @returns host -> services
 */
export function draftServices(context: Context, hosts: ReadonlySet<string>): ReadonlyMap<string, readonly Draft[]> {
  const drafts = new Map([...hosts].map((host) => [host, [] as Draft[]]));
  const groups = groupsOfServices(context);
  for (const service of context.resolved.services) {
    const ofHost = drafts.get(service.host);
    if (ofHost === undefined) continue;
    const { object, definition, host, description } = service;
    reportDirectives(object, context.report);
    const made = madeOf(context, service);
    if (made === undefined) continue;
    ofHost.push({
      service,
      name: context.renamed("service", description),
      made,
      audience: context.audience("service", object),
      tellsItself: ["contacts", "contact_groups"].some((directive) => definition.values.has(directive)),
      groups: groups.get(`${host},${description}`) ?? [],
    });
  }
  for (const ofHost of drafts.values()) ofHost.sort((left, right) => compare(left.name, right.name));
  return drafts;
}

/** A service's check as the inventory writes it. @param told names of its host's rules */
export function writeCheck(
  context: Context,
  { service, name, made, audience, tellsItself, groups }: Draft,
  told: readonly string[],
  rules: Rules,
  defaults: Defaults,
): WrittenCheck {
  const { object, host } = service;
  const own = rules.namesOf(audience);
  const fallback = made.check === "nrpe" ? kindOf("nrpe").defaultName(made.settings) : made.check;
  const ofHost = context.resolved.hosts.get(host) as NagiosObject;
  const settings = defined({
    name: name === fallback && made.check !== "passive" ? undefined : name,
    ...made.settings,
    ...context.timing(object, defaults),
    period: periodOf(context, object, ofHost),
    notify: tellsItself || !sameNames(own, told) ? own : undefined,
    groups: filled(groups),
    ...context.remarks(object, { host: ofHost, service }),
  });
  return Object.keys(settings).length === 0 ? made.check : ({ [made.check]: settings } as WrittenCheck);
}

/** The period to check in. What a host says of its own would count for its services, too. */
function periodOf(context: Context, object: NagiosObject, host: NagiosObject): string | undefined {
  const [own, ofHost] = [object, host].map((one) => {
    const name = textOf(one, "check_period");
    return name === undefined ? undefined : context.period(name);
  });
  return own ?? (ofHost === undefined ? undefined : context.alwaysPeriod());
}

function madeOf(context: Context, service: Service): MadeCheck | undefined {
  const { object, host, description } = service;
  if (!isOn(object, "active_checks_enabled")) return passive(context, object);
  const subject = { host: context.resolved.hosts.get(host) as NagiosObject, service };
  const call = textOf(object, "check_command") ?? "";
  const made = context.commands.make(call, subject, placeOf(object, "check_command"));
  if (made === undefined) {
    const message = `the service ${description} is not imported: its check_command has no counterpart`;
    context.report.add("lost", object.place, message);
  }
  return made;
}

/** Results from outside: Nagios runs the service's command when they stay away, the stack says so itself. */
function passive({ report }: Context, object: NagiosObject): MadeCheck {
  const threshold = numberOf(object, "freshness_threshold");
  if (!isOn(object, "passive_checks_enabled")) {
    const message = "a service that is checked by nobody takes results from outside";
    report.add("changed", placeOf(object, "active_checks_enabled"), message);
  }
  if (!isOn(object, "check_freshness")) return { check: "passive", settings: {} };
  const { name } = splitCall(textOf(object, "check_command") ?? "");
  const place = placeOf(object, "check_freshness");
  report.add("changed", place, `results that stay away are CRITICAL, without a call of ${name}`);
  if (threshold > 0) return { check: "passive", settings: { freshness: duration(threshold) } };
  report.add("lost", place, "freshness without a freshness_threshold: it is not checked");
  return { check: "passive", settings: {} };
}

/** `host,description` -> service groups. */
function groupsOfServices(context: Context): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const [name, group] of context.resolved.servicegroups) {
    const parts = (textOf(group, "members") ?? "").split(",");
    for (let at = 0; at + 1 < parts.length; at += 2) {
      const key = `${parts[at] ?? ""},${parts[at + 1] ?? ""}`;
      found.set(key, [...(found.get(key) ?? []), context.renamed("servicegroup", name)]);
    }
  }
  return found;
}
