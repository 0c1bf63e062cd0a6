import { audience, type Kind } from "./audience";
import { hostSettings, serviceSettings, type Setting } from "./explain";
import { shown } from "./explainText";
import { type Check, compare, type Host, type Inventory, type Timing } from "./model";
import { zoneOf } from "./package";
import type { Reading } from "./reading";
import { isMapping } from "./source";
import { briefly } from "./units";

/** One thing that happens, and to whom. */
export interface Item {
  /** Such as `interval: 5m -> 1m`; empty where the names say it all. */
  readonly text: string;
  /** Hosts, or services as `<host>/<service>`; sorted. */
  readonly names: readonly string[];
}

/** Things of one kind that happen. */
export interface Group {
  /** How many, such as `+12 hosts with 60 services`: words of this program alone. */
  readonly headline: string;
  readonly items: readonly Item[];
}

/** What changes at a location, or `everywhere`. */
export interface Part {
  readonly title: string;
  readonly groups: readonly Group[];
}

/** Title of what belongs to no location. */
export const EVERYWHERE = "everywhere";

/**
 * What a change means for monitoring.
 *
 * @param before a valid inventory with its locations
 * @param after the same, later
 * @returns sorted by location, what belongs to none at the end; empty if monitoring stays as it is
 */
export function compareInventories(before: Reading, after: Reading): Part[] {
  const names = [before, after].flatMap(({ inventory, locations }) => [
    ...inventory.hosts.map(({ location }) => location),
    ...locations.map(({ name }) => name),
  ]);
  const hosts = pairUp(before, after);
  const byLocation = new Map<string, Pair[]>();
  for (const pair of hosts) {
    const { location } = (pair.new ?? pair.old) as Host;
    byLocation.set(location, [...(byLocation.get(location) ?? []), pair]);
  }
  const parts = [...new Set(names)].sort(compare).map((location): Part => ({
    title: location,
    groups: locationGroups({ before, after }, byLocation.get(location) ?? []),
  }));
  return [...parts, { title: EVERYWHERE, groups: commonGroups({ before, after }) }].filter(
    ({ groups }) => groups.length > 0,
  );
}

interface Sides {
  readonly before: Reading;
  readonly after: Reading;
}

/** A host before and after. One of the two may be missing. */
interface Pair {
  readonly old: Host | undefined;
  readonly new: Host | undefined;
}

/** A host that is there before and after. */
interface Kept {
  readonly old: Host;
  readonly new: Host;
}

function pairUp(before: Reading, after: Reading): Pair[] {
  const old = new Map(before.inventory.hosts.map((host) => [host.name, host]));
  const added = new Map(after.inventory.hosts.map((host) => [host.name, host]));
  const names = [...new Set([...old.keys(), ...added.keys()])].sort(compare);
  return names.map((name) => ({ old: old.get(name), new: added.get(name) }));
}

function locationGroups(sides: Sides, pairs: readonly Pair[]): Group[] {
  const kept = pairs.filter((pair): pair is Kept => pair.old !== undefined && pair.new !== undefined);
  const added = pairs.flatMap((pair) => (pair.old === undefined && pair.new !== undefined ? [pair.new] : []));
  const removed = pairs.flatMap((pair) => (pair.new === undefined && pair.old !== undefined ? [pair.old] : []));
  const moves = kept.flatMap((pair) => move(sides, pair));
  const changes = kept.flatMap((pair) => hostChanges(sides, pair));
  const gone = kept.flatMap((pair) => services(pair.old, pair.new));
  const come = kept.flatMap((pair) => services(pair.new, pair.old));
  const serviceChanged = kept.flatMap((pair) => serviceChanges(sides, pair));
  const heard = kept.flatMap((pair) => hearing(sides, pair));
  return [
    group(`+${withServices(added)}`, [
      entry(
        "",
        added.map(({ name }) => name),
      ),
    ]),
    group(`-${withServices(removed)}`, [
      entry(
        "",
        removed.map(({ name }) => name),
      ),
    ]),
    group(`${counted(moves)} ${verb(moves, "move")}`, collected(moves)),
    group(`${counted(changes)} ${verb(changes, "change")}`, collected(changes)),
    group(`+${counted(come)}`, collected(come)),
    group(`-${counted(gone)}`, collected(gone)),
    group(`${counted(serviceChanged)} ${verb(serviceChanged, "change")}`, collected(serviceChanged)),
    ...notificationGroups(heard),
  ].flatMap((found) => found ?? []);
}

