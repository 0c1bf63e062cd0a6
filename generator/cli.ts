import * as fs from "node:fs";
import * as path from "node:path";
import { parseArgs, type ParseArgsConfig } from "node:util";
import { describeProblem, readInventory, type Site } from "./inventory";
import { readLocations } from "./locationsFile";
import { suggestion } from "./nearest";
import { renderPackage } from "./package";
import { mondayOf } from "./periods";
import { parseYaml } from "./yaml";

export const HELP = `usage: npm run inventory -- <command> [options]

Looks at an inventory without a swarm, Pulumi or Icinga.

Commands:
  check     says every problem as file:line:column, or that there is none
  render    writes the Icinga configuration package that the inventory makes

Options:
  --stack <name>       take the inventory and the locations from Pulumi.<name>.yaml
  --inventory <dir>    the inventory's folder, in place of the stack's
  --locations <file>   a file with a list of locations (name and slaves), in place of the stack's
  --output <dir>       render: write the package's files below this folder; it must be empty or not there yet
  --help               this text

Examples:
  npm run inventory -- check --stack prod
  npm run inventory -- render --stack dev
  npm run inventory -- render --inventory inventory/prod --locations Pulumi.prod.yaml --output /tmp/package

Ends with 0 when all is well, 1 when the inventory has problems, 2 when the command line has.
`;

/** Where a command's words go, and where relative paths start. */
export interface Surroundings {
  /** The project's folder: stacks, and the inventories they name. */
  readonly root: string;
  /** Where the user is: what they name on the command line. */
  readonly cwd: string;
  readonly now: () => Date;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

/** What the user can mend on the command line. */
class UsageError extends Error {}

/** The inventory is not valid; every problem was said. */
class InvalidInventory extends Error {}

interface Source {
  /** The inventory's folder, as it was named. */
  readonly dir: string;
  readonly folder: string;
  readonly locations: readonly Site[];
}

type Options = Readonly<Record<string, string | undefined>>;

const COMMANDS: Readonly<Record<string, (source: Source, options: Options, around: Surroundings) => void>> = {
  check,
  render,
};

/**
 * Runs one inventory command.
 *
 * @param argv the arguments behind the script's name
 * @returns the exit code: 0, 1 (problems in the inventory), 2 (a wrong command line)
 */
export function run(argv: readonly string[], around: Surroundings): number {
  try {
    const { command, options } = parse(argv);
    if (command === undefined) {
      around.out(HELP);
      return 0;
    }
    command(findSource(options, around), options, around);
    return 0;
  } catch (error) {
    if (error instanceof InvalidInventory) return 1;
    if (!(error instanceof UsageError)) throw error;
    around.err(`${error.message}\nnpm run inventory -- --help explains the command line.\n`);
    return 2;
  }
}

const OPTIONS = {
  stack: { type: "string" },
  inventory: { type: "string" },
  locations: { type: "string" },
  output: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const satisfies ParseArgsConfig["options"];

function parse(argv: readonly string[]): { command: (typeof COMMANDS)[string] | undefined; options: Options } {
  const { values, positionals } = parseStrictly(argv);
  if (values.help === true) return { command: undefined, options: {} };
  const [name, ...others] = positionals;
  const names = Object.keys(COMMANDS);
  if (name === undefined) throw new UsageError(`say what to do: ${names.join(" or ")}`);
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined)
    throw new UsageError(`there is no command ${name}; ${suggestion(name, names, "commands")}`);
  if (others.length > 0) throw new UsageError(`one command at a time, not also ${others.join(" ")}`);
  const { help: _help, ...options } = values;
  return { command, options };
}

function parseStrictly(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true, strict: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function findSource({ stack, inventory, locations }: Options, around: Surroundings): Source {
  if (stack === undefined && (inventory === undefined || locations === undefined)) {
    throw new UsageError("say which inventory: --stack <name>, or both --inventory <dir> and --locations <file>");
  }
  const stackFile = `Pulumi.${stack}.yaml`;
  const ofStack = () => read(path.join(around.root, stackFile), stackFile);
  const dir = inventory ?? inventoryOfStack(stackFile, ofStack());
  const text = locations === undefined ? ofStack() : read(path.resolve(around.cwd, locations), locations);
  return {
    dir,
    folder: path.resolve(inventory === undefined ? around.root : around.cwd, dir),
    locations: validLocations(locations ?? stackFile, text, around),
  };
}

function read(file: string, shown: string): string {
  if (!fs.existsSync(file)) throw new UsageError(`there is no file ${shown}`);
  return fs.readFileSync(file, "utf8");
}

function inventoryOfStack(file: string, text: string): string {
  const { value } = parseYaml(text);
  const config = (value as { config?: Record<string, unknown> } | undefined)?.config;
  const dir = config?.["icinga-swarm:inventory"];
  if (typeof dir !== "string")
    throw new UsageError(`${file} has no icinga-swarm:inventory; say it with --inventory <dir>`);
  return dir;
}

function validLocations(file: string, text: string, { err }: Surroundings): Site[] {
  const { locations, problems } = readLocations(file, text);
  if (problems.length === 0) return locations;
  for (const problem of problems) err(`${describeProblem(problem)}\n`);
  throw new InvalidInventory();
}

function validInventory({ dir, folder, locations }: Source, { err }: Surroundings) {
  const { inventory, problems } = readInventory(folder, locations);
  if (problems.length === 0) return inventory;
  for (const problem of problems) {
    // With the folder as the user wrote it, so that the place can be clicked or pasted.
    err(`${describeProblem({ ...problem, file: path.join(dir, path.relative(folder, problem.file)) })}\n`);
  }
  err(`${counted(problems.length, "problem")}\n`);
  throw new InvalidInventory();
}

function check(source: Source, _options: Options, around: Surroundings): void {
  const { hosts } = validInventory(source, around);
  const checks = hosts.reduce((sum, host) => sum + host.checks.length, 0);
  around.out(`${source.dir}: ${counted(hosts.length, "host")} with ${counted(checks, "check")}, no problems\n`);
}

function render(source: Source, { output }: Options, around: Surroundings): void {
  const files = renderPackage(validInventory(source, around), source.locations, { monday: mondayOf(around.now()) });
  if (output === undefined) {
    for (const [file, text] of files) around.out(`// ===== ${file}\n${text}\n`);
    return;
  }
  const folder = path.resolve(around.cwd, output);
  // Files of an earlier run that the package no longer has would still be loaded.
  if (fs.existsSync(folder) && fs.readdirSync(folder).length > 0) {
    throw new UsageError(`${output} is not empty; name a folder that is not there yet`);
  }
  for (const [file, text] of files) {
    const target = path.join(folder, file);
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.writeFileSync(target, text);
  }
  around.out(`${files.size} files written below ${output}\n`);
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
