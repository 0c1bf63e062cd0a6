import * as fs from "node:fs";
import * as path from "node:path";
import { z } from "zod";
import { describeProblem, type Inventory, type Problem, readInventory, type Site } from "../inventory";
import { loadInventoryFiles } from "../inventoryFiles";
import { schemaProblems } from "../issues";
import { replayHoursSchema } from "../location";
import { readLocations } from "../locationsFile";
import { type Reading, readClosely } from "../reading";
import { Source as SourceFile } from "../source";
import { counted } from "../units";
import { type Call, InvalidInventory, type Option, type Surroundings, UsageError } from "./command";

/** Options of commands that look at an inventory. */
export const SOURCE_OPTIONS: Readonly<Record<string, Option>> = {
  stack: { value: "<name>", text: "take the inventory and the locations from Pulumi.<name>.yaml" },
  inventory: { value: "<dir>", text: "the inventory's folder, in place of the stack's" },
  locations: {
    value: "<file>",
    text: "a file with a list of locations (name, nodes, slaves), in place of the stack's",
  },
};

/** A file or folder, as it was named and where it is. */
export interface Named {
  readonly shown: string;
  readonly path: string;
}

/** What the command line says of the inventory to look at. */
export interface Choice {
  /** The stack's file; undefined if no stack was named. */
  readonly stack: Named | undefined;
  /** Undefined for what the stack says. */
  readonly inventory: Named | undefined;
  /** Where the locations stand. */
  readonly locations: Named;
}

/** An inventory's folder, and the locations beside it. */
export interface Source {
  readonly dir: Named;
  readonly locations: readonly Site[];
}

/** @throws UsageError if it is not said which inventory */
export function choose({ options: { stack, inventory, locations } }: Call, { root, cwd }: Surroundings): Choice {
  const isNamed = inventory !== undefined && locations !== undefined;
  if (stack === undefined && !isNamed) {
    throw new UsageError("say which inventory: --stack <name>, or both --inventory <dir> and --locations <file>");
  }
  const named = (shown: string): Named => ({ shown, path: path.resolve(cwd, shown) });
  const ofStack: Named = { shown: `Pulumi.${stack}.yaml`, path: path.join(root, `Pulumi.${stack}.yaml`) };
  return {
    stack: stack === undefined ? undefined : ofStack,
    inventory: inventory === undefined ? undefined : named(inventory),
    locations: locations === undefined ? ofStack : named(locations),
  };
}

/**
 * Finds the inventory that the command line means, as it is now.
 *
 * @throws UsageError, InvalidInventory
 */
export function findSource(call: Call, around: Surroundings): Source {
  const { stack, inventory, locations } = choose(call, around);
  const dir = inventory ?? inventoryOfStack(stack as Named, read(stack as Named), around);
  return { dir, locations: validLocations(locations, read(locations), around) };
}

function read({ shown, path: file }: Named): string {
  if (!fs.existsSync(file)) throw new UsageError(`there is no file ${shown}`);
  return fs.readFileSync(file, "utf8");
}

/** @throws UsageError if the stack names none, InvalidInventory */
export function inventoryOfStack(stack: Pick<Named, "shown">, text: string, around: Surroundings): Named {
  const file = new SourceFile(stack.shown, text);
  if (file.hasProblems) throw refuse(file.problems(), around);
  const dir = file.section("config")["icinga-swarm:inventory"];
  if (typeof dir !== "string")
    throw new UsageError(`${stack.shown} has no icinga-swarm:inventory; say it with --inventory <dir>`);
  return { shown: dir, path: path.resolve(around.root, dir) };
}

const replayConfig = z.object({
  "icinga-swarm:retention": z.object({ replayHours: replayHoursSchema }).prefault({}),
});

/**
 * Hours that the replay log is kept, by the stack's file; undefined if the command line names no stack.
 *
 * @throws UsageError, InvalidInventory
 */
export function replayHoursOfStack(call: Call, around: Surroundings): number | undefined {
  const { stack } = choose(call, around);
  if (stack === undefined) return undefined;
  const file = new SourceFile(stack.shown, read(stack));
  // As settings.ts has it: what is empty is not set.
  const config = { "icinga-swarm:retention": file.section("config")["icinga-swarm:retention"] || undefined };
  const { data, error } = replayConfig.safeParse(config);
  for (const { path: at, message, what } of schemaProblems(replayConfig, config, error?.issues ?? [])) {
    file.report(["config", ...at], message, what);
  }
  if (file.hasProblems) throw refuse(file.problems(), around);
  return data?.["icinga-swarm:retention"].replayHours;
}

/** @throws InvalidInventory */
export function validLocations(file: Pick<Named, "shown">, text: string, around: Surroundings): Site[] {
  const { locations, problems } = readLocations(file.shown, text);
  if (problems.length === 0) return locations;
  throw refuse(problems, around);
}

/** @throws InvalidInventory */
export function validInventory({ dir, locations }: Source, around: Surroundings): Inventory {
  const { inventory, problems } = readInventory(dir.path, locations);
  if (problems.length === 0) return inventory;
  // With the folder as the user wrote it, so that the place can be clicked or pasted.
  const named = problems.map((problem) => ({
    ...problem,
    file: path.join(dir.shown, path.relative(dir.path, problem.file)),
  }));
  throw refuse(named, around);
}

/**
 * The same, with what its files say.
 *
 * @throws InvalidInventory
 */
export function validReading({ dir, locations }: Source, around: Surroundings): Reading {
  const { files, problems } = loadInventoryFiles(dir.path);
  const named = Object.fromEntries(Object.entries(files).map(([file, text]) => [path.join(dir.shown, file), text]));
  const unreadable = problems.map((problem) => ({
    ...problem,
    file: path.join(dir.shown, path.relative(dir.path, problem.file)),
  }));
  const result = readClosely(named, locations);
  if (unreadable.length + result.problems.length > 0) throw refuse([...unreadable, ...result.problems], around);
  return result.reading;
}

/** Says what is wrong; what it returns is to be thrown. */
export function refuse(problems: readonly Problem[], { err }: Surroundings): InvalidInventory {
  for (const problem of problems) err(`${describeProblem(problem)}\n`);
  err(`${counted(problems.length, "problem")}\n`);
  return new InvalidInventory();
}
