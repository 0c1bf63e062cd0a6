import { isCheckName, type CheckName } from "./catalogue";
import { CLIENT_CHECKS, connection } from "./catalogue/client";
import { common } from "./catalogue/kind";
import { PASSIVE_CHECKS } from "./catalogue/passive";
import type { Reading, WrittenHost } from "./reading";
import { BUILT_IN_TIMING, type Level, levelsOfRoleCheck } from "./resolve";
import type { WrittenCheck } from "./schema";
import type { Source } from "./source";
import { briefly } from "./units";
import type { Path } from "./yaml";

/** A place in an inventory's file. */
export interface Spot {
  readonly source: Source;
  readonly path: Path;
}

/** What a level says of a setting. */
export interface Said {
  readonly value: unknown;
  /** The level in words: `host`, `role linux`, `check`, ..., or `built in`. */
  readonly label: string;
  /** Undefined for what stands nowhere. */
  readonly spot: Spot | undefined;
}

/** A setting with the value that counts. Of what adds up, such as groups, there are several with the same name. */
export interface Setting extends Said {
  /** As written, `nrpe.port` for what stands in a mapping. */
  readonly name: string;
  /** What farther levels say and does not count, nearest first. */
  readonly instead: readonly Said[];
}

/** A check as written on a host or in one of its roles, and where. */
interface Placed {
  readonly written: WrittenCheck;
  /** Undefined for the host's own. */
  readonly role: string | undefined;
  readonly spot: Spot;
}

type Settings = Readonly<Record<string, unknown>>;

/** A level, and where it stands. */
interface Layer extends Level {
  readonly spot: Spot | undefined;
}

const TIMING = ["interval", "retryInterval", "attempts"] as const;
const REMARKS = ["notes", "runbook", "dashboard"] as const;
const CONNECTION = Object.keys(connection);

const BUILT_IN: Settings = {
  interval: briefly(BUILT_IN_TIMING.interval),
  retryInterval: briefly(BUILT_IN_TIMING.retryInterval),
  attempts: BUILT_IN_TIMING.attempts,
  period: "always",
  notify: [],
  alive: "ping",
};

/** Everything that counts for a host, and where it comes from. */
export function hostSettings(reading: Reading, host: WrittenHost): Setting[] {
  const layers = layersOf(reading, host);
  const own = layers.slice(0, 1);
  // What adds up begins with what is farthest.
  const adding = layers.filter(({ label }) => label !== "defaults").reverse();
  return [
    ...found(["address", "displayName", "location", "roles", "parents"], own).filter(({ value }) => !isEmpty(value)),
    ...adding.flatMap((layer) => (isEmpty(valueAt(layer.settings, ["groups"])) ? [] : found(["groups"], [layer]))),
    ...found([...TIMING, "period", "notify", "alive"], layers, true),
    ...found(keysOf(layers, "nrpe"), layers),
    ...found(keysOf(layers, "vars"), layers),
    ...adding.flatMap((layer) => found(["downtimes"], [layer])),
    ...found(REMARKS, own),
  ];
}

/**
 * Everything that counts for a service of a host, and where it comes from.
 *
 * @param name of the service
 */
export function serviceSettings(reading: Reading, host: WrittenHost, name: string): Setting[] {
  const check = findCheck(reading, host, name);
  const { kind, settings } = reading.resolver.parse(check.written);
  const definition = reading.sections.checks.get(kind);
  const path = typeof check.written === "string" ? check.spot.path : [...check.spot.path, kind];
  const own: Layer[] = [
    { label: "check", settings, spot: { ...check.spot, path } },
    {
      label: `check ${kind}`,
      settings: definition?.settings ?? {},
      spot: spotOf(reading, ["checks", kind, "settings"]),
    },
  ];
  const hosts = layersOf(reading, host);
  const { ordered, telling } =
    check.role === undefined ? { ordered: hosts, telling: [] } : levelsOfRoleCheck(check.role, hosts);
  const base = definition === undefined ? kind : definition.extends;
  const special = own.flatMap((layer) => Object.keys(layer.settings)).filter((key) => !Object.hasOwn(common, key));
  const isClient = base !== undefined && Object.hasOwn(CLIENT_CHECKS, base);
  const isPassive = base !== undefined && Object.hasOwn(PASSIVE_CHECKS, base);
  return [
    { name: "check", value: nameOfKind(kind, base), label: labelOf(check), spot: check.spot, instead: [] },
    ...found(
      unique(special).filter((key) => !isClient || !CONNECTION.includes(key)),
      own,
    ),
    ...(isClient ? clientSettings(own, ordered) : []),
    // Nobody makes a passive check.
    ...(isPassive ? [] : found(TIMING, [...own, ...ordered], true)),
    ...found(["period"], [...own, ...ordered], true),
    ...notifySetting([...own, ...telling], hosts),
    ...found(["groups", ...REMARKS], own),
  ];
}

