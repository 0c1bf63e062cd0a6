import * as path from "node:path";
import { type InventoryFiles, loadInventoryFiles, type Problem } from "./inventoryFiles";
import {
  compare,
  type ContactGroup,
  type Contact,
  type Group,
  type Host,
  type Inventory,
  type NotificationRule,
  type Site,
} from "./model";
import { definitionProblems, ownCommand } from "./ownChecks";
import { checkReferences } from "./references";
import { BUILT_IN_TIMING, Resolver, type Sections } from "./resolve";
import {
  type InventoryFile,
  type InventoryHost,
  inventorySchemas,
  type NamedSection,
  type OwnCheck,
  ownCheckSchema,
  type Schemas,
  type WrittenCheck,
} from "./schema";
import { Source } from "./source";
import { seconds } from "./units";
import type { Path } from "./yaml";

export { describeProblem, type Problem } from "./inventoryFiles";
export { packShipment, unpackShipment } from "./shipment";
export { compare, type Host, type Inventory, type Site } from "./model";

/**
 * Reads and validates the inventory in a folder.
 *
 * @param dir the folder; its problems are reported as `<dir>/<file>`
 * @param locations the stack's locations
 * @returns every problem there is; the inventory is empty unless there are none
 */
export function readInventory(
  dir: string,
  locations: readonly Site[],
): { inventory: Inventory; problems: readonly Problem[] } {
  const { files, problems } = loadInventoryFiles(dir);
  const parsed = parseInventory(files, locations);
  const inDir = parsed.problems.map((problem) => ({ ...problem, file: path.join(dir, problem.file) }));
  return { inventory: parsed.inventory, problems: [...problems, ...inDir] };
}

/**
 * Validates an inventory's files, already read.
 *
 * @param files path -> text
 * @param locations the stack's locations
 * @returns as `readInventory`
 */
export function parseInventory(
  files: InventoryFiles,
  locations: readonly Site[],
): { inventory: Inventory; problems: readonly Problem[] } {
  const { sources, ownChecks } = readSources(files, locations);
  const problems = sources.flatMap((source) => source.problems());
  if (problems.length > 0) return { inventory: EMPTY, problems };
  // A large inventory is not in memory as it is written and as what it means at the same time.
  const inventory = build(sources, sectionsOf(sources, ownChecks), (source) => source.takeHosts());
  return { inventory, problems };
}

/** The files of an inventory, checked; and the checks that they define. */
export function readSources(
  files: InventoryFiles,
  locations: readonly Site[],
): { sources: Source[]; ownChecks: ReadonlyMap<string, OwnCheck> } {
  const sources = Object.keys(files)
    .sort()
    .map((file) => new Source(file, files[file] ?? ""));
  const ownChecks = readOwnChecks(sources);
  const schemas = inventorySchemas(ownChecks);
  for (const source of sources) source.validate(schemas);
  checkReferences(sources, locations, serviceNames(schemas, ownChecks));
  return { sources, ownChecks };
}

/** Place of something with a name, such as a host or a role; undefined if nothing is called so. */
export type Placed = { readonly section: "hosts" | NamedSection; readonly name: string };

/**
 * Where something stands in an inventory. Looked up when somebody asks: places kept for everything would cost more than
 * they are worth.
 *
 * @param files the inventory's files
 */
export function placeOf(files: InventoryFiles, { section, name }: Placed): Omit<Problem, "message"> | undefined {
  for (const file of Object.keys(files).sort()) {
    const source = new Source(file, files[file] ?? "");
    if (section !== "hosts") {
      if (Object.hasOwn(source.section(section), name)) return source.place([section, name], "key");
      continue;
    }
    const index = source.rawHosts.findIndex((host) => host["name"] === name);
    if (index >= 0) return source.placeOfHost(index);
  }
  return undefined;
}

const EMPTY: Inventory = {
  defaults: BUILT_IN_TIMING,
  ownNotify: [],
  hosts: [],
  hostGroups: [],
  serviceGroups: [],
  commands: [],
  contacts: [],
  contactGroups: [],
  periods: {},
  notifications: [],
};

/** Of two definitions with the same name, which is a problem of its own, the first counts. */
function readOwnChecks(sources: readonly Source[]): ReadonlyMap<string, OwnCheck> {
  const own = new Map<string, OwnCheck>();
  for (const source of sources) {
    for (const [name, written] of Object.entries(source.section("checks"))) {
      const definition = ownCheckSchema.safeParse(written);
      if (definition.success) {
        const path: Path = ["checks", name];
        for (const problem of definitionProblems(definition.data)) {
          source.report(
            [...path, ...problem.path.map((part) => (/^\d+$/.test(part) ? Number(part) : part))],
            problem.message,
          );
        }
      }
      // A definition that is wrong still is one: those who use it are not to blame.
      if (!own.has(name)) own.set(name, definition.success ? definition.data : { description: "" });
    }
  }
  return own;
}

