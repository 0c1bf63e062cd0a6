import * as crypto from "node:crypto";
import type { Location } from "../generator/location";
import { type Cidr, formatCidr, overlaps, parseCidr } from "./cidr";

/**
 * Prefix of the network that the slaves of one location with a direct uplink share: 62 addresses are enough for the most
 * slaves that a location can have, one for each node they are on, and the gateway.
 */
export const DIRECT_PREFIX = 26;
const SIZE = 2 ** (32 - DIRECT_PREFIX);

/** How many such networks a range has room for; 0 for what is no subnet. */
export function directSlots(range: string): number {
  const { first, end } = parseCidr(range) ?? { first: 0, end: 0 };
  return Math.floor((end - first) / SIZE);
}

/**
 * The subnet of a location's own network. It follows from its name alone, so that no other location's coming and going
 * ever changes it; two names may share one, which is a problem of the settings that `subnet` solves.
 *
 * @param location its name, and the subnet if it was given one
 * @param range that all of them are in
 */
export function directSubnet({ name, subnet }: Pick<Location, "name" | "subnet">, range: string): string {
  return subnet ?? slotOf(range, crypto.createHash("sha256").update(name).digest().readUInt32BE() % directSlots(range));
}

/** The first subnet of a range that is clear of all of these; undefined if there is none left. */
export function freeDirectSubnet(range: string, taken: readonly Cidr[]): string | undefined {
  const slots = Array.from({ length: directSlots(range) }, (_, slot) => slotOf(range, slot));
  return slots.find((slot) => !taken.some((other) => overlaps(other, parseCidr(slot) as Cidr)));
}

function slotOf(range: string, slot: number): string {
  const { first } = parseCidr(range) ?? { first: 0 };
  return formatCidr(first + slot * SIZE, DIRECT_PREFIX);
}
