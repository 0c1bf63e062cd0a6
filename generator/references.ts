import { MASTER } from "./location";
import type { Site } from "./model";
import { suggestion } from "./nearest";
import { referenceProblems } from "./periods";
import { NAMED_SECTIONS, type NamedSection } from "./schema";
import { isMapping, type Raw, type Source } from "./source";
import type { Path } from "./yaml";

/** Service name of a check as written, which may be known to be valid; undefined if it is not. */
export type NameOfCheck = (written: unknown, isValid: boolean) => string | undefined;

/** Names of the stack's own hosts, and beginnings of such names. */
const OWN_HOSTS = new Set<string>([
  MASTER.endpoint,
  "config-generator",
  "gateway",
  "grafana",
  "graphite",
  "mysql",
  "nagvis",
  "thruk",
]);
const OWN_HOST = /^icinga-slave-/i;
const OWN_GROUP = /^(icinga-swarm$|location-)/i;

/**
 * Everything that needs more than one place to be judged: names that nobody defines, or two do, and circles. Problems
 * are reported to the sources.
 *
 * @param sources the inventory's files
 * @param sites the stack's locations
 * @param nameOfCheck how a check's service is called
 */
export function checkReferences(sources: readonly Source[], sites: readonly Site[], nameOfCheck: NameOfCheck): void {
  defaultsInOneFile(sources);
  for (const section of NAMED_SECTIONS) definedOnce(sources, section);
  const known = knownNames(sources, sites);
  hostsInOnePlace(sources);
  const services = servicesOfRoles(sources, nameOfCheck);
  for (const source of sources) {
    const look = new Look(source, known);
    freeNames(source);
    look.sections();
    source.rawHosts.forEach((host, index) => {
      const path = ["hosts", index];
      look.hostReferences(path, host);
      servicesOnce(source, path, host, (check) => nameOfCheck(check, source.hosts.has(index)));
      unwantedServices(source, path, host, services);
    });
    for (const [role, content] of mappings(source.section("roles"))) {
      servicesOnce(source, ["roles", role], content, (check) => nameOfCheck(check, false));
    }
  }
  periodReferences(sources);
  contactNames(sources);
  parentCircles(sources);
}

/** How many hosts that nobody knows get a suggestion of what may be meant. */
const HOSTS_LOOKED_FOR = 20;

interface Known {
  /** For hosts that nobody knows, by name. */
  readonly suggestions: Map<string, string>;
  readonly sets: ReadonlyMap<string, ReadonlySet<string>>;
  readonly names: Readonly<Record<NamedSection, readonly string[]>>;
  readonly hosts: ReadonlySet<string>;
}

function knownNames(sources: readonly Source[], sites: readonly Site[]): Known {
  const names = Object.fromEntries(
    NAMED_SECTIONS.map((section) => [section, sources.flatMap((source) => Object.keys(source.section(section)))]),
  ) as unknown as Record<NamedSection, readonly string[]>;
  const hosts = sources.flatMap((source) => source.rawHosts.map(({ name }) => String(name)));
  const known = { ...names, locations: sites.map(({ name }) => name) };
  const sets = new Map(Object.entries(known).map(([section, all]) => [section, new Set(all)]));
  return { suggestions: new Map(), sets, names: known, hosts: new Set(hosts) };
}

/** Looks up names that one file mentions. */
class Look {
  constructor(
    private readonly source: Source,
    private readonly known: Known,
  ) {}

