import { brotliCompressSync, brotliDecompressSync, constants } from "node:zlib";
import { type InventoryFiles, loadInventoryFiles } from "./inventoryFiles";
import type { Location } from "./location";

/** A Docker config holds 500 kB (512,000 bytes). */
const CHUNK_SIZE = 500_000;

/** What the generator's service needs of a stack. */
export interface Shipment {
  readonly files: InventoryFiles;
  readonly locations: readonly Pick<Location, "name" | "slaves" | "displayName">[];
}

/**
 * Packs an inventory and the locations for the way into the swarm. The same content gives the same text on every
 * machine; that is why it is Brotli: what gzip writes depends on the processor. Of a location only what the generator
 * uses goes in, so that a new node does not make a new shipment.
 *
 * @param dir the inventory's folder; undefined if the inventory goes another way
 * @param locations the stack's locations
 * @returns base64 text in pieces that each fit a Docker config, in order
 */
export function packShipment(
  dir: string | undefined,
  locations: readonly Pick<Location, "name" | "slaves" | "displayName">[],
): string[] {
  const { files, problems } = dir === undefined ? { files: {}, problems: [] } : loadInventoryFiles(dir);
  if (problems.length > 0) throw new Error(problems.map(({ file, message }) => `${file}: ${message}`).join("\n"));
  const shipment: Shipment = {
    files,
    locations: locations.map(({ name, slaves, displayName }) => ({ name, slaves, displayName })),
  };
  const json = Buffer.from(JSON.stringify(shipment), "utf8");
  const params = { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_SIZE_HINT]: json.length };
  const text = brotliCompressSync(json, { params }).toString("base64");
  return Array.from({ length: Math.ceil(text.length / CHUNK_SIZE) }, (_, index) =>
    text.slice(index * CHUNK_SIZE, (index + 1) * CHUNK_SIZE),
  );
}

/**
 * The reverse of `packShipment`.
 *
 * @param chunks the pieces, in order
 */
export function unpackShipment(chunks: readonly string[]): Shipment {
  const json = brotliDecompressSync(Buffer.from(chunks.join(""), "base64")).toString("utf8");
  return JSON.parse(json) as Shipment;
}