/** Something that happens to one host or service. */
interface Event {
  readonly kind: Kind;
  readonly name: string;
  readonly text: string;
}

function withServices(hosts: readonly Host[]): string {
  const count = hosts.reduce((sum, { checks }) => sum + checks.length, 0);
  return `${plural(hosts.length, "host")} with ${plural(count, "service")}`;
}

function entry(text: string, names: readonly string[]): Item {
  return { text, names };
}

/** Undefined where nothing happens. */
function group(headline: string, items: readonly Item[]): Group | undefined {
  const happening = items.filter(({ names }) => names.length > 0);
  return happening.length === 0 ? undefined : { headline, items: happening };
}

/** How many hosts and services something happens to. */
function counted(events: readonly Event[]): string {
  const count = (kind: Kind) => new Set(events.filter((event) => event.kind === kind).map(({ name }) => name)).size;
  const [hosts, those] = [count("host"), count("service")];
  const words = [hosts === 0 ? [] : plural(hosts, "host"), those === 0 ? [] : plural(those, "service")].flat();
  return words.join(" and ");
}

function verb(events: readonly Event[], word: string): string {
  return new Set(events.map(({ kind, name }) => `${kind} ${name}`)).size === 1 ? `${word}s` : word;
}

/** What happens to most comes first. */
function collected(events: readonly Event[]): Item[] {
  const byText = new Map<string, string[]>();
  for (const { text, name } of events) {
    const names = byText.get(text);
    if (names === undefined) byText.set(text, [name]);
    else names.push(name);
  }
  return [...byText]
    .map(([text, names]) => entry(text, names))
    .sort((left, right) => right.names.length - left.names.length || compare(left.text, right.text));
}

/** To another location, or to the slaves of another pair. */
function move({ before, after }: Sides, pair: Kept): Event[] {
  const { name } = pair.new;
  if (pair.old.location !== pair.new.location) {
    return [{ kind: "host", name, text: `from ${pair.old.location} to ${pair.new.location}` }];
  }
  const [old, now] = [zoneOf(pair.old, before.locations), zoneOf(pair.new, after.locations)];
  return old === now ? [] : [{ kind: "host", name, text: `from the slaves of ${old} to those of ${now}` }];
}

function hostChanges({ before, after }: Sides, pair: Kept): Event[] {
  if (printOfHost(pair.old, before.inventory) === printOfHost(pair.new, after.inventory)) return [];
  const settings = (reading: Reading, { name }: Host) => {
    const host = reading.hosts.get(name);
    return host === undefined ? [] : hostSettings(reading, host).filter((setting) => setting.name !== "location");
  };
  const written = changes(settings(before, pair.old), settings(after, pair.new));
  // What tells that it is up may be an own check, whose definition stands elsewhere.
  const found = written.length > 0 ? written : fieldChanges({ ...pair.old }, { ...pair.new });
  return found.map((text) => ({ kind: "host", name: pair.new.name, text }));
}

/** Services of a host that another state of it does not have. */
function services(host: Host, other: Host): Event[] {
  const known = new Set(other.checks.map(({ name }) => name));
  return host.checks
    .filter(({ name }) => !known.has(name))
    .map(({ name }) => ({ kind: "service", name: `${host.name}/${name}`, text: "" }));
}

function serviceChanges({ before, after }: Sides, pair: Kept): Event[] {
  const old = new Map(pair.old.checks.map((check) => [check.name, check]));
  return pair.new.checks.flatMap((check): Event[] => {
    const earlier = old.get(check.name);
    if (earlier === undefined) return [];
    if (printOfCheck(earlier, before.inventory) === printOfCheck(check, after.inventory)) return [];
    const settings = (reading: Reading, { notify }: Check) => {
      const host = reading.hosts.get(pair.new.name);
      const all = host === undefined ? [] : serviceSettings(reading, host, check.name);
      // Whoever is told of the host is compared with the host.
      return all.filter(({ name }) => name !== "notify" || notify !== undefined);
    };
    const written = changes(settings(before, earlier), settings(after, check));
    const found = written.length > 0 ? written : variableChanges(earlier, check);
    return found.map((text) => ({ kind: "service", name: `${pair.new.name}/${check.name}`, text }));
  });
}

