import { DIRECTIVES, type NagiosObject, textOf } from "../../../../generator/nagios/objects";
import { describeHours, parseHours, WEEKDAYS } from "../../../../generator/nagios/periods";
import { decode } from "../../../../generator/nagios/read";
import type { Resolved } from "../../../../generator/nagios/resolve";
import { commandsOf, parentsOf } from "../../../../generator/nagios/verify";

/** Type -> objects, each as directive -> value, in one form for both sides. */
export type Comparable = Readonly<Record<string, readonly Readonly<Record<string, string>>[]>>;

/** Directives whose names come in any order. */
const LISTS = new Set([
  "parents",
  "contacts",
  "contact_groups",
  "exclude",
  "host_notification_commands",
  "service_notification_commands",
]);

/** What Nagios does not write: what it has put elsewhere, and the initial state, which it always writes as o. */
const UNWRITTEN: Readonly<Record<string, readonly string[]>> = {
  contact: ["contact_groups"],
  contactgroup: ["contactgroup_members"],
  host: ["hostgroups"],
  hostgroup: ["hostgroup_members"],
  service: ["hostgroup_name", "servicegroups"],
  servicegroup: ["servicegroup_members"],
};

/** Reads Nagios's file of precached objects. */
export function readPrecached(precached: Buffer): Comparable {
  const found: Record<string, Record<string, string>[]> = {};
  let open: { type: string; object: Record<string, string>; dates: string[] } | undefined;
  for (const line of lines(precached)) {
    const [, type] = /^define (\w+) \{$/.exec(line) ?? [];
    if (type !== undefined) open = { type, object: {}, dates: [] };
    else if (line === "\t}" && open !== undefined) {
      const { object, dates } = open;
      const host = object["host_name"] ?? "";
      if (open.type === "service" && object["parents"] !== undefined) {
        const parents = object["parents"];
        object["parents"] = parents.includes(",") ? pairs(parents) : `${host},${parents}`;
      }
      (found[open.type] ??= []).push(dates.length === 0 ? object : { ...object, dates: dates.sort().join("; ") });
      open = undefined;
    } else if (open !== undefined) {
      const [, name = "", value = ""] = /^\t([^\t]*)\t(.*)$/s.exec(line) ?? [];
      if (open.type === "timeperiod" && /[ \d]/.test(name))
        open.dates.push(`${name}: ${value.split(",").sort().join(",")}`);
      else if (name !== "initial_state") open.object[name] = comparable(open.type, name, value);
    }
  }
  return sorted(found);
}

/** Each name of a line may be of another file, and so of another encoding. */
function lines(precached: Buffer): string[] {
  const decoded = (part: string) => decode(Buffer.from(part, "latin1"));
  const text = precached.toString("latin1");
  return text.split("\n").map((line) => line.split(",").map(decoded).join(","));
}

/** The same of what we resolved. */
export function comparableOf(resolved: Resolved): Comparable {
  const all = {
    timeperiod: [...resolved.timeperiods.values()].map(period),
    command: [...resolved.commands.values()].map(written),
    contact: [...resolved.contacts.values()].map(written),
    contactgroup: [...resolved.contactgroups.values()].map(written),
    host: [...resolved.hosts.values()].map(written),
    hostgroup: [...resolved.hostgroups.values()].map(written),
    service: resolved.services.map(({ object, host }) => {
      const parents = parentsOf(object, host).map(([on, description]) => `${on},${description}`);
      return { ...written(object), ...(parents.length === 0 ? {} : { parents: parents.sort().join(",") }) };
    }),
    servicegroup: [...resolved.servicegroups.values()].map(written),
    hostdependency: resolved.hostdependencies.map(written),
    servicedependency: resolved.servicedependencies.map(written),
    hostescalation: resolved.hostescalations.map(written),
    serviceescalation: resolved.serviceescalations.map(written),
  };
  return sorted(Object.fromEntries(Object.entries(all).filter(([, objects]) => objects.length > 0)));
}

function written(object: NagiosObject): Record<string, string> {
  const { type } = object;
  const result: Record<string, string> = {};
  for (const [name, { kind }] of Object.entries(DIRECTIVES[type])) {
    const text = textOf(object, name);
    const isOption = /^(execution|notification)_failure_options$/.test(name) && !object.values.has(name);
    if (text === undefined || isOption || kind === "ignored" || kind === "state") continue;
    if (UNWRITTEN[type]?.includes(name) !== true) result[name] = comparable(type, name, text);
  }
  const name = result[`${type}_name`];
  if (["contact", "contactgroup", "host", "hostgroup", "servicegroup"].includes(type)) result["alias"] ??= name ?? "";
  if (type === "host") {
    result["address"] ??= name ?? "";
    // Nagios writes the letter of "unreachable" for "up" here.
    for (const options of ["flap_detection_options", "stalking_options"]) {
      result[options] = names((result[options] ?? "").replace("o", "u"));
    }
  }
  for (const commands of ["host_notification_commands", "service_notification_commands"]) {
    if (type === "contact") result[commands] = names(commandsOf(object, commands).join(","));
  }
  for (const [variable, { text }] of object.custom) result[`_${variable}`] = text ?? "null";
  return result;
}

function period(object: NagiosObject): Record<string, string> {
  const hours = (text: string) => describeHours(parseHours(text) ?? []);
  const week = WEEKDAYS.flatMap((day) => {
    const text = object.values.get(day)?.text;
    return text == null ? [] : [[day, hours(text)]];
  });
  const dates = object.dates.map(({ when, ranges }) => `${when}: ${hours(ranges)}`);
  return {
    ...written(object),
    ...(Object.fromEntries(week) as Record<string, string>),
    ...(dates.length === 0 ? {} : { dates: dates.sort().join("; ") }),
  };
}

function comparable(type: string, name: string, value: string): string {
  if (name.startsWith("_")) return value;
  if (name === "members" && type === "servicegroup") return pairs(value);
  if (name === "parents" && type === "service") return value;
  if (LISTS.has(name) || name === "members" || name.endsWith("_options")) return names(value);
  return /_coords$|interval$|threshold$|_delay$/.test(name) ? value.split(",").map(Number).join(",") : value;
}

function names(value: string): string {
  const parts = value.split(",").map((name) => name.trim());
  return [...new Set(parts.filter((name) => name !== ""))].sort().join(",");
}

function pairs(value: string): string {
  const parts = value.split(",");
  const found = parts.flatMap((host, index) => (index % 2 === 0 ? [`${host},${parts[index + 1]}`] : []));
  return [...new Set(found)].sort().join(",");
}

function sorted(all: Readonly<Record<string, Record<string, string>[]>>): Comparable {
  const key = (object: Record<string, string>) => JSON.stringify(Object.entries(object).sort());
  const entries = Object.entries(all).map(([type, objects]) => {
    // Nagios escalates twice a service that two definitions make, which says no more than once.
    const once = new Map(objects.map((object) => [key(object), Object.fromEntries(Object.entries(object).sort())]));
    return [type, [...once].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, object]) => object)];
  });
  return Object.fromEntries(entries) as Comparable;
}
