import { toldBy, type Kind, type Told } from "./audience";
import type { Value } from "./dsl";
import { hostSettings, type Said, serviceSettings, type Setting, type Spot } from "./explain";
import { topology } from "./location";
import type { Check, Host, IcingaCheck, Inventory } from "./model";
import { zoneOf } from "./package";
import { aliveCommand } from "./package/commands";
import type { Reading, WrittenHost } from "./reading";
import type { Source } from "./source";
import { briefly } from "./units";

/** A line: what, its value, and where that comes from. */
type Row = readonly [name: string, value: string, from: string];

/** A heading, and what stands below it. */
interface Section {
  readonly title: string;
  readonly rows: readonly Row[];
}

/** Tells `file:line` of a place. */
type Locate = (spot: Spot) => string;

/**
 * Everything that counts for a host and its services, as a page of text.
 *
 * @param reading a valid inventory
 * @param name of one of its hosts
 */
export function explainHost(reading: Reading, name: string): string {
  const written = reading.hosts.get(name);
  const host = reading.inventory.hosts.find((candidate) => candidate.name === name);
  if (written === undefined || host === undefined) throw new Error(`there is no host ${name}`);
  const ofHost = hostSettings(reading, written);
  const ofServices = host.checks.map((check) => ({ check, settings: serviceSettings(reading, written, check.name) }));
  const spot: Spot = { source: written.source, path: ["hosts", written.index, "name"] };
  const locate = locator([spot, ...spots(ofHost), ...ofServices.flatMap(({ settings }) => spots(settings))]);
  const sections: Section[] = [
    hostSection(reading, host, ofHost, written, locate),
    ...ofServices.map(({ check, settings }) => serviceSection(reading.inventory, host, check, settings, locate)),
  ];
  return sections.map(page).join("\n");
}

/** Looks up all places at once: each look reads a file again. */
function locator(wanted: readonly Spot[]): Locate {
  const bySource = new Map<Source, Spot[]>();
  for (const spot of wanted) bySource.set(spot.source, [...(bySource.get(spot.source) ?? []), spot]);
  const lines = new Map<Spot, string>();
  for (const [source, spotsHere] of bySource) {
    const places = source.places(spotsHere.map(({ path }) => ({ path, what: "key" })));
    places.forEach(({ file, line }, index) => lines.set(spotsHere[index] as Spot, `${file}:${line}`));
  }
  return (spot) => lines.get(spot) ?? spot.source.file;
}

function spots(settings: readonly Setting[]): Spot[] {
  return settings.flatMap(({ spot, instead }) => [spot, ...instead.map((said) => said.spot)]).flatMap((at) => at ?? []);
}

function hostSection(
  reading: Reading,
  host: Host,
  settings: readonly Setting[],
  { source, index }: WrittenHost,
  locate: Locate,
): Section {
  const { inventory, locations } = reading;
  const zone = zoneOf(host, locations);
  const slaves = locations.flatMap(topology).find((pair) => pair.zone === zone)?.endpoints ?? [];
  const place = source.place(["hosts", index, "name"], "key");
  return {
    title: `host ${host.name}, ${place.file}:${place.line}`,
    rows: [
      ...settings.map((setting) => settingRow(setting, locate)),
      ["zone", `${zone}: ${slaves.join(", ")}`, ""],
      ...toldRows(inventory, host.notify, "host"),
      ...aliveRows(host),
    ],
  };
}

function serviceSection(
  inventory: Inventory,
  host: Host,
  check: Check,
  settings: readonly Setting[],
  locate: Locate,
): Section {
  return {
    title: `service ${check.name}`,
    rows: [
      ...settings.map((setting) => settingRow(setting, locate)),
      ...toldRows(inventory, check.notify ?? host.notify, "service"),
      ...commandRows(check.icinga.command, check.icinga.vars),
    ],
  };
}

function settingRow({ name, value, label, spot, instead }: Setting, locate: Locate): Row {
  const place = ({ label: level, spot: at }: Said) => (at === undefined ? level : `${locate(at)} (${level})`);
  const other = instead.find((said) => shown(said.value) !== shown(value));
  const beside = other === undefined ? "" : `, not ${shown(other.value)} from ${place(other)}`;
  return [name, shown(value), place({ value, label, spot }) + beside];
}

function toldRows(inventory: Inventory, rules: readonly string[], kind: Kind): Row[] {
  const all = toldBy(inventory, rules, kind);
  if (all.every(({ listeners }) => listeners.length === 0)) return [["told", "nobody", ""]];
  return all.flatMap(({ rule, on, listeners }): Row[] => [
    [`told by ${rule.name}`, on.join(", ") || "nothing of this", whenOf({ rule })],
    ...listeners.map(({ contact, group, on: wanted }): Row => {
      const none = wanted.length === 0 ? ", wants none of this" : `, only of ${wanted.join(", ")}`;
      const only = wanted.length === on.length ? "" : none;
      const when = contact.period === undefined ? "at any time" : `in ${contact.period}`;
      const through = group === undefined ? "" : `, one of ${group}`;
      return [`  ${contact.name}`, contact.email, `${when}${only}${through}`];
    }),
  ]);
}

function whenOf({ rule: { period, after, until, repeat } }: Pick<Told, "rule">): string {
  return [
    period === undefined ? "at any time" : `in ${period}`,
    after === 0 ? "at once" : `after ${briefly(after)}`,
    ...(until === undefined ? [] : [`until ${briefly(until)}`]),
    repeat === 0 ? "no reminders" : `again every ${briefly(repeat)}`,
  ].join(", ");
}

function aliveRows({ alive }: Host): Row[] {
  if (alive === "none") return [["Icinga command", "dummy", ""]];
  if (alive === undefined) return [["Icinga command", "hostalive", ""]];
  return commandRows(aliveCommand(alive), alive.icinga.vars);
}

function commandRows(command: string, vars: IcingaCheck["vars"]): Row[] {
  const set = Object.entries(vars).filter((entry): entry is [string, Value] => entry[1] !== undefined);
  return [
    ["Icinga command", command, ""],
    ...set
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([name, value]): Row => [
        `  ${name}`,
        shown(typeof value === "object" && "macro" in value ? value.macro : value),
        "",
      ]),
  ];
}

/** A value in one line, much as it is written. */
export function shown(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(shown).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    const fields = Object.entries(value).filter(([, field]) => field !== undefined);
    return fields.length === 0 ? "{}" : `{ ${fields.map(([key, field]) => `${key}: ${shown(field)}`).join(", ")} }`;
  }
  return String(value)
    .replace(/\s*\n\s*/g, " ")
    .trim();
}

/** Longer values do not push the places of all others out of sight. */
const WIDEST = 36;

function page({ title, rows }: Section): string {
  const width = (column: 0 | 1) =>
    Math.max(...rows.map((row) => row[column].length).filter((length) => length <= WIDEST));
  const [names, values] = [width(0), width(1)];
  const lines = rows.map(([name, value, from]) =>
    `  ${name.padEnd(names)}  ${value.padEnd(from === "" ? 0 : values)}  ${from}`.trimEnd(),
  );
  return `${[title, ...lines].join("\n")}\n`;
}
