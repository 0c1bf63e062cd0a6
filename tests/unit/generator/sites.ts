import { type Location, locationSchema } from "../../../generator/location";

/** The locations that the tests of the generator share: a pair, a single slave, and five slaves in three pairs. */
export const SITES: readonly Location[] = [
  { name: "frankfurt", nodes: ["fra-1"], slaves: 2, displayName: 'Frankfurt "am Main"' },
  { name: "singapore", nodes: ["sin-1"] },
  { name: "chicago", nodes: ["chi-1"], slaves: 5 },
].map((location) => locationSchema.parse(location));