/** Two states of a host with the same one mean the same to Icinga, whatever their words are. */
function printOfHost({ checks: _checks, location: _location, ...host }: Host, inventory: Inventory): string {
  return JSON.stringify({ ...host, timing: effective(host.timing, inventory) });
}

function printOfCheck({ shared: _shared, ...check }: Check, inventory: Inventory): string {
  const isPassive = check.icinga.freshness !== undefined;
  return JSON.stringify({ ...check, timing: isPassive ? {} : effective(check.timing, inventory) });
}

function effective(timing: Partial<Timing>, { defaults }: Inventory): Timing {
  return { ...defaults, ...timing };
}

/** What is said of each setting, in words. What adds up is one list. */
function changes(before: readonly Setting[], after: readonly Setting[]): string[] {
  const [old, now] = [byName(before), byName(after)];
  return [...new Set([...old.keys(), ...now.keys()])].flatMap((name) => {
    const [left, right] = [old.get(name), now.get(name)];
    return left === right ? [] : [change(name, left, right)];
  });
}

function byName(settings: readonly Setting[]): Map<string, string> {
  const values = new Map<string, unknown>();
  for (const { name, value } of settings) {
    const earlier = values.get(name);
    values.set(name, Array.isArray(earlier) && Array.isArray(value) ? [...(earlier as unknown[]), ...value] : value);
  }
  return new Map([...values].map(([name, value]) => [name, shown(value)]));
}

/** For what follows from the settings in a way that they do not show. */
function variableChanges({ icinga: before }: Check, { icinga: after }: Check): string[] {
  return fieldChanges({ command: before.command, ...before.vars }, { command: after.command, ...after.vars });
}

function change(name: string, before: string | undefined, after: string | undefined): string {
  return `${name}: ${cut(before ?? "nothing")} -> ${cut(after ?? "nothing")}`;
}

/** Characters of a value that are shown. */
const LONGEST = 80;

function cut(value: string): string {
  const characters = [...value];
  return characters.length <= LONGEST ? value : `${characters.slice(0, LONGEST - 3).join("")}...`;
}

/** Who is told of something no more, or from now on. */
interface Hearing extends Omit<Event, "text"> {
  readonly stops: readonly string[];
  readonly starts: readonly string[];
  /** Whether nobody is left. */
  readonly isSilent: boolean;
}

function hearing({ before, after }: Sides, pair: Kept): Hearing[] {
  const compared = (kind: Kind, name: string, old: readonly string[], now: readonly string[]): Hearing[] => {
    const [heard, hears] = [audience(before.inventory, old, kind), audience(after.inventory, now, kind)];
    const stops = heard.filter((contact) => !hears.includes(contact));
    const starts = hears.filter((contact) => !heard.includes(contact));
    return stops.length + starts.length === 0 ? [] : [{ kind, name, stops, starts, isSilent: hears.length === 0 }];
  };
  const earlier = new Map(pair.old.checks.map((check) => [check.name, check]));
  return [
    ...compared("host", pair.new.name, pair.old.notify, pair.new.notify),
    ...pair.new.checks.flatMap((check) => {
      const old = earlier.get(check.name);
      if (old === undefined) return [];
      const name = `${pair.new.name}/${check.name}`;
      return compared("service", name, old.notify ?? pair.old.notify, check.notify ?? pair.new.notify);
    }),
  ];
}

function notificationGroups(heard: readonly Hearing[]): (Group | undefined)[] {
  const events = (pick: (one: Hearing) => readonly string[]) =>
    heard.flatMap((one) => pick(one).map((text): Event => ({ kind: one.kind, name: one.name, text })));
  const stops = events(({ stops: those }) => those);
  const starts = events(({ starts: those }) => those);
  const silent = events(({ isSilent }) => (isSilent ? [""] : []));
  return [
    group(`${counted(stops)} ${verb(stops, "stop")} notifying`, collected(stops)),
    group(`${counted(starts)} ${verb(starts, "start")} notifying`, collected(starts)),
    group(`nobody is told of ${counted(silent)} any more`, collected(silent)),
  ];
}