/** Where the check of a service stands. */
function findCheck({ resolver, ...reading }: Reading, { written, source, index }: WrittenHost, name: string): Placed {
  const isIt = (check: WrittenCheck) => resolver.parse(check).name === name;
  const ownIndex = written.checks.findIndex(isIt);
  const own = written.checks[ownIndex];
  if (own !== undefined) {
    return { written: own, role: undefined, spot: { source, path: ["hosts", index, "checks", ownIndex] } };
  }
  // Of two roles with such a check, the later one counts.
  for (const role of [...written.roles].reverse()) {
    const checks = reading.sections.roles.get(role)?.checks ?? [];
    const roleIndex = checks.findIndex(isIt);
    const check = checks[roleIndex];
    const spot = spotOf(reading, ["roles", role, "checks", roleIndex]);
    if (check !== undefined && spot !== undefined) return { written: check, role, spot };
  }
  throw new Error(`${written.name} has no service ${name}`);
}

function labelOf({ role }: Placed): string {
  return role === undefined ? "host" : `role ${role}`;
}

function nameOfKind(kind: string, base: CheckName | string | undefined): string {
  if (base === undefined) return `${kind}, a plugin`;
  return base === kind || !isCheckName(base) ? kind : `${kind}, which is ${base}`;
}

/** A check says how its client is spoken to beside its other settings, all others say it in `nrpe`. */
function clientSettings(own: readonly Layer[], levels: readonly Layer[]): Setting[] {
  const inNrpe = levels.map(({ settings, spot, ...layer }) => ({
    ...layer,
    settings: (settings.nrpe ?? {}) as Level["settings"],
    spot: spot && { ...spot, path: [...spot.path, "nrpe"] },
  }));
  return found(CONNECTION, [...own, ...inNrpe]).map((setting) => ({ ...setting, name: `nrpe.${setting.name}` }));
}

/** Where a check tells nobody in particular, those are told who are told of the host. */
function notifySetting(telling: readonly Layer[], host: readonly Layer[]): Setting[] {
  const others = host.filter((layer) => !telling.includes(layer));
  return found(["notify"], [...telling, ...others], true);
}

/** A host's levels and their places, nearest first. */
function layersOf(reading: Reading, { written, source, index }: WrittenHost): Layer[] {
  const paths: Path[] = [
    ...[...written.roles].reverse().map((role) => ["roles", role]),
    ["locations", written.location],
    ["defaults"],
  ];
  const behind = reading.resolver.levels(written.location, written.roles);
  return [
    { label: "host", settings: written, spot: { source, path: ["hosts", index] } },
    ...behind.map((level, place) => ({ ...level, spot: spotOf(reading, paths[place] ?? []) })),
  ];
}

/** The place of something in whichever file has it: `[section, name, ...]`, or `[section]`. */
function spotOf({ sources }: Pick<Reading, "sources">, path: Path): Spot | undefined {
  const [section = "", name] = path;
  const source = sources.find((candidate) =>
    name === undefined
      ? candidate.raw[section] !== undefined
      : Object.hasOwn(candidate.section(String(section)), String(name)),
  );
  return source && { source, path };
}

/** Each setting with the nearest value and what it stands in place of; those that nobody says are left out. */
function found(names: readonly string[], layers: readonly Layer[], hasDefaults = false): Setting[] {
  return names.flatMap((name): Setting[] => {
    const parts = name.split(".");
    const said = layers.flatMap(({ label, settings, spot }): Said[] => {
      const value = valueAt(settings as Settings, parts);
      return value === undefined ? [] : [{ value, label, spot: spot && { ...spot, path: [...spot.path, ...parts] } }];
    });
    const [nearest, ...instead] = said;
    if (nearest !== undefined) return [{ name, ...nearest, instead }];
    return hasDefaults ? [{ name, value: BUILT_IN[name], label: "built in", spot: undefined, instead: [] }] : [];
  });
}

function valueAt(settings: object, parts: readonly string[]): unknown {
  return parts.reduce<unknown>(
    (container, part) =>
      typeof container === "object" && container !== null && Object.hasOwn(container, part)
        ? (container as Settings)[part]
        : undefined,
    settings,
  );
}

/** What the levels say in a mapping, such as `vars.rack`. */
function keysOf(layers: readonly Layer[], mapping: "nrpe" | "vars"): string[] {
  return unique(layers.flatMap(({ settings }) => Object.keys(settings[mapping] ?? {})))
    .sort()
    .map((key) => `${mapping}.${key}`);
}

function isEmpty(value: unknown): boolean {
  return value === undefined || (Array.isArray(value) && value.length === 0);
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)];
}
