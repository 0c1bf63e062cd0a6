import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UserError } from "../commands/userError";
import { buildProgram } from "./buildProgram";
import type { GeneratorRun } from "./generatorRun";
import { findIcinga, type Icinga, type IcingaRun } from "./icinga";
import { sampleInventory, type Shape } from "./sampleInventory";

const SIZES = [1_000, 10_000, 100_000];
const SHAPES: readonly Shape[] = ["roles", "hosts"];

/** Icinga itself takes minutes and many gigabytes for more. */
const MOST_FOR_ICINGA = 10_000;

/** As much heap as Node.js takes for itself in a container with the generator's 1,024 MB. */
const NODE_OPTIONS = ["--max-old-space-size=512"];

interface Row {
  readonly hosts: number;
  readonly shape: Shape;
  readonly generator: GeneratorRun;
  readonly icinga: IcingaRun | undefined;
}

/**
 * Measures the generator on inventories of several sizes, each in a process of its own, beside `icinga2 daemon -C` on
 * the package that it wrote.
 *
 * @param args numbers of hosts. @default 1,000, 10,000 and 100,000
 */
export async function benchGenerator(args: readonly string[]): Promise<void> {
  const sizes = args.length === 0 ? SIZES : args.map(sizeOf);
  const icinga = findIcinga();
  const folder = mkdtempSync(join(tmpdir(), "icinga-swarm-bench-"));
  try {
    const program = join(folder, "generatorRun.js");
    await buildProgram("bench/generatorRun.ts", program);
    const rows = SHAPES.flatMap((shape) => sizes.map((hosts) => measure(program, folder, hosts, shape, icinga)));
    console.log(table(rows).join("\n"));
  } finally {
    rmSync(folder, { recursive: true });
  }
  console.log("roles: nearly all checks come from roles; hosts: each host has checks of its own");
  if (icinga === undefined) {
    console.log("icinga2 was left out: no Docker Engine here has the image icinga-master (npm run up builds it)");
  }
}

function sizeOf(argument: string): number {
  const size = Number(argument);
  if (Number.isInteger(size) && size > 0) return size;
  throw new UserError(`"${argument}" is no number of hosts; write them as 1000 10000`);
}

function measure(program: string, folder: string, hosts: number, shape: Shape, icinga: Icinga | undefined): Row {
  const [inventory, rendered] = [join(folder, "inventory"), join(folder, "package")];
  for (const made of [inventory, rendered]) {
    rmSync(made, { recursive: true, force: true });
    mkdirSync(made);
  }
  for (const [file, text] of sampleInventory(hosts, shape)) writeFileSync(join(inventory, file), text);
  const output = execFileSync(process.execPath, [...NODE_OPTIONS, program, inventory, rendered], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  const generator = JSON.parse(output) as GeneratorRun;
  return { hosts, shape, generator, icinga: hosts > MOST_FOR_ICINGA ? undefined : icinga?.validate(rendered) };
}

const HEADINGS = ["hosts", "checks", "of", "read", "render", "memory", "icinga2 -C", "its memory", "of its time"];

/** One line for each measurement, in columns. */
function table(rows: readonly Row[]): string[] {
  const seconds = (time: number) => `${time.toFixed(2)} s`;
  const megabytes = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;
  const lines = rows.map(({ hosts, shape, generator: { read, render, memory }, icinga }) => [
    String(hosts),
    String(hosts * 5),
    shape,
    seconds(read),
    seconds(render),
    megabytes(memory),
    ...(icinga === undefined
      ? ["-", "-", "-"]
      : [
          seconds(icinga.seconds),
          megabytes(icinga.memory),
          `${(((read + render) / icinga.seconds) * 100).toFixed(1)} %`,
        ]),
  ]);
  const all = [HEADINGS, ...lines];
  const widths = HEADINGS.map((_, column) => Math.max(...all.map((line) => line[column]?.length ?? 0)));
  return all.map((line) => line.map((cell, column) => cell.padStart(widths[column] ?? 0)).join("  "));
}