/** What an inventory has beside its hosts: things with names. */
type Named = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

function commonGroups({ before, after }: Sides): Group[] {
  const [old, now] = [before.inventory, after.inventory];
  const both = (read: (reading: Reading) => Named) => [read(before), read(after)] as const;
  return [
    ...compareNamed("location", ...both(({ locations }) => listed(locations.map(toLocation)))),
    changedGroup("defaults", fieldChanges(toDefaults(old), toDefaults(now))),
    ...compareNamed("contact", ...both(({ inventory }) => listed(inventory.contacts))),
    ...compareNamed("contact group", ...both(({ inventory }) => listed(inventory.contactGroups))),
    ...compareNamed("notification rule", ...both(({ inventory }) => listed(inventory.notifications.map(toRule)))),
    ...compareNamed("period", ...both(({ inventory }) => inventory.periods)),
    ...compareNamed("plugin of your own", ...both(({ inventory }) => listed(inventory.commands))),
    ...compareNamed("host group", ...both(({ inventory }) => listed(inventory.hostGroups))),
    ...compareNamed("service group", ...both(({ inventory }) => listed(inventory.serviceGroups))),
  ].flatMap((found) => found ?? []);
}

function listed(things: readonly { readonly name: string }[]): Named {
  return Object.fromEntries(things.map(({ name, ...thing }) => [name, thing]));
}

function toLocation({ name, displayName, slaves }: Reading["locations"][number]) {
  return { name, displayName, slaves };
}

function toDefaults({ defaults: { interval, retryInterval, attempts }, ownNotify }: Inventory) {
  return {
    interval: briefly(interval),
    retryInterval: briefly(retryInterval),
    attempts,
    "notify, for the stack's own parts": ownNotify,
  };
}

function toRule({ contacts, contactGroups, after, until, repeat, ...rule }: Inventory["notifications"][number]) {
  return {
    ...rule,
    contacts: [...contacts, ...contactGroups],
    after: after === 0 ? "at once" : briefly(after),
    until: until === undefined ? undefined : briefly(until),
    repeat: repeat === 0 ? undefined : briefly(repeat),
  };
}

function compareNamed(noun: string, old: Named, now: Named): (Group | undefined)[] {
  const [before, after] = [Object.keys(old).sort(compare), Object.keys(now).sort(compare)];
  const added = after.filter((name) => !Object.hasOwn(old, name));
  const removed = before.filter((name) => !Object.hasOwn(now, name));
  const kept = after.filter((name) => Object.hasOwn(old, name));
  const events = kept.flatMap((name) =>
    fieldChanges(old[name] ?? {}, now[name] ?? {}).map((text): Event => ({ kind: "host", name, text })),
  );
  const count = new Set(events.map(({ name }) => name)).size;
  return [
    group(`+${plural(added.length, noun)}`, [entry("", added)]),
    group(`-${plural(removed.length, noun)}`, [entry("", removed)]),
    group(`${plural(count, noun)} ${verb(events, "change")}`, collected(events)),
  ];
}

function changedGroup(noun: string, found: readonly string[]): Group | undefined {
  const events = found.map((text): Event => ({ kind: "host", name: noun, text }));
  return group(`${noun} change`, collected(events));
}

/** Of mappings each key by itself, such as `days.monday`. */
function fieldChanges(old: Readonly<Record<string, unknown>>, now: Readonly<Record<string, unknown>>): string[] {
  return [...new Set([...Object.keys(old), ...Object.keys(now)])].flatMap((key) => {
    const [before, after] = [old[key], now[key]];
    if (isMapping(before) && isMapping(after)) {
      return fieldChanges(before, after).map((text) => `${key}.${text}`);
    }
    const words = (value: unknown) => (value === undefined ? undefined : shown(value));
    return words(before) === words(after) ? [] : [change(key, words(before), words(after))];
  });
}

function plural(count: number, noun: string): string {
  const [first = "", ...rest] = noun.split(" of ");
  return `${count} ${[count === 1 ? first : `${first}s`, ...rest].join(" of ")}`;
}