  sections(): void {
    const { source } = this;
    if (isMapping(source.raw["defaults"])) this.settings(["defaults"], source.raw["defaults"]);
    for (const [location, content] of mappings(source.section("locations"))) {
      this.name("locations", ["locations", location], location, "key");
      this.settings(["locations", location], content);
    }
    for (const [role, content] of mappings(source.section("roles"))) {
      this.settings(["roles", role], content);
      this.groups(["roles", role, "groups"], content["groups"]);
    }
    for (const [own, content] of mappings(source.section("checks"))) {
      this.checkSettings(["checks", own, "settings"], content["settings"]);
    }
    for (const [contact, content] of mappings(source.section("contacts"))) {
      this.name("periods", ["contacts", contact, "period"], content["period"]);
    }
    for (const [group, content] of mappings(source.section("contactGroups"))) {
      this.list("contacts", ["contactGroups", group, "members"], content["members"]);
    }
    for (const [rule, content] of mappings(source.section("notifications"))) {
      const path = ["notifications", rule];
      this.name("periods", [...path, "period"], content["period"]);
      this.contacts([...path, "contacts"], content["contacts"]);
    }
    for (const group of Object.keys(source.section("groups"))) this.groups(["groups"], [group]);
  }

  hostReferences(path: Path, host: Raw): void {
    this.name("locations", [...path, "location"], host["location"]);
    this.list("roles", [...path, "roles"], host["roles"]);
    this.groups([...path, "groups"], host["groups"]);
    this.settings(path, host);
    strings(host["parents"]).forEach(([parent, index]) => {
      if (parent === host["name"]) {
        this.source.report([...path, "parents", index], "a host cannot be reached through itself; leave it out");
      } else if (!this.known.hosts.has(parent)) {
        const message = `unknown host ${JSON.stringify(parent)}; ${this.suggestedHost(parent)}`;
        this.source.report([...path, "parents", index], message);
      }
    });
  }

  /** Among a hundred thousand hosts each look takes a part of a second: the first few unknown ones have to do. */
  private suggestedHost(name: string): string {
    const { suggestions, hosts } = this.known;
    const found = suggestions.get(name);
    if (found !== undefined) return found;
    if (suggestions.size >= HOSTS_LOOKED_FOR) return "define it, or leave it out";
    const suggested = suggestion(name, [...hosts], "hosts");
    suggestions.set(name, suggested);
    return suggested;
  }

  /** What defaults, locations, roles and hosts have in common. */
  private settings(path: Path, settings: Raw): void {
    this.name("periods", [...path, "period"], settings["period"]);
    this.list("notifications", [...path, "notify"], settings["notify"]);
    this.check([...path, "alive"], settings["alive"]);
    list(settings["checks"]).forEach((check, index) => this.check([...path, "checks", index], check));
    list(settings["downtimes"]).forEach((downtime, index) => {
      if (isMapping(downtime)) this.name("periods", [...path, "downtimes", index, "period"], downtime["period"]);
    });
  }

  private check(path: Path, check: unknown): void {
    if (!isMapping(check)) return;
    for (const [name, settings] of Object.entries(check)) this.checkSettings([...path, name], settings);
  }

  private checkSettings(path: Path, settings: unknown): void {
    if (!isMapping(settings)) return;
    this.name("periods", [...path, "period"], settings["period"]);
    this.list("notifications", [...path, "notify"], settings["notify"]);
  }

  private contacts(path: Path, written: unknown): void {
    const { contacts, contactGroups } = this.known.names;
    strings(written).forEach(([contact, index]) => {
      if (this.known.sets.get("contacts")?.has(contact) || this.known.sets.get("contactGroups")?.has(contact)) return;
      const all = [...contacts, ...contactGroups];
      const message = `unknown contact ${JSON.stringify(contact)}; ${suggestion(contact, all, "contacts and contact groups")}`;
      this.source.report([...path, index], message);
    });
  }

  private groups(path: Path, written: unknown): void {
    strings(written).forEach(([group, index]) => {
      if (!OWN_GROUP.test(group)) return;
      const message = `the group ${JSON.stringify(group)} is made by the generator; choose another name`;
      this.source.report([...path, index], message);
    });
  }

  private list(section: NamedSection, path: Path, written: unknown): void {
    strings(written).forEach(([name, index]) => this.name(section, [...path, index], name));
  }

  private name(section: NamedSection, path: Path, name: unknown, what: "key" | "value" = "value"): void {
    if (typeof name !== "string" || this.known.sets.get(section)?.has(name)) return;
    const { one, many } = WORDS[section];
    const message = `unknown ${one} ${JSON.stringify(name)}; ${suggestion(name, this.known.names[section], many)}`;
    this.source.report(path, message, what);
  }
}

