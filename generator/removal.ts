import { createHash } from "node:crypto";

/** When a removal of hosts is too large to be done without a word. It must be larger than both limits. */
export interface RemovalRule {
  /** Share of the hosts there are. */
  readonly percent: number;
  /** Number of hosts. */
  readonly hosts: number;
  /** Fingerprint of a removal that is meant. @default none */
  readonly confirmed?: string;
}

/** A package would remove more hosts than the rule allows. The package that is active stays so. */
export class RemovalRefused extends Error {
  override readonly name = "RemovalRefused";
}

const HOSTS_FILE = /^zones\.d\/[^/]+\/hosts\.conf$/;
const NAMES_SHOWN = 5;
/** Letters only: a setting such as 12345678 or 1234e567 would be a number in YAML. No vowels: no words. */
const LETTERS = "bcdfghjklmnpqrst";

/** Whether a package's file holds hosts of the inventory, and not the stack's own. */
export function isHostsFile(path: string): boolean {
  return HOSTS_FILE.test(path);
}

/** Names of the inventory's hosts in a package: path -> text. */
export function hostNames(files: ReadonlyMap<string, string>): Set<string> {
  const texts = [...files].filter(([path]) => isHostsFile(path)).map(([, text]) => text);
  const found = texts.flatMap((text) => [...text.matchAll(/^object Host "([^"]+)"/gm)]);
  return new Set(found.map(([, name]) => name ?? ""));
}

/**
 * Refuses to lose more hosts at once than a rule allows: a lost file or a wrong branch looks like a removal, too.
 *
 * @param current names of the hosts that are monitored now
 * @param wanted names of those that would be
 * @throws RemovalRefused saying which ones, and how to allow just that
 */
export function refuseLargeRemoval(current: ReadonlySet<string>, wanted: ReadonlySet<string>, rule: RemovalRule): void {
  const removed = [...current].filter((name) => !wanted.has(name)).sort();
  const isSmall = removed.length <= rule.hosts || removed.length <= (current.size * rule.percent) / 100;
  if (isSmall || rule.confirmed === fingerprintOf(removed)) return;
  throw new RemovalRefused(
    `${removed.length} of ${current.size} hosts would be removed at once (${listed(removed)}), more than ` +
      `${rule.percent} percent and more than ${rule.hosts}; if this is meant, set ` +
      `icinga-swarm:generator.confirmRemoval to ${fingerprintOf(removed)} and run pulumi up`,
  );
}

function listed(names: readonly string[]): string {
  const rest = names.length - NAMES_SHOWN;
  return names.slice(0, NAMES_SHOWN).join(", ") + (rest > 0 ? ` and ${rest} more` : "");
}

/** Stands for exactly these hosts, whatever else changes. */
function fingerprintOf(names: readonly string[]): string {
  const digest = createHash("sha256").update(names.join("\n")).digest();
  return [...digest.subarray(0, 8)].map((byte) => LETTERS[byte % LETTERS.length]).join("");
}
