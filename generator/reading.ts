import { build, type Inventory, type Problem, readSources, sectionsOf, type Site } from "./inventory";
import type { InventoryFiles } from "./inventoryFiles";
import { Resolver, type Sections } from "./resolve";
import type { InventoryHost } from "./schema";
import type { Source } from "./source";

/** A host as written, and where. */
export interface WrittenHost {
  readonly written: InventoryHost;
  readonly source: Source;
  /** Its place in the list of hosts of that file. */
  readonly index: number;
}

/** A valid inventory with what its files say: for those who ask why something is as it is. */
export interface Reading {
  readonly inventory: Inventory;
  readonly locations: readonly Site[];
  readonly sources: readonly Source[];
  readonly sections: Sections;
  readonly resolver: Resolver;
  /** By name. */
  readonly hosts: ReadonlyMap<string, WrittenHost>;
}

/**
 * Reads an inventory and keeps what it is made from.
 *
 * @param files path -> text; places are told with these paths
 * @param locations the stack's locations
 * @returns every problem there is; nobody should look at the reading unless there are none
 */
export function readClosely(
  files: InventoryFiles,
  locations: readonly Site[],
): { reading: Reading; problems: readonly Problem[] } {
  const { sources, ownChecks } = readSources(files, locations);
  const problems = sources.flatMap((source) => source.problems());
  const valid = problems.length > 0 ? [] : sources;
  const sections = sectionsOf(valid, ownChecks);
  const hosts = valid.flatMap((source) =>
    [...source.hosts].map(([index, written]) => [written.name, { written, source, index }] as const),
  );
  const reading: Reading = {
    inventory: build(valid, sections),
    locations,
    sources: valid,
    sections,
    resolver: new Resolver(sections),
    hosts: new Map(hosts),
  };
  return { reading, problems };
}