const WORDS: Readonly<Record<NamedSection, { one: string; many: string }>> = {
  locations: { one: "location", many: "locations" },
  roles: { one: "role", many: "roles" },
  checks: { one: "check", many: "checks" },
  groups: { one: "group", many: "groups" },
  serviceGroups: { one: "service group", many: "service groups" },
  contacts: { one: "contact", many: "contacts" },
  contactGroups: { one: "contact group", many: "contact groups" },
  periods: { one: "period", many: "periods" },
  notifications: { one: "notification rule", many: "notification rules" },
};

function defaultsInOneFile(sources: readonly Source[]): void {
  const [first, ...others] = sources.filter((source) => source.raw["defaults"] !== undefined);
  for (const source of others) {
    source.report(["defaults"], `"defaults" stands in ${first?.file} already; keep one of the two`, "key");
  }
}

/** Within a file YAML itself refuses a second key. */
function definedOnce(sources: readonly Source[], section: NamedSection): void {
  const seen = new Map<string, { source: Source; name: string }>();
  for (const source of sources) {
    for (const name of Object.keys(source.section(section))) {
      const key = name.toLowerCase();
      const first = seen.get(key);
      if (first === undefined) {
        seen.set(key, { source, name });
        continue;
      }
      const { file, line } = first.source.place([section, first.name], "key");
      const same = first.name === name ? "" : ` as ${JSON.stringify(first.name)}`;
      const message = `the ${WORDS[section].one} ${JSON.stringify(name)} stands in ${file}:${line} already${same}; keep one of the two`;
      source.report([section, name], message, "key");
    }
  }
}

function hostsInOnePlace(sources: readonly Source[]): void {
  const seen = new Map<string, { source: Source; index: number; name: string }>();
  for (const source of sources) {
    source.rawHosts.forEach(({ name }, index) => {
      if (typeof name !== "string") return;
      // Icinga tells them apart; file systems, databases and people do not always.
      const key = name.toLowerCase();
      const first = seen.get(key);
      if (first === undefined) {
        seen.set(key, { source, index, name });
        return;
      }
      const { file, line } = first.source.placeOfHost(first.index);
      const same = first.name === name ? "" : ` as ${JSON.stringify(first.name)}`;
      source.report(
        ["hosts", index, "name"],
        `a host ${JSON.stringify(name)} stands in ${file}:${line} already${same}; rename or remove one of the two`,
      );
    });
  }
}

/** Whether a name is one that the stack's own hosts have, or will have once a location gets another slave. */
export function isOwnHost(name: string): boolean {
  return OWN_HOSTS.has(name.toLowerCase()) || OWN_HOST.test(name);
}

function freeNames(source: Source): void {
  source.rawHosts.forEach(({ name }, index) => {
    if (typeof name !== "string" || !isOwnHost(name)) return;
    const message = `the name ${JSON.stringify(name)} belongs to the stack's own containers; choose another one`;
    source.report(["hosts", index, "name"], message);
  });
}

function servicesOnce(
  source: Source,
  path: Path,
  content: Raw,
  nameOfCheck: (check: unknown) => string | undefined,
): void {
  const seen = new Set<string>();
  list(content["checks"]).forEach((check, index) => {
    const name = nameOfCheck(check);
    if (name === undefined) return;
    if (seen.has(name)) {
      const whose = path[0] === "roles" ? "role" : "host";
      const message = `the ${whose} has a check named ${JSON.stringify(name)} already; give this one a "name" of its own`;
      source.report([...path, "checks", index], message);
    }
    seen.add(name);
  });
}

function servicesOfRoles(sources: readonly Source[], nameOfCheck: NameOfCheck): ReadonlyMap<string, readonly string[]> {
  const roles = sources.flatMap((source) => mappings(source.section("roles")));
  return new Map(
    roles.map(([role, content]) => [role, list(content["checks"]).flatMap((check) => nameOfCheck(check, false) ?? [])]),
  );
}

