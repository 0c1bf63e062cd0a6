import { findProgram, installPackages } from "../toolchain/hostCommand";
import { ensurePulumi } from "../toolchain/pulumi";
import { type Result, type Suite, sum, SUITES } from "./testSuites";
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
  const prepared = await prepare(suites, timed);
  for (const suite of suites) {
    console.log(`\n=== ${suite.name}`);
    if (suite.pulumi && !prepared.pulumi) {
      console.error(`${suite.name} was not run: there is no Pulumi to run it with, see above`);
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

/** Gets what the suites need. What cannot be had fails the suites that need it, and no others. */
async function prepare(suites: readonly Suite[], timed: Timed[]): Promise<{ readonly pulumi: boolean }> {
  const say = (line: string): void => console.log(line);
  const programs = suites.flatMap((suite) => suite.programs).filter(({ name }) => findProgram(name) === undefined);
  const packages = [...new Set(programs.map((program) => program.package))];
  if (packages.length > 0) {
    const step = await time("programs", () =>
      installPackages(packages, "the tests run them", say).then(() => undefined),
    );
    timed.push(step);
  }
  if (!suites.some(({ pulumi }) => pulumi)) return { pulumi: true };
  const step = await time("pulumi", () => ensurePulumi(say).then(() => undefined));
  timed.push(step);
  return { pulumi: step.result === undefined };
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
