import { createHash } from "node:crypto";
import type { Pair } from "./location";

/**
 * The pair that checks a host: the one whose hash with the host's name is highest (rendezvous hashing), so that a further
 * pair takes its share from all others and moves nothing between them.
 *
 * @param host the host's name
 * @param pairs the location's pairs, at least one
 */
export function assignPair(host: string, pairs: readonly Pair[]): Pair {
  const [first, ...others] = pairs;
  if (first === undefined) throw new Error(`no pair to assign ${host} to`);
  if (others.length === 0) return first;
  return others.reduce(
    (best, pair) => {
      const weight = weigh(host, pair.zone);
      return weight > best.weight ? { pair, weight } : best;
    },
    { pair: first, weight: weigh(host, first.zone) },
  ).pair;
}

function weigh(host: string, zone: string): string {
  // Neither name can hold a line break, so no two combinations read the same.
  return createHash("sha256").update(`${host}\n${zone}`).digest("hex");
}
