import type { InventoryFiles, Problem } from "./inventoryFiles";

/** An inventory as it was at one time. The same object stands for the same content. */
export interface Snapshot {
  readonly files: InventoryFiles;
  /** What could not be read of it. */
  readonly problems: readonly Problem[];
  /** Which one it is, for people, such as `commit 1a2b3c4`; undefined for what `pulumi up` shipped. */
  readonly origin?: string;
}

/** Why a source could not be looked at. */
export interface Trouble {
  /** What is wrong, and what to do if time will not mend it. */
  readonly message: string;
  /** Whether time will not mend it. */
  readonly isDefinite: boolean;
}

/** What a look at a source brought. */
export interface Sighting {
  /** The newest inventory that could be had; undefined as long as there is none. */
  readonly newest?: Snapshot;
  /** The one that was last active, in this run or an earlier one: to stay with while the newest is no good. */
  readonly good?: Snapshot;
  /** Set as long as the last look that was due has failed. */
  readonly trouble?: Trouble;
}

/** Where the inventory comes from. */
export interface InventorySource {
  /** Cheap unless something is due; never throws for what is wrong outside of this program. */
  look(): Promise<Sighting>;
  /** Told when an inventory has become active. */
  accept(snapshot: Snapshot): void;
}

/** The inventory that `pulumi up` shipped: it stays the same for as long as this program runs. */
export function shippedSource(files: InventoryFiles): InventorySource {
  const newest = { files, problems: [] };
  return { look: () => Promise.resolve({ newest }), accept: () => undefined };
}