function unwantedServices(
  source: Source,
  path: Path,
  host: Raw,
  services: ReadonlyMap<string, readonly string[]>,
): void {
  strings(host["without"]).forEach(([unwanted, index]) => {
    const brought = strings(host["roles"]).flatMap(([role]) => services.get(role) ?? []);
    if (brought.includes(unwanted)) return;
    const message = `no role of this host brings a service ${JSON.stringify(unwanted)}; ${suggestion(unwanted, brought, "services of its roles")}`;
    source.report([...path, "without", index], message);
  });
}

/** Periods may name each other across files. */
function periodReferences(sources: readonly Source[]): void {
  const written = sources.flatMap((source) => mappings(source.section("periods")));
  const all = written.map(([name, { except }]) => [name, { except: strings(except).map(([taken]) => taken) }] as const);
  for (const { path, message } of referenceProblems(Object.fromEntries(all))) {
    const source = sources.find((candidate) => Object.hasOwn(candidate.section("periods"), String(path[0])));
    source?.report(["periods", ...path], message);
  }
}

/** A rule names contacts and groups alike, so a name may not mean both. */
function contactNames(sources: readonly Source[]): void {
  const contacts = new Set(sources.flatMap((source) => Object.keys(source.section("contacts"))));
  for (const source of sources) {
    for (const group of Object.keys(source.section("contactGroups")).filter((name) => contacts.has(name))) {
      const message = `${JSON.stringify(group)} is the name of a contact, too; rename one of the two`;
      source.report(["contactGroups", group], message, "key");
    }
  }
}

/** Each circle of parents is said once, at the host in it that comes first. */
function parentCircles(sources: readonly Source[]): void {
  const parents = new Map<string, readonly string[]>();
  const places = new Map<string, { source: Source; index: number }>();
  for (const source of sources) {
    source.rawHosts.forEach((host, index) => {
      const through = strings(host["parents"]).map(([parent]) => parent);
      if (typeof host["name"] !== "string" || through.length === 0) return;
      parents.set(host["name"], through);
      places.set(host["name"], { source, index });
    });
  }
  const done = new Set<string>();
  for (const start of parents.keys()) {
    const circle = circleFrom(start, parents, done);
    if (circle === undefined) continue;
    const first = circle[0] ?? start;
    const place = places.get(first);
    const message = `a circle of parents: ${[...circle, first].join(" -> ")}; take one of them away`;
    place?.source.report(["hosts", place.index, "parents"], message);
  }
}

/** The first circle on the way from a host; without recursion, because chains may be long. */
function circleFrom(
  start: string,
  parents: ReadonlyMap<string, readonly string[]>,
  done: Set<string>,
): string[] | undefined {
  const way: { name: string; next: number }[] = [{ name: start, next: 0 }];
  const onWay = new Set([start]);
  let circle: string[] | undefined;
  while (way.length > 0) {
    const top = way.at(-1) as { name: string; next: number };
    const parent = done.has(top.name) ? undefined : parents.get(top.name)?.[top.next];
    top.next += 1;
    if (parent === undefined) {
      done.add(top.name);
      onWay.delete(top.name);
      way.pop();
    } else if (onWay.has(parent)) {
      if (parent !== top.name)
        circle ??= way.slice(way.findIndex(({ name }) => name === parent)).map(({ name }) => name);
    } else if (!done.has(parent)) {
      way.push({ name: parent, next: 0 });
      onWay.add(parent);
    }
  }
  return circle;
}

function mappings(section: Raw): [string, Raw][] {
  return Object.entries(section).filter((entry): entry is [string, Raw] => isMapping(entry[1]));
}

function list(written: unknown): readonly unknown[] {
  return Array.isArray(written) ? (written as unknown[]) : [];
}

/** The texts of a list, with their indices. */
function strings(written: unknown): [string, number][] {
  return list(written).flatMap((item, index) => (typeof item === "string" ? [[item, index] as [string, number]] : []));
}
