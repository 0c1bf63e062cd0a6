import { findProgram, installPackages } from "../toolchain/hostCommand";
import { seedDataRoot } from "../tests/swarm/seed";
import { ensurePulumi } from "../toolchain/pulumi";
import { type Need, type Result, type Suite, sum, SUITES } from "./test/suites";
import { UserError } from "./userError";

/** A suite that was run, or a preparation. */
interface Timed {
  readonly name: string;
  readonly seconds: number;
  /** Undefined for a preparation that went well. */
  readonly result?: Result;
}

/**
 * `npm test [-- <suite> ...]`: all suites, or those named, in order; gets what they need first. Goes on after a failure.
 * Its last line is `<n> passed, <n> failed`.
 */
export async function main(names: readonly string[]): Promise<number> {
  const suites = chooseSuites(names);
  const timed: Timed[] = [];
  const missing = await prepare(suites, timed);
  for (const suite of suites) {
    console.log(`\n=== ${suite.name}`);
    const lacks = suite.needs.filter((need) => missing.has(need));
    if (lacks.length > 0) {
      console.error(`${suite.name} was not run: it needs ${lacks.join(" and ")}, which failed above`);
      timed.push({ name: suite.name, seconds: 0, result: { passed: 0, failed: 1 } });
      continue;
    }
    timed.push(await time(suite.name, suite.run));
  }
  const total = sum(timed.map(({ result }) => result ?? { passed: 0, failed: 0 }));
  console.log(["", ...table(timed), `${total.passed} passed, ${total.failed} failed`].join("\n"));
  return total.failed === 0 ? 0 : 1;
}

/** @throws UserError for a name that no suite has */
export function chooseSuites(names: readonly string[], suites = SUITES): Suite[] {
  const unknown = names.filter((name) => !suites.some((suite) => suite.name === name));
  if (unknown.length > 0) {
    const known = suites.map(({ name }) => name).join(", ");
    throw new UserError(`there is no suite ${unknown.map((name) => `"${name}"`).join(", ")}; the suites are: ${known}`);
  }
  return suites.filter(({ name }) => names.length === 0 || names.includes(name));
}

/** One line for each suite and preparation, in columns. */
export function table(timed: readonly Timed[]): string[] {
  const width = Math.max(...timed.map(({ name }) => name.length));
  return timed.map(({ name, seconds, result }) => {
    const counts = result ? `${result.passed} passed, ${result.failed} failed` : "ready";
    return `${name.padEnd(width)}  ${seconds.toFixed(1).padStart(7)} s  ${counts}`;
  });
}

/**
 * Gets what the suites need. What cannot be had fails the suites that need it, and no others.
 *
 * @returns what could not be had
 */
async function prepare(suites: readonly Suite[], timed: Timed[]): Promise<ReadonlySet<Need>> {
  const say = (line: string): void => console.log(line);
  const programs = suites.flatMap((suite) => suite.programs).filter(({ name }) => findProgram(name) === undefined);
  const packages = [...new Set(programs.map((program) => program.package))];
  if (packages.length > 0) {
    const step = await time("programs", () =>
      installPackages(packages, "the tests run them", say).then(() => undefined),
    );
    timed.push(step);
  }
  const makers: Readonly<Record<Need, () => Promise<unknown>>> = {
    pulumi: () => ensurePulumi(say),
    "test images": () => seedDataRoot(say),
  };
  const needs = [...new Set(suites.flatMap((suite) => suite.needs))];
  // Side by side: compilers take the processors, images mostly wait for downloads and the disk.
  const steps = await Promise.all(needs.map((need) => time(need, () => makers[need]().then(() => undefined))));
  timed.push(...steps);
  return new Set(needs.filter((_, index) => steps[index]?.result !== undefined));
}

/** Runs a step; what it throws is shown and counts as one failure. */
async function time(name: string, step: () => Promise<Result | undefined>): Promise<Timed> {
  const began = Date.now();
  const result = await step().catch((error: unknown) => {
    console.error(error);
    return { passed: 0, failed: 1 };
  });
  return { name, seconds: (Date.now() - began) / 1000, result };
}