/** Names of services, also of hosts and roles that have other problems. */
function serviceNames(schemas: Schemas, checks: ReadonlyMap<string, OwnCheck>) {
  const resolver = new Resolver({ defaults: {}, locations: new Map(), roles: new Map(), checks });
  return (written: unknown, isValid: boolean): string | undefined => {
    const isGood = isValid || schemas.check.safeParse(written).success;
    return isGood ? resolver.parse(written as WrittenCheck).name : undefined;
  };
}

/** What the files say together, beside their hosts. */
export function sectionsOf(sources: readonly Source[], ownChecks: ReadonlyMap<string, OwnCheck>): Sections {
  const contents = sources.flatMap(({ content }) => content ?? []);
  return {
    defaults: contents.map(({ defaults }) => defaults).find((found) => found !== undefined) ?? {},
    locations: new Map(entries(contents, "locations")),
    roles: new Map(entries(contents, "roles")),
    checks: ownChecks,
  };
}

/**
 * The inventory of files that have no problems.
 *
 * @param hostsOf how to get at a file's hosts; by default the file keeps them
 */
export function build(
  sources: readonly Source[],
  sections: Sections,
  hostsOf: (source: Source) => Iterable<InventoryHost> = (source) => source.hosts.values(),
): Inventory {
  const contents = sources.flatMap(({ content }) => content ?? []);
  const resolver = new Resolver(sections);
  const hosts: Host[] = [];
  for (const source of sources) for (const host of hostsOf(source)) hosts.push(resolver.host(host));
  hosts.sort((left, right) => compare(left.name, right.name));
  const contactGroups = entries(contents, "contactGroups").map(([name, group]): ContactGroup => ({ name, ...group }));
  return {
    defaults: resolver.timing,
    ownNotify: sections.defaults.notify ?? entries(contents, "notifications").map(([name]) => name),
    hosts,
    hostGroups: groups(
      entries(contents, "groups"),
      hosts.map((host) => host.groups),
    ),
    serviceGroups: groups(
      entries(contents, "serviceGroups"),
      hosts.flatMap((host) => host.checks.map((check) => check.groups)),
    ),
    commands: entries(contents, "checks").flatMap(([name, check]) => ownCommand(name, check) ?? []),
    contacts: entries(contents, "contacts").map(([name, contact]): Contact => ({ name, ...contact })),
    contactGroups,
    periods: Object.fromEntries(entries(contents, "periods")),
    notifications: entries(contents, "notifications").map(([name, rule]) => toRule(name, rule, contactGroups)),
  };
}

function toRule(
  name: string,
  { contacts, on, period, after, until, repeat }: InventoryFile["notifications"][string],
  groups: readonly ContactGroup[],
): NotificationRule {
  const named = groups.filter((group) => contacts.includes(group.name));
  // Who is in a group that the rule names is told by that.
  const known = new Set(named.flatMap((group) => [group.name, ...group.members]));
  return {
    name,
    contacts: contacts.filter((contact) => !known.has(contact)).sort(compare),
    contactGroups: named.map((group) => group.name),
    on,
    period,
    after: after === undefined || after === "at once" ? 0 : seconds(after),
    until: until === undefined ? undefined : seconds(until),
    repeat: repeat === undefined ? 0 : seconds(repeat),
  };
}

/** The entries of a section of all files, sorted by name. */
function entries<Section extends NamedSection>(
  contents: readonly InventoryFile[],
  section: Section,
): [string, InventoryFile[Section][string]][] {
  const all = contents.flatMap((content) => Object.entries(content[section]));
  return all.sort(([left], [right]) => compare(left, right)) as [string, InventoryFile[Section][string]][];
}

/** Groups that have members, and those that were given a title. */
function groups(
  titled: readonly (readonly [string, { displayName?: string | undefined }])[],
  used: readonly (readonly string[])[],
): Group[] {
  const titles = new Map(titled.map(([name, { displayName }]) => [name, displayName]));
  const names = new Set(titles.keys());
  for (const list of used) for (const name of list) names.add(name);
  return [...names].sort(compare).map((name) => ({ name, displayName: titles.get(name) }));
}
