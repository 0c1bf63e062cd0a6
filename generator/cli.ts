import { parseArgs, type ParseArgsConfig } from "node:util";
import { check } from "./cli/check";
import { type Call, type Command, InvalidInventory, type Option, type Surroundings, UsageError } from "./cli/command";
import { diff } from "./cli/diff";
import { explain } from "./cli/explain";
import { importNagios } from "./cli/importNagios";
import { probe } from "./cli/probe";
import { render } from "./cli/render";
import { schema } from "./cli/schema";
import { SOURCE_OPTIONS } from "./cli/source";
import { suggestion } from "./nearest";

/** In the order of the help. An entry is all that a new command needs. */
const COMMANDS: Readonly<Record<string, Command>> = {
  check,
  explain,
  diff,
  render,
  schema,
  "import-nagios": importNagios,
  probe,
};

const CALL = "npm run inventory --";

const ENDS = `Ends with 0 when all is well, 1 when the inventory has problems, 2 when the command line has.
`;

/**
 * Runs one inventory command.
 *
 * @param argv the arguments behind the script's name
 * @returns the exit code: 0, 1 (problems in the inventory), 2 (a wrong command line), or what the command says beside
 */
export async function run(argv: readonly string[], around: Surroundings): Promise<number> {
  try {
    const { name, command, call, wantsHelp } = parse(argv);
    if (wantsHelp) {
      around.out(command === undefined ? help() : helpOf(name, command));
      return 0;
    }
    if (command === undefined) throw new UsageError(`say what to do: ${names().join(", ")}`);
    return await command.run(call, around);
  } catch (error) {
    if (error instanceof InvalidInventory) return 1;
    if (!(error instanceof UsageError)) throw error;
    around.err(`${error.message}\n${CALL} --help explains the command line.\n`);
    return 2;
  }
}

function names(): string[] {
  return Object.keys(COMMANDS);
}

function parse(argv: readonly string[]) {
  const { values, positionals } = parseStrictly(argv);
  const [name = "", ...operands] = positionals;
  const { help: wantsHelp = false, ...given } = values;
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined && name !== "") {
    throw new UsageError(`there is no command ${name}; ${suggestion(name, names(), "commands")}`);
  }
  const options = Object.fromEntries(
    Object.entries(given).map(([option, value]) => [option, value === true ? "" : String(value)]),
  );
  if (command !== undefined && wantsHelp === false) refuseOthers(name, command, { operands, options });
  return { name, command, call: { operands, options }, wantsHelp: wantsHelp !== false };
}

function refuseOthers(name: string, command: Command, { operands, options }: Call): void {
  const missing = command.operands[operands.length];
  if (missing !== undefined) throw new UsageError(`${name} needs ${missing} behind it`);
  const others = operands.slice(command.operands.length);
  if (others.some((other) => Object.hasOwn(COMMANDS, other))) {
    throw new UsageError(`one command at a time, not also ${others.join(" ")}`);
  }
  if (others.length > 0) throw new UsageError(`${name} does not know what to do with ${others.join(" ")}`);
  const foreign = Object.keys(options).find((option) => !Object.hasOwn(command.options, option));
  if (foreign !== undefined) throw new UsageError(`${name} takes no --${foreign}`);
}

/** Options of all commands: where the command's name stands among them does not matter. */
function parseStrictly(argv: readonly string[]) {
  const all = Object.assign({}, ...Object.values(COMMANDS).map(({ options }) => options)) as Record<string, Option>;
  const config: ParseArgsConfig["options"] = { help: { type: "boolean", short: "h" } };
  for (const [option, { value }] of Object.entries(all)) {
    config[option] = { type: value === undefined ? "boolean" : "string" };
  }
  try {
    return parseArgs({ args: [...argv], options: config, allowPositionals: true, strict: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function help(): string {
  const commands = Object.entries(COMMANDS).map(([name, { operands, summary }]): [string, string] => [
    [name, ...operands].join(" "),
    summary,
  ]);
  const examples = Object.values(COMMANDS).flatMap((command) => command.examples.slice(0, 1));
  return `usage: ${CALL} <command> [options]

Looks at an inventory without a swarm, Pulumi or Icinga.

Commands:
${table(commands)}
Options of those that read an inventory:
${table(optionRows(SOURCE_OPTIONS))}
${CALL} <command> --help tells a command's own options.

Examples:
${examples.map((example) => `  ${CALL} ${example}\n`).join("")}
${ENDS}`;
}

function helpOf(name: string, { summary, details, operands, options, examples }: Command): string {
  const rows = optionRows(options);
  return `usage: ${[CALL, name, ...operands, ...(rows.length === 0 ? [] : ["[options]"])].join(" ")}

${summary.charAt(0).toUpperCase()}${summary.slice(1)}.
${details === undefined ? "" : `\n${details}\n`}${rows.length === 0 ? "" : `\nOptions:\n${table(rows)}`}
Examples:
${examples.map((example) => `  ${CALL} ${example}\n`).join("")}
${ENDS}`;
}

function optionRows(options: Readonly<Record<string, Option>>): [string, string][] {
  return Object.entries(options).map(([option, { value, text }]) => [
    `--${option}${value === undefined ? "" : ` ${value}`}`,
    text,
  ]);
}

function table(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}   ${right}\n`).join("");
}
