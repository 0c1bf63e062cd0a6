import { execFileSync } from "node:child_process";
import { join } from "node:path";

const PROGRAM = join(__dirname, "../../../images/icinga-slave/reload-missed");

/** Lets a Watch look; each step is what it is told: now, when the files were replaced, when the process began. */
const LOOKS = `
import importlib.machinery, importlib.util, json, sys
loader = importlib.machinery.SourceFileLoader("program", sys.argv[1])
program = importlib.util.module_from_spec(importlib.util.spec_from_loader("program", loader))
loader.exec_module(program)
watch = program.Watch()
print(json.dumps([watch.look(*step) for step in json.loads(sys.argv[2])]))
`;

type Step = readonly [now: number, replaced: number | null, began: number | null];

function looks(...steps: readonly Step[]): boolean[] {
  const output = execFileSync("python3", ["-B", "-c", LOOKS, PROGRAM, JSON.stringify(steps)], { encoding: "utf8" });
  return JSON.parse(output) as boolean[];
}

it("asks for a reload once files have been newer than the process for ten seconds", () => {
  expect(looks([0, 90, 100], [2, 105, 100], [10, 105, 100], [12, 105, 100])).toEqual([false, false, false, true]);
});

it("leaves a reload alone that Icinga makes by itself, however long it takes", () => {
  expect(looks([0, 105, 100], [5, 105, null], [60, 105, null], [62, 105, 106], [99, 105, 106])).not.toContain(true);
  // And again by new files while a process is new.
  expect(looks([0, 105, 100], [9, 105, null], [11, 112, 111], [13, 112, 111])).not.toContain(true);
});

it("asks once for the same files, also where the wall clock makes them newer than every process", () => {
  const steps = Array.from({ length: 50 }, (_, index): Step => [index * 2, 9000, 100 + index]);
  expect(looks(...steps).filter(Boolean)).toHaveLength(1);
  expect(looks(...steps, [200, 9999, 300], [220, 9999, 300]).filter(Boolean)).toHaveLength(2);
});

it("waits for Icinga, and for its first files", () => {
  expect(looks([0, null, 100], [50, null, 100], [99, 105, null])).not.toContain(true);
});
