import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describeProblem, readInventory } from "../generator/inventory";
import { renderPackage } from "../generator/package";
import { SAMPLE_SITES } from "./sampleInventory";

/** What one run of the generator took. */
export interface GeneratorRun {
  /** Seconds to read and validate the inventory. */
  readonly read: number;
  /** Seconds to render the package. */
  readonly render: number;
  /** Most memory the process ever had, in bytes. */
  readonly memory: number;
}

/**
 * A process of its own: reads the inventory in a folder, writes its package into another one, and prints a
 * `GeneratorRun` as JSON.
 */
function main([inventoryFolder = "", packageFolder = ""]: readonly string[]): void {
  const start = performance.now();
  const { inventory, problems } = readInventory(inventoryFolder, SAMPLE_SITES);
  if (problems.length > 0) throw new Error(problems.map(describeProblem).join("\n"));
  const validated = performance.now();
  const files = renderPackage(inventory, SAMPLE_SITES, { monday: "2026-11-23" });
  const rendered = performance.now();
  const run: GeneratorRun = {
    read: (validated - start) / 1000,
    render: (rendered - validated) / 1000,
    memory: peakMemory(),
  };
  for (const [path, text] of files) {
    mkdirSync(dirname(join(packageFolder, path)), { recursive: true });
    writeFileSync(join(packageFolder, path), text);
  }
  process.stdout.write(JSON.stringify(run));
}

/** Of this very process: `resourceUsage` would count what its parent had when it was forked. */
function peakMemory(): number {
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
  return Number(kilobytes) * 1024;
}

main(process.argv.slice(2));
