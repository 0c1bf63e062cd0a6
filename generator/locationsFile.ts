import { z } from "zod";
import type { Problem } from "./inventoryFiles";
import { schemaProblems } from "./issues";
import { type Location, locationSchema } from "./location";
import { parseYaml, type Path, positionFinder } from "./yaml";

/** Where locations may stand: in a stack's file, or in a file of their own, with or without a heading. */
const PLACES: readonly Path[] = [["config", "icinga-swarm:locations"], ["locations"], []];

const schema = z.array(locationSchema);

/**
 * Reads the locations out of a stack's file (`Pulumi.<stack>.yaml`), or out of a file that holds only them.
 *
 * @param file its name, for messages
 * @param text its content
 */
export function readLocations(file: string, text: string): { locations: Location[]; problems: Problem[] } {
  const document = parseYaml(text);
  const position = positionFinder(text);
  if (document.complaints.length > 0) {
    const problems = document.complaints.map(({ offset, message }) => ({ file, ...position(offset), message }));
    return { locations: [], problems };
  }
  const place = PLACES.find((path) => Array.isArray(at(document.value, path)));
  if (place === undefined) {
    const message = "holds no list of locations; a stack's file has them under config: icinga-swarm:locations:";
    return { locations: [], problems: [{ file, line: 1, column: 1, message }] };
  }
  const value = at(document.value, place);
  const result = schema.safeParse(value);
  if (result.success) return { locations: result.data, problems: [] };
  const found = schemaProblems(schema, value, result.error.issues);
  const offsets = document.locate(found.map(({ path, what }) => ({ path: [...place, ...path], what })));
  const problems = found.map(({ message }, index) => ({ file, ...position(offsets[index] ?? 0), message }));
  return { locations: [], problems };
}

function at(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((container, part) => {
    if (typeof container !== "object" || container === null || !Object.hasOwn(container, part)) return undefined;
    return (container as Record<string | number, unknown>)[part];
  }, value);
}
